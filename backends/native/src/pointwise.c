/* Kernels of chainrule/ops/pointwise.py, power.py, exponential.py, trigonometry.py and special.py. */
#include "loops.h"

MAP1(neg, 1, r = -x)
PLAIN(neg, 1)
MAP1(absolute, 1, r = ABS(x))
PLAIN(absolute, 1)
MAP1(sign, 2, r = (T)(x > 0) - (T)(x < 0))
PLAIN(sign, 1)
MAP1(reciprocal, 4, r = 1 / x)
PLAIN(reciprocal, 1)
MAP1(square_root, 6, r = SQRT(x))
PLAIN(square_root, 1)
MAP1(reciprocal_root, 8, r = 1 / SQRT(x))
PLAIN(reciprocal_root, 1)

MAP1(exponential, 8, r = EXP(x))
PLAIN(exponential, 1)
MAP1(logarithm, 12, r = LOG(x))
PLAIN(logarithm, 1)
MAP1(exponential_less_one, 24, r = EXPM1(x))
PLAIN(exponential_less_one, 1)
MAP1(logarithm_of_one_more, 16, r = LOG1P(x))
PLAIN(logarithm_of_one_more, 1)

MAP1(logistic, 12, r = SIGMOID(x))
PLAIN(logistic, 1)
MAP2(sigmoid_backward, 3, r = x * ((1 - y) * y))
PLAIN(sigmoid_backward, 2)
MAP1(hyperbolic_tangent, 16, r = TANH(x))
PLAIN(hyperbolic_tangent, 1)
MAP2(tanh_backward, 3, r = x * (1 - y * y))
PLAIN(tanh_backward, 2)

MAP1(error_function, 20, r = ERF(x))
PLAIN(error_function, 1)

/* Powers that are a product or two; any other exponent is NumPy's. The first is what the gradient of
 * a square asks for. */
MAP1(itself, 1, r = x)
MAP1(square, 1, r = x * x)
MAP1(cube, 1, r = x * x * x)
MAP1(inverse_square, 4, r = 1 / (x * x))

static PyObject *power(PyObject *const *args, Py_ssize_t count, PyObject *kwnames)
{
    double exponent;
    if (count != 2 || kwnames || !as_double(args[1], &exponent))
        return DECLINED;
    const Map *map = exponent == 1 ? &itself_map : exponent == 2 ? &square_map :
                     exponent == 3 ? &cube_map : exponent == 0.5 ? &square_root_map : exponent == -0.5 ? &reciprocal_root_map :
                     exponent == -1 ? &reciprocal_map : exponent == -2 ? &inverse_square_map : NULL;
    return map ? map_arrays(map, 1, args, NULL) : DECLINED;
}

const KernelEntry pointwise_kernels[] = {
    {"cr::neg", neg},
    {"cr::abs", absolute},
    {"cr::sign", sign},
    {"cr::reciprocal", reciprocal},
    {"cr::sqrt", square_root},
    {"cr::rsqrt", reciprocal_root},
    {"cr::exp", exponential},
    {"cr::log", logarithm},
    {"cr::expm1", exponential_less_one},
    {"cr::log1p", logarithm_of_one_more},
    {"cr::sigmoid", logistic},
    {"cr::sigmoid_backward", sigmoid_backward},
    {"cr::tanh", hyperbolic_tangent},
    {"cr::tanh_backward", tanh_backward},
    {"cr::erf", error_function},
    {"cr::pow", power},
    {NULL, NULL},
};
