// Between launches, the scheduler of waiting threads, and the checks.
#pragma once

#include "abi.h"
#include "standin.hpp"

namespace standin {

struct Function {
  const StandinKernel* kernel;
  size_t most_dynamic = 48 << 10;
};

// Run one block whose threads wait for one another; false when they wait for ever.
bool run_waiting_threads(const StandinKernel* kernel, void** parameters, const unsigned* block);

namespace checks {
extern bool active;  // a kernel runs that was compiled with checks
void begin_launch(const StandinKernel* kernel, int device, const char* dynamic, size_t bytes);
void begin_block(uint64_t block);
void begin_thread(unsigned thread);
void block_barrier();                               // all threads have met
void warp_barrier(const std::vector<unsigned>& of); // these threads have met
}  // namespace checks

}  // namespace standin
