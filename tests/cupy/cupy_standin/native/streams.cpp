// Streams, events, capture and graphs.
//
// Asked to be asynchronous, a stream keeps its work until somebody waits for it: the host sees
// results as late as CUDA allows, which is when a forgotten synchronisation shows. With a seed,
// some streams run ahead now and then, which CUDA allows as well.
#include <algorithm>
#include <chrono>
#include <thread>

#include "standin.hpp"

namespace standin {

namespace {

struct Mark {  // a place in a stream's work
  Stream* stream = nullptr;
  uint64_t place = 0;
  double when = 0;
  std::shared_ptr<Capture> capture;
};

struct Event {
  unsigned flags;
  std::shared_ptr<Mark> mark = std::make_shared<Mark>();
};

std::set<Stream*> streams;        // those that programs made
std::map<int, Stream*> defaults;  // the legacy default stream of each device
std::vector<std::shared_ptr<Capture>> captures;

double now() {
  auto since = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double, std::milli>(since).count();
}

Stream* default_of(int device) {
  auto& stream = defaults[device];
  if (!stream) {
    stream = new Stream;
    stream->device = device;
  }
  return stream;
}

bool is_default(Stream* stream) { return default_of(stream->device) == stream; }
bool blocks(Stream* stream) { return !(stream->flags & cudaStreamNonBlocking); }

void push(Stream* stream, Work work) {
  stream->queue.push_back(std::move(work));
  stream->submitted++;
}

void push_wait(Stream* stream, Stream* other) {
  uint64_t place = other->submitted;
  if (other->done < place) push(stream, [=] { drain(other, place); });
}

// The legacy default stream waits for all blocking streams of its device, and they for it.
void order_with_default(Stream* stream) {
  if (is_default(stream)) {
    for (auto* other : streams)
      if (blocks(other) && other->device == stream->device) push_wait(stream, other);
  } else if (blocks(stream)) {
    push_wait(stream, default_of(stream->device));
  }
}

void run_ahead() {  // let a random stream do a random part of its work
  if (!options.seed || order() % 4) return;
  std::vector<Stream*> all(streams.begin(), streams.end());
  for (auto& [device, stream] : defaults) all.push_back(stream);
  Stream* stream = all[order() % all.size()];
  uint64_t left = stream->submitted - stream->done;
  if (left) drain(stream, stream->done + 1 + order() % left);
}

void end(const std::shared_ptr<Capture>& capture) {
  for (auto* member : capture->members) member->capture = nullptr;
  captures.erase(std::find(captures.begin(), captures.end(), capture));
}

void join_capture(Stream* stream, const std::shared_ptr<Capture>& capture) {
  stream->capture = capture;
  stream->captured = stream->joined = 0;
  capture->members.insert(stream);
}

}  // namespace

thread_local int current_device = 0;

Stream* stream_of(const void* handle) {
  auto value = reinterpret_cast<uintptr_t>(handle);
  if (value <= 2) return default_of(current_device);  // null, legacy, per thread
  auto* stream = static_cast<Stream*>(const_cast<void*>(handle));
  return streams.count(stream) ? stream : nullptr;
}

void drain(Stream* stream, uint64_t upto) {
  while (stream->done < upto && !stream->queue.empty()) {
    Work work = std::move(stream->queue.front());
    stream->queue.pop_front();
    stream->done++;
    work();
  }
}

void drain(Stream* stream) { drain(stream, stream->submitted); }

void drain_all() {
  std::vector<Stream*> all(streams.begin(), streams.end());
  for (auto& [device, stream] : defaults) all.push_back(stream);
  shuffle(all);
  for (auto* stream : all) drain(stream);
}

bool anything_captures() { return !captures.empty(); }

cudaError_t forbidden_in_capture(bool unless_relaxed) {
  auto error = cudaSuccess;
  for (auto& capture : captures) {
    bool here = capture->thread == std::this_thread::get_id();
    if (unless_relaxed && (capture->mode == cudaStreamCaptureModeRelaxed ||
                           (capture->mode == cudaStreamCaptureModeThreadLocal && !here)))
      continue;
    capture->invalid = true;
    error = cudaErrorStreamCaptureUnsupported;
  }
  return error;
}

cudaError_t submit(Stream* stream, Work work) {
  if (stream->capture) {
    if (stream->capture->invalid) return cudaErrorStreamCaptureInvalidated;
    stream->capture->graph->nodes.push_back(std::move(work));
    stream->captured++;
    return cudaSuccess;
  }
  if (is_default(stream))
    for (auto& capture : captures)
      if (blocks(capture->origin)) {
        capture->invalid = true;
        return cudaErrorStreamCaptureImplicit;
      }
  order_with_default(stream);
  push(stream, std::move(work));
  if (!options.asynchronous) drain(stream);
  else run_ahead();
  return cudaSuccess;
}

cudaError_t submit(const void* handle, Work work) {
  Stream* stream = stream_of(handle);
  return stream ? submit(stream, std::move(work)) : cudaErrorInvalidResourceHandle;
}

}  // namespace standin

