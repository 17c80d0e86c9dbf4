"""How windows lie in a plane, for the kernels of convolutions and of pooling.

Windows have three dimensions: of fewer, the first are 1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from chainrule_xp.convolution import Layout

Sizes = tuple[int, ...]

#: What a kernel gets from `window`: of three dimensions each, the plane, the windows, how they lie.
WINDOW: Final = """
struct Window { int size[3], count[3], kernel[3], stride[3], padding[3], dilation[3]; };
"""

#: After `WINDOW`, for kernels that look for what a window holds.
SEEN: Final = r"""
// Where place k of window l lies in a plane; false in the padding.
__device__ inline bool seen(const Window& w, long long l, long long k, long long* at) {
  int position[3];
  bool inside = true;
  for (int d = 2; d >= 0; d--) {
    position[d] = (int)(l % w.count[d]) * w.stride[d] - w.padding[d]
                  + (int)(k % w.kernel[d]) * w.dilation[d];
    l /= w.count[d];
    k /= w.kernel[d];
    inside = inside && position[d] >= 0 && position[d] < w.size[d];
  }
  *at = ((long long)position[0] * w.size[1] + position[1]) * w.size[2] + position[2];
  return inside;
}
"""

_WINDOW: Final = np.dtype([
    (name, np.int32, (3,))
    for name in ("size", "count", "kernel", "stride", "padding", "dilation")
])  # fmt: skip


def window(size: Sizes, count: Sizes, kernel: Sizes, layout: Layout) -> Any:
    """Return how windows lie as a kernel's argument; missing dimensions come first, of size 1."""
    made = np.ones(1, _WINDOW)
    made["padding"] = 0
    given = (size, count, kernel, layout.stride, layout.padding, layout.dilation)
    for name, values in zip(_WINDOW.names or (), given, strict=True):
        made[name][0, 3 - len(values) :] = values
    return made
