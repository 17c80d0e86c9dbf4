/* Kernels of chainrule/ops/dropout.py.
 *
 * The words come from the stream that the op is given: there is one, whatever computes.
 */
#include "native.h"

#include <math.h>

typedef struct {
    const uint64_t *words;
    char *out;
    uint64_t below; /* what the low 53 bits of a word are compared with */
    double kept;    /* what stands where they are less */
    int type;
} Noise;

static void noise_part(void *data, npy_intp begin, npy_intp end)
{
    const Noise *job = data;
    const uint64_t *restrict words = job->words, mask = ((uint64_t)1 << 53) - 1, below = job->below;
#define CHOOSE(T)                                                                                  \
    T *restrict out = (T *)job->out;                                                               \
    const T kept = (T)job->kept;                                                                   \
    for (npy_intp i = begin; i < end; i++)                                                         \
        out[i] = (words[i] & mask) < below ? kept : 0;
    if (job->type == NPY_FLOAT) {
        CHOOSE(float)
    } else {
        CHOOSE(double)
    }
}

/* The shape of the noise: that of *x*, or *size*. False to decline. */
static bool read_shape(PyObject *x, PyObject *size, int *ndim, npy_intp *shape)
{
    if (!size || size == Py_None) {
        *ndim = PyArray_NDIM(as_array(x));
        for (int d = 0; d < *ndim; d++)
            shape[d] = PyArray_DIM(as_array(x), d);
        return is_contiguous(x); /* else the words are taken in the order of its memory */
    }
    if (!PyTuple_Check(size) || PyTuple_GET_SIZE(size) > NPY_MAXDIMS)
        return false;
    *ndim = (int)PyTuple_GET_SIZE(size);
    for (int d = 0; d < *ndim; d++)
        if (!as_index(PyTuple_GET_ITEM(size, d), &shape[d]) || shape[d] < 0)
            return false;
    return true;
}

static PyObject *dropout_noise(PyObject *const *args, Py_ssize_t count, PyObject *kwnames)
{
    static PyObject *names[4];
    name(&names[0], "p"), name(&names[1], "stream"), name(&names[2], "size"), name(&names[3], "scaled");
    PyObject *values[4];
    npy_intp shape[NPY_MAXDIMS];
    double p;
    int type, ndim;
    if (count != 1 || (type = float_type(args[0])) < 0 ||
        !statics(args, count, kwnames, 4, names, values) || !values[0] || !as_double(values[0], &p) ||
        !(p >= 0 && p < 1) || !values[1] || (values[3] && !PyBool_Check(values[3])) ||
        !read_shape(args[0], values[2], &ndim, shape))
        return DECLINED;
    PyObject *output = new_array(type, ndim, shape);
    if (!output)
        return NULL;
    npy_intp size = PyArray_SIZE(as_array(output));
    PyObject *drawn = PyObject_CallMethod(values[1], "words64", "n", (Py_ssize_t)size);
    PyObject *words = drawn ? PyArray_FROM_OTF(drawn, NPY_UINT64, NPY_ARRAY_IN_ARRAY) : NULL;
    Py_XDECREF(drawn);
    if (words && PyArray_SIZE(as_array(words)) != size) {
        PyErr_Format(PyExc_RuntimeError, "dropout: expected %zd words from the stream, got %zd",
                     (Py_ssize_t)size, (Py_ssize_t)PyArray_SIZE(as_array(words)));
        Py_CLEAR(words);
    }
    if (!words) {
        Py_DECREF(output);
        return NULL;
    }
    Noise job = {
        .words = data_of(words), .out = data_of(output), .below = (uint64_t)ceil((1 - p) * 0x1p53),
        .kept = values[3] == Py_False ? 1 : type == NPY_FLOAT ? 1 / (float)(1 - p) : 1 / (1 - p),
        .type = type,
    };
    BEGIN_LONG(size)
    parallel(size, 65536, noise_part, &job);
    END_LONG
    Py_DECREF(words);
    return output;
}

const KernelEntry random_kernels[] = {
    {"cr::_dropout_noise", dropout_noise},
    {NULL, NULL},
};
