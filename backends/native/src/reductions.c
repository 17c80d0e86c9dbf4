/* Kernels of chainrule/ops/reductions.py: sums and means over some dimensions.
 *
 * Neighbouring dimensions that are both summed over, or both kept, are one; then at most three are
 * left in the common cases: keep-sum (rows), sum-keep (columns: the gradient of what broadcast),
 * keep-sum-keep, and sum-keep-sum (channels). An array that is not C-contiguous, or that alternates
 * more often, is NumPy's.
 *
 * Sums are made of blocks with a fixed number of lanes, and blocks are added up in a fixed order,
 * pairwise: so they are as exact as NumPy's, and the number of threads changes no bit.
 */
#include "loops.h"

#include <stdlib.h>

#define LANES 32
#define BLOCK 1024           /* elements summed into lanes at once */
#define ROWS 64              /* rows added up before they go to the total */
#define COLUMNS 512          /* columns at work at a time */
#define WORTH_THREADS 131072

/* ---- contiguous --------------------------------------------------------------------------------- */

#define SUM_OF(suffix, T)                                                                          \
    static inline T block_sum_##suffix(const T *restrict x, npy_intp n)                            \
    {                                                                                              \
        T lanes[LANES] = {0};                                                                      \
        npy_intp i = 0;                                                                            \
        for (; i + LANES <= n; i += LANES)                                                         \
            for (int k = 0; k < LANES; k++)                                                        \
                lanes[k] += x[i + k];                                                              \
        for (int k = 0; i + k < n; k++)                                                            \
            lanes[k] += x[i + k];                                                                  \
        for (int width = LANES / 2; width; width /= 2)                                             \
            for (int k = 0; k < width; k++)                                                        \
                lanes[k] += lanes[k + width];                                                      \
        return lanes[0];                                                                           \
    }                                                                                              \
                                                                                                   \
    static T sum_##suffix(const T *x, npy_intp n)                                                  \
    {                                                                                              \
        if (n <= 8) { /* as NumPy adds up a few */                                                 \
            T total = 0;                                                                           \
            for (npy_intp i = 0; i < n; i++)                                                       \
                total += x[i];                                                                     \
            return total;                                                                          \
        }                                                                                          \
        if (n <= BLOCK)                                                                            \
            return block_sum_##suffix(x, n);                                                       \
        npy_intp half = BLOCK;                                                                     \
        while (half * 2 < n)                                                                       \
            half *= 2;                                                                             \
        return sum_##suffix(x, half) + sum_##suffix(x + half, n - half);                           \
    }                                                                                              \
                                                                                                   \
    /* out[c] = sum over r of x[r * stride + c], ROWS rows at a time, pairwise above. */           \
    static void columns_##suffix(const T *x, npy_intp rows, npy_intp stride, npy_intp n,           \
                                 T *restrict out)                                                  \
    {                                                                                              \
        if (rows <= ROWS) {                                                                        \
            for (npy_intp c = 0; c < n; c++)                                                       \
                out[c] = rows ? x[c] + 0 : 0;                                                      \
            for (npy_intp r = 1; r < rows; r++) {                                                  \
                const T *restrict row = x + r * stride;                                            \
                for (npy_intp c = 0; c < n; c++)                                                   \
                    out[c] += row[c];                                                              \
            }                                                                                      \
            return;                                                                                \
        }                                                                                          \
        npy_intp half = ROWS;                                                                      \
        while (half * 2 < rows)                                                                    \
            half *= 2;                                                                             \
        T part[COLUMNS];                                                                           \
        columns_##suffix(x, half, stride, n, out);                                                 \
        columns_##suffix(x + half * stride, rows - half, stride, n, part);                         \
        for (npy_intp c = 0; c < n; c++)                                                           \
            out[c] += part[c];                                                                     \
    }

SUM_OF(single, float)
SUM_OF(real, double)

/* ---- jobs --------------------------------------------------------------------------------------- */

typedef struct {
    const char *x;
    char *out;
    int type;
    npy_intp before, inner, after; /* keep-sum-keep; or sum-keep-sum: channels */
} Job;

