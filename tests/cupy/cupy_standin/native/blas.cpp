// cuBLAS for the stand-in: column-major, plain loops, the functions that CuPy's arrays need.
//
// A scalar in host memory is read when the function is called, one in device memory when the work
// runs. half and bfloat16 accumulate in float, as cuBLAS does by default.
#include <complex>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <vector>

#define PUBLIC extern "C" __attribute__((visibility("default")))

extern "C" int standin_submit(void* stream, void (*work)(void*), void* data);

namespace {

using Status = int;
constexpr Status kSuccess = 0, kNotInitialized = 1, kInvalidValue = 7, kExecutionFailed = 13,
                 kNotSupported = 15;

struct Handle {
  void* stream = nullptr;
  int pointer_mode = 0, math_mode = 0, atomics_mode = 0;
};

using Work = std::function<void()>;
using c64 = std::complex<float>;
using c128 = std::complex<double>;

struct bf16 {
  uint16_t bits;
  operator float() const {
    uint32_t u = uint32_t(bits) << 16;
    float f;
    memcpy(&f, &u, 4);
    return f;
  }
  bf16() = default;
  explicit bf16(float f) {
    uint32_t u;
    memcpy(&u, &f, 4);
    bits = f != f ? 0x7fff : uint16_t((u + 0x7fff + (u >> 16 & 1)) >> 16);
  }
};

Status run(Handle* handle, Work work) {
  if (!handle) return kNotInitialized;
  auto* kept = new Work(std::move(work));  // a graph may run it again
  auto call = [](void* data) { (*static_cast<Work*>(data))(); };
  return standin_submit(handle->stream, call, kept) ? kExecutionFailed : kSuccess;
}

template <class T> T conjugate(T x) { return x; }
template <> c64 conjugate(c64 x) { return std::conj(x); }
template <> c128 conjugate(c128 x) { return std::conj(x); }

template <class T> class Scalar {
 public:
  Scalar(Handle* handle, const T* at) : at_(at), on_host_(!handle->pointer_mode) {
    if (on_host_) value_ = *at;
  }
  T get() const { return on_host_ ? value_ : *at_; }

 private:
  const T* at_;
  bool on_host_;
  T value_{};
};

template <class T, class A>
void gemm(int ta, int tb, int m, int n, int k, A alpha, const T* a, int lda, const T* b, int ldb,
          A beta, T* c, int ldc) {
  std::vector<A> column(m);
  for (int j = 0; j < n; j++) {
    std::fill(column.begin(), column.end(), A(0));
    for (int p = 0; p < k; p++) {
      T of_b = tb ? b[j + size_t(p) * ldb] : b[p + size_t(j) * ldb];
      A factor = A(tb == 2 ? conjugate(of_b) : of_b);
      if (ta == 0) {
        const T* of_a = a + size_t(p) * lda;
        for (int i = 0; i < m; i++) column[i] += A(of_a[i]) * factor;
      } else {
        for (int i = 0; i < m; i++) {
          T of_a = a[p + size_t(i) * lda];
          column[i] += A(ta == 2 ? conjugate(of_a) : of_a) * factor;
        }
      }
    }
    for (int i = 0; i < m; i++) {
      T& out = c[i + size_t(j) * ldc];
      out = T(alpha * column[i] + (beta == A(0) ? A(0) : beta * A(out)));
    }
  }
}

template <class T>
void gemv(int t, int m, int n, T alpha, const T* a, int lda, const T* x, int ix, T beta, T* y, int iy) {
  int rows = t ? n : m, terms = t ? m : n;
  for (int i = 0; i < rows; i++) {
    T sum(0);
    for (int j = 0; j < terms; j++) {
      T v = t ? a[j + size_t(i) * lda] : a[i + size_t(j) * lda];
      sum += (t == 2 ? conjugate(v) : v) * x[ptrdiff_t(j) * ix];
    }
    T& out = y[ptrdiff_t(i) * iy];
    out = alpha * sum + (beta == T(0) ? T(0) : beta * out);
  }
}

// Solve op(A) X = alpha B or X op(A) = alpha B in place of B.
template <class T>
void trsm(int side, int upper, int t, int unit, int m, int n, T alpha, const T* a, int lda, T* b, int ldb) {
  int size = side == 0 ? m : n, others = side == 0 ? n : m;
  auto at = [&](int i, int j) {  // of the matrix that is solved with, from the left
    bool swap = (t != 0) != (side == 1);
    T v = swap ? a[j + size_t(i) * lda] : a[i + size_t(j) * lda];
    return t == 2 ? conjugate(v) : v;
  };
  bool is_upper = (upper == 1) == ((t != 0) == (side == 1));
  for (int k = 0; k < others; k++) {
    auto x = [&](int i) -> T& { return side == 0 ? b[i + size_t(k) * ldb] : b[k + size_t(i) * ldb]; };
    for (int s = 0; s < size; s++) {
      int i = is_upper ? size - 1 - s : s;
      T sum = alpha * x(i);
      for (int j = is_upper ? i + 1 : 0; j < (is_upper ? size : i); j++) sum -= at(i, j) * x(j);
      x(i) = unit ? sum : sum / at(i, i);
    }
  }
}

}  // namespace

