"""`Maker`: sample tensors of one dtype on one device, the same for every backend."""

from __future__ import annotations

import random
from math import prod
from typing import TYPE_CHECKING, Any

from .. import dtypes
from ..tensor import tensor

if TYPE_CHECKING:
    from ..device import Device
    from ..dtypes import DType
    from ..tensor import Tensor


class Maker:
    """Makes tensors with reproducible values: ``make(2, 3)``, ``make(4, low=0.1)``.

    Values are drawn by Python's own generator, so that every backend sees the same ones.

    Args:
        dtype: What `__call__` makes.
        device: Where.
        seed: Of the values.
        requires_grad: Whether floating tensors require grad.
    """

    def __init__(
        self,
        dtype: DType,
        device: Device | str = "cpu",
        *,
        seed: int = 0,
        requires_grad: bool = False,
    ) -> None:
        self.dtype, self.device, self.requires_grad = dtype, device, requires_grad
        self._random = random.Random(seed)  # noqa: S311 - sample data, no secret

    def __call__(self, *shape: int, low: float = -2.0, high: float = 2.0, **options: Any) -> Tensor:
        """Return a tensor of *shape* with values between *low* and *high*.

        Floating ones are no two alike. Integers are drawn between the two, bounds included (from 0
        for unsigned ones), bools evenly.
        """
        dtype = options.get("dtype", self.dtype)
        values = [self._draw(dtype, low, high) for _ in range(prod(shape))]
        grad = options.get(
            "requires_grad", self.requires_grad and dtype.category >= dtypes.FLOATING
        )
        made = tensor(values, dtype=dtype, device=self.device).reshape(shape)
        return made.requires_grad_() if grad else made

    def _draw(self, dtype: DType, low: float, high: float) -> complex:
        if dtype.category == dtypes.BOOL:
            return self._random.random() < 0.5
        if dtype.category == dtypes.INTEGER:
            return self._random.randint(
                0 if not dtype.is_signed and low < 0 else int(low), int(high)
            )
        if dtype.category == dtypes.COMPLEX:
            return complex(self._random.uniform(low, high), self._random.uniform(low, high))
        return self._random.uniform(low, high)

    def transposed(self, *shape: int, **options: Any) -> Tensor:
        """Return a tensor of *shape* of which two *dims*, or the last, are swapped in memory."""
        sizes, (first, second) = list(shape), options.pop("dims", (-2, -1))
        sizes[first], sizes[second] = sizes[second], sizes[first]
        made = self(*sizes, **options)
        return made.detach().transpose(first, second).requires_grad_(made.requires_grad)

    def strided(self, *shape: int, **options: Any) -> Tensor:
        """Return a tensor of *shape* that takes every other element of its last dimension."""
        made = self(*shape[:-1], 2 * shape[-1], **options)
        return made.detach()[..., ::2].requires_grad_(made.requires_grad)

    def index(self, *shape: int, below: int) -> Tensor:
        """Return an int64 tensor of *shape* with values from 0 to *below* - 1."""
        return self(*shape, low=0, high=below - 1, dtype=dtypes.int64, requires_grad=False)

    def mask(self, *shape: int) -> Tensor:
        """Return a bool tensor."""
        return self(*shape, dtype=dtypes.bool_, requires_grad=False)

    def of(self, values: Any, **options: Any) -> Tensor:
        """Return a tensor with these very values: for ties, kinks, infinities."""
        made = tensor(values, dtype=options.get("dtype", self.dtype), device=self.device)
        grad = self.requires_grad and made.dtype.category >= dtypes.FLOATING
        return made.requires_grad_() if grad else made
