// Options, counters and reports: what a test sets before, and reads afterwards.
#include <cstdio>
#include <cstring>
#include <thread>

#include "standin.hpp"

namespace standin {

Options options;
Counters counters;
std::map<std::string, uint64_t> launches_by_name;
std::mt19937 order(1);
std::recursive_mutex lock;

static std::vector<std::string> reports;
static cudaError_t first_fault = cudaSuccess;

void report(cudaError_t error, const std::string& what) {
  reports.push_back(what);
  if (reports.size() <= 20) fprintf(stderr, "cupy_standin: %s\n", what.c_str());
  if (first_fault == cudaSuccess) first_fault = error;
}

cudaError_t fault() { return first_fault; }

}  // namespace standin

using namespace standin;

PUBLIC void standin_configure(int devices, unsigned seed, int asynchronous, int guard, int check,
                              size_t memory) {
  options = {devices, seed, asynchronous != 0, guard != 0, check != 0, memory};
  order.seed(seed);
}

PUBLIC void standin_reseed(unsigned seed) {
  Guard hold(lock);
  options.seed = seed;
  order.seed(seed);
}

PUBLIC size_t standin_counters(uint64_t* out, size_t room) {
  Guard hold(lock);
  size_t n = sizeof counters / sizeof(uint64_t);
  if (room >= n) memcpy(out, &counters, sizeof counters);
  return n;
}

// Texts come back as lines in a buffer that lives until the next call.
static const char* lines(const std::string& text) {
  static std::string kept;
  kept = text;
  return kept.c_str();
}

PUBLIC const char* standin_launches() {
  Guard hold(lock);
  std::string text;
  for (auto& [name, count] : launches_by_name) text += name + " " + std::to_string(count) + "\n";
  return lines(text);
}

PUBLIC const char* standin_reports() {
  Guard hold(lock);
  std::string text;
  for (auto& one : reports) text += one + "\n";
  return lines(text);
}

PUBLIC void standin_forget() {
  Guard hold(lock);
  reports.clear();
  first_fault = cudaSuccess;
}
