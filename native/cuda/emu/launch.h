// Launching a kernel in the emulation: the limits of a launch are checked, its arguments copied, the grid given to the
// stream.
#pragma once

#include "streams.h"

namespace emu {

template <class... P, class... A>
void launch(const char *name, dim3 grid, dim3 block, size_t shared_bytes, cudaStream_t stream, void (*kernel)(P...),
            A &&...arguments) {
  const std::lock_guard lock(device.mutex);
  if (call()) return;
  const size_t threads = size_t(block.x) * block.y * block.z, blocks = size_t(grid.x) * grid.y * grid.z;
  const bool fits = threads > 0 && threads <= 1024 && block.z <= 64 && blocks > 0 && grid.x < 1u << 31 &&
                    grid.y < 1u << 16 && grid.z < 1u << 16;
  const auto asked = device.dynamic_bytes_max.find(reinterpret_cast<const void *>(kernel));
  if (!fits || shared_bytes > (asked == device.dynamic_bytes_max.end() ? device.properties.sharedMemPerBlock : asked->second)) {
    failed(fits ? cudaErrorInvalidValue : cudaErrorInvalidConfiguration);
    return;
  }
  std::tuple<P...> copied(std::forward<A>(arguments)...);
  Grid whole{name, grid, block, shared_bytes, device.properties.sharedMemPerBlockOptin,
             [kernel, copied] { std::apply(kernel, copied); }};
  give(stream, [whole = std::move(whole)] { return run_grid(whole) ? cudaSuccess : cudaErrorLaunchFailure; });
}

} // namespace emu
