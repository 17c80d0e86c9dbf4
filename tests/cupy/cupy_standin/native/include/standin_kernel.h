// Stands in front of every CUDA source that is compiled for a CPU: the words of CUDA C++.
//
// Written for the sources that CuPy generates and for plain kernels. What is missing fails to
// compile, which tells more than an approximation would: no textures, no inline PTX, no wmma, no
// cooperative groups.
#pragma once
#include <math.h>
#include <stdlib.h>

#include <cassert>
#include <cfloat>
#include <climits>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <limits>
#include <tuple>
#include <type_traits>
#include <utility>

#include "abi.h"

#define __CUDACC_VER_MAJOR__ 13
#define __CUDACC_VER_MINOR__ 0
#define __global__
#define __device__
#define __host__
#define __constant__ __attribute__((visibility("default"), used))
#define __forceinline__ inline
#define __noinline__ __attribute__((noinline))
#define __launch_bounds__(...)
#define __align__(n) __attribute__((aligned(n)))
#define __grid_constant__
// One block runs at a time, so its shared memory can be static; the section tells where it is.
#define __shared__ static __attribute__((section("standin_shared")))
// Not to be watched: these functions read and write for the stand-in.
#define STANDIN_OWN __attribute__((no_sanitize("thread")))

// ---- vectors

struct dim3 {
  unsigned x = 1, y = 1, z = 1;
  dim3() {}
  dim3(unsigned a, unsigned b = 1, unsigned c = 1) : x(a), y(b), z(c) {}
};

template <class T> constexpr size_t standin_align(size_t n) { return n * sizeof(T) > 16 ? 16 : n * sizeof(T); }
#define STANDIN_VECTORS(T, N)                                                        \
  struct N##1 { T x; };                                                              \
  struct alignas(standin_align<T>(2)) N##2 { T x, y; };                              \
  struct N##3 { T x, y, z; };                                                        \
  struct alignas(standin_align<T>(4)) N##4 { T x, y, z, w; };                        \
  inline N##1 make_##N##1(T x) { return {x}; }                                       \
  inline N##2 make_##N##2(T x, T y) { return {x, y}; }                               \
  inline N##3 make_##N##3(T x, T y, T z) { return {x, y, z}; }                       \
  inline N##4 make_##N##4(T x, T y, T z, T w) { return {x, y, z, w}; }
STANDIN_VECTORS(char, char)
STANDIN_VECTORS(unsigned char, uchar)
STANDIN_VECTORS(short, short)
STANDIN_VECTORS(unsigned short, ushort)
STANDIN_VECTORS(int, int)
STANDIN_VECTORS(unsigned, uint)
STANDIN_VECTORS(long, long)
STANDIN_VECTORS(unsigned long, ulong)
STANDIN_VECTORS(long long, longlong)
STANDIN_VECTORS(unsigned long long, ulonglong)
STANDIN_VECTORS(float, float)
STANDIN_VECTORS(double, double)
#undef STANDIN_VECTORS

// ---- where a thread is

#define threadIdx (standin_thread.thread)
#define blockIdx (standin_thread.block)
#define blockDim (standin_thread.block_dim)
#define gridDim (standin_thread.grid_dim)
static const int warpSize = 32;

inline unsigned standin_rank() {
  return threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
}

// ---- waiting, and what lanes of a warp tell one another

inline void __syncthreads() { standin_block_barrier(); }
inline void __syncwarp(unsigned mask = 0xffffffffu) { standin_warp_barrier(mask); }
inline void __threadfence() {}
inline void __threadfence_block() {}
inline void __threadfence_system() {}

STANDIN_OWN inline int standin_any_of_block(int value, int kind) {
  static int sum;
  __syncthreads();
  if (standin_rank() == 0) sum = 0;
  __syncthreads();
  sum += value != 0;
  __syncthreads();
  int total = sum;
  __syncthreads();
  int all = blockDim.x * blockDim.y * blockDim.z;
  return kind == 0 ? total : kind == 1 ? total == all : total != 0;
}
inline int __syncthreads_count(int value) { return standin_any_of_block(value, 0); }
inline int __syncthreads_and(int value) { return standin_any_of_block(value, 1); }
inline int __syncthreads_or(int value) { return standin_any_of_block(value, 2); }

