/* From half precision to single, and back: NumPy does it with integers, one number at a time.
 *
 * Other casts are NumPy's, whose loops are as fast as the memory; and those of arrays that do not lie in
 * order, whose results lie like them.
 */
#include "native.h"

#ifdef __F16C__
#include <immintrin.h>
#endif

typedef struct {
    const char *from;
    char *to;
} Cast;

#ifdef __F16C__
/* Eight at a time; what is left goes through memory of eight. */
#define CONVERT(name, From, To, LOAD_STORE)                                                        \
    static void name(void *data, npy_intp begin, npy_intp end)                                     \
    {                                                                                              \
        const Cast *job = data;                                                                    \
        const From *from = (const From *)job->from;                                                \
        To *to = (To *)job->to;                                                                    \
        npy_intp i = begin;                                                                        \
        for (; i + 8 <= end; i += 8)                                                               \
            LOAD_STORE(from + i, to + i);                                                          \
        if (i < end) {                                                                             \
            From rest[8] = {0};                                                                    \
            To result[8];                                                                          \
            memcpy(rest, from + i, sizeof(From) * (size_t)(end - i));                              \
            LOAD_STORE(rest, result);                                                              \
            memcpy(to + i, result, sizeof(To) * (size_t)(end - i));                                \
        }                                                                                          \
    }

#define WIDEN(from, to) _mm256_storeu_ps(to, _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(from))))
#define NARROW(from, to)                                                                           \
    _mm_storeu_si128((__m128i *)(to), _mm256_cvtps_ph(_mm256_loadu_ps(from), _MM_FROUND_TO_NEAREST_INT))

CONVERT(widen_part, npy_half, float, WIDEN)
CONVERT(narrow_part, float, npy_half, NARROW)
#endif

/* cast(array, number of a type): the array in that type, or None where NumPy is to do it. */
PyObject *cast(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    npy_intp type;
    if (count != 2 || !as_index(args[1], &type)) {
        PyErr_SetString(PyExc_TypeError, "cast: expected an array and the number of a type");
        return NULL;
    }
#ifdef __F16C__
    bool widen = type == NPY_FLOAT && is_array(args[0], NPY_HALF);
    if ((widen || (type == NPY_HALF && is_array(args[0], NPY_FLOAT))) && is_contiguous(args[0])) {
        PyObject *output = new_like(args[0], (int)type);
        if (output) {
            Cast job = {data_of(args[0]), data_of(output)};
            npy_intp size = PyArray_SIZE(as_array(output));
            BEGIN_LONG(size)
            parallel(size, 65536, widen ? widen_part : narrow_part, &job);
            END_LONG
        }
        return output;
    }
#endif
    Py_RETURN_NONE;
}
