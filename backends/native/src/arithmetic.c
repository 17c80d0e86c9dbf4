/* Kernels of chainrule/ops/arithmetic.py. */
#include "loops.h"

MAP2(add, 1, r = x + y)
MAP2(add_scaled, 1, r = x + y * p[0])
MAP2(sub, 1, r = x - y)
MAP2(rsub, 1, r = y - x)
MAP2(rsub_scaled, 1, r = y - x * p[0])
MAP2(mul, 1, r = x * y)
MAP2(divide, 4, r = x / y)

/* The number *alpha* of a sum; returns false to decline. */
static bool alpha_of(PyObject *const *args, Py_ssize_t count, PyObject *kwnames, double *alpha)
{
    static PyObject *names[1];
    PyObject *value;
    name(&names[0], "alpha");
    return statics(args, count, kwnames, 1, names, &value) && (!value || as_double(value, alpha));
}

#define SUM(kernel_name, scaled, sign)                                                             \
    static PyObject *kernel_name(PyObject *const *args, Py_ssize_t count, PyObject *kwnames)       \
    {                                                                                              \
        double p[NUMBERS] = {1};                                                                   \
        if (count != 2 || (kwnames && !alpha_of(args, count, kwnames, p)))                         \
            return DECLINED;                                                                       \
        if (LIKELY(p[0] == 1))                                                                     \
            return map_arrays(&kernel_name##_map, 2, args, NULL);                                  \
        p[0] *= sign;                                                                              \
        return map_arrays(&scaled##_map, 2, args, p);                                              \
    }

SUM(add, add_scaled, 1)
SUM(sub, add_scaled, -1)
SUM(rsub, rsub_scaled, 1)
PLAIN(mul, 2)
PLAIN(divide, 2) /* rounded: NumPy's */

const KernelEntry arithmetic_kernels[] = {
    {"cr::add", add}, {"cr::sub", sub}, {"cr::rsub", rsub}, {"cr::mul", mul}, {"cr::div", divide},
    {NULL, NULL},
};
