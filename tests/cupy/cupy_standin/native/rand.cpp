// cuRAND for the stand-in, since CuPy's own tests draw their arrays with it. The numbers are not
// NVIDIA's. The backend uses none of it: its random numbers are kernels of its own.
#include <functional>
#include <random>

#define PUBLIC extern "C" __attribute__((visibility("default")))

extern "C" int standin_submit(void* stream, void (*work)(void*), void* data);

namespace {

using Status = int;
constexpr Status kSuccess = 0, kLengthNotMultiple = 105, kLaunchFailure = 201;

struct Generator {
  std::mt19937_64 bits;
  void* stream = nullptr;
};

template <class T, class Draw>
Status fill(Generator* generator, T* out, size_t n, Draw draw) {
  auto* work = new std::function<void()>([=]() mutable {
    for (size_t i = 0; i < n; i++) out[i] = T(draw(generator->bits));
  });
  auto call = [](void* data) { (*static_cast<std::function<void()>*>(data))(); };
  return standin_submit(generator->stream, call, work) ? kLaunchFailure : kSuccess;
}

}  // namespace

PUBLIC Status curandCreateGenerator(Generator** out, int) { return *out = new Generator, kSuccess; }
PUBLIC Status curandDestroyGenerator(Generator* g) { return delete g, kSuccess; }
PUBLIC Status curandGetVersion(int* version) { return *version = 10400, kSuccess; }
PUBLIC Status curandSetStream(Generator* g, void* stream) { return g->stream = stream, kSuccess; }
PUBLIC Status curandSetPseudoRandomGeneratorSeed(Generator* g, unsigned long long seed) {
  g->bits.seed(seed);
  return kSuccess;
}
PUBLIC Status curandSetGeneratorOffset(Generator*, unsigned long long) { return kSuccess; }
PUBLIC Status curandSetGeneratorOrdering(Generator*, int) { return kSuccess; }
PUBLIC Status curandGenerate(Generator* g, unsigned* out, size_t n) {
  return fill(g, out, n, [](auto& bits) { return bits(); });
}
PUBLIC Status curandGenerateLongLong(Generator* g, unsigned long long* out, size_t n) {
  return fill(g, out, n, [](auto& bits) { return bits(); });
}
PUBLIC Status curandGenerateUniform(Generator* g, float* out, size_t n) {
  return fill(g, out, n, [](auto& bits) { return ((bits() >> 40) + 1) * 0x1p-24; });
}
PUBLIC Status curandGenerateUniformDouble(Generator* g, double* out, size_t n) {
  return fill(g, out, n, [](auto& bits) { return ((bits() >> 11) + 1) * 0x1p-53; });
}

#define NORMAL(NAME, T, DISTRIBUTION)                                                  \
  PUBLIC Status NAME(Generator* g, T* out, size_t n, T mean, T deviation) {            \
    if (n % 2) return kLengthNotMultiple;                                              \
    return fill(g, out, n, std::DISTRIBUTION<T>(mean, deviation));                     \
  }
NORMAL(curandGenerateNormal, float, normal_distribution)
NORMAL(curandGenerateNormalDouble, double, normal_distribution)
NORMAL(curandGenerateLogNormal, float, lognormal_distribution)
NORMAL(curandGenerateLogNormalDouble, double, lognormal_distribution)
PUBLIC Status curandGeneratePoisson(Generator* g, unsigned* out, size_t n, double mean) {
  return fill(g, out, n, std::poisson_distribution<unsigned>(mean));
}
