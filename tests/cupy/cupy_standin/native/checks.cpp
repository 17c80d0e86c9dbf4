// Kernels compiled with checks tell every access here: -fsanitize=thread puts a call before each,
// and these functions stand where its library would.
//
// Two things are checked. An access to device memory must lie in a block, to the byte. And two
// threads of one launch must not touch a byte, one of them writing, unless a barrier that both pass
// lies between, or both are atomic. For each byte the last write and the last read are kept, with
// the number of barriers their thread had passed.
#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <thread>

#include "kernels.hpp"

namespace standin::checks {

bool active = false;

namespace {

struct Access {
  uint32_t launch, block;
  uint16_t thread, block_epoch, warp_epoch;
  uint8_t atomic, readers;  // readers: 0 none, 1 one, 2 several of a warp, 3 of a block, 4 of several
};

struct Shadow {
  Access write, read;
};

const StandinKernel* kernel;
const char* dynamic_begin;
size_t dynamic_bytes;
int device_now;
Access now;
uint16_t warp_epochs[1024];
Shadow* shadow_of_device = nullptr;
const char* first_device_byte = nullptr;
std::vector<Shadow> shadow_of_static, shadow_of_dynamic;
std::set<std::string> told;
bool cupys;
const Block* known[4];

// Once per launch and kind: a kernel that is wrong is wrong in many threads.
void tell(const char* kind, cudaError_t error, const std::string& what) {
  if (told.insert(kind).second)
    report(error, std::string("kernel ") + kernel->name + ": " + kind + ": " + what);
}

// CuPy's atomic maximum of floats reads before it compares and swaps, which does no harm.
bool is_cupys() { return !strncmp(kernel->name, "cupy_", 5); }

std::string thread_name(uint32_t block, uint16_t thread) {
  return "thread " + std::to_string(thread) + " of block " + std::to_string(block);
}

bool same_thread(const Access& a) { return a.block == now.block && a.thread == now.thread; }

bool before(const Access& a) {
  if (a.block != now.block || a.readers == 4) return false;
  if (a.block_epoch != now.block_epoch) return true;
  bool one_warp = a.thread / 32 == now.thread / 32 && a.readers < 3;
  return one_warp && a.warp_epoch < now.warp_epoch;
}

bool races(const Access& a) {
  if (a.launch != now.launch || (a.atomic && now.atomic)) return false;
  return !(same_thread(a) && a.readers < 2) && !before(a);
}

void remember_read(Access& read) {
  uint8_t readers = 1;
  if (read.launch == now.launch && read.readers) {
    bool later = read.block == now.block && read.block_epoch != now.block_epoch && read.readers < 4;
    if (read.block != now.block) readers = 4;
    else if (later) readers = 1;
    else if (read.thread / 32 != now.thread / 32) readers = 3;
    else if (read.thread != now.thread) readers = 2;
    if (!later) readers = std::max(readers, read.readers);
  }
  read = now;
  read.readers = readers;
}

void examine(Shadow& shadow, bool write, const std::string& (*where)(const void*), const void* at) {
  if (cupys) return;
  const Access* other = races(shadow.write) ? &shadow.write : nullptr;
  if (!other && write && shadow.read.readers && races(shadow.read)) other = &shadow.read;
  if (other) {
    bool wrote = other == &shadow.write;
    tell("race", cudaSuccess,
         thread_name(now.block, now.thread) + (write ? " writes " : " reads ") + where(at) +
             ", which " + thread_name(other->block, other->thread) + (wrote ? " wrote" : " read") +
             " with no barrier between");
  }
  if (write) {
    shadow.write = now;
    shadow.write.readers = 0;
  } else {
    remember_read(shadow.read);
  }
}

const std::string& in_shared(const void* at) {
  static std::string text;
  auto* byte = static_cast<const char*>(at);
  bool is_dynamic = byte >= dynamic_begin && byte < dynamic_begin + dynamic_bytes;
  ptrdiff_t offset = byte - (is_dynamic ? dynamic_begin : kernel->shared_begin);
  text = "byte " + std::to_string(offset) + (is_dynamic ? " of dynamic" : " of static") +
         " shared memory";
  return text;
}

const std::string& in_device(const void* at) {
  static std::string text;
  text = describe(at);
  return text;
}

bool within(const Block* block, const char* at, size_t bytes) {
  return block && at >= block->begin && at + bytes <= block->begin + block->size;
}

const Block* find(const char* at, size_t bytes) {
  for (auto* block : known)
    if (within(block, at, bytes)) return block;
  const Block* block = block_of(at);
  if (!within(block, at, bytes)) return nullptr;
  known[block->serial % 4] = block;
  return block;
}

void access_device(const char* at, size_t bytes, bool write) {
  const Block* block = find(at, bytes);
  if (!block) {
    tell("out of bounds", cudaErrorIllegalAddress,
         (write ? "writes " : "reads ") + std::to_string(bytes) + " bytes at " + describe(at));
    return;
  }
  if (!peers(device_now, block->device))
    tell("another device", cudaErrorIllegalAddress, describe(at));
  for (size_t i = 0; i < bytes; i++)
    examine(shadow_of_device[at + i - first_device_byte], write, in_device, at + i);
}

void access(const void* address, size_t bytes, bool write, bool atomic = false) {
  if (!active) return;
  active = false;  // nothing below is the kernel's
  now.atomic = atomic;
  auto* at = static_cast<const char*>(address);
  if (is_device(at)) {
    access_device(at, bytes, write);
  } else if (at >= kernel->shared_begin && at < kernel->shared_end) {
    for (size_t i = 0; i < bytes; i++)
      examine(shadow_of_static[at + i - kernel->shared_begin], write, in_shared, at + i);
  } else if (at >= dynamic_begin && at < dynamic_begin + dynamic_bytes) {
    for (size_t i = 0; i < bytes; i++)
      examine(shadow_of_dynamic[at + i - dynamic_begin], write, in_shared, at + i);
  }
  active = true;
}

void reserve_shadow() {
  if (shadow_of_device) return;
  size_t bytes = options.memory * options.devices * sizeof(Shadow);
  void* at = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (at == MAP_FAILED) {
    perror("cupy_standin: no address space for checks; ask for less device memory");
    abort();
  }
  shadow_of_device = static_cast<Shadow*>(at);
}

}  // namespace

void begin_launch(const StandinKernel* starting, int device, const char* dynamic, size_t bytes) {
  if (!options.check) return;
  reserve_shadow();
  first_device_byte = device_base();
  kernel = starting;
  device_now = device;
  dynamic_begin = dynamic;
  dynamic_bytes = bytes;
  now.launch++;
  told.clear();
  cupys = is_cupys();
  std::fill(std::begin(known), std::end(known), nullptr);
}

void begin_block(uint64_t block) {
  if (!options.check) return;
  now.block = uint32_t(block);
  now.block_epoch = 0;
  std::fill(std::begin(warp_epochs), std::end(warp_epochs), 0);
  shadow_of_static.assign(kernel->shared_end - kernel->shared_begin, Shadow{});
  shadow_of_dynamic.assign(dynamic_bytes, Shadow{});
}

void begin_thread(unsigned thread) {
  now.thread = uint16_t(thread);
  now.warp_epoch = warp_epochs[thread];
}

void block_barrier() { now.block_epoch++; }

void warp_barrier(const std::vector<unsigned>& threads) {
  uint16_t next = 0;
  for (unsigned thread : threads) next = std::max<uint16_t>(next, warp_epochs[thread] + 1);
  for (unsigned thread : threads) warp_epochs[thread] = next;
}

}  // namespace standin::checks

