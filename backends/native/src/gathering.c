/* Kernels of chainrule/ops/embeddings.py and loss_classes.py: elements chosen by integers.
 *
 * A place that is none is left to NumPy's kernel, which says so: nothing is read or written there.
 */
#include "native.h"

static bool are_places(PyObject *object, npy_intp size)
{
    if (!is_array(object, NPY_INT64) || !is_contiguous(object))
        return false;
    const int64_t *places = (const int64_t *)PyArray_BYTES(as_array(object));
    npy_intp count = PyArray_SIZE(as_array(object));
    bool inside = true;
    for (npy_intp i = 0; i < count; i++) /* as an unsigned number a negative one is large */
        inside &= (uint64_t)places[i] < (uint64_t)size;
    return inside;
}

/* ---- rows of a table ---------------------------------------------------------------------------- */

static PyObject *embedding(PyObject *const *args, Py_ssize_t count, PyObject *kwnames)
{
    /* The keywords say something of the gradient alone. */
    if (count != 2)
        return DECLINED;
    int type = float_type(args[0]);
    if (type < 0 || !is_contiguous(args[0]) || PyArray_NDIM(as_array(args[0])) != 2 ||
        !are_places(args[1], PyArray_DIM(as_array(args[0]), 0)))
        return DECLINED;
    PyArrayObject *weight = as_array(args[0]), *indices = as_array(args[1]);
    npy_intp width = PyArray_DIM(weight, 1) * (type == NPY_FLOAT ? 4 : 8), shape[NPY_MAXDIMS];
    int ndim = PyArray_NDIM(indices);
    if (ndim + 1 > NPY_MAXDIMS)
        return DECLINED;
    for (int d = 0; d < ndim; d++)
        shape[d] = PyArray_DIM(indices, d);
    shape[ndim] = PyArray_DIM(weight, 1);
    PyObject *output = new_array(type, ndim + 1, shape);
    if (!output)
        return NULL;
    const int64_t *places = (const int64_t *)PyArray_BYTES(indices);
    npy_intp rows = PyArray_SIZE(indices);
    const char *from = PyArray_BYTES(weight);
    char *to = PyArray_BYTES(as_array(output));
    for (npy_intp i = 0; i < rows; i++)
        memcpy(to + i * width, from + places[i] * width, (size_t)width);
    return output;
}

static PyObject *embedding_backward(PyObject *const *args, Py_ssize_t count, PyObject *kwnames)
{
    static PyObject *names[3];
    PyObject *values[3];
    name(&names[0], "num_weights");
    name(&names[1], "padding_idx");
    name(&names[2], "scale_grad_by_freq");
    npy_intp size, padding;
    if (count != 2 || !statics(args, count, kwnames, 3, names, values) || !values[0] ||
        !values[1] || values[2] != Py_False || !as_index(values[0], &size) ||
        !as_index(values[1], &padding) || size < 0)
        return DECLINED;
    int type = float_type(args[0]);
    if (type < 0 || !is_contiguous(args[0]) || !are_places(args[1], size))
        return DECLINED;
    PyArrayObject *grad = as_array(args[0]), *indices = as_array(args[1]);
    int ndim = PyArray_NDIM(grad);
    npy_intp rows = PyArray_SIZE(indices);
    if (ndim != PyArray_NDIM(indices) + 1 || PyArray_SIZE(grad) != rows * PyArray_DIM(grad, ndim - 1))
        return DECLINED;
    npy_intp width = PyArray_DIM(grad, ndim - 1), shape[2] = {size, width};
    PyObject *output = new_array(type, 2, shape);
    if (!output)
        return NULL;
    char *out = PyArray_BYTES(as_array(output));
    const int64_t *places = (const int64_t *)PyArray_BYTES(indices);
    memset(out, 0, (size_t)PyArray_NBYTES(as_array(output)));
#define ADD_ROWS(T)                                                                                \
    for (npy_intp i = 0; i < rows; i++) {                                                          \
        T *restrict to = (T *)out + places[i] * width;                                             \
        const T *restrict from = (const T *)PyArray_BYTES(grad) + i * width;                       \
        if (places[i] == padding)                                                                  \
            continue;                                                                              \
        for (npy_intp k = 0; k < width; k++)                                                       \
            to[k] += from[k];                                                                      \
    }
    if (type == NPY_FLOAT) {
        ADD_ROWS(float)
    } else {
        ADD_ROWS(double)
    }
    return output;
}

/* ---- the loss of classes ------------------------------------------------------------------------ */

enum { NONE, MEAN, SUM };

typedef struct {
    npy_intp reduction, ignored, rows, classes;
    const int64_t *targets;
    int type;
} Loss;

static PyObject *loss_names[3];