PUBLIC Status cublasCreate_v2(Handle** out) { return *out = new Handle, kSuccess; }
PUBLIC Status cublasDestroy_v2(Handle* h) { return delete h, kSuccess; }
PUBLIC Status cublasGetVersion_v2(Handle*, int* version) { return *version = 130200, kSuccess; }
PUBLIC Status cublasSetStream_v2(Handle* h, void* stream) { return h->stream = stream, kSuccess; }
PUBLIC Status cublasGetStream_v2(Handle* h, void** stream) { return *stream = h->stream, kSuccess; }
PUBLIC Status cublasSetPointerMode_v2(Handle* h, int mode) { return h->pointer_mode = mode, kSuccess; }
PUBLIC Status cublasGetPointerMode_v2(Handle* h, int* mode) { return *mode = h->pointer_mode, kSuccess; }
PUBLIC Status cublasSetMathMode(Handle* h, int mode) { return h->math_mode = mode, kSuccess; }
PUBLIC Status cublasGetMathMode(Handle* h, int* mode) { return *mode = h->math_mode, kSuccess; }
PUBLIC Status cublasSetAtomicsMode(Handle* h, int mode) { return h->atomics_mode = mode, kSuccess; }
PUBLIC Status cublasGetAtomicsMode(Handle* h, int* mode) { return *mode = h->atomics_mode, kSuccess; }
PUBLIC Status cublasSetWorkspace_v2(Handle*, void*, size_t) { return kSuccess; }

#define FOR_EACH_TYPE(DO) DO(S, float) DO(D, double) DO(C, c64) DO(Z, c128)

#define GEMM(P, T)                                                                                \
  PUBLIC Status cublas##P##gemm_v2(Handle* h, int ta, int tb, int m, int n, int k, const T* alpha,\
                                   const T* a, int lda, const T* b, int ldb, const T* beta, T* c, \
                                   int ldc) {                                                     \
    Scalar<T> al(h, alpha), be(h, beta);                                                          \
    return run(h, [=] { gemm<T, T>(ta, tb, m, n, k, al.get(), a, lda, b, ldb, be.get(), c, ldc); });\
  }                                                                                               \
  PUBLIC Status cublas##P##gemmStridedBatched(                                                    \
      Handle* h, int ta, int tb, int m, int n, int k, const T* alpha, const T* a, int lda,        \
      long long sa, const T* b, int ldb, long long sb, const T* beta, T* c, int ldc, long long sc,\
      int count) {                                                                                \
    Scalar<T> al(h, alpha), be(h, beta);                                                          \
    return run(h, [=] {                                                                           \
      for (int q = 0; q < count; q++)                                                             \
        gemm<T, T>(ta, tb, m, n, k, al.get(), a + q * sa, lda, b + q * sb, ldb, be.get(),         \
                   c + q * sc, ldc);                                                              \
    });                                                                                           \
  }                                                                                               \
  PUBLIC Status cublas##P##gemmBatched(Handle* h, int ta, int tb, int m, int n, int k,            \
                                       const T* alpha, const T* const* a, int lda,                \
                                       const T* const* b, int ldb, const T* beta, T* const* c,    \
                                       int ldc, int count) {                                      \
    Scalar<T> al(h, alpha), be(h, beta);                                                          \
    return run(h, [=] {                                                                           \
      for (int q = 0; q < count; q++)                                                             \
        gemm<T, T>(ta, tb, m, n, k, al.get(), a[q], lda, b[q], ldb, be.get(), c[q], ldc);         \
    });                                                                                           \
  }
FOR_EACH_TYPE(GEMM)

