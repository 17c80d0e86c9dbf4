"""`assert_close` and its forerunner: two results agree, and if not, where and by how much."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from .. import dtypes, ops
from .._warn import warn
from ..errors import ArgumentError
from ..tensor import Tensor, as_tensor

__all__ = ["assert_allclose", "assert_close"]

#: Relative and absolute tolerance per dtype, where none is given; PyTorch's.
_TOLERANCES: Final = {
    dtypes.float16: (1e-3, 1e-5),
    dtypes.bfloat16: (1.6e-2, 1e-5),
    dtypes.float32: (1.3e-6, 1e-5),
    dtypes.float64: (1e-7, 1e-7),
    dtypes.complex64: (1.3e-6, 1e-5),
    dtypes.complex128: (1e-7, 1e-7),
}

#: Likewise of `assert_allclose`, which complex numbers share with `assert_close`.
_LARGER_TOLERANCES: Final = {
    **_TOLERANCES,
    dtypes.float16: (1e-3, 1e-3),
    dtypes.float32: (1e-4, 1e-5),
    dtypes.float64: (1e-5, 1e-8),
}


def assert_close(
    actual: Any,
    expected: Any,
    *,
    allow_subclasses: bool = True,
    rtol: float | None = None,
    atol: float | None = None,
    equal_nan: bool = False,
    check_device: bool = True,
    check_dtype: bool = True,
    check_layout: bool = True,
    check_stride: bool = False,
    msg: str | Callable[[str], str] | None = None,
) -> None:
    """Check that two tensors, numbers, or sequences or mappings of them agree.

    Elements agree where ``|actual - expected| <= atol + rtol * |expected|``.

    Args:
        actual: What came.
        expected: What should have come.
        allow_subclasses: Whether one of the two may be of a subclass of the other's class.
        rtol: The relative tolerance; by default that of the wider dtype.
        atol: The absolute tolerance; likewise. Give both or none.
        equal_nan: Whether NaN equals NaN.
        check_device: Whether the devices must agree.
        check_dtype: Whether the dtypes must.
        check_layout: Taken and ignored: all tensors are strided.
        check_stride: Whether the strides must.
        msg: What the error says instead; or a function of what it would say.

    Raises:
        AssertionError: they differ; the message says where and by how much.
        ValueError: one tolerance is given alone.
        TypeError: the two cannot be compared.

    >>> import chainrule as cr
    >>> assert_close(cr.tensor([1.0, 2.0]), cr.tensor([1.0, 2.0000001]))
    """
    if (rtol is None) != (atol is None):
        raise ValueError(
            "rtol and atol must both be specified or both be unspecified, but got "
            f"{'no rtol' if rtol is None else f'rtol={rtol}'} and "
            f"{'no atol' if atol is None else f'atol={atol}'}"
        )
    checks = {"device": check_device, "dtype": check_dtype, "stride": check_stride}
    found = _compared(
        actual, expected, (), {"rtol": rtol, "atol": atol, "equal_nan": equal_nan, **checks},
        subclasses=allow_subclasses,
    )  # fmt: skip
    if found is not None:
        raise AssertionError(msg(found) if callable(msg) else found if msg is None else msg)


def assert_allclose(
    actual: Any,
    expected: Any,
    rtol: float | None = None,
    atol: float | None = None,
    equal_nan: bool = True,
    msg: str = "",
) -> None:
    """Check that two tensors agree, whatever their dtypes: the forerunner of `assert_close`.

    Args:
        actual: What came: a tensor, or what `chainrule.tensor` takes.
        expected: What should have come; likewise, then of the dtype of *actual*.
        rtol: The relative tolerance; by default that of the dtype, larger than `assert_close`'s.
        atol: The absolute tolerance; likewise. Give both or none.
        equal_nan: Whether NaN equals NaN.
        msg: What the error says instead.

    Raises:
        AssertionError: they differ; the message says where and by how much.
        ValueError: one tolerance is given alone.

    Warns:
        FutureWarning: always, as in PyTorch.
    """
    warn(
        "`chainrule.testing.assert_allclose()` is deprecated, as in PyTorch. "
        "Please use `chainrule.testing.assert_close()` instead.",
        FutureWarning,
        stacklevel=2,
    )
    found = actual if isinstance(actual, Tensor) else as_tensor(actual)
    wanted = expected if isinstance(expected, Tensor) else as_tensor(expected, dtype=found.dtype)
    if rtol is None and atol is None:
        pairs = [_LARGER_TOLERANCES.get(x.dtype, (0.0, 0.0)) for x in (found, wanted)]
        rtol, atol = max(r for r, _ in pairs), max(a for _, a in pairs)
    assert_close(
        found, wanted, rtol=rtol, atol=atol, equal_nan=equal_nan, check_dtype=False, msg=msg or None
    )


def _compared(
    actual: Any, expected: Any, where: tuple[Any, ...], how: dict[str, Any], *, subclasses: bool
) -> str | None:
    """Return what differs, in words; None where nothing does."""
    if isinstance(actual, Mapping) and isinstance(expected, Mapping):
        return _of_mappings(actual, expected, where, how, subclasses=subclasses)
    if _is_sequence(actual) and _is_sequence(expected):
        return _of_sequences(actual, expected, where, how, subclasses=subclasses)
    if actual is None or expected is None:
        return None if actual is expected else f"None mismatch: {actual} is not {expected}"
    _check_types(actual, expected, subclasses=subclasses)
    text = _of_values(actual, expected, how)
    if text is None:
        return None
    return (
        f"{text}\n\nThe failure occurred for item {''.join(f'[{i!r}]' for i in where)}"
        if where
        else text
    )


def _is_sequence(item: Any) -> bool:
    return isinstance(item, Sequence) and not isinstance(item, str)


def _check_types(actual: Any, expected: Any, *, subclasses: bool) -> None:
    kinds = type(actual), type(expected)
    related = isinstance(actual, kinds[1]) or isinstance(expected, kinds[0])
    numbers = all(isinstance(item, (int, float, complex)) for item in (actual, expected))
    arrays = all(
        isinstance(item, Tensor) or hasattr(item, "__array__") for item in (actual, expected)
    )
    if kinds[0] is kinds[1] or numbers or (arrays and (subclasses and related)):
        return
    if isinstance(actual, Tensor) and isinstance(expected, Tensor) and subclasses:
        return
    raise ArgumentError(
        f"No comparison pair was able to handle inputs of type {kinds[0]} and {kinds[1]}.\n"
        "assert_close: expected two tensors, numbers, sequences or mappings. Convert one of them."
    )


def _of_mappings(
    actual: Any, expected: Any, where: Any, how: Any, *, subclasses: bool
) -> str | None:
    if actual.keys() != expected.keys():
        missing, more = expected.keys() - actual.keys(), actual.keys() - expected.keys()
        return (
            "The keys of the mappings do not match:\n"
            f"Missing keys in the actual mapping: {sorted(missing)}\n"
            f"Additional keys in the actual mapping: {sorted(more)}"
        )
    found = (
        _compared(actual[k], expected[k], (*where, k), how, subclasses=subclasses) for k in expected
    )
    return next((text for text in found if text is not None), None)


def _of_sequences(
    actual: Any, expected: Any, where: Any, how: Any, *, subclasses: bool
) -> str | None:
    if len(actual) != len(expected):
        return f"The length of the sequences mismatch: {len(actual)} != {len(expected)}"
    pairs = enumerate(zip(actual, expected, strict=True))
    found = (_compared(a, e, (*where, i), how, subclasses=subclasses) for i, (a, e) in pairs)
    return next((text for text in found if text is not None), None)


def _of_values(actual: Any, expected: Any, how: dict[str, Any]) -> str | None:
    scalars = not isinstance(actual, Tensor) and not isinstance(expected, Tensor)
    left, right = (
        item if isinstance(item, Tensor) else as_tensor(item) for item in (actual, expected)
    )
    if scalars and not hasattr(actual, "__array__"):
        wide = dtypes.promote_types(left.dtype, right.dtype)
        left, right = as_tensor(actual, dtype=wide), as_tensor(expected, dtype=wide)
    if tuple(left.shape) != tuple(right.shape):
        return _mismatch("shape", left.shape, right.shape)
    for name, of in (("device", str), ("dtype", str)):
        values = getattr(left, name), getattr(right, name)
        if how[name] and not scalars and values[0] != values[1]:
            return _mismatch(name, of(values[0]), of(values[1]))
    if how["stride"] and left.stride() != right.stride():
        return _mismatch("stride()", left.stride(), right.stride())
    return _of_elements(left.detach().cpu(), right.detach().cpu(), how, scalars=scalars)


def _mismatch(name: str, actual: object, expected: object) -> str:
    return f"The values for attribute '{name}' do not match: {actual} != {expected}."


def _of_elements(left: Any, right: Any, how: dict[str, Any], *, scalars: bool) -> str | None:
    rtol, atol = how["rtol"], how["atol"]
    if rtol is None:
        pairs = [_TOLERANCES.get(t.dtype, (0.0, 0.0)) for t in (left, right)]
        rtol, atol = (max(values) for values in zip(*pairs, strict=True))
    if left.dtype != right.dtype:
        wide = dtypes.promote_types(left.dtype, right.dtype)
        left, right = left.to(wide), right.to(wide)
    matches = ops.isclose(left, right, rtol=rtol, atol=atol, equal_nan=how["equal_nan"])
    if bool(matches.all()):
        return None
    return _told(left, right, matches, (rtol, atol), scalars=scalars)


def _told(left: Any, right: Any, matches: Any, tolerances: Any, *, scalars: bool) -> str:
    rtol, atol = tolerances
    exact = rtol == 0 and atol == 0
    if left.dtype.category <= dtypes.INTEGER:
        left, right = left.to(dtypes.int64), right.to(dtypes.int64)
    apart = (left - right).abs()
    relative = apart / right.abs()
    if scalars or left.dim() == 0:
        kind = "Scalars" if scalars or left.dim() == 0 else "Tensor-likes"
        head = f"{kind} are not {'equal' if exact else 'close'}!"
        tail = "" if exact else f" (up to {atol} allowed)"
        more = "" if exact else f" (up to {rtol} allowed)"
        return (
            f"{head}\n\nExpected {right.item()} but got {left.item()}.\n"
            f"Absolute difference: {apart.item()}{tail}\n"
            f"Relative difference: {relative.item()}{more}"
        )
    wrong, count = int((~matches).sum()), matches.numel()
    lines = [
        f"Tensor-likes are not {'equal' if exact else 'close'}!",
        "",
        f"Mismatched elements: {wrong} / {count} ({wrong / count:.1%})",
    ]
    for name, values, allowed in (("absolute", apart, atol), ("relative", relative, rtol)):
        shown = ops.where(matches, ops.zeros_like(values), values)
        place = (
            int(shown.argmax())
            if not bool(shown.isnan().any())
            else int(shown.isnan().int().argmax())
        )
        number = shown.reshape(-1)[place].item()
        index = _unravelled(place, tuple(left.shape))
        limit = "" if exact else f" (up to {allowed} allowed)"
        lines.append(f"Greatest {name} difference: {number} at index {index}{limit}")
    return "\n".join(lines)


def _unravelled(place: int, shape: tuple[int, ...]) -> tuple[int, ...]:
    index = []
    for size in reversed(shape):
        place, rest = divmod(place, size)
        index.append(rest)
    return tuple(reversed(index))
