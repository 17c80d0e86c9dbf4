"""What must hold for every op under function transforms: `vmap`, forward mode, and both nested.

Like `checks`: each walks the samples of a case and raises AssertionError. Two samples with other
values of the same shapes make a batch.
"""

from __future__ import annotations

import contextlib
import itertools
import math
import warnings
from typing import TYPE_CHECKING, Any

from .. import dtypes, ops
from ..autograd import forward_ad
from ..differentiate import grad as gradient_of
from ..errors import AutogradError
from ..func import vjp, vmap
from ..random import manual_seed
from .maker import Maker
from .walk import naming, run, tensors_of, with_tensors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..tensor import Tensor
    from .cases import OpCase, Sample

#: How the messages begin that say that an op cannot be mapped: its shapes depend on values.
DYNAMIC = (
    "vmap: We do not support batching operators that can",
    "vmap: Attempted to vmap over `mask`",
    "vmap: It looks like you're calling .item()",
    "vmap: It looks like you're attempting to use a Tensor in some data-dependent",
    "When vmap-ing torch.nn.functional.one_hot",
)


def pairs(case: OpCase, dtype: str, device: str) -> Iterator[tuple[Sample, Sample]]:
    """Yield two samples of the same shapes and different values, again and again."""
    kind = dtypes.by_name(dtype)
    makers = (Maker(kind, device, seed=0), Maker(kind, device, seed=1))
    for one, other in zip(*map(case.samples, makers), strict=True):
        shapes = [[(t.shape, t.dtype) for t in tensors_of(s)] for s in (one, other)]
        if shapes[0] == shapes[1] and shapes[0]:
            yield one, other