#define VECTORS(P, T)                                                                             \
  PUBLIC Status cublas##P##gemv_v2(Handle* h, int t, int m, int n, const T* alpha, const T* a,    \
                                   int lda, const T* x, int ix, const T* beta, T* y, int iy) {    \
    Scalar<T> al(h, alpha), be(h, beta);                                                          \
    return run(h, [=] { gemv<T>(t, m, n, al.get(), a, lda, x, ix, be.get(), y, iy); });           \
  }                                                                                               \
  PUBLIC Status cublas##P##scal_v2(Handle* h, int n, const T* alpha, T* x, int ix) {              \
    Scalar<T> al(h, alpha);                                                                       \
    return run(h, [=] { for (int i = 0; i < n; i++) x[ptrdiff_t(i) * ix] *= al.get(); });         \
  }                                                                                               \
  PUBLIC Status cublas##P##axpy_v2(Handle* h, int n, const T* alpha, const T* x, int ix, T* y,    \
                                   int iy) {                                                      \
    Scalar<T> al(h, alpha);                                                                       \
    return run(h, [=] {                                                                           \
      for (int i = 0; i < n; i++) y[ptrdiff_t(i) * iy] += al.get() * x[ptrdiff_t(i) * ix];        \
    });                                                                                           \
  }                                                                                               \
  PUBLIC Status cublas##P##geam(Handle* h, int ta, int tb, int m, int n, const T* alpha,          \
                                const T* a, int lda, const T* beta, const T* b, int ldb, T* c,    \
                                int ldc) {                                                        \
    Scalar<T> al(h, alpha), be(h, beta);                                                          \
    return run(h, [=] {                                                                           \
      auto of = [](const T* x, int t, int ld, int i, int j) {                                     \
        T v = t ? x[j + size_t(i) * ld] : x[i + size_t(j) * ld];                                  \
        return t == 2 ? conjugate(v) : v;                                                         \
      };                                                                                          \
      T s = al.get(), r = be.get();                                                               \
      for (int j = 0; j < n; j++)                                                                 \
        for (int i = 0; i < m; i++)                                                               \
          c[i + size_t(j) * ldc] = (s == T(0) ? T(0) : s * of(a, ta, lda, i, j)) +                \
                                   (r == T(0) ? T(0) : r * of(b, tb, ldb, i, j));                 \
    });                                                                                           \
  }                                                                                               \
  PUBLIC Status cublas##P##dgmm(Handle* h, int side, int m, int n, const T* a, int lda,           \
                                const T* x, int ix, T* c, int ldc) {                              \
    return run(h, [=] {                                                                           \
      for (int j = 0; j < n; j++)                                                                 \
        for (int i = 0; i < m; i++)                                                               \
          c[i + size_t(j) * ldc] = a[i + size_t(j) * lda] * x[ptrdiff_t(side ? j : i) * ix];      \
    });                                                                                           \
  }                                                                                               \
  PUBLIC Status cublas##P##trsm_v2(Handle* h, int side, int upper, int t, int unit, int m, int n, \
                                   const T* alpha, const T* a, int lda, T* b, int ldb) {          \
    Scalar<T> al(h, alpha);                                                                       \
    return run(h, [=] { trsm<T>(side, upper, t, unit, m, n, al.get(), a, lda, b, ldb); });        \
  }
FOR_EACH_TYPE(VECTORS)

#define DOT(NAME, T, CONJUGATE)                                                                   \
  PUBLIC Status cublas##NAME##_v2(Handle* h, int n, const T* x, int ix, const T* y, int iy,       \
                                  T* out) {                                                       \
    return run(h, [=] {                                                                           \
      T sum(0);                                                                                   \
      for (int i = 0; i < n; i++) {                                                               \
        T v = x[ptrdiff_t(i) * ix];                                                               \
        sum += (CONJUGATE ? conjugate(v) : v) * y[ptrdiff_t(i) * iy];                             \
      }                                                                                           \
      *out = sum;                                                                                 \
    });                                                                                           \
  }
DOT(Sdot, float, false) DOT(Ddot, double, false)
DOT(Cdotu, c64, false) DOT(Cdotc, c64, true) DOT(Zdotu, c128, false) DOT(Zdotc, c128, true)

#define NORM(NAME, T, R)                                                                          \
  PUBLIC Status cublas##NAME##_v2(Handle* h, int n, const T* x, int ix, R* out) {                 \
    return run(h, [=] {                                                                           \
      double sum = 0;                                                                             \
      for (int i = 0; i < n; i++) sum += std::norm(c128(x[ptrdiff_t(i) * ix]));                   \
      *out = R(std::sqrt(sum));                                                                   \
    });                                                                                           \
  }
NORM(Snrm2, float, float) NORM(Dnrm2, double, double) NORM(Scnrm2, c64, float) NORM(Dznrm2, c128, double)

