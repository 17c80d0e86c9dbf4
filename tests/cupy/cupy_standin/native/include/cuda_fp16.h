// Half precision over the compiler's own _Float16: what CuPy's headers and plain kernels ask for.
#pragma once
#include "standin_kernel.h"

struct __half_raw { unsigned short x; };

struct half {
  unsigned short bits;
  half() {}
  half(float v) { bits = standin_bits<unsigned short>((_Float16)v); }
  explicit half(const __half_raw& v) : bits(v.x) {}
  explicit half(double v) { bits = standin_bits<unsigned short>((_Float16)v); }
  explicit half(bool v) : half((float)v) {}
  explicit half(int v) : half((float)v) {}
  explicit half(unsigned v) : half((float)v) {}
  explicit half(long v) : half((float)v) {}
  explicit half(long long v) : half((float)v) {}
  explicit half(unsigned long long v) : half((float)v) {}
  operator float() const { return (float)standin_bits<_Float16>(bits); }
  operator __half_raw() const { return {bits}; }
};
typedef half __half;

inline unsigned short __half_as_ushort(half x) { return x.bits; }
inline half __ushort_as_half(unsigned short bits) { return half(__half_raw{bits}); }
inline float __half2float(half x) { return (float)x; }
inline half __float2half(float x) { return half(x); }
inline half __float2half_rn(float x) { return half(x); }