// What a lane gets from one that is not of the mask is undefined: a pattern here.
template <class T>
STANDIN_OWN T standin_from_lane(unsigned mask, T value, unsigned lane, bool valid) {
  static_assert(sizeof(T) <= 64, "a shuffle of more than 64 bytes");
  unsigned me = standin_rank();
  T result = value;
  standin_warp_put(me, &value, sizeof(T));
  __syncwarp(mask);
  if (valid && !(mask >> lane & 1)) memset(&result, 0xCD, sizeof(T));
  else if (valid) standin_warp_get((me & ~31u) + lane, &result, sizeof(T));
  __syncwarp(mask);
  return result;
}
inline unsigned standin_lane() { return standin_rank() & 31; }
template <class T> T __shfl_sync(unsigned mask, T value, int from, int width = 32) {
  unsigned lane = standin_lane();
  return standin_from_lane(mask, value, (lane & ~(width - 1)) + (from & (width - 1)), true);
}
template <class T> T __shfl_up_sync(unsigned mask, T value, unsigned by, int width = 32) {
  unsigned lane = standin_lane();
  return standin_from_lane(mask, value, lane - by, (lane & (width - 1)) >= by);
}
template <class T> T __shfl_down_sync(unsigned mask, T value, unsigned by, int width = 32) {
  unsigned lane = standin_lane();
  return standin_from_lane(mask, value, lane + by, (lane & (width - 1)) + by < unsigned(width));
}
template <class T> T __shfl_xor_sync(unsigned mask, T value, int bits, int width = 32) {
  unsigned lane = standin_lane(), other = lane ^ bits;
  return standin_from_lane(mask, value, other, (other & ~(width - 1)) <= (lane & ~(width - 1)));
}
inline unsigned __ballot_sync(unsigned mask, int predicate) {
  unsigned ballot = 0;
  for (int lane = 0; lane < 32; lane++)
    if (mask >> lane & 1) ballot |= unsigned(__shfl_sync(mask, predicate != 0, lane)) << lane;
  unsigned warp = standin_rank() & ~31u, threads = blockDim.x * blockDim.y * blockDim.z;
  return threads - warp < 32 ? ballot & ((1u << (threads - warp)) - 1) : ballot;
}
inline int __any_sync(unsigned mask, int predicate) { return __ballot_sync(mask, predicate) != 0; }
inline int __all_sync(unsigned mask, int predicate) { return __ballot_sync(mask, !predicate) == 0; }

// ---- atomics: one thread runs at a time, so reading, changing and writing is one step

#define STANDIN_ATOMIC(NAME, NEW)                                                            \
  template <class T, class U, class = std::enable_if_t<std::is_arithmetic_v<T>>>             \
  STANDIN_OWN inline T NAME(T* at, U given) {                                                \
    standin_atomic(at, sizeof(T));                                                           \
    T value = (T)given, old = *at;                                                           \
    *at = (NEW);                                                                             \
    return old;                                                                              \
  }                                                                                          \
  template <class T, class U> inline T NAME##_block(T* at, U given) { return NAME(at, given); }
STANDIN_ATOMIC(atomicAdd, (T)(old + value))
STANDIN_ATOMIC(atomicSub, (T)(old - value))
STANDIN_ATOMIC(atomicExch, value)
STANDIN_ATOMIC(atomicMax, old > value ? old : value)
STANDIN_ATOMIC(atomicMin, old < value ? old : value)
STANDIN_ATOMIC(atomicAnd, (T)((unsigned long long)old & (unsigned long long)value))
STANDIN_ATOMIC(atomicOr, (T)((unsigned long long)old | (unsigned long long)value))
STANDIN_ATOMIC(atomicXor, (T)((unsigned long long)old ^ (unsigned long long)value))
STANDIN_ATOMIC(atomicInc, (T)(old >= value ? 0 : old + 1))
STANDIN_ATOMIC(atomicDec, (T)(old == 0 || old > value ? value : old - 1))
#undef STANDIN_ATOMIC
template <class T> STANDIN_OWN inline T atomicCAS(T* at, T compare, T value) {
  standin_atomic(at, sizeof(T));
  T old = *at;
  if (old == compare) *at = value;
  return old;
}

// ---- bits

