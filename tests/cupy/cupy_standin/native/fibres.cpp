// Threads that wait for one another: each is a fibre, and the scheduler below is adversarial.
//
// It runs one warp as far as that can get before the next one starts, so that a warp which reads
// what another has yet to write, for want of __syncthreads, reads garbage. With a seed the order of
// warps, and of lanes within a warp, is shuffled.
#include <cstring>
#include <thread>

#include "kernels.hpp"

StandinThread standin_thread;

namespace standin {

namespace {

constexpr size_t kStack = 128 << 10;
constexpr unsigned kWarp = 32, kMost = 1024;

enum State { kReady, kAtBlockBarrier, kAtWarpBarrier, kDone };

struct Fibre {
  void* stack_pointer = nullptr;
  char* stack = nullptr;
  State state = kReady;
  unsigned mask = 0;
};

Fibre fibres[kMost];
void* scheduler = nullptr;
unsigned current = 0, count = 0;
const StandinKernel* kernel_now;
void** parameters_now;
char lanes[kMost][64];

}  // namespace

#if defined(__x86_64__)
// Keep the registers that a called function must keep, change stacks, take up the others'.
extern "C" void standin_switch(void** from, void* to);
asm(R"(
.text
.globl standin_switch
.hidden standin_switch
.type standin_switch,@function
standin_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size standin_switch, .-standin_switch
)");
#elif defined(__aarch64__)
extern "C" void standin_switch(void** from, void* to);
asm(R"(
.text
.globl standin_switch
.hidden standin_switch
.type standin_switch,@function
standin_switch:
  sub sp, sp, #160
  stp x19, x20, [sp, #0]
  stp x21, x22, [sp, #16]
  stp x23, x24, [sp, #32]
  stp x25, x26, [sp, #48]
  stp x27, x28, [sp, #64]
  stp x29, x30, [sp, #80]
  stp d8, d9, [sp, #96]
  stp d10, d11, [sp, #112]
  stp d12, d13, [sp, #128]
  stp d14, d15, [sp, #144]
  mov x2, sp
  str x2, [x0]
  mov sp, x1
  ldp x19, x20, [sp, #0]
  ldp x21, x22, [sp, #16]
  ldp x23, x24, [sp, #32]
  ldp x25, x26, [sp, #48]
  ldp x27, x28, [sp, #64]
  ldp x29, x30, [sp, #80]
  ldp d8, d9, [sp, #96]
  ldp d10, d11, [sp, #112]
  ldp d12, d13, [sp, #128]
  ldp d14, d15, [sp, #144]
  add sp, sp, #160
  ret
.size standin_switch, .-standin_switch
)");
#else
#error "the stand-in switches stacks on x86-64 and on aarch64"
#endif

namespace {

void leave() {
  void** mine = &fibres[current].stack_pointer;
  standin_switch(mine, scheduler);
}

void run_thread() {
  kernel_now->run(parameters_now);
  fibres[current].state = kDone;
  leave();
}

void prepare(Fibre& fibre) {
  if (!fibre.stack) fibre.stack = static_cast<char*>(malloc(kStack));
  auto top = reinterpret_cast<uintptr_t>(fibre.stack + kStack) & ~uintptr_t(15);
  auto* frame = reinterpret_cast<void**>(top);
#if defined(__x86_64__)
  *--frame = nullptr;  // as if run_thread had been called: the stack is off by one word
  *--frame = reinterpret_cast<void*>(run_thread);
  for (int i = 0; i < 6; i++) *--frame = nullptr;
#else
  frame -= 20;
  memset(frame, 0, 160);
  frame[11] = reinterpret_cast<void*>(run_thread);  // x30
#endif
  fibre.stack_pointer = frame;
  fibre.state = kReady;
}

void resume(unsigned thread, const unsigned* block) {
  current = thread;
  standin_thread.thread = {thread % block[0], thread / block[0] % block[1],
                           thread / block[0] / block[1]};
  checks::begin_thread(thread);
  standin_switch(&scheduler, fibres[thread].stack_pointer);
}

unsigned end_of(unsigned warp) { return std::min(warp + kWarp, count); }

// Let the lanes of a mask go on when all of them that have not ended are there.
bool release_warp(unsigned warp) {
  for (unsigned i = warp; i < end_of(warp); i++) {
    if (fibres[i].state != kAtWarpBarrier) continue;
    unsigned mask = fibres[i].mask;
    std::vector<unsigned> met;
    bool all = true;
    for (unsigned j = warp; j < end_of(warp); j++) {
      if (!(mask >> (j - warp) & 1) || fibres[j].state == kDone) continue;
      all = all && fibres[j].state == kAtWarpBarrier && fibres[j].mask == mask;
      met.push_back(j);
    }
    if (!all) continue;
    for (unsigned j : met) fibres[j].state = kReady;
    checks::warp_barrier(met);
    return true;
  }
  return false;
}

bool run_warp(unsigned warp, const unsigned* block) {
  bool progress = false;
  do {
    std::vector<unsigned> ready;
    for (unsigned i = warp; i < end_of(warp); i++)
      if (fibres[i].state == kReady) ready.push_back(i);
    shuffle(ready);
    for (unsigned i : ready) resume(i, block);
    progress = progress || !ready.empty();
  } while (release_warp(warp));
  return progress;
}

bool all_in(State state) {  // or done
  for (unsigned i = 0; i < count; i++)
    if (fibres[i].state != kDone && fibres[i].state != state) return false;
  return true;
}

std::string waiting() {
  unsigned at_block = 0, at_warp = 0, done = 0;
  for (unsigned i = 0; i < count; i++) {
    at_block += fibres[i].state == kAtBlockBarrier;
    at_warp += fibres[i].state == kAtWarpBarrier;
    done += fibres[i].state == kDone;
  }
  return std::to_string(at_block) + " threads at __syncthreads, " + std::to_string(at_warp) +
         " at a warp's barrier or shuffle, " + std::to_string(done) + " ended";
}

}  // namespace

bool run_waiting_threads(const StandinKernel* kernel, void** parameters, const unsigned* block) {
  kernel_now = kernel;
  parameters_now = parameters;
  count = block[0] * block[1] * block[2];
  std::vector<unsigned> warps;
  for (unsigned i = 0; i < count; i++) {
    prepare(fibres[i]);
    if (i % kWarp == 0) warps.push_back(i);
  }
  for (;;) {
    bool progress = false;
    shuffle(warps);
    for (unsigned warp : warps) progress = run_warp(warp, block) || progress;
    if (all_in(kDone)) return true;
    if (all_in(kAtBlockBarrier)) {
      for (unsigned i = 0; i < count; i++)
        if (fibres[i].state == kAtBlockBarrier) fibres[i].state = kReady;
      checks::block_barrier();
    } else if (!progress) {
      report(cudaErrorLaunchFailure, std::string("kernel ") + kernel->name +
                                         ": its threads wait for ever: " + waiting());
      return false;
    }
  }
}

}  // namespace standin

using namespace standin;

static void wait_as(State state, unsigned mask) {
  fibres[current].state = state;
  fibres[current].mask = mask;
  leave();
}

PUBLIC void standin_block_barrier() { wait_as(kAtBlockBarrier, 0); }

PUBLIC void standin_warp_barrier(unsigned mask) {
  if (!(mask >> current % kWarp & 1))
    report(cudaErrorLaunchFailure, std::string("kernel ") + kernel_now->name +
                                       ": a lane waits with a mask that leaves it out");
  wait_as(kAtWarpBarrier, mask | 1u << current % kWarp);
}

PUBLIC void standin_warp_put(unsigned thread, const void* value, size_t bytes) {
  memcpy(lanes[thread], value, bytes);
}

PUBLIC void standin_warp_get(unsigned thread, void* value, size_t bytes) {
  memcpy(value, lanes[thread % kMost], bytes);
}
