// Device memory: one range of addresses per device, which host code cannot touch.
//
// Blocks never lie next to one another: a zone with a pattern stands before and after each, and the
// bytes between the size asked for and the size given hold it too. A new block is filled with 0xCD,
// a freed one with 0xDD, so that what is read too early or too late is garbage and not a zero.
#include <sys/mman.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>

#include "standin.hpp"

namespace standin {

namespace {

constexpr size_t kPage = 4096, kHugePage = 2 << 20, kAlign = 512, kZone = 512;
constexpr unsigned char kZoneByte = 0xAB, kFresh = 0xCD, kFreed = 0xDD;
constexpr int kMostDevices = 8;

char* base = nullptr;
size_t used_range[kMostDevices];  // bytes handed out so far, from the begin of the device's range
size_t in_use[kMostDevices];
int opened[kMostDevices];         // how many scopes hold it open
std::map<char*, Block> live;
std::map<char*, Block> freed_blocks;
std::multimap<std::pair<int, size_t>, char*> free_lists;
std::map<char*, size_t> pinned;
std::set<std::pair<int, int>> peer_access;
uint64_t serials = 0;

char* range_of(int device) { return base + size_t(device) * options.memory; }

void reserve() {
  if (base) return;
  size_t bytes = options.memory * options.devices;
  int protection = options.guard ? PROT_NONE : PROT_READ | PROT_WRITE;
  void* at = mmap(nullptr, bytes + kHugePage, protection,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (at == MAP_FAILED) {
    perror("cupy_standin: no address space for device memory");
    abort();
  }
  at = reinterpret_cast<void*>((uintptr_t(at) + kHugePage - 1) / kHugePage * kHugePage);
  madvise(at, bytes, MADV_HUGEPAGE);  // opening and closing then takes one step per 2 MB
  base = static_cast<char*>(at);
}

void protect(int device, bool open) {
  size_t bytes = (used_range[device] + kHugePage - 1) / kHugePage * kHugePage;
  if (options.guard && bytes)
    mprotect(range_of(device), bytes, open ? PROT_READ | PROT_WRITE : PROT_NONE);
}

char* fresh_range(int device, size_t room) {
  size_t pages = (room + 2 * kZone + kPage - 1) / kPage * kPage;
  if (used_range[device] + pages > options.memory) return nullptr;
  char* at = range_of(device) + used_range[device];
  used_range[device] += pages;
  return at + kZone;
}

bool spoilt(const Block& block, const char** where) {
  auto differs = [&](const char* at, size_t n) {
    for (size_t i = 0; i < n; i++)
      if (static_cast<unsigned char>(at[i]) != kZoneByte) return *where = at + i, true;
    return false;
  };
  return differs(block.begin + block.size, block.room - block.size + kZone) ||
         differs(block.begin - kZone, kZone);
}

void mend(const Block& block) {
  memset(block.begin - kZone, kZoneByte, kZone);
  memset(block.begin + block.size, kZoneByte, block.room - block.size + kZone);
}

void check_zones_of(const Block& block, const std::string& who) {
  const char* where = nullptr;
  if (!spoilt(block, &where)) return;
  report(cudaErrorIllegalAddress,
         who + " wrote out of bounds: " + describe(where) + ", which belongs to nobody");
  mend(block);
}

cudaError_t allocate(void** out, size_t size, int device) {
  reserve();
  size_t room = std::max((size + kAlign - 1) / kAlign * kAlign, kAlign);
  char* at;
  auto found = free_lists.find({device, room});
  if (found != free_lists.end()) {
    at = found->second;
    free_lists.erase(found);
    freed_blocks.erase(at);
  } else if (!(at = fresh_range(device, room))) {
    return cudaErrorMemoryAllocation;
  }
  Block block{at, size, room, device, ++serials};
  Open open(device);
  protect(device, true);  // the range may just have grown
  memset(at, kFresh, size);
  mend(block);
  live[at] = block;
  in_use[device] += room;
  counters.mallocs++;
  *out = at;
  return cudaSuccess;
}

cudaError_t release(void* at) {
  auto found = live.find(static_cast<char*>(at));
  if (found == live.end()) return cudaErrorInvalidValue;
  Block block = found->second;
  Open open(block.device);
  check_zones_of(block, "something before cudaFree");
  memset(block.begin, kFreed, block.size);
  in_use[block.device] -= block.room;
  free_lists.insert({{block.device, block.room}, block.begin});
  freed_blocks[block.begin] = block;
  live.erase(found);
  counters.frees++;
  return cudaSuccess;
}

const Block* find_in(const std::map<char*, Block>& blocks, const void* address) {
  auto next = blocks.upper_bound(static_cast<char*>(const_cast<void*>(address)));
  if (next == blocks.begin()) return nullptr;
  const Block& block = std::prev(next)->second;
  return address < block.begin + block.room + kZone ? &block : nullptr;
}

}  // namespace

bool is_device(const void* address) {
  auto at = static_cast<const char*>(address);
  return base && at >= base && at < base + options.memory * options.devices;
}

const char* device_base() { return base; }

const Block* block_of(const void* address) {
  const Block* block = find_in(live, address);
  return block && address < block->begin + block->room ? block : nullptr;
}

std::string describe(const void* address) {
  auto at = static_cast<char*>(const_cast<void*>(address));
  char text[200];
  const char* state = "";
  const Block* block = find_in(live, at);
  if (!block && (block = find_in(freed_blocks, at))) state = "freed ";
  auto next = live.lower_bound(at);
  if (!block && next != live.end() && next->first - at <= ptrdiff_t(kZone)) block = &next->second;
  if (!block) {
    snprintf(text, sizeof text, "address %p of no block", address);
  } else {
    snprintf(text, sizeof text, "byte %td of %sblock %llu (%zu bytes on cuda:%d)",
             at - block->begin, state, (unsigned long long)block->serial, block->size,
             block->device);
  }
  return text;
}

void check_zones(const std::string& who) {
  if (!base) return;
  Open open;
  for (auto& [at, block] : live) check_zones_of(block, who);
}

bool peers(int from, int to) { return from == to || peer_access.count({from, to}); }

Open::Open(int device) : mask_(0) {
  for (int d = 0; d < options.devices; d++)
    if (device < 0 || peers(device, d)) {
      mask_ |= 1ull << d;
      if (opened[d]++ == 0) protect(d, true);
    }
}

Open::~Open() {
  for (int d = 0; d < options.devices; d++)
    if (mask_ >> d & 1 && --opened[d] == 0) protect(d, false);
}

}  // namespace standin

using namespace standin;

static bool is_pinned(const void* address) {
  auto next = pinned.upper_bound(static_cast<char*>(const_cast<void*>(address)));
  if (next == pinned.begin()) return false;
  auto& [at, size] = *std::prev(next);
  return address < at + size;
}

PUBLIC cudaError_t cudaMalloc(void** out, size_t size) {
  Guard hold(lock);
  if (auto error = forbidden_in_capture(true)) return error;
  if (fault()) return fault();
  return allocate(out, size, current_device);
}

PUBLIC cudaError_t cudaFree(void* at) {
  Guard hold(lock);
  if (!at) return cudaSuccess;
  if (auto error = forbidden_in_capture(true)) return error;
  drain_all();
  return release(at);
}

PUBLIC cudaError_t cudaMallocAsync(void** out, size_t size, cudaStream_t) {
  return cudaMalloc(out, size);
}

PUBLIC cudaError_t cudaFreeAsync(void* at, cudaStream_t) { return cudaFree(at); }

PUBLIC cudaError_t cudaHostAlloc(void** out, size_t size, unsigned) {
  Guard hold(lock);
  if (auto error = forbidden_in_capture(true)) return error;
  size_t room = std::max((size + kPage - 1) / kPage * kPage, kPage);
  *out = aligned_alloc(kPage, room);
  pinned[static_cast<char*>(*out)] = room;
  return cudaSuccess;
}

PUBLIC cudaError_t cudaFreeHost(void* at) {
  Guard hold(lock);
  drain_all();
  pinned.erase(static_cast<char*>(at));
  free(at);
  return cudaSuccess;
}

PUBLIC cudaError_t cudaHostRegister(void* at, size_t size, unsigned) {
  Guard hold(lock);
  pinned[static_cast<char*>(at)] = size;
  return cudaSuccess;
}

PUBLIC cudaError_t cudaHostUnregister(void* at) {
  Guard hold(lock);
  return pinned.erase(static_cast<char*>(at)) ? cudaSuccess : cudaErrorHostMemoryNotRegistered;
}

PUBLIC cudaError_t cudaMemGetInfo(size_t* free_bytes, size_t* total) {
  Guard hold(lock);
  *total = options.memory;
  *free_bytes = options.memory - in_use[current_device];
  return cudaSuccess;
}

PUBLIC cudaError_t cudaPointerGetAttributes(cudaPointerAttributes* out, const void* at) {
  Guard hold(lock);
  memset(out, 0, sizeof *out);
  if (is_device(at)) {
    out->type = cudaMemoryTypeDevice;
    out->device = int((static_cast<const char*>(at) - base) / options.memory);
    out->devicePointer = const_cast<void*>(at);
  } else {
    out->type = is_pinned(at) ? cudaMemoryTypeHost : cudaMemoryTypeUnregistered;
    out->device = is_pinned(at) ? current_device : -2;
    out->hostPointer = const_cast<void*>(at);
    if (is_pinned(at)) out->devicePointer = const_cast<void*>(at);
  }
  return cudaSuccess;
}

PUBLIC cudaError_t cudaDeviceCanAccessPeer(int* can, int from, int to) {
  *can = from != to && from < options.devices && to < options.devices;
  return cudaSuccess;
}

PUBLIC cudaError_t cudaDeviceEnablePeerAccess(int to, unsigned) {
  Guard hold(lock);
  if (to < 0 || to >= options.devices || to == current_device) return cudaErrorInvalidDevice;
  bool added = peer_access.insert({current_device, to}).second;
  return added ? cudaSuccess : cudaErrorPeerAccessAlreadyEnabled;
}

PUBLIC cudaError_t cudaDeviceDisablePeerAccess(int to) {
  Guard hold(lock);
  return peer_access.erase({current_device, to}) ? cudaSuccess : cudaErrorPeerAccessNotEnabled;
}

// ---- copies

static void count_copy(const void* to, const void* from, size_t bytes) {
  bool into = is_device(to), outof = is_device(from);
  if (into && outof) counters.d2d++, counters.d2d_bytes += bytes;
  if (into && !outof) counters.h2d++, counters.h2d_bytes += bytes;
  if (!into && outof) counters.d2h++, counters.d2h_bytes += bytes;
}

// Report a copy that leaves its block, as the driver would.
static bool in_bounds(const void* at, size_t bytes) {
  if (!is_device(at) || !bytes) return true;
  const Block* block = block_of(at);
  return block && static_cast<const char*>(at) + bytes <= block->begin + block->size;
}

// Copies between host memory that is not pinned and the device: to the device the bytes are staged
// before the call returns; to the host the call waits until they are there (CUDA C++ Programming
// Guide, "API synchronization behavior").
static cudaError_t copy(void* to, const void* from, size_t bytes, cudaStream_t handle) {
  Guard hold(lock);
  Stream* stream = stream_of(handle);
  if (!stream) return cudaErrorInvalidResourceHandle;
  if (fault()) return fault();
  if (!in_bounds(to, bytes) || !in_bounds(from, bytes)) return cudaErrorInvalidValue;
  count_copy(to, from, bytes);
  bool capturing = stream->capture != nullptr;
  bool upload = is_device(to) && !is_device(from), download = !is_device(to) && is_device(from);
  if (upload && !is_pinned(from) && !capturing && options.asynchronous) {
    std::string staged(static_cast<const char*>(from), bytes);
    return submit(stream, [=] { Open open; memcpy(to, staged.data(), bytes); });
  }
  auto error = submit(stream, [=] { Open open; memmove(to, from, bytes); });
  if (!error && download && !is_pinned(to) && !capturing) {
    counters.blocking_copies++;
    drain(stream);
  }
  return error ? error : fault();
}

PUBLIC cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind,
                                   cudaStream_t stream) {
  return copy(to, from, bytes, stream);
}