@contextlib.contextmanager
def quietly() -> Iterator[None]:
    """Do not mind that an op runs sample by sample."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "There is a performance drop", UserWarning)
        yield


def _function(case: OpCase, sample: Sample) -> Callable[..., tuple[Any, ...]]:
    def call(*tensors: Any) -> tuple[Any, ...]:
        manual_seed(0)
        return tuple(tensors_of(run(case, with_tensors(sample, iter(tensors)))))

    return call


def _choices(count: int) -> list[tuple[int | None, ...]]:
    """Return which inputs are mapped: all of them, and each alone."""
    every: tuple[int | None, ...] = (0,) * count
    alone = [tuple(0 if i == j else None for j in range(count)) for i in range(count)]
    return list(dict.fromkeys([every, *alone]))


def check_vmap(case: OpCase, dtype: str, device: str) -> int:
    """Check that mapping equals the loop; return how many mappings were refused for their shape."""
    refused = 0
    for one, other in pairs(case, dtype, device):
        with naming(case, one), quietly():
            first, second = tensors_of(one), tensors_of(other)
            call = _function(case, one)
            for dims in _choices(len(first)):
                refused += _check_mapping(call, first, second, dims)
    return refused


def _check_mapping(
    call: Callable[..., Any], first: list[Tensor], second: list[Tensor], dims: tuple[Any, ...]
) -> int:
    last = [b if dim == 0 else a for a, b, dim in zip(first, second, dims, strict=True)]
    try:
        rows = [call(*first), call(*last)]
    except (RuntimeError, IndexError, ValueError):
        return 1  # the second sample is none: a value of the first is missing in it
    if [t.shape for t in rows[0]] != [t.shape for t in rows[1]]:
        return 1
    stacked = [
        ops.stack([a, b]) if dim == 0 else a for a, b, dim in zip(first, last, dims, strict=True)
    ]
    try:
        found = vmap(call, in_dims=dims)(*stacked)
    except AutogradError as error:
        if str(error).startswith(DYNAMIC):
            return 1
        raise
    for got, *wanted in zip(found, *rows, strict=True):
        expected = ops.stack(wanted)
        assert got.dtype is expected.dtype, f"{got.dtype}, not {expected.dtype} for {dims}"
        assert got.shape == expected.shape, f"{got.shape}, not {expected.shape} for {dims}"
        assert _close(got, expected), f"in_dims={dims}: {got}, not {expected}"
    return 0


def _close(one: Tensor, other: Tensor, tolerance: float = 1e-6) -> bool:
    if not one.dtype.is_floating_point and not one.is_complex():
        return bool(ops.equal(one, other))
    return bool(ops.allclose(one, other, tolerance, tolerance, equal_nan=True))


# Forward mode


def check_jvp(case: OpCase, dtype: str, device: str) -> None:
    """Check that pushing forward is the transpose of pulling back: ``<c, Jt> = <Jᵀc, t>``."""
    for sample in case.samples(Maker(dtypes.by_name(dtype), device)):
        inputs = tensors_of(sample)
        places = [i for i, t in enumerate(inputs) if t.dtype.category >= dtypes.FLOATING]
        with naming(case, sample):
            for chosen in dict.fromkeys([tuple(places), *((p,) for p in places)]):
                if chosen and all(inputs[p].numel() for p in chosen):
                    _check_transposed(_function(case, sample), inputs, chosen)


def _noise(like: Tensor, seed: int) -> Tensor:
    """Return numbers of the shape and dtype of *like*."""
    return Maker(like.dtype, like.device, seed=seed)(*like.shape, low=-1, high=1)


def _check_transposed(
    call: Callable[..., Any], inputs: list[Tensor], chosen: tuple[int, ...]
) -> None:
    points = [t.detach().requires_grad_(i in chosen) for i, t in enumerate(inputs)]
    tangents = {i: _noise(inputs[i], 7 + i) for i in chosen}
    try:
        outputs = [t for t in call(*points) if t.requires_grad]
        pulled, cotangents = _pull(outputs, [points[i] for i in chosen])
    except RuntimeError:
        return  # it has no gradient, or none along what was drawn
    found = _push(call, [t.detach() for t in inputs], tangents)
    floating = [pair for pair in found if pair[0].dtype.category >= dtypes.FLOATING]
    if not outputs:
        assert all(t is None or not t.any() for _, t in floating)
        return
    assert len(floating) >= len(outputs)
    changes = [t for p, t in floating][: len(outputs)] if len(floating) == len(outputs) else None
    if changes is None:
        return
    left = math.fsum(_inner(c, t) for c, t in zip(cotangents, changes, strict=True))
    right = math.fsum(_inner(g, tangents[i]) for g, i in zip(pulled, chosen, strict=True))
    for (primal, tangent), output in zip(floating, outputs, strict=True):
        assert _close(primal, output.detach()), f"the value is {primal}, not {output}"
        if tangent is not None:
            assert tangent.shape == primal.shape
            assert tangent.dtype is primal.dtype
    same = math.isclose(left, right, rel_tol=1e-6, abs_tol=1e-7) or (
        not math.isfinite(right) and not math.isfinite(left)
    )
    assert same, f"inputs {chosen}: <c, Jt> = {left}, <Jc, t> = {right}"


def _pull(outputs: list[Tensor], points: list[Tensor]) -> tuple[list[Any], list[Tensor]]:
    cotangents = [_noise(t, 3 + i) for i, t in enumerate(outputs)]
    if not outputs:
        return [None] * len(points), []
    return list(gradient_of(outputs, points, cotangents, allow_unused=True)), cotangents


def _push(
    call: Callable[..., Any], inputs: list[Tensor], tangents: dict[int, Tensor]
) -> list[tuple[Any, Any]]:
    with forward_ad.dual_level():
        duals = [
            forward_ad.make_dual(t, tangents[i]) if i in tangents else t
            for i, t in enumerate(inputs)
        ]
        unpacked = [forward_ad.unpack_dual(output) for output in call(*duals)]
        return [(u.primal.detach(), u.tangent) for u in unpacked]


def _inner(one: Any, other: Any) -> float:
    """Return the real inner product of two tensors, zero if there is none."""
    if one is None or other is None:
        return 0.0
    product = ops.sum(ops.conj(one) * other)
    return float(ops.real(product).item())


# Both


def check_vmap_of_vjp(case: OpCase, dtype: str, device: str) -> None:
    """Check that gradients per sample equal those of the samples one by one."""
    for one, other in itertools.islice(pairs(case, dtype, device), 6):
        with naming(case, one), quietly():
            first, second = tensors_of(one), tensors_of(other)
            places = [i for i, t in enumerate(first) if t.dtype.category >= dtypes.FLOATING]
            if places:
                _check_gradients_per_sample(_function(case, one), first, second, places)


def _check_gradients_per_sample(
    call: Callable[..., Any], first: list[Tensor], second: list[Tensor], places: list[int]
) -> None:
    def gradients(*tensors: Any) -> tuple[Any, ...]:
        def of_floating(*floating: Any) -> tuple[Any, ...]:
            given = list(tensors)
            for place, tensor in zip(places, floating, strict=True):
                given[place] = tensor
            return tuple(t for t in call(*given) if t.requires_grad)

        outputs, pull = vjp(of_floating, *(tensors[place] for place in places))
        return tuple(pull(tuple(ops.ones_like(t) for t in outputs)))

    try:
        rows = [gradients(*first), gradients(*second)]
    except (RuntimeError, IndexError, ValueError):
        return  # not differentiable, or the second sample is none
    stacked = [ops.stack([a, b]) for a, b in zip(first, second, strict=True)]
    try:
        found = vmap(gradients)(*stacked)
    except AutogradError as error:
        if str(error).startswith(DYNAMIC):
            return
        raise
    for got, *wanted in zip(found, *rows, strict=True):
        expected = ops.stack(wanted)
        assert got.shape == expected.shape
        assert _close(got, expected), f"{got}, not {expected}"