template <class To, class From> STANDIN_OWN inline To standin_bits(From from) {
  static_assert(sizeof(To) == sizeof(From), "bits of another size");
  To to;
  memcpy(&to, &from, sizeof to);
  return to;
}
inline int __float_as_int(float x) { return standin_bits<int>(x); }
inline unsigned __float_as_uint(float x) { return standin_bits<unsigned>(x); }
inline float __int_as_float(int x) { return standin_bits<float>(x); }
inline float __uint_as_float(unsigned x) { return standin_bits<float>(x); }
inline long long __double_as_longlong(double x) { return standin_bits<long long>(x); }
inline double __longlong_as_double(long long x) { return standin_bits<double>(x); }
inline int __popc(unsigned x) { return __builtin_popcount(x); }
inline int __popcll(unsigned long long x) { return __builtin_popcountll(x); }
inline int __clz(int x) { return x ? __builtin_clz(x) : 32; }
inline int __clzll(long long x) { return x ? __builtin_clzll(x) : 64; }
inline int __ffs(int x) { return __builtin_ffs(x); }
inline int __ffsll(long long x) { return __builtin_ffsll(x); }
inline unsigned __brev(unsigned x) {
  unsigned y = 0;
  for (int i = 0; i < 32; i++) y |= (x >> i & 1) << (31 - i);
  return y;
}
inline unsigned __umulhi(unsigned a, unsigned b) { return (unsigned)(((unsigned long long)a * b) >> 32); }
inline int __mulhi(int a, int b) { return (int)(((long long)a * b) >> 32); }
inline unsigned long long __umul64hi(unsigned long long a, unsigned long long b) {
  return (unsigned long long)(((unsigned __int128)a * b) >> 64);
}
inline long long __mul64hi(long long a, long long b) { return (long long)(((__int128)a * b) >> 64); }
inline unsigned __funnelshift_l(unsigned low, unsigned high, unsigned by) {
  return (unsigned)((((unsigned long long)high << 32 | low) << (by & 31)) >> 32);
}
inline unsigned __funnelshift_r(unsigned low, unsigned high, unsigned by) {
  return (unsigned)(((unsigned long long)high << 32 | low) >> (by & 31));
}
template <class T> inline T __ldg(const T* at) { return *at; }
template <class T> inline T __ldcs(const T* at) { return *at; }
template <class T> inline void __stcs(T* at, T value) { *at = value; }

// ---- arithmetic with a stated rounding, and conversions that saturate as a GPU's do

inline float __fadd_rn(float a, float b) { return a + b; }
inline float __fsub_rn(float a, float b) { return a - b; }
inline float __fmul_rn(float a, float b) { return a * b; }
inline float __fdiv_rn(float a, float b) { return a / b; }
inline float __fmaf_rn(float a, float b, float c) { return fmaf(a, b, c); }
inline float __fsqrt_rn(float a) { return sqrtf(a); }
inline float __frcp_rn(float a) { return 1.0f / a; }
inline float __frsqrt_rn(float a) { return (float)(1.0 / sqrt((double)a)); }
inline double __dadd_rn(double a, double b) { return a + b; }
inline double __dsub_rn(double a, double b) { return a - b; }
inline double __dmul_rn(double a, double b) { return a * b; }
inline double __ddiv_rn(double a, double b) { return a / b; }
inline double __fma_rn(double a, double b, double c) { return fma(a, b, c); }
inline double __dsqrt_rn(double a) { return sqrt(a); }
template <class To, class From> inline To standin_saturate(From x) {
  if (x != x) return 0;
  if (x >= (From)std::numeric_limits<To>::max()) return std::numeric_limits<To>::max();
  if (x <= (From)std::numeric_limits<To>::min()) return std::numeric_limits<To>::min();
  return (To)x;
}
inline int __float2int_rz(float x) { return standin_saturate<int>(x); }
inline int __float2int_rn(float x) { return standin_saturate<int>(rintf(x)); }
inline int __float2int_rd(float x) { return standin_saturate<int>(floorf(x)); }
inline int __float2int_ru(float x) { return standin_saturate<int>(ceilf(x)); }
inline unsigned __float2uint_rz(float x) { return standin_saturate<unsigned>(x); }
inline long long __float2ll_rz(float x) { return standin_saturate<long long>(x); }
inline int __double2int_rz(double x) { return standin_saturate<int>(x); }
inline int __double2int_rn(double x) { return standin_saturate<int>(rint(x)); }
inline long long __double2ll_rz(double x) { return standin_saturate<long long>(x); }
inline float __double2float_rn(double x) { return (float)x; }
inline float __int2float_rn(int x) { return (float)x; }
inline float __uint2float_rn(unsigned x) { return (float)x; }
inline float __ull2float_rn(unsigned long long x) { return (float)x; }

