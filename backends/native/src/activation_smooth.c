/* Kernels of chainrule/ops/activation_smooth.py. */
#include "loops.h"

#include <string.h>

#define ROOT_HALF ((T)0.70710678118654752440)
#define DENSITY ((T)0.39894228040143267794) /* 1 / sqrt(2 pi) */
#define ROOT_2_OVER_PI ((T)0.79788456080286535588)
#define CUBIC ((T)0.044715)

/* ---- gelu -------------------------------------------------------------------------------------- */

MAP1(gelu_exact, 24, r = x * (T)0.5 * (1 + ERF(x * ROOT_HALF)))
MAP1(gelu_tanh, 24, r = (T)0.5 * x * (1 + TANH(x * (CUBIC * (x * x) + 1) * ROOT_2_OVER_PI)))

MAP2(gelu_exact_backward, 36,
     r = x * ((T)0.5 * (1 + ERF(y * ROOT_HALF)) + y * (DENSITY * EXP(y * y * (T)-0.5))))
MAP2(gelu_tanh_backward, 30, T square = y * y;
     T t = TANH(y * (CUBIC * square + 1) * ROOT_2_OVER_PI);
     T slope = (square * (3 * CUBIC) + 1) * ROOT_2_OVER_PI;
     r = (slope * y * (1 - t * t) + t + 1) * (T)0.5 * x)

/* The choice of `approximate`; returns false to decline. */
static bool is_tanh(PyObject *const *args, Py_ssize_t count, PyObject *kwnames, bool *result)
{
    static PyObject *names[1];
    PyObject *value;
    name(&names[0], "approximate");
    if (!statics(args, count, kwnames, 1, names, &value) || (value && !PyUnicode_Check(value)))
        return false;
    *result = value && PyUnicode_CompareWithASCIIString(value, "tanh") == 0;
    return !value || *result || PyUnicode_CompareWithASCIIString(value, "none") == 0;
}

static PyObject *gelu(PyObject *const *args, Py_ssize_t count, PyObject *kwnames)
{
    bool approximate;
    if (count != 1 || !is_tanh(args, count, kwnames, &approximate))
        return DECLINED;
    return map_arrays(approximate ? &gelu_tanh_map : &gelu_exact_map, 1, args, NULL);
}

static PyObject *gelu_backward(PyObject *const *args, Py_ssize_t count, PyObject *kwnames)
{
    bool approximate;
    if (count != 2 || !is_tanh(args, count, kwnames, &approximate))
        return DECLINED;
    return map_arrays(approximate ? &gelu_tanh_backward_map : &gelu_exact_backward_map, 2, args,
                      NULL);
}

/* ---- elu --------------------------------------------------------------------------------------- */

/* p: alpha * scale, scale, input_scale, and what the gradient below zero is multiplied with. */
MAP1(elu, 24, T below = EXPM1(x * p[2]) * p[0]; r = x > 0 ? x * p[1] : below)
MAP2(elu_backward, 12, r = x * (y > 0 ? p[1] : EXP(y * p[2]) * p[3]))

static bool elu_numbers(PyObject *const *args, Py_ssize_t count, PyObject *kwnames, double *p)
{
    static const Tuning tunings[] = {{"alpha", 1}, {"scale", 1}, {"input_scale", 1}};
    static PyObject *names[3];
    double given[NUMBERS];
    if (!tuned(args, count, kwnames, 3, tunings, names, given))
        return false;
    p[0] = given[0] * given[1];
    p[1] = given[1];
    p[2] = given[2];
    p[3] = given[0] * given[1] * given[2];
    p[4] = p[5] = 0;
    return true;
}

static PyObject *elu(PyObject *const *args, Py_ssize_t count, PyObject *kwnames)
{
    double p[NUMBERS];
    if (count != 1 || !elu_numbers(args, count, kwnames, p))
        return DECLINED;
    return map_arrays(&elu_map, 1, args, p);
}

static PyObject *elu_backward(PyObject *const *args, Py_ssize_t count, PyObject *kwnames)
{
    double p[NUMBERS];
    if (count != 2 || !elu_numbers(args, count, kwnames, p))
        return DECLINED;
    return map_arrays(&elu_backward_map, 2, args, p);
}

/* ---- of the logistic function ------------------------------------------------------------------ */

MAP1(silu, 12, r = x / (1 + EXP(-x)))
PLAIN(silu, 1)

MAP2(silu_backward, 14, T s = SIGMOID(y); r = x * (s * (y * (1 - s) + 1)))
PLAIN(silu_backward, 2)

/* log(1 + exp(s)) = max(s, 0) + log(1 + exp(-|s|)), which does not overflow. */
MAP1(softplus, 24, T s = x * p[0]; T soft = ((s > 0 ? s : 0) + LOG1P_UNIT(EXP(-ABS(s)))) / p[0];
     r = s > p[1] ? x : soft)
TUNED(softplus, 1, {"beta", 1}, {"threshold", 20})

MAP2(softplus_backward, 14, T s = y * p[0]; r = s > p[1] ? x : x * SIGMOID(s))
TUNED(softplus_backward, 2, {"beta", 1}, {"threshold", 20})

MAP1(logsigmoid, 20, r = (x < 0 ? x : x != x ? x : 0) - LOG1P_UNIT(EXP(-ABS(x))))
PLAIN(logsigmoid, 1)

MAP2(log_sigmoid_backward, 12, r = x / (EXP(y) + 1))
PLAIN(log_sigmoid_backward, 2)

/* tanh(log(1 + e)) = e (e + 2) / (e (e + 2) + 2), which is 1 from 20 on. */
MAP1(mish, 14, T e = EXP(x < 20 ? x : x != x ? x : 20); T n = e * (e + 2); r = x * (n / (n + 2)))
PLAIN(mish, 1)

MAP2(mish_backward, 24, T e = EXP(y < 20 ? y : y != y ? y : 20); T n = e * (e + 2);
     T t = n / (n + 2); r = x * (t + y * SIGMOID(y) * (1 - t * t)))
PLAIN(mish_backward, 2)

const KernelEntry activation_smooth_kernels[] = {
    {"cr::gelu", gelu},
    {"cr::gelu_backward", gelu_backward},
    {"cr::elu", elu},
    {"cr::elu_backward", elu_backward},
    {"cr::silu", silu},
    {"cr::silu_backward", silu_backward},
    {"cr::softplus", softplus},
    {"cr::softplus_backward", softplus_backward},
    {"cr::logsigmoid", logsigmoid},
    {"cr::log_sigmoid_backward", log_sigmoid_backward},
    {"cr::mish", mish},
    {"cr::mish_backward", mish_backward},
    {NULL, NULL},
};