PUBLIC cudaError_t cudaMemcpyPeerAsync(void* to, int, const void* from, int, size_t bytes,
                                       cudaStream_t stream) {
  return copy(to, from, bytes, stream);
}

PUBLIC cudaError_t cudaMemcpy(void* to, const void* from, size_t bytes, cudaMemcpyKind) {
  Guard hold(lock);
  if (anything_captures()) {
    forbidden_in_capture();
    return cudaErrorStreamCaptureImplicit;
  }
  auto error = copy(to, from, bytes, nullptr);
  if (error || (is_device(to) && is_device(from))) return error;
  counters.blocking_copies += is_device(to);
  drain(stream_of(nullptr));
  return fault();
}

PUBLIC cudaError_t cudaMemcpyPeer(void* to, int, const void* from, int, size_t bytes) {
  return cudaMemcpy(to, from, bytes, cudaMemcpyDefault);
}

PUBLIC cudaError_t cudaMemcpy2DAsync(void* to, size_t to_pitch, const void* from, size_t from_pitch,
                                     size_t width, size_t height, cudaMemcpyKind,
                                     cudaStream_t stream) {
  Guard hold(lock);
  count_copy(to, from, width * height);
  return submit(stream, [=] {
    Open open;
    for (size_t row = 0; row < height; row++)
      memcpy(static_cast<char*>(to) + row * to_pitch,
             static_cast<const char*>(from) + row * from_pitch, width);
  });
}