// ---- functions: glibc's, whose last bits differ from CUDA's

inline float rsqrtf(float x) { return 1.0f / sqrtf(x); }
inline double rsqrt(double x) { return 1.0 / sqrt(x); }
inline float rsqrt(float x) { return rsqrtf(x); }
inline float __expf(float x) { return expf(x); }
inline float __logf(float x) { return logf(x); }
inline float __log2f(float x) { return log2f(x); }
inline float __powf(float x, float y) { return powf(x, y); }
inline float __sinf(float x) { return sinf(x); }
inline float __cosf(float x) { return cosf(x); }
inline float __tanf(float x) { return tanf(x); }
inline float __fdividef(float a, float b) { return a / b; }
inline float __saturatef(float x) { return x > 0 ? x < 1 ? x : 1 : 0; }
inline float fdividef(float a, float b) { return a / b; }
inline double exp10(double x) { return pow(10.0, x); }
inline float exp10f(float x) { return (float)pow(10.0, (double)x); }
inline double sinpi(double x) { return sin(M_PI * fmod(x, 2.0)); }
inline float sinpif(float x) { return (float)sinpi((double)x); }
inline double cospi(double x) { return cos(M_PI * fmod(x, 2.0)); }
inline float cospif(float x) { return (float)cospi((double)x); }
inline double normcdf(double x) { return 0.5 * erfc(-x * M_SQRT1_2); }
inline float normcdff(float x) { return (float)normcdf((double)x); }
inline double erfcx(double x) {
  if (x < 25) return exp(x * x) * erfc(x);
  double y = 1 / (x * x);  // the asymptotic series, to the accuracy of double from 25 on
  return (1 - y / 2 * (1 - 1.5 * y * (1 - 2.5 * y))) / (x * sqrt(M_PI));
}
inline float erfcxf(float x) { return (float)erfcx((double)x); }
using std::isfinite;
using std::isinf;
using std::isnan;
using std::signbit;
#define STANDIN_BOTH std::enable_if_t<std::is_arithmetic_v<T> && std::is_arithmetic_v<U>>
template <class T, class U, class = STANDIN_BOTH>
inline std::common_type_t<T, U> max(T a, U b) {
  using C = std::common_type_t<T, U>;
  if constexpr (std::is_floating_point_v<C>) return fmax((C)a, (C)b);
  else return (C)a > (C)b ? (C)a : (C)b;
}
template <class T, class U, class = STANDIN_BOTH>
inline std::common_type_t<T, U> min(T a, U b) {
  using C = std::common_type_t<T, U>;
  if constexpr (std::is_floating_point_v<C>) return fmin((C)a, (C)b);
  else return (C)a < (C)b ? (C)a : (C)b;
}
#undef STANDIN_BOTH

// ---- how the stand-in calls a kernel

template <class T> using StandinValue = std::remove_cv_t<std::remove_reference_t<T>>;
template <class... A, size_t... I>
STANDIN_OWN inline void standin_call(void (*kernel)(A...), void** p, std::index_sequence<I...>) {
  kernel(*reinterpret_cast<StandinValue<A>*>(p[I])...);
}
template <class... A> inline void standin_run(void (*kernel)(A...), void** parameters) {
  standin_call(kernel, parameters, std::index_sequence_for<A...>());
}
template <class... A> constexpr int standin_count(void (*)(A...)) { return sizeof...(A); }
template <class... A> inline const int* standin_sizes(void (*)(A...)) {
  static const int sizes[] = {(int)sizeof(StandinValue<A>)..., 0};
  return sizes;
}
static char standin_shared_at_least_one __attribute__((section("standin_shared"), used));
extern "C" char __start_standin_shared[] __attribute__((visibility("hidden")));
extern "C" char __stop_standin_shared[] __attribute__((visibility("hidden")));
