/* What the stand-in and a compiled kernel know of each other. */
#pragma once
#include <stddef.h>
#ifdef __cplusplus
extern "C" {
#endif

struct StandinIndex { unsigned x, y, z; };

/* The built-in variables of the thread that runs, and where its block's dynamic shared memory is. */
struct StandinThread {
  struct StandinIndex thread, block, block_dim, grid_dim;
  char* dynamic;
};
extern struct StandinThread standin_thread;

/* One __global__ function of a compiled source. */
struct StandinKernel {
  const char* name;
  int parameters;
  const int* sizes;               /* bytes of each parameter */
  int waits;                      /* not 0: its threads wait for one another */
  void (*run)(void** parameters); /* one thread */
  char *shared_begin, *shared_end; /* the static shared memory of the source */
};

void standin_block_barrier(void);
void standin_warp_barrier(unsigned mask);
void standin_warp_put(unsigned lane, const void* value, size_t bytes);
void standin_warp_get(unsigned lane, void* value, size_t bytes);
void standin_atomic(const void* address, size_t bytes);

#ifdef __cplusplus
}
#endif
