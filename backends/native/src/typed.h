/* For files that are included twice, once per type of numbers, with REAL defined the second time.
 *
 * T is the type, F(name) names a function of it, V is a vector of LANES numbers.
 */
#undef T
#undef F
#undef V
#undef LANES
#undef GEMM

#if defined(__AVX512F__)
#define VECTOR_BYTES 64
#elif defined(__AVX__)
#define VECTOR_BYTES 32
#else
#define VECTOR_BYTES 16
#endif

#ifdef REAL
#define T double
#define F(name) name##_real
#define V vector_real
#else
#define T float
#define F(name) name##_single
#define V vector_single
#endif
#define LANES ((npy_intp)(VECTOR_BYTES / sizeof(T)))
#define GEMM F(gemm)

#ifndef CHAINRULE_NATIVE_TYPED
#define CHAINRULE_NATIVE_TYPED
/* Vectors and remainders are written out in these files, and do not compute the same in any case:
 * so a product and a sum may become one instruction wherever that is quicker. */
#if defined(__clang__)
#pragma clang fp contract(fast)
#else
#pragma GCC optimize("fp-contract=fast")
#endif
typedef float vector_single __attribute__((vector_size(VECTOR_BYTES)));
typedef double vector_real __attribute__((vector_size(VECTOR_BYTES)));
#define LOAD(vector, from) memcpy(&(vector), (from), sizeof(vector))
#define STORE(to, vector) memcpy((to), &(vector), sizeof(vector))
#endif