using namespace standin;

// ---- streams

PUBLIC cudaError_t cudaStreamCreateWithPriority(cudaStream_t* out, unsigned flags, int priority) {
  Guard hold(lock);
  auto* stream = new Stream;
  stream->device = current_device;
  stream->flags = flags;
  stream->priority = std::clamp(priority, -5, 0);
  streams.insert(stream);
  *out = reinterpret_cast<cudaStream_t>(stream);
  return cudaSuccess;
}

PUBLIC cudaError_t cudaStreamCreateWithFlags(cudaStream_t* out, unsigned flags) {
  return cudaStreamCreateWithPriority(out, flags, 0);
}

PUBLIC cudaError_t cudaStreamCreate(cudaStream_t* out) { return cudaStreamCreateWithFlags(out, 0); }

PUBLIC cudaError_t cudaDeviceGetStreamPriorityRange(int* least, int* greatest) {
  *least = 0;
  *greatest = -5;
  return cudaSuccess;
}

PUBLIC cudaError_t cudaStreamGetFlags(cudaStream_t handle, unsigned* flags) {
  Guard hold(lock);
  Stream* stream = stream_of(handle);
  if (stream) *flags = stream->flags;
  return stream ? cudaSuccess : cudaErrorInvalidResourceHandle;
}

PUBLIC cudaError_t cudaStreamGetPriority(cudaStream_t handle, int* priority) {
  Guard hold(lock);
  Stream* stream = stream_of(handle);
  if (stream) *priority = stream->priority;
  return stream ? cudaSuccess : cudaErrorInvalidResourceHandle;
}

PUBLIC cudaError_t cudaStreamGetDevice(cudaStream_t handle, int* device) {
  Guard hold(lock);
  Stream* stream = stream_of(handle);
  if (stream) *device = stream->device;
  return stream ? cudaSuccess : cudaErrorInvalidResourceHandle;
}

PUBLIC cudaError_t cudaStreamDestroy(cudaStream_t handle) {
  Guard hold(lock);
  Stream* stream = stream_of(handle);
  if (!stream || is_default(stream)) return cudaErrorInvalidResourceHandle;
  drain(stream);
  if (auto capture = stream->capture) {
    capture->invalid = true;
    if (capture->origin == stream) end(capture);
  }
  streams.erase(stream);  // kept in memory: marks of events may still name it
  return cudaSuccess;
}

PUBLIC cudaError_t cudaStreamSynchronize(cudaStream_t handle) {
  Guard hold(lock);
  Stream* stream = stream_of(handle);
  if (!stream) return cudaErrorInvalidResourceHandle;
  if (stream->capture) {
    stream->capture->invalid = true;
    return cudaErrorStreamCaptureUnsupported;
  }
  if (is_default(stream) && anything_captures()) {
    for (auto& capture : captures)
      if (blocks(capture->origin)) {
        capture->invalid = true;
        return cudaErrorStreamCaptureImplicit;
      }
  }
  counters.syncs++;
  order_with_default(stream);
  drain(stream);
  check_zones("a kernel before cudaStreamSynchronize");
  return fault();
}

PUBLIC cudaError_t cudaStreamQuery(cudaStream_t handle) {
  Guard hold(lock);
  Stream* stream = stream_of(handle);
  if (!stream) return cudaErrorInvalidResourceHandle;
  if (stream->capture) {
    stream->capture->invalid = true;
    return cudaErrorStreamCaptureUnsupported;
  }
  run_ahead();
  return stream->queue.empty() ? fault() : cudaErrorNotReady;
}