PUBLIC cudaError_t cudaMemcpy2D(void* to, size_t to_pitch, const void* from, size_t from_pitch,
                                size_t width, size_t height, cudaMemcpyKind kind) {
  Guard hold(lock);
  auto error = cudaMemcpy2DAsync(to, to_pitch, from, from_pitch, width, height, kind, nullptr);
  if (!error) drain(stream_of(nullptr));
  return error;
}

PUBLIC cudaError_t cudaMemsetAsync(void* at, int value, size_t bytes, cudaStream_t stream) {
  Guard hold(lock);
  if (fault()) return fault();
  if (!in_bounds(at, bytes)) return cudaErrorInvalidValue;
  counters.memsets++;
  return submit(stream, [=] { Open open; memset(at, value, bytes); });
}

PUBLIC cudaError_t cudaMemset(void* at, int value, size_t bytes) {
  return cudaMemsetAsync(at, value, bytes, nullptr);
}

// Host code of the stand-in's own libraries (sorting) may look into device memory in such a pair.
PUBLIC void standin_open(int on) {
  static std::vector<Open*> scopes;
  Guard hold(lock);
  if (on) {
    drain_all();
    scopes.push_back(new Open);
  } else if (!scopes.empty()) {
    delete scopes.back();
    scopes.pop_back();
  }
}
