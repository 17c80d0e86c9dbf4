// Modules and launches. A "cubin" is a line that names the shared library which the compiler of the
// stand-in made of the same source.
#include <dlfcn.h>

#include <cstring>
#include <numeric>
#include <thread>

#include "faults.hpp"
#include "kernels.hpp"

namespace standin {

namespace {

struct Module {
  void* library;
  std::map<std::string, Function> functions;
};

struct Launch {
  const Function* function;
  unsigned grid[3], block[3];
  size_t dynamic;
  int device;
  std::vector<std::string> parameters;
};

StandinIndex index_of(uint64_t i, const unsigned* extent) {
  return {unsigned(i % extent[0]), unsigned(i / extent[0] % extent[1]),
          unsigned(i / extent[0] / extent[1])};
}

// All numbers below n, each once; in their order, or with a seed in another.
class Order {
 public:
  explicit Order(uint64_t n) : n_(n), start_(0), step_(1) {
    if (!options.seed || n < 2) return;
    start_ = order() % n;
    do step_ = 1 + order() % (n - 1);
    while (std::gcd(step_, n) != 1);
  }
  uint64_t operator[](uint64_t i) const { return (start_ + i * step_) % n_; }

 private:
  uint64_t n_, start_, step_;
};

void run_blocks(const Launch& launch) {
  const StandinKernel* kernel = launch.function->kernel;
  std::vector<void*> parameters;
  for (auto& bytes : launch.parameters) parameters.push_back(const_cast<char*>(bytes.data()));
  std::vector<char> dynamic(launch.dynamic + 16);
  standin_thread.grid_dim = {launch.grid[0], launch.grid[1], launch.grid[2]};
  standin_thread.block_dim = {launch.block[0], launch.block[1], launch.block[2]};
  standin_thread.dynamic = dynamic.data() + (16 - reinterpret_cast<uintptr_t>(dynamic.data()) % 16) % 16;
  uint64_t blocks = uint64_t(launch.grid[0]) * launch.grid[1] * launch.grid[2];
  unsigned threads = launch.block[0] * launch.block[1] * launch.block[2];
  checks::begin_launch(kernel, launch.device, standin_thread.dynamic, launch.dynamic);
  Order blocks_in_order(blocks);
  for (uint64_t i = 0; i < blocks; i++) {
    uint64_t block = blocks_in_order[i];
    standin_thread.block = index_of(block, launch.grid);
    memset(kernel->shared_begin, 0xCD, kernel->shared_end - kernel->shared_begin);
    memset(standin_thread.dynamic, 0xCD, launch.dynamic);
    checks::begin_block(block);
    if (kernel->waits) {
      if (!run_waiting_threads(kernel, parameters.data(), launch.block)) break;
      continue;
    }
    Order threads_in_order(threads);
    for (unsigned j = 0; j < threads; j++) {
      unsigned thread = unsigned(threads_in_order[j]);
      standin_thread.thread = index_of(thread, launch.block);
      checks::begin_thread(thread);
      kernel->run(parameters.data());
    }
  }
}

void execute(const Launch& launch) {
  if (fault()) return;
  Open open(launch.device);
  const void* where = nullptr;
  checks::active = options.check;
  bool well = survives([&] { run_blocks(launch); }, &where);
  checks::active = false;
  std::string who = std::string("kernel ") + launch.function->kernel->name;
  if (!well) report(cudaErrorIllegalAddress, who + " accessed " + describe(where));
  if (options.check) check_zones(who);
}

CUresult refuse(const Function* function, const unsigned* grid, const unsigned* block,
                size_t dynamic) {
  for (int i = 0; i < 3; i++)
    if (!grid[i] || !block[i]) return CUDA_ERROR_INVALID_VALUE;
  bool too_many = grid[0] > 2147483647u || grid[1] > 65535 || grid[2] > 65535 ||
                  block[0] > 1024 || block[1] > 1024 || block[2] > 64 ||
                  block[0] * block[1] * block[2] > 1024;
  return too_many || dynamic > function->most_dynamic ? CUDA_ERROR_INVALID_VALUE : CUDA_SUCCESS;
}

}  // namespace

}  // namespace standin

using namespace standin;

// ---- modules