/* Without weights, over rows; *x* and *target* are what the op names so. */
static bool read_loss(PyObject *x, PyObject *target, PyObject *const *args, Py_ssize_t count,
                      PyObject *kwnames, Loss *loss)
{
    PyObject *values[3];
    name(&loss_names[0], "reduction");
    name(&loss_names[1], "ignore_index");
    name(&loss_names[2], "spatial");
    loss->reduction = MEAN;
    loss->ignored = -100;
    if (!statics(args, count, kwnames, 3, loss_names, values) ||
        (values[0] && !as_index(values[0], &loss->reduction)) ||
        (values[1] && !as_index(values[1], &loss->ignored)) ||
        (values[2] && values[2] != Py_None && values[2] != Py_False))
        return false;
    loss->type = float_type(x);
    if (loss->type < 0 || !is_contiguous(x) || PyArray_NDIM(as_array(x)) != 2 ||
        !is_array(target, NPY_INT64) || !is_contiguous(target) ||
        PyArray_NDIM(as_array(target)) != 1 ||
        PyArray_DIM(as_array(target), 0) != PyArray_DIM(as_array(x), 0) || loss->reduction < NONE ||
        loss->reduction > SUM)
        return false;
    loss->rows = PyArray_DIM(as_array(x), 0);
    loss->classes = PyArray_DIM(as_array(x), 1);
    loss->targets = (const int64_t *)PyArray_BYTES(as_array(target));
    for (npy_intp i = 0; i < loss->rows; i++)
        if (loss->targets[i] != loss->ignored &&
            (uint64_t)loss->targets[i] >= (uint64_t)loss->classes)
            return false;
    return true;
}

static double element(int type, const char *data, npy_intp i)
{
    return type == NPY_FLOAT ? ((const float *)data)[i] : ((const double *)data)[i];
}

static void put(int type, char *data, npy_intp i, double value)
{
    if (type == NPY_FLOAT)
        ((float *)data)[i] = (float)value;
    else
        ((double *)data)[i] = value;
}

static PyObject *nll_loss(PyObject *const *args, Py_ssize_t count, PyObject *kwnames)
{
    Loss loss;
    if (count < 2 || count > 3 || (count == 3 && args[2] != Py_None) ||
        !read_loss(args[0], args[1], args, count, kwnames, &loss))
        return DECLINED;
    PyObject *output = new_array(loss.type, loss.reduction == NONE ? 1 : 0, &loss.rows);
    PyObject *weight = new_array(loss.type, 0, NULL);
    if (!output || !weight) {
        Py_XDECREF(output);
        Py_XDECREF(weight);
        return NULL;
    }
    const char *x = PyArray_BYTES(as_array(args[0]));
    char *out = PyArray_BYTES(as_array(output));
    double total = 0;
    npy_intp chosen = 0;
    for (npy_intp i = 0; i < loss.rows; i++) {
        bool counts = loss.targets[i] != loss.ignored;
        double value = counts ? -element(loss.type, x, i * loss.classes + loss.targets[i]) : 0;
        chosen += counts;
        total += value;
        if (loss.reduction == NONE)
            put(loss.type, out, i, value);
    }
    if (loss.reduction != NONE)
        put(loss.type, out, 0, loss.reduction == MEAN ? total / (double)chosen : total);
    put(loss.type, PyArray_BYTES(as_array(weight)), 0, (double)chosen);
    PyObject *both = PyTuple_Pack(2, output, weight);
    Py_DECREF(output);
    Py_DECREF(weight);
    return both;
}

static PyObject *nll_loss_backward(PyObject *const *args, Py_ssize_t count, PyObject *kwnames)
{
    Loss loss;
    if (count != 5 || args[3] != Py_None ||
        !read_loss(args[1], args[2], args, count, kwnames, &loss) ||
        !is_array(args[0], loss.type) || !is_array(args[4], loss.type) ||
        PyArray_SIZE(as_array(args[4])) != 1)
        return DECLINED;
    PyArrayObject *grad = as_array(args[0]);
    bool each = loss.reduction == NONE;
    if (each ? PyArray_NDIM(grad) != 1 || PyArray_SIZE(grad) != loss.rows || !is_contiguous(args[0])
             : PyArray_NDIM(grad) != 0)
        return DECLINED;
    PyObject *output = new_like(args[1], loss.type);
    if (!output)
        return NULL;
    char *out = PyArray_BYTES(as_array(output));
    memset(out, 0, (size_t)PyArray_NBYTES(as_array(output)));
    double total = loss.reduction == MEAN
                       ? element(loss.type, PyArray_BYTES(as_array(args[4])), 0) : 1;
    for (npy_intp i = 0; i < loss.rows; i++)
        if (loss.targets[i] != loss.ignored)
            put(loss.type, out, i * loss.classes + loss.targets[i],
                -element(loss.type, PyArray_BYTES(grad), each ? i : 0) / total);
    return output;
}

const KernelEntry gathering_kernels[] = {
    {"cr::_embedding", embedding},
    {"cr::embedding_backward", embedding_backward},
    {"cr::_nll_loss", nll_loss},
    {"cr::_nll_loss_backward", nll_loss_backward},
    {NULL, NULL},
};
