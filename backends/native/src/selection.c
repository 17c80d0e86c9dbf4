/* Kernels of chainrule/ops/selection.py and clamping.py. */
#include "loops.h"

/* ---- by a mask --------------------------------------------------------------------------------- */

#define PICK(suffix, type)                                                                         \
    static void where_##suffix(char *const *inputs, char *output, npy_intp n, const double *p)     \
    {                                                                                              \
        const npy_bool *restrict mask = (const npy_bool *)inputs[0];                               \
        const type *restrict chosen = (const type *)inputs[1];                                     \
        const type *restrict other = (const type *)inputs[2];                                      \
        type *restrict out = (type *)output;                                                       \
        for (npy_intp i = 0; i < n; i++)                                                           \
            out[i] = mask[i] ? chosen[i] : other[i];                                               \
    }

PICK(single, float)
PICK(real, double)
static const Map where_map = {where_single, where_real, 1, .masks = 1};

static PyObject *where(PyObject *const *args, Py_ssize_t count, PyObject *kwnames)
{
    if (count != 3 || kwnames)
        return DECLINED;
    return map_arrays(&where_map, 3, args, NULL);
}

static PyObject *masked_fill(PyObject *const *args, Py_ssize_t count, PyObject *kwnames)
{
    if (count != 3 || kwnames || float_type(args[0]) < 0 || !PyArray_Check(args[1]))
        return DECLINED;
    /* The value does not broadcast the result to more dimensions: it has none. */
    if (PyArray_Check(args[2]) && PyArray_NDIM(as_array(args[2])) > 0)
        return DECLINED;
    PyObject *sorted[3] = {args[1], args[2], args[0]};
    return map_arrays(&where_map, 3, sorted, NULL);
}

/* ---- by size ----------------------------------------------------------------------------------- */

/* Where one of the two is NaN, so is the result. */
MAP2(maximum, 1, r = x > y || x != x ? x : y)
MAP2(minimum, 1, r = x < y || x != x ? x : y)
PLAIN(maximum, 2)
PLAIN(minimum, 2)

MAP3(maximum_backward, 2, r = y < z ? 0 : y == z ? x * (T)0.5 : x)
PLAIN(maximum_backward, 3)

/* p: the bounds, infinite where there is none. */
MAP1(clamp, 2, r = x < p[0] ? p[0] : x; r = r > p[1] ? p[1] : r)
MAP2(clamp_backward, 2, r = ((y >= p[0]) & (y <= p[1])) ? x : 0)

static bool bounds(PyObject *const *args, Py_ssize_t count, PyObject *kwnames, double *p)
{
    static PyObject *names[2];
    PyObject *values[2];
    name(&names[0], "min");
    name(&names[1], "max");
    if (!statics(args, count, kwnames, 2, names, values))
        return false;
    p[0] = -(double)INFINITY;
    p[1] = (double)INFINITY;
    for (int i = 0; i < 2; i++)
        if (values[i] && values[i] != Py_None && (!as_double(values[i], &p[i]) || p[i] != p[i]))
            return false;
    p[2] = p[3] = p[4] = p[5] = 0;
    return true;
}

static PyObject *clamp(PyObject *const *args, Py_ssize_t count, PyObject *kwnames)
{
    double p[NUMBERS];
    if (count != 1 || !bounds(args, count, kwnames, p))
        return DECLINED;
    return map_arrays(&clamp_map, 1, args, p);
}

static PyObject *clamp_backward(PyObject *const *args, Py_ssize_t count, PyObject *kwnames)
{
    double p[NUMBERS];
    if (count != 2 || !bounds(args, count, kwnames, p))
        return DECLINED;
    return map_arrays(&clamp_backward_map, 2, args, p);
}

const KernelEntry selection_kernels[] = {
    {"cr::_where", where},
    {"cr::masked_fill", masked_fill},
    {"cr::maximum", maximum},
    {"cr::minimum", minimum},
    {"cr::clamp_min", maximum},
    {"cr::clamp_max", minimum},
    {"cr::maximum_backward", maximum_backward},
    {"cr::_clamp", clamp},
    {"cr::clamp_backward", clamp_backward},
    {NULL, NULL},
};
