// What happens on an access that the memory management unit refuses.
//
// In a kernel or a library call it becomes what a GPU makes of it: cudaErrorIllegalAddress, with
// the block beside it named. In host code it means that the host looked into device memory without
// a copy: that is told, and the process ends as it would where there is a GPU.
#include <csetjmp>
#include <csignal>
#include <cstdio>
#include <thread>

#include "faults.hpp"

namespace standin {

namespace {

sigjmp_buf back;
bool in_work = false;
const void* address = nullptr;

void on_fault(int signal_number, siginfo_t* info, void*) {
  if (in_work) {
    address = info->si_addr;
    siglongjmp(back, 1);
  }
  if (is_device(info->si_addr))
    fprintf(stderr,
            "cupy_standin: host code touched device memory: %s. Copy it first (cudaMemcpy, get()).\n",
            describe(info->si_addr).c_str());
  signal(signal_number, SIG_DFL);  // the access is repeated, and ends the process
}

void install(struct sigaction* before) {
  static char stack[64 << 10];
  stack_t alternative{stack, 0, sizeof stack};
  sigaltstack(&alternative, nullptr);
  struct sigaction action = {};
  action.sa_sigaction = on_fault;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
  sigaction(SIGSEGV, &action, before);
}

}  // namespace

bool survives(const Work& work, const void** where) {
  static bool installed = false;  // Python's faulthandler, where it is asked for, came before
  if (!installed) install(nullptr);
  installed = true;
  in_work = true;
  bool well = sigsetjmp(back, 0) == 0;
  if (well) work();
  in_work = false;
  *where = address;
  return well;
}

}  // namespace standin

PUBLIC void standin_watch_host() { standin::install(nullptr); }
