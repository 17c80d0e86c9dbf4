/* Kernels of chainrule/ops/activation.py and activation_smooth.py, and of tanh and sigmoid. */
#include "loops.h"

/* NaN is not <= 0, and so comes through. */
MAP1(relu, 1, r = x <= 0 ? 0 : x)
PLAIN(relu, 1)

MAP2(threshold_backward, 1, r = y <= p[0] ? 0 : x)
TUNED(threshold_backward, 2, {"threshold", 0})

MAP1(sigmoid, 12, r = SIGMOID(x))
PLAIN(sigmoid, 1)

MAP2(sigmoid_backward, 3, r = x * ((1 - y) * y))
PLAIN(sigmoid_backward, 2)

MAP1(tanh_, 20, r = TANH(x))
PLAIN(tanh_, 1)

MAP2(tanh_backward, 3, r = x * (1 - y * y))
PLAIN(tanh_backward, 2)

const KernelEntry activation_kernels[] = {
    {"cr::relu", relu},
    {"cr::threshold_backward", threshold_backward},
    {"cr::sigmoid", sigmoid},
    {"cr::sigmoid_backward", sigmoid_backward},
    {"cr::tanh", tanh_},
    {"cr::tanh_backward", tanh_backward},
    {NULL, NULL},
};
