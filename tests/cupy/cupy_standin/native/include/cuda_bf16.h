// bfloat16: the upper half of a float, rounded to nearest, ties to even.
#pragma once
#include "standin_kernel.h"

struct __nv_bfloat16 {
  unsigned short bits;
  __nv_bfloat16() : bits(0) {}
  __nv_bfloat16(float v) {
    unsigned u = __float_as_uint(v);
    bits = v != v ? 0x7fff : (unsigned short)((u + 0x7fff + (u >> 16 & 1)) >> 16);
  }
  explicit __nv_bfloat16(double v) : __nv_bfloat16((float)v) {}
  operator float() const { return __uint_as_float((unsigned)bits << 16); }
};

inline unsigned short __bfloat16_as_ushort(__nv_bfloat16 x) { return x.bits; }
inline __nv_bfloat16 __ushort_as_bfloat16(unsigned short bits) {
  __nv_bfloat16 x;
  x.bits = bits;
  return x;
}
inline bool operator==(__nv_bfloat16 a, __nv_bfloat16 b) { return (float)a == (float)b; }
inline bool __hisnan(__nv_bfloat16 x) { return isnan((float)x); }
inline int __hisinf(__nv_bfloat16 x) { return isinf((float)x); }
inline float __bfloat162float(__nv_bfloat16 x) { return (float)x; }
inline __nv_bfloat16 __float2bfloat16(float x) { return __nv_bfloat16(x); }
