/* Kernels of chainrule/ops/comparison.py. */
#include "loops.h"

TEST2(equal, r = x == y)
TEST2(not_equal, r = x != y)
TEST2(less, r = x < y)
TEST2(less_equal, r = x <= y)
TEST2(greater, r = x > y)
TEST2(greater_equal, r = x >= y)

PLAIN_TEST(equal)
PLAIN_TEST(not_equal)
PLAIN_TEST(less)
PLAIN_TEST(less_equal)
PLAIN_TEST(greater)
PLAIN_TEST(greater_equal)

const KernelEntry comparison_kernels[] = {
    {"cr::eq", equal},   {"cr::ne", not_equal}, {"cr::lt", less}, {"cr::le", less_equal},
    {"cr::gt", greater}, {"cr::ge", greater_equal}, {NULL, NULL},
};