PUBLIC CUresult cuModuleLoadData(CUmodule* out, const void* image) {
  Guard hold(lock);
  static const char kTag[] = "STANDIN:";
  auto* text = static_cast<const char*>(image);
  if (strncmp(text, kTag, sizeof kTag - 1)) return CUDA_ERROR_INVALID_IMAGE;
  text += sizeof kTag - 1;
  std::string path(text, strchr(text, '\n'));
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    fprintf(stderr, "cupy_standin: %s\n", dlerror());
    return CUDA_ERROR_INVALID_IMAGE;
  }
  auto* module = new Module{library, {}};
  auto* table = static_cast<const StandinKernel* const*>(dlsym(library, "standin_table"));
  for (; *table; table++) module->functions[(*table)->name] = Function{*table};
  *out = reinterpret_cast<CUmodule>(module);
  return CUDA_SUCCESS;
}

PUBLIC CUresult cuModuleUnload(CUmodule) { return CUDA_SUCCESS; }  // graphs may still launch it

PUBLIC CUresult cuModuleGetFunction(CUfunction* out, CUmodule handle, const char* name) {
  Guard hold(lock);
  auto& functions = reinterpret_cast<Module*>(handle)->functions;
  auto found = functions.find(name);
  if (found == functions.end()) return CUDA_ERROR_NOT_FOUND;
  // A kernel with C++ linkage has a mangled name, which nobody asks for.
  bool expression = !strncmp(name, "standin_expression_", 19);
  if (!expression && !dlsym(reinterpret_cast<Module*>(handle)->library, name))
    return CUDA_ERROR_NOT_FOUND;
  *out = reinterpret_cast<CUfunction>(&found->second);
  return CUDA_SUCCESS;
}

PUBLIC CUresult cuFuncGetAttribute(int* value, CUfunction_attribute which, CUfunction handle) {
  auto* function = reinterpret_cast<Function*>(handle);
  auto* kernel = function->kernel;
  *value = which == CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK ? 1024
           : which == CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES ? int(function->most_dynamic)
           : which == CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES
               ? int(kernel->shared_end - kernel->shared_begin)
               : 0;
  return CUDA_SUCCESS;
}

PUBLIC CUresult cuFuncSetAttribute(CUfunction handle, CUfunction_attribute which, int value) {
  if (which != CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES) return CUDA_SUCCESS;
  if (value < 0 || value > 163 << 10) return CUDA_ERROR_INVALID_VALUE;
  reinterpret_cast<Function*>(handle)->most_dynamic = value;
  return CUDA_SUCCESS;
}

PUBLIC CUresult cuOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, CUfunction, int, size_t) {
  *blocks = 2;
  return CUDA_SUCCESS;
}

PUBLIC CUresult cuOccupancyMaxPotentialBlockSize(int* grid, int* block, CUfunction,
                                                 CUoccupancyB2DSize, size_t, int most) {
  *block = most && most < 256 ? most : 256;
  *grid = 8;
  return CUDA_SUCCESS;
}

// ---- launches

PUBLIC CUresult cuLaunchKernel(CUfunction handle, unsigned grid_x, unsigned grid_y, unsigned grid_z,
                               unsigned block_x, unsigned block_y, unsigned block_z,
                               unsigned dynamic, CUstream stream_handle, void** parameters,
                               void** extra) {
  Guard hold(lock);
  auto* function = reinterpret_cast<Function*>(handle);
  Launch launch{function, {grid_x, grid_y, grid_z}, {block_x, block_y, block_z}, dynamic,
                current_device, {}};
  if (extra) return CUDA_ERROR_NOT_SUPPORTED;
  if (auto error = refuse(function, launch.grid, launch.block, dynamic)) return error;
  Stream* stream = stream_of(stream_handle);
  if (!stream || stream->device != current_device) return CUDA_ERROR_INVALID_HANDLE;
  if (fault()) return CUresult(fault());
  for (int i = 0; i < function->kernel->parameters; i++)
    launch.parameters.emplace_back(static_cast<char*>(parameters[i]), function->kernel->sizes[i]);
  counters.launches++;
  launches_by_name[function->kernel->name]++;
  return CUresult(submit(stream, [launch] { execute(launch); }));
}

// A call of one of the stand-in's libraries: work on a stream, as its kernels would be.
PUBLIC int standin_submit(void* stream, void (*work)(void*), void* data) {
  Guard hold(lock);
  if (fault()) return fault();
  counters.library_calls++;
  return submit(stream, [=] {
    Open open;
    const void* where = nullptr;
    if (!survives([=] { work(data); }, &where))
      report(cudaErrorIllegalAddress, "a library call accessed " + describe(where));
  });
}