PUBLIC cudaError_t cudaDeviceSynchronize() {
  Guard hold(lock);
  if (auto error = forbidden_in_capture()) return error;
  counters.syncs++;
  drain_all();
  check_zones("a kernel before cudaDeviceSynchronize");
  return fault();
}

PUBLIC cudaError_t cudaLaunchHostFunc(cudaStream_t handle, cudaHostFn_t function, void* data) {
  Guard hold(lock);
  return submit(handle, [=] { function(data); });
}

PUBLIC cudaError_t cudaStreamAddCallback(cudaStream_t handle, cudaStreamCallback_t function,
                                         void* data, unsigned) {
  Guard hold(lock);
  Stream* stream = stream_of(handle);
  if (!stream) return cudaErrorInvalidResourceHandle;
  if (stream->capture) {
    stream->capture->invalid = true;
    return cudaErrorStreamCaptureUnsupported;
  }
  return submit(stream, [=] { function(handle, cudaSuccess, data); });
}

// ---- events

static Event* event_of(cudaEvent_t handle) { return reinterpret_cast<Event*>(handle); }

PUBLIC cudaError_t cudaEventCreateWithFlags(cudaEvent_t* out, unsigned flags) {
  *out = reinterpret_cast<cudaEvent_t>(new Event{flags});
  return cudaSuccess;
}

PUBLIC cudaError_t cudaEventCreate(cudaEvent_t* out) { return cudaEventCreateWithFlags(out, 0); }

PUBLIC cudaError_t cudaEventDestroy(cudaEvent_t handle) {
  Guard hold(lock);
  delete event_of(handle);
  return cudaSuccess;
}

PUBLIC cudaError_t cudaEventRecord(cudaEvent_t handle, cudaStream_t stream_handle) {
  Guard hold(lock);
  Stream* stream = stream_of(stream_handle);
  if (!stream) return cudaErrorInvalidResourceHandle;
  auto mark = std::make_shared<Mark>();
  mark->stream = stream;
  mark->capture = stream->capture;
  if (stream->capture) {
    mark->place = stream->captured;
  } else {
    if (auto error = submit(stream, [=] { mark->when = now(); })) return error;
    mark->place = stream->submitted;
  }
  event_of(handle)->mark = mark;
  return cudaSuccess;
}

// An event of a capture belongs to the graph: asking about it spoils the capture.
static cudaError_t captured(const Mark& mark) {
  if (!mark.capture) return cudaSuccess;
  mark.capture->invalid = true;
  return cudaErrorCapturedEvent;
}

PUBLIC cudaError_t cudaEventSynchronize(cudaEvent_t handle) {
  Guard hold(lock);
  auto mark = event_of(handle)->mark;
  if (auto error = captured(*mark)) return error;
  counters.syncs++;
  if (mark->stream) drain(mark->stream, mark->place);
  return fault();
}

PUBLIC cudaError_t cudaEventQuery(cudaEvent_t handle) {
  Guard hold(lock);
  auto mark = event_of(handle)->mark;
  if (auto error = captured(*mark)) return error;
  run_ahead();
  return !mark->stream || mark->stream->done >= mark->place ? fault() : cudaErrorNotReady;
}

PUBLIC cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t from, cudaEvent_t to) {
  Guard hold(lock);
  auto a = event_of(from)->mark, b = event_of(to)->mark;
  if (!a->stream || !b->stream) return cudaErrorInvalidResourceHandle;
  if (!a->when || !b->when) return cudaErrorNotReady;
  *milliseconds = float(b->when - a->when);
  return cudaSuccess;
}

