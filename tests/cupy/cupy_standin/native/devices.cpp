// Devices, their properties, errors and their names, and what the driver says of contexts.
#include <cstdio>
#include <cstring>
#include <thread>

#include "error_names.inc"  // written when the stand-in is built, from NVIDIA's public header
#include "standin.hpp"

using namespace standin;

static constexpr int kMajor = 8, kMinor = 0;  // what it says it is: compute capability 8.0
static constexpr int kVersion = 13020;        // of the runtime and the driver

PUBLIC const char* cudaGetErrorName(cudaError_t error) {
  for (auto& [code, name] : kErrorNames)
    if (code == int(error)) return name;
  return "unrecognized error code";
}

PUBLIC const char* cudaGetErrorString(cudaError_t error) { return cudaGetErrorName(error); }

// The driver's codes are the runtime's numbers.
static CUresult name_of(CUresult error, const char** name) {
  for (auto& [code, text] : kDriverErrorNames)
    if (code == int(error)) return *name = text, CUDA_SUCCESS;
  *name = nullptr;
  return CUDA_ERROR_INVALID_VALUE;
}

PUBLIC CUresult cuGetErrorName(CUresult error, const char** name) { return name_of(error, name); }
PUBLIC CUresult cuGetErrorString(CUresult error, const char** name) { return name_of(error, name); }
PUBLIC cudaError_t cudaGetLastError() { return cudaSuccess; }
PUBLIC cudaError_t cudaPeekAtLastError() { return cudaSuccess; }

PUBLIC cudaError_t cudaDriverGetVersion(int* version) { return *version = kVersion, cudaSuccess; }
PUBLIC cudaError_t cudaRuntimeGetVersion(int* version) { return *version = kVersion, cudaSuccess; }

PUBLIC cudaError_t cudaGetDeviceCount(int* count) {
  *count = options.devices;
  return cudaSuccess;
}

PUBLIC cudaError_t cudaGetDevice(int* device) {
  *device = current_device;
  return cudaSuccess;
}

PUBLIC cudaError_t cudaSetDevice(int device) {
  if (device < 0 || device >= options.devices) return cudaErrorInvalidDevice;
  current_device = device;
  return cudaSuccess;
}

static int attribute(cudaDeviceAttr which) {
  switch (which) {
    case cudaDevAttrComputeCapabilityMajor: return kMajor;
    case cudaDevAttrComputeCapabilityMinor: return kMinor;
    case cudaDevAttrMaxThreadsPerBlock: return 1024;
    case cudaDevAttrMaxThreadsPerMultiProcessor: return 2048;
    case cudaDevAttrWarpSize: return 32;
    case cudaDevAttrMultiProcessorCount: return 4;
    case cudaDevAttrMaxSharedMemoryPerBlock: return 48 << 10;
    case cudaDevAttrMaxSharedMemoryPerBlockOptin: return 163 << 10;
    case cudaDevAttrMaxRegistersPerBlock: return 65536;
    case cudaDevAttrMaxGridDimX: return 2147483647;
    case cudaDevAttrMaxGridDimY: case cudaDevAttrMaxGridDimZ: return 65535;
    case cudaDevAttrMaxBlockDimX: case cudaDevAttrMaxBlockDimY: return 1024;
    case cudaDevAttrMaxBlockDimZ: return 64;
    case cudaDevAttrUnifiedAddressing: return 1;
    default: return 0;
  }
}

PUBLIC cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr which, int device) {
  if (device < 0 || device >= options.devices) return cudaErrorInvalidDevice;
  *value = attribute(which);
  return cudaSuccess;
}

PUBLIC cudaError_t cudaGetDeviceProperties(cudaDeviceProp* out, int device) {
  if (device < 0 || device >= options.devices) return cudaErrorInvalidDevice;
  memset(out, 0, sizeof *out);
  snprintf(out->name, sizeof out->name, "cupy_standin (a CPU, for tests)");
  out->totalGlobalMem = options.memory;
  out->sharedMemPerBlock = attribute(cudaDevAttrMaxSharedMemoryPerBlock);
  out->sharedMemPerBlockOptin = attribute(cudaDevAttrMaxSharedMemoryPerBlockOptin);
  out->regsPerBlock = out->regsPerMultiprocessor = 65536;
  out->warpSize = 32;
  out->maxThreadsPerBlock = 1024;
  out->maxThreadsDim[0] = out->maxThreadsDim[1] = 1024;
  out->maxThreadsDim[2] = 64;
  out->maxGridSize[0] = 2147483647;
  out->maxGridSize[1] = out->maxGridSize[2] = 65535;
  out->major = kMajor;
  out->minor = kMinor;
  out->multiProcessorCount = 4;
  out->maxThreadsPerMultiProcessor = 2048;
  out->unifiedAddressing = 1;
  out->pciBusID = device + 1;
  return cudaSuccess;
}

PUBLIC cudaError_t cudaDeviceGetPCIBusId(char* out, int room, int device) {
  if (device < 0 || device >= options.devices) return cudaErrorInvalidDevice;
  snprintf(out, room, "0000:%02X:00.0", device + 1);
  return cudaSuccess;
}

PUBLIC cudaError_t cudaDeviceGetByPCIBusId(int* device, const char* id) {
  unsigned domain, bus;
  if (sscanf(id, "%x:%x", &domain, &bus) != 2 || bus < 1 || int(bus) > options.devices)
    return cudaErrorInvalidValue;
  *device = int(bus) - 1;
  return cudaSuccess;
}

static size_t limits[16] = {1024, 1 << 20, 8 << 20, 2, 2048};

PUBLIC cudaError_t cudaDeviceGetLimit(size_t* value, cudaLimit which) {
  if (unsigned(which) >= 16) return cudaErrorUnsupportedLimit;
  *value = limits[which];
  return cudaSuccess;
}

PUBLIC cudaError_t cudaDeviceSetLimit(cudaLimit which, size_t value) {
  if (unsigned(which) >= 16) return cudaErrorUnsupportedLimit;
  limits[which] = value;
  return cudaSuccess;
}

PUBLIC cudaError_t cudaProfilerStart() { return cudaSuccess; }
PUBLIC cudaError_t cudaProfilerStop() { return cudaSuccess; }

// ---- contexts: a device has one, and its number is the context's handle

static CUcontext context_of(int device) { return reinterpret_cast<CUcontext>(size_t(device) + 1); }

PUBLIC CUresult cuCtxGetCurrent(CUcontext* context) {
  *context = context_of(current_device);
  return CUDA_SUCCESS;
}

PUBLIC CUresult cuCtxSetCurrent(CUcontext context) {
  if (context) current_device = int(reinterpret_cast<size_t>(context)) - 1;
  return CUDA_SUCCESS;
}

PUBLIC CUresult cuCtxGetDevice(CUdevice* device) {
  *device = current_device;
  return CUDA_SUCCESS;
}

PUBLIC CUresult cuStreamGetCtx(CUstream handle, CUcontext* context) {
  Guard hold(lock);
  Stream* stream = stream_of(handle);
  if (!stream) return CUDA_ERROR_INVALID_HANDLE;
  *context = context_of(stream->device);
  return CUDA_SUCCESS;
}

PUBLIC CUresult cuDevicePrimaryCtxRelease_v2(CUdevice) { return CUDA_SUCCESS; }

PUBLIC CUresult cuDeviceGetAttribute(int* value, CUdevice_attribute which, CUdevice device) {
  return CUresult(cudaDeviceGetAttribute(value, cudaDeviceAttr(which), device));
}
