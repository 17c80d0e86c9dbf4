/* Kernels of chainrule/ops/comparison.py. */
#include "loops.h"

TEST2(equal, r = x == y)
TEST2(not_equal, r = x != y)
TEST2(less, r = x < y)
TEST2(less_equal, r = x <= y)
TEST2(greater, r = x > y)
TEST2(greater_equal, r = x >= y)

PLAIN(equal, 2)
PLAIN(not_equal, 2)
PLAIN(less, 2)
PLAIN(less_equal, 2)
PLAIN(greater, 2)
PLAIN(greater_equal, 2)

const KernelEntry comparison_kernels[] = {
    {"cr::eq", equal},   {"cr::ne", not_equal}, {"cr::lt", less}, {"cr::le", less_equal},
    {"cr::gt", greater}, {"cr::ge", greater_equal}, {NULL, NULL},
};