PUBLIC cudaError_t cudaStreamWaitEvent(cudaStream_t handle, cudaEvent_t event, unsigned) {
  Guard hold(lock);
  Stream* stream = stream_of(handle);
  if (!stream) return cudaErrorInvalidResourceHandle;
  auto mark = event_of(event)->mark;
  if (!mark->stream) return cudaSuccess;
  if (mark->capture) {
    if (!stream->capture) join_capture(stream, mark->capture);
    if (stream->capture != mark->capture) {
      stream->capture->invalid = mark->capture->invalid = true;
      return cudaErrorStreamCaptureMerge;
    }
    mark->stream->joined = std::max(mark->stream->joined, mark->place + 1);
    return cudaSuccess;
  }
  if (stream->capture) {
    stream->capture->invalid = true;
    return cudaErrorStreamCaptureIsolation;
  }
  return submit(stream, [mark] { drain(mark->stream, mark->place); });
}

// ---- capture and graphs

static Graph* graph_of(const void* handle) {
  return static_cast<Graph*>(const_cast<void*>(handle));
}

PUBLIC cudaError_t cudaStreamBeginCapture(cudaStream_t handle, cudaStreamCaptureMode mode) {
  Guard hold(lock);
  Stream* stream = stream_of(handle);
  if (!stream) return cudaErrorInvalidResourceHandle;
  if (is_default(stream)) return cudaErrorStreamCaptureUnsupported;
  if (stream->capture) return cudaErrorIllegalState;
  auto capture = std::make_shared<Capture>();
  capture->mode = mode;
  capture->origin = stream;
  capture->thread = std::this_thread::get_id();
  join_capture(stream, capture);
  captures.push_back(capture);
  return cudaSuccess;
}

PUBLIC cudaError_t cudaStreamEndCapture(cudaStream_t handle, cudaGraph_t* out) {
  Guard hold(lock);
  *out = nullptr;
  Stream* stream = stream_of(handle);
  if (!stream) return cudaErrorInvalidResourceHandle;
  auto capture = stream->capture;
  if (!capture) return cudaErrorIllegalState;
  if (capture->origin != stream) {
    capture->invalid = true;
    return cudaErrorStreamCaptureUnmatched;
  }
  if (capture->mode != cudaStreamCaptureModeRelaxed &&
      capture->thread != std::this_thread::get_id())
    return cudaErrorStreamCaptureWrongThread;
  bool joined = true;
  for (auto* member : capture->members)
    joined = joined && (member == stream || member->joined > member->captured);
  end(capture);
  if (capture->invalid) return cudaErrorStreamCaptureInvalidated;
  if (!joined) return cudaErrorStreamCaptureUnjoined;
  *out = reinterpret_cast<cudaGraph_t>(new Graph(*capture->graph));
  return cudaSuccess;
}

PUBLIC cudaError_t cudaStreamIsCapturing(cudaStream_t handle, cudaStreamCaptureStatus* status) {
  Guard hold(lock);
  Stream* stream = stream_of(handle);
  if (!stream) return cudaErrorInvalidResourceHandle;
  if (is_default(stream))
    for (auto& capture : captures)
      if (blocks(capture->origin)) return cudaErrorStreamCaptureImplicit;
  *status = !stream->capture            ? cudaStreamCaptureStatusNone
            : stream->capture->invalid ? cudaStreamCaptureStatusInvalidated
                                        : cudaStreamCaptureStatusActive;
  return cudaSuccess;
}

PUBLIC cudaError_t cudaGraphInstantiate(cudaGraphExec_t* out, cudaGraph_t graph,
                                        unsigned long long) {
  Guard hold(lock);
  *out = reinterpret_cast<cudaGraphExec_t>(new Graph(*graph_of(graph)));
  return cudaSuccess;
}

PUBLIC cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  Guard hold(lock);
  delete graph_of(graph);
  return cudaSuccess;
}

PUBLIC cudaError_t cudaGraphExecDestroy(cudaGraphExec_t graph) {
  Guard hold(lock);
  drain_all();
  delete graph_of(graph);
  return cudaSuccess;
}

PUBLIC cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t stream) {
  Guard hold(lock);
  counters.graph_launches++;
  Graph* graph = graph_of(exec);
  return submit(stream, [graph] {
    for (auto& node : graph->nodes) node();
  });
}

PUBLIC cudaError_t cudaGraphUpload(cudaGraphExec_t, cudaStream_t) { return cudaSuccess; }

// End all work and look for writes beside blocks, as a test does when it ends.
PUBLIC void standin_settle() {
  Guard hold(lock);
  drain_all();
  check_zones("a kernel");
}