#define REDUCE(suffix, T)                                                                          \
    static void whole_##suffix(const Job *job, npy_intp begin, npy_intp end)                       \
    { /* out[i] = the sum of one part of an array that is reduced whole */                         \
        for (npy_intp i = begin; i < end; i++) {                                                   \
            npy_intp at = i * job->before, n = job->inner - at;                                    \
            ((T *)job->out)[i] = sum_##suffix((const T *)job->x + at, n < job->before ? n : job->before); \
        }                                                                                          \
    }                                                                                              \
    static void rows_##suffix(const Job *job, npy_intp begin, npy_intp end)                        \
    {                                                                                              \
        for (npy_intp i = begin; i < end; i++)                                                     \
            ((T *)job->out)[i] = sum_##suffix((const T *)job->x + i * job->inner, job->inner);     \
    }                                                                                              \
    static void tiles_##suffix(const Job *job, npy_intp begin, npy_intp end)                       \
    { /* a tile is up to COLUMNS columns of one of the outer indices */                            \
        npy_intp tiles = (job->after + COLUMNS - 1) / COLUMNS;                                     \
        for (npy_intp i = begin; i < end; i++) {                                                   \
            npy_intp outer = i / tiles, at = i % tiles * COLUMNS, n = job->after - at;             \
            columns_##suffix((const T *)job->x + outer * job->inner * job->after + at, job->inner, \
                             job->after, n < COLUMNS ? n : COLUMNS,                                \
                             (T *)job->out + outer * job->after + at);                             \
        }                                                                                          \
    }                                                                                              \
    static void channels_##suffix(const Job *job, npy_intp begin, npy_intp end)                    \
    {                                                                                              \
        for (npy_intp k = begin; k < end; k++) {                                                   \
            T total = 0, part = 0;                                                                 \
            for (npy_intp b = 0; b < job->before; b++) {                                           \
                part += sum_##suffix((const T *)job->x + (b * job->inner + k) * job->after,        \
                                     job->after);                                                  \
                if (b % ROWS == ROWS - 1) {                                                        \
                    total += part;                                                                 \
                    part = 0;                                                                      \
                }                                                                                  \
            }                                                                                      \
            ((T *)job->out)[k] = total + part;                                                     \
        }                                                                                          \
    }                                                                                              \
    static void divide_##suffix(T *out, npy_intp n, double divisor)                                \
    {                                                                                              \
        for (npy_intp i = 0; i < n; i++)                                                           \
            out[i] /= (T)divisor;                                                                  \
    }

REDUCE(single, float)
REDUCE(real, double)

PART(whole, Job)
PART(rows, Job)
PART(tiles, Job)
PART(channels, Job)

static void run(Part part, Job *job, npy_intp units, npy_intp elements)
{
    npy_intp each = units ? elements / units : 1, grain = each ? 16384 / each : 16384;
    BEGIN_LONG(elements)
    if (elements < WORTH_THREADS)
        part(job, 0, units);
    else
        parallel(units, grain < 1 ? 1 : grain, part, job);
    END_LONG
}

#define WHOLE_PART 65536

/* The sum of everything, into one element. */
static bool sum_whole(Job *job, npy_intp size)
{
    if (size <= WHOLE_PART) {
        job->before = job->inner = size;
        whole_part(job, 0, 1);
        return true;
    }
    npy_intp parts = (size + WHOLE_PART - 1) / WHOLE_PART;
    size_t itemsize = job->type == NPY_FLOAT ? 4 : 8;
    char *sums = malloc((size_t)parts * itemsize), *out = job->out;
    if (!sums) {
        PyErr_NoMemory();
        return false;
    }
    job->before = WHOLE_PART;
    job->inner = size;
    job->out = sums;
    run(whole_part, job, parts, size);
    if (job->type == NPY_FLOAT)
        *(float *)out = sum_single((float *)sums, parts);
    else
        *(double *)out = sum_real((double *)sums, parts);
    job->out = out;
    free(sums);
    return true;
}

/* ---- kernels ------------------------------------------------------------------------------------ */

/* Which dimensions are summed over, as flags. Returns false to decline. */
static bool read_dims(PyObject *dims, int ndim, bool *summed)
{
    for (int d = 0; d < ndim; d++)
        summed[d] = false;
    if (!dims || dims == Py_None || (PyTuple_CheckExact(dims) && PyTuple_GET_SIZE(dims) == 0)) {
        for (int d = 0; d < ndim; d++)
            summed[d] = true;
        return true;
    }
    Py_ssize_t count = PyTuple_CheckExact(dims) ? PyTuple_GET_SIZE(dims) : 1;
    for (Py_ssize_t i = 0; i < count; i++) {
        npy_intp dim;
        if (!as_index(PyTuple_CheckExact(dims) ? PyTuple_GET_ITEM(dims, i) : dims, &dim))
            return false;
        dim += dim < 0 ? ndim : 0;
        if (dim < 0 || dim >= ndim || summed[dim])
            return false;
        summed[dim] = true;
    }
    return true;
}

#define MAX_NDIM 16

