// Precompiled: what nearly every source of CuPy's includes.
#include "standin_kernel.h"

#include <cupy/atomics.cuh>
#include <cupy/carray.cuh>
#include <cupy/complex.cuh>
#include <cupy/math_constants.h>
