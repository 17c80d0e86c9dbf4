/* Kernels of chainrule/ops/activation.py. NaN is neither above nor below a bound. */
#include "loops.h"

MAP1(relu, 1, r = x <= 0 ? 0 : x)
PLAIN(relu, 1)

MAP2(threshold_backward, 1, r = y <= p[0] ? 0 : x)
TUNED(threshold_backward, 2, {"threshold", 0})

MAP1(hardtanh, 2, r = x < p[0] ? p[0] : x; r = r > p[1] ? p[1] : r)
TUNED(hardtanh, 1, {"min_val", -1}, {"max_val", 1})

MAP2(hardtanh_backward, 2, r = ((y > p[0]) & (y < p[1])) ? x : 0)
TUNED(hardtanh_backward, 2, {"min_val", -1}, {"max_val", 1})

MAP1(leaky_relu, 2, r = x > 0 ? x : x * p[0])
TUNED(leaky_relu, 1, {"negative_slope", 0.01})

MAP2(leaky_relu_backward, 2, r = y > 0 ? x : x * p[0])
TUNED(leaky_relu_backward, 2, {"negative_slope", 0.01})

MAP1(hardsigmoid, 6, T t = x + 3; t = t < 0 ? 0 : t; r = (t > 6 ? 6 : t) / 6)
PLAIN(hardsigmoid, 1)

MAP2(hardsigmoid_backward, 6, r = ((y > -3) & (y < 3)) ? x / 6 : 0)
PLAIN(hardsigmoid_backward, 2)

MAP1(hardswish, 6, T t = x + 3; t = t < 0 ? 0 : t; r = x * (t > 6 ? 6 : t) / 6)
PLAIN(hardswish, 1)

MAP2(hardswish_backward, 6, r = y <= -3 ? 0 : y >= 3 ? x : x * (y / 3 + (T)0.5))
PLAIN(hardswish_backward, 2)

const KernelEntry activation_kernels[] = {
    {"cr::relu", relu},
    {"cr::threshold_backward", threshold_backward},
    {"cr::hardtanh", hardtanh},
    {"cr::hardtanh_backward", hardtanh_backward},
    {"cr::leaky_relu", leaky_relu},
    {"cr::leaky_relu_backward", leaky_relu_backward},
    {"cr::hardsigmoid", hardsigmoid},
    {"cr::hardsigmoid_backward", hardsigmoid_backward},
    {"cr::hardswish", hardswish},
    {"cr::hardswish_backward", hardswish_backward},
    {NULL, NULL},
};