static PyObject *reduce(PyObject *array, PyObject *dims, bool keep, bool mean)
{
    int type = float_type(array);
    if (type < 0 || !is_contiguous(array) || PyArray_NDIM(as_array(array)) > MAX_NDIM)
        return DECLINED;
    PyArrayObject *x = as_array(array);
    int ndim = PyArray_NDIM(x), out_ndim = 0, groups = 0;
    bool summed[MAX_NDIM], kinds[MAX_NDIM];
    npy_intp shape[MAX_NDIM], sizes[MAX_NDIM], count = 1, kept = 1;
    if (!read_dims(dims, ndim, summed))
        return DECLINED;
    for (int d = 0; d < ndim; d++) {
        npy_intp size = PyArray_DIM(x, d);
        if (!summed[d] || keep)
            shape[out_ndim++] = summed[d] ? 1 : size;
        if (summed[d])
            count *= size;
        else
            kept *= size;
        if (size == 1)
            continue;
        if (groups && kinds[groups - 1] == summed[d]) {
            sizes[groups - 1] *= size;
        } else {
            kinds[groups] = summed[d];
            sizes[groups++] = size;
        }
    }
    if (groups > 3 || count == 0 || kept == 0)
        return DECLINED; /* nothing to add up: NumPy's zeros */
    PyObject *output = new_array(type, out_ndim, shape);
    if (!output)
        return NULL;
    Job job = {.x = PyArray_BYTES(x), .out = PyArray_BYTES(as_array(output)), .type = type};
    npy_intp size = count * kept;
    if (kept == 1) {
        if (!sum_whole(&job, size)) {
            Py_DECREF(output);
            return NULL;
        }
    } else if (groups == 1) { /* nothing is summed but dimensions of size 1 */
        memcpy(job.out, job.x, (size_t)PyArray_NBYTES(x));
    } else if (groups == 2 && kinds[1]) {
        job.inner = sizes[1];
        run(rows_part, &job, sizes[0], size);
    } else if (groups == 3 && kinds[0]) {
        job.before = sizes[0];
        job.inner = sizes[1];
        job.after = sizes[2];
        run(channels_part, &job, sizes[1], size);
    } else {
        npy_intp outer = groups == 2 ? 1 : sizes[0];
        job.inner = groups == 2 ? sizes[0] : sizes[1];
        job.after = groups == 2 ? sizes[1] : sizes[2];
        run(tiles_part, &job, outer * ((job.after + COLUMNS - 1) / COLUMNS), size);
    }
    if (mean && type == NPY_FLOAT)
        divide_single((float *)job.out, kept, (double)count);
    else if (mean)
        divide_real((double *)job.out, kept, (double)count);
    return output;
}

/* Integers wrap around, so they may be added up in any order. */
#define INTEGERS(suffix, T)                                                                        \
    static int64_t sum_##suffix(const T *x, npy_intp n)                                            \
    {                                                                                              \
        uint64_t lanes[LANES] = {0};                                                               \
        npy_intp i = 0;                                                                            \
        for (; i + LANES <= n; i += LANES)                                                         \
            for (int k = 0; k < LANES; k++)                                                        \
                lanes[k] += (uint64_t)(int64_t)x[i + k];                                           \
        for (int k = 0; i + k < n; k++)                                                            \
            lanes[k] += (uint64_t)(int64_t)x[i + k];                                               \
        for (int k = 1; k < LANES; k++)                                                            \
            lanes[0] += lanes[k];                                                                  \
        return (int64_t)lanes[0];                                                                  \
    }

INTEGERS(int64, int64_t)
INTEGERS(int32, int32_t)
INTEGERS(uint8, uint8_t) /* a bool is one byte, 0 or 1 */

/* The sum of all elements of a contiguous array of bools or integers, as int64. */
static PyObject *sum_integers(PyObject *array)
{
    if (!PyArray_CheckExact(array) || !is_contiguous(array))
        return DECLINED;
    int type = PyArray_TYPE(as_array(array));
    if (!is_array(array, type) ||
        !(type == NPY_BOOL || type == NPY_UINT8 || type == NPY_INT32 || type == NPY_INT64))
        return DECLINED;
    PyObject *output = new_array(NPY_INT64, 0, NULL);
    if (!output)
        return NULL;
    npy_intp size = PyArray_SIZE(as_array(array));
    const void *x = PyArray_DATA(as_array(array));
    int64_t *total = PyArray_DATA(as_array(output));
    BEGIN_LONG(size)
    *total = type == NPY_INT64 ? sum_int64(x, size) : type == NPY_INT32 ? sum_int32(x, size) : sum_uint8(x, size);
    END_LONG
    return output;
}

static PyObject *reduction(PyObject *const *args, Py_ssize_t count, PyObject *kwnames, bool mean)
{
    static PyObject *names[3];
    PyObject *values[3];
    name(&names[0], "dim");
    name(&names[1], "keepdim");
    name(&names[2], "dtype");
    if (count != 1 || !statics(args, count, kwnames, 3, names, values) ||
        (values[2] && values[2] != Py_None) || (values[1] && !PyBool_Check(values[1])))
        return DECLINED;
    if (!mean && !values[0] && values[1] != Py_True && float_type(args[0]) < 0)
        return sum_integers(args[0]);
    return reduce(args[0], values[0], values[1] == Py_True, mean);
}

static PyObject *sum(PyObject *const *args, Py_ssize_t count, PyObject *kwnames)
{
    return reduction(args, count, kwnames, false);
}

static PyObject *average(PyObject *const *args, Py_ssize_t count, PyObject *kwnames)
{
    return reduction(args, count, kwnames, true);
}

const KernelEntry reductions_kernels[] = {
    {"cr::_sum_all", sum},      {"cr::_sum", sum}, {"cr::_mean_all", average},
    {"cr::_mean", average}, {NULL, NULL},
};