#define GER(NAME, T, CONJUGATE)                                                                   \
  PUBLIC Status cublas##NAME##_v2(Handle* h, int m, int n, const T* alpha, const T* x, int ix,    \
                                  const T* y, int iy, T* a, int lda) {                            \
    Scalar<T> al(h, alpha);                                                                       \
    return run(h, [=] {                                                                           \
      for (int j = 0; j < n; j++) {                                                               \
        T v = y[ptrdiff_t(j) * iy];                                                               \
        for (int i = 0; i < m; i++)                                                               \
          a[i + size_t(j) * lda] += al.get() * x[ptrdiff_t(i) * ix] * (CONJUGATE ? conjugate(v) : v);\
      }                                                                                           \
    });                                                                                           \
  }
GER(Sger, float, false) GER(Dger, double, false)
GER(Cgeru, c64, false) GER(Cgerc, c64, true) GER(Zgeru, c128, false) GER(Zgerc, c128, true)

// ---- products of mixed types: the numbers of cudaDataType and of cublasComputeType

namespace {

struct Any {
  char bytes[16];
  explicit Any(const void* at, size_t n) { memcpy(bytes, at, n); }
  template <class T> T as() const {
    T value;
    memcpy(&value, bytes, sizeof value);
    return value;
  }
};

size_t size_of(int type) {
  switch (type) {
    case 0: return 4;            // float
    case 1: case 4: return 8;    // double, complex float
    case 2: case 14: return 2;   // half, bfloat16
    case 5: return 16;           // complex double
    default: return 0;
  }
}

float as_float(const Any& scalar, bool half) {
  return half ? float(scalar.as<_Float16>()) : scalar.as<float>();
}

void gemm_of(int type, bool half_scalars, int ta, int tb, int m, int n, int k, const Any& al,
             const void* a, int lda, const void* b, int ldb, const Any& be, void* c, int ldc) {
#define CASE(N, T, A, AL, BE)                                                                   \
  case N:                                                                                       \
    return gemm<T, A>(ta, tb, m, n, k, AL, (const T*)a, lda, (const T*)b, ldb, BE, (T*)c, ldc);
  switch (type) {
    CASE(0, float, float, al.as<float>(), be.as<float>())
    CASE(1, double, double, al.as<double>(), be.as<double>())
    CASE(2, _Float16, float, as_float(al, half_scalars), as_float(be, half_scalars))
    CASE(14, bf16, float, al.as<float>(), be.as<float>())
    CASE(4, c64, c64, al.as<c64>(), be.as<c64>())
    CASE(5, c128, c128, al.as<c128>(), be.as<c128>())
  }
#undef CASE
}

}  // namespace

PUBLIC Status cublasGemmStridedBatchedEx(Handle* h, int ta, int tb, int m, int n, int k,
                                         const void* alpha, const void* a, int a_type, int lda,
                                         long long sa, const void* b, int b_type, int ldb,
                                         long long sb, const void* beta, void* c, int c_type,
                                         int ldc, long long sc, int count, int compute, int) {
  size_t size = size_of(a_type);
  if (a_type != b_type || a_type != c_type || !size || h->pointer_mode) return kNotSupported;
  bool half_scalars = compute == 64 || compute == 65;
  size_t scalar = size_of(a_type) < 4 ? half_scalars ? 2 : 4 : size;
  Any al(alpha, scalar), be(beta, scalar);
  return run(h, [=] {
    for (int q = 0; q < count; q++)
      gemm_of(a_type, half_scalars, ta, tb, m, n, k, al, (const char*)a + q * sa * (long long)size, lda,
              (const char*)b + q * sb * (long long)size, ldb, be, (char*)c + q * sc * (long long)size, ldc);
  });
}

PUBLIC Status cublasGemmEx(Handle* h, int ta, int tb, int m, int n, int k, const void* alpha,
                           const void* a, int a_type, int lda, const void* b, int b_type, int ldb,
                           const void* beta, void* c, int c_type, int ldc, int compute, int how) {
  return cublasGemmStridedBatchedEx(h, ta, tb, m, n, k, alpha, a, a_type, lda, 0, b, b_type, ldb, 0,
                                    beta, c, c_type, ldc, 0, 1, compute, how);
}

PUBLIC Status cublasSgemmEx(Handle* h, int ta, int tb, int m, int n, int k, const float* alpha,
                            const void* a, int a_type, int lda, const void* b, int b_type, int ldb,
                            const float* beta, void* c, int c_type, int ldc) {
  return cublasGemmEx(h, ta, tb, m, n, k, alpha, a, a_type, lda, b, b_type, ldb, beta, c, c_type,
                      ldc, 68, 0);
}
