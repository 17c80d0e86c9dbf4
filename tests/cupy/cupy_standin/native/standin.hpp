// Shared by the parts of the stand-in for the CUDA runtime. Nothing here is seen by kernels.
//
// One lock guards everything: kernels keep their built-in variables and their shared memory in
// static storage, so only one may run at a time.
#pragma once

#include <cuda.h>
#include <cuda_runtime_api.h>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#define PUBLIC extern "C" __attribute__((visibility("default")))

namespace standin {

// ---- options, counters, reports (options.cpp)

struct Options {
  int devices = 1;
  unsigned seed = 0;          // 0: everything in its natural order
  bool asynchronous = false;  // true: work waits for a synchronisation
  bool guard = true;          // true: device memory cannot be touched by host code
  bool check = false;         // true: kernels report every access (checks.cpp)
  size_t memory = size_t(4) << 30;
};

struct Counters {
  uint64_t launches, library_calls, syncs, blocking_copies;
  uint64_t h2d, d2h, d2d, h2d_bytes, d2h_bytes, d2d_bytes;
  uint64_t memsets, mallocs, frees, graph_launches;
};

extern Options options;
extern Counters counters;
extern std::map<std::string, uint64_t> launches_by_name;
extern std::mt19937 order;  // the schedule, when options.seed is not 0
extern std::recursive_mutex lock;
using Guard = std::lock_guard<std::recursive_mutex>;

// Tell what went wrong; *error* is what the program gets from then on, as after a fault on a GPU.
void report(cudaError_t error, const std::string& what);
cudaError_t fault();  // the error of the first report since the last `standin_forget`

template <class T>
void shuffle(std::vector<T>& values) {
  if (options.seed) std::shuffle(values.begin(), values.end(), order);
}

// ---- memory (memory.cpp)

struct Block {
  char* begin;
  size_t size;   // as asked for
  size_t room;   // rounded up; the rest holds a pattern, as do the zones before and after
  int device;
  uint64_t serial;
};

bool is_device(const void* address);
const Block* block_of(const void* address);        // live, and address in [begin, begin + room)
std::string describe(const void* address);         // "byte 12 of block 7 (40 bytes on cuda:0)"
void check_zones(const std::string& who);          // reports a write beside a block
const char* device_base();                         // the first byte of the first device

// Device memory is closed to the host. A scope of this class opens it, as a kernel or copy would.
class Open {
 public:
  explicit Open(int device = -1);  // -1: the memory of all devices
  ~Open();
  Open(const Open&) = delete;

 private:
  unsigned long long mask_;
};
bool peers(int from, int to);  // may kernels on *from* use the memory of *to*?

// ---- streams, events, capture (streams.cpp)

using Work = std::function<void()>;

struct Graph {
  std::vector<Work> nodes;
};

struct Stream;

struct Capture {
  std::shared_ptr<Graph> graph = std::make_shared<Graph>();
  cudaStreamCaptureMode mode;
  Stream* origin;
  std::set<Stream*> members;
  bool invalid = false;
  std::thread::id thread;
};

struct Stream {
  int device = 0;
  unsigned flags = 0;
  int priority = 0;
  std::deque<Work> queue;
  uint64_t submitted = 0, done = 0;  // counts of work
  std::shared_ptr<Capture> capture;
  uint64_t captured = 0, joined = 0;
};

extern thread_local int current_device;

Stream* stream_of(const void* handle);  // nullptr: no such stream
cudaError_t submit(const void* handle, Work work);
cudaError_t submit(Stream* stream, Work work);
void drain(Stream* stream, uint64_t upto);
void drain(Stream* stream);
void drain_all();
bool anything_captures();
// What a call that CUDA forbids during capture returns; it spoils the capture, as CUDA does.
cudaError_t forbidden_in_capture(bool unless_relaxed = false);

}  // namespace standin