using standin::checks::access;

PUBLIC void standin_atomic(const void* address, size_t bytes) { access(address, bytes, true, true); }

#define ACCESSES(N)                                                                 \
  PUBLIC void __tsan_read##N(void* at) { access(at, N, false); }                    \
  PUBLIC void __tsan_write##N(void* at) { access(at, N, true); }                    \
  PUBLIC void __tsan_unaligned_read##N(void* at) { access(at, N, false); }          \
  PUBLIC void __tsan_unaligned_write##N(void* at) { access(at, N, true); }          \
  PUBLIC void __tsan_volatile_read##N(void* at) { access(at, N, false); }           \
  PUBLIC void __tsan_volatile_write##N(void* at) { access(at, N, true); }
ACCESSES(1) ACCESSES(2) ACCESSES(4) ACCESSES(8) ACCESSES(16)
PUBLIC void __tsan_read_range(void* at, size_t bytes) { access(at, bytes, false); }
PUBLIC void __tsan_write_range(void* at, size_t bytes) { access(at, bytes, true); }
PUBLIC void __tsan_init() {}
PUBLIC void __tsan_func_entry(void*) {}
PUBLIC void __tsan_func_exit() {}
PUBLIC void __tsan_vptr_read(void**) {}
PUBLIC void __tsan_vptr_update(void**, void*) {}
