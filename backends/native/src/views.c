/* Kernels of chainrule/ops/shape.py, axes.py and broadcasting.py: other looks at the same memory.
 *
 * A view costs no arithmetic, only the way to it: a call in Python, and NumPy's own for its arguments.
 */
#include "native.h"

#define MAX_NDIM 16

static bool is_viewed(PyObject *object)
{
    return PyArray_CheckExact(object) && PyArray_NDIM(as_array(object)) <= MAX_NDIM &&
           (PyArray_ISNUMBER(as_array(object)) || PyArray_ISBOOL(as_array(object)));
}

/* The memory of *object* with other sizes and steps, writable if *object* is. */
static PyObject *view_of(PyObject *object, int ndim, const npy_intp *shape, const npy_intp *strides)
{
    PyArrayObject *x = as_array(object);
    PyArray_Descr *descr = PyArray_DESCR(x);
    Py_INCREF(descr);
    PyObject *view = PyArray_NewFromDescr(&PyArray_Type, descr, ndim, shape, strides, PyArray_DATA(x),
                                          PyArray_FLAGS(x) & NPY_ARRAY_WRITEABLE, NULL);
    if (view && PyArray_SetBaseObject(as_array(view), Py_NewRef(object)) < 0)
        Py_CLEAR(view);
    return view;
}

/* Read the only keyword, a tuple of integers. */
static bool read_tuple(PyObject *const *args, Py_ssize_t count, PyObject *kwnames, PyObject *keyword, int *size,
                       npy_intp *items)
{
    PyObject *value;
    if (count != 1 || !is_viewed(args[0]) || !statics(args, count, kwnames, 1, &keyword, &value) || !value ||
        !PyTuple_Check(value) || PyTuple_GET_SIZE(value) > MAX_NDIM)
        return false;
    *size = (int)PyTuple_GET_SIZE(value);
    for (int d = 0; d < *size; d++)
        if (!as_index(PyTuple_GET_ITEM(value, d), &items[d]))
            return false;
    return true;
}

static PyObject *view(PyObject *const *args, Py_ssize_t count, PyObject *kwnames)
{
    static PyObject *keyword;
    npy_intp shape[MAX_NDIM], strides[MAX_NDIM], step = 1;
    int ndim;
    if (!read_tuple(args, count, kwnames, name(&keyword, "size"), &ndim, shape) || !is_contiguous(args[0]))
        return DECLINED;
    PyArrayObject *x = as_array(args[0]);
    for (int d = ndim - 1; d >= 0; d--) {
        if (shape[d] < 1 || step > PyArray_SIZE(x) / shape[d])
            return DECLINED; /* empty, or too large: NumPy's, or its error */
        strides[d] = step * PyArray_ITEMSIZE(x);
        step *= shape[d];
    }
    return step == PyArray_SIZE(x) ? view_of(args[0], ndim, shape, strides) : DECLINED;
}

static PyObject *expand(PyObject *const *args, Py_ssize_t count, PyObject *kwnames)
{
    static PyObject *keyword;
    npy_intp shape[MAX_NDIM], strides[MAX_NDIM] = {0};
    int ndim;
    if (!read_tuple(args, count, kwnames, name(&keyword, "size"), &ndim, shape))
        return DECLINED;
    PyArrayObject *x = as_array(args[0]);
    int extra = ndim - PyArray_NDIM(x);
    for (int d = 0; d < ndim; d++) {
        if (shape[d] < 0 || (d >= extra && PyArray_DIM(x, d - extra) != 1 && PyArray_DIM(x, d - extra) != shape[d]))
            return DECLINED;
        if (d >= extra && (PyArray_DIM(x, d - extra) != 1 || shape[d] == 1))
            strides[d] = PyArray_STRIDE(x, d - extra);
    }
    return extra < 0 ? DECLINED : view_of(args[0], ndim, shape, strides);
}

/* Look at the dimensions in another order. */
static PyObject *rearranged(PyObject *object, const npy_intp *order)
{
    PyArrayObject *x = as_array(object);
    npy_intp shape[MAX_NDIM], strides[MAX_NDIM];
    for (int d = 0; d < PyArray_NDIM(x); d++) {
        shape[d] = PyArray_DIM(x, order[d]);
        strides[d] = PyArray_STRIDE(x, order[d]);
    }
    return view_of(object, PyArray_NDIM(x), shape, strides);
}

static PyObject *permute(PyObject *const *args, Py_ssize_t count, PyObject *kwnames)
{
    static PyObject *keyword;
    npy_intp order[MAX_NDIM];
    bool seen[MAX_NDIM] = {false};
    int ndim;
    if (!read_tuple(args, count, kwnames, name(&keyword, "dims"), &ndim, order) ||
        ndim != PyArray_NDIM(as_array(args[0])))
        return DECLINED;
    for (int d = 0; d < ndim; d++) {
        order[d] += order[d] < 0 ? ndim : 0;
        if (order[d] < 0 || order[d] >= ndim || seen[order[d]])
            return DECLINED;
        seen[order[d]] = true;
    }
    return rearranged(args[0], order);
}

/* Exchange two dimensions, counted from the end if negative. */
static PyObject *exchanged(PyObject *object, npy_intp one, npy_intp other)
{
    npy_intp order[MAX_NDIM], ndim = PyArray_NDIM(as_array(object));
    one += one < 0 ? ndim : 0;
    other += other < 0 ? ndim : 0;
    if (one < 0 || one >= ndim || other < 0 || other >= ndim)
        return DECLINED;
    for (npy_intp d = 0; d < ndim; d++)
        order[d] = d == one ? other : d == other ? one : d;
    return rearranged(object, order);
}

static PyObject *transpose(PyObject *const *args, Py_ssize_t count, PyObject *kwnames)
{
    static PyObject *names[2];
    name(&names[0], "dim0"), name(&names[1], "dim1");
    PyObject *values[2];
    npy_intp one, other;
    if (count != 1 || !is_viewed(args[0]) || !statics(args, count, kwnames, 2, names, values) || !values[0] ||
        !values[1] || !as_index(values[0], &one) || !as_index(values[1], &other))
        return DECLINED;
    return exchanged(args[0], one, other);
}

static PyObject *turned(PyObject *const *args, Py_ssize_t count, PyObject *kwnames)
{
    if (count != 1 || kwnames || !is_viewed(args[0]) || PyArray_NDIM(as_array(args[0])) != 2)
        return DECLINED;
    return exchanged(args[0], 0, 1);
}

const KernelEntry views_kernels[] = {
    {"cr::_view", view},
    {"cr::_reshape_alias", view},
    {"cr::_expand", expand},
    {"cr::_permute", permute},
    {"cr::_transpose", transpose},
    {"cr::_t", turned},
    {NULL, NULL},
};
