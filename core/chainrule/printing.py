"""How a tensor prints: as PyTorch prints it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import dtypes
from .errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Callable

    from .value import Value


@dataclass
class PrintOptions:
    """What `set_printoptions` sets."""

    precision: int = 4
    threshold: float = 1000
    edgeitems: int = 3
    linewidth: int = 80
    sci_mode: bool | None = None


options = PrintOptions()
_PROFILES = {
    "default": PrintOptions(),
    "short": PrintOptions(precision=2, edgeitems=2),
    "full": PrintOptions(threshold=math.inf),
}


def set_printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """Set how tensors print.

    Args:
        precision: Digits after the point.
        threshold: Number of elements above which the middle is left out.
        edgeitems: How many items stand at each end then.
        linewidth: Characters per line.
        profile: ``"default"``, ``"short"`` or ``"full"``: a set of the above.
        sci_mode: Scientific notation always (True) or never (False); None lets the values decide.

    >>> import chainrule as cr
    >>> set_printoptions(precision=2)
    >>> cr.tensor([1 / 3])
    tensor([0.33])
    >>> set_printoptions(profile="default")
    """
    if profile is not None:
        if profile not in _PROFILES:
            msg = (
                f"set_printoptions: expected one of {', '.join(_PROFILES)} as profile, got "
                f"{profile!r}."
            )
            raise ArgumentError(msg)
        vars(options).update(vars(_PROFILES[profile]))
    given = {
        "precision": precision,
        "threshold": threshold,
        "edgeitems": edgeitems,
        "linewidth": linewidth,
    }
    vars(options).update({name: setting for name, setting in given.items() if setting is not None})
    options.sci_mode = sci_mode


def tensor_text(value: Value, prefix: str = "tensor(") -> str:
    """Return the text of *value*: its elements, then what is not the default."""
    key = value._key
    if key.backend.level:
        return key.backend.text(value)  # type: ignore[attr-defined, no-any-return]  # a transform's
    shape = tuple(value._array.shape)
    suffixes = []
    if key.device.type != "cpu":
        suffixes.append(f"device='{key.device}'")
    elif _default_backend_name(key.device.type) not in {None, key.backend.name}:
        suffixes.append(f"backend='{key.backend.name}'")
    numel = math.prod(shape)
    usual = {
        dtypes.get_default_dtype(),
        dtypes.int64,
        dtypes.bool_,
        dtypes.get_default_dtype().to_complex(),
    }
    if numel == 0 and len(shape) != 1:
        suffixes.append(f"size={shape}")
    if key.dtype not in usual or (numel == 0 and key.dtype is not dtypes.get_default_dtype()):
        suffixes.append(f"dtype={key.dtype}")
    made_by = "" if value._node is None else value._node.name().removeprefix("torch::autograd::")
    if value._requires_grad and made_by not in {"", "AccumulateGrad"}:
        suffixes.append(f"grad_fn=<{made_by}>")
    elif value._requires_grad:
        suffixes.append("requires_grad=True")
    body = "[]" if numel == 0 else _elements(value, len(prefix))
    return with_suffixes(prefix + body, suffixes)


def _default_backend_name(device_type: str) -> str | None:
    from . import backend

    return backend._default_for.get(device_type)


def with_suffixes(text: str, suffixes: list[str]) -> str:
    """Append *suffixes*, on a line of their own where the last line has no room."""
    parts = [text]
    length = len(text) - text.rfind("\n") - 1 + 1
    for suffix in suffixes:
        if length + len(suffix) + 2 > options.linewidth:
            parts.append(",\n" + " " * len("tensor(") + suffix)
            length = len("tensor(") + len(suffix)
        else:
            parts.append(", " + suffix)
            length += len(suffix) + 2
    return "".join(parts) + ")"


def _elements(value: Value, indent: int) -> str:
    key, shape = value._key, tuple(value._array.shape)
    summarize = math.prod(shape) > options.threshold
    nested = _edges(value) if summarize else key.backend.tolist(value._array)
    flat = list(_flatten(nested, len(shape)))
    formatter = _formatter(flat, key.dtype)
    return _layout(nested, shape, indent, summarize, formatter)


def _edges(value: Any) -> Any:
    """Return nested lists of what stands at the ends, read without reading the middle."""
    shape = tuple(value._array.shape)
    if not shape:
        return value._key.backend.tolist(value._array)
    edge = options.edgeitems
    value = value.detach()
    if shape[0] > 2 * edge:
        rows = [value[i] for i in [*range(edge), *range(shape[0] - edge, shape[0])]]
    else:
        rows = [value[i] for i in range(shape[0])]
    return [_edges(row) for row in rows]


def _flatten(nested: Any, depth: int) -> Any:
    if depth == 0:
        yield nested
        return
    for item in nested:
        yield from _flatten(item, depth - 1)


def _layout(
    nested: Any,
    shape: tuple[int, ...],
    indent: int,
    summarize: bool,
    formatter: Callable[[Any], str],
) -> str:
    """Return nested lists in brackets, rows under one another."""
    if not shape:
        return formatter(nested)
    edge = options.edgeitems
    cut = summarize and shape[0] > 2 * edge
    if len(shape) == 1:
        words = [formatter(item) for item in nested]
        if cut:
            words = [*words[:edge], " ...", *words[edge:]]
        width = max(1, (options.linewidth - indent) // max(1, len(formatter(nested[0])) + 2))
        lines = [words[i : i + width] for i in range(0, len(words), width)]
        return "[" + (",\n" + " " * (indent + 1)).join(", ".join(line) for line in lines) + "]"
    rows = [_layout(item, shape[1:], indent + 1, summarize, formatter) for item in nested]
    if cut:
        rows = [*rows[:edge], "...", *rows[edge:]]
    return "[" + ("," + "\n" * (len(shape) - 1) + " " * (indent + 1)).join(rows) + "]"


def _formatter(flat: list[Any], dtype: dtypes.DType) -> Callable[[Any], str]:
    """Return what writes one element, all to one width."""
    if dtype.is_complex:
        real = _formatter([z.real for z in flat], dtypes.float64)
        imag = _formatter([z.imag for z in flat], dtypes.float64)

        def write(z: complex) -> str:
            part = imag(z.imag).lstrip()
            return real(z.real) + (part if part.startswith("-") else "+" + part) + "j"

        return write
    plain = _float_format(flat) if dtype.is_floating_point else str
    sized = flat if not dtype.is_floating_point else [x for x in flat if x and math.isfinite(x)]
    width = max((len(plain(x)) for x in sized), default=1)  # zeros, nan and inf widen no column
    return lambda x: plain(x).rjust(width)


def _float_format(flat: list[float]) -> Callable[[float], str]:
    """Return the notation for floats: ``1.``, ``1.5000`` or ``1.5000e+00``, as all allow."""
    finite = [abs(x) for x in flat if math.isfinite(x) and x != 0]
    digits = options.precision
    if not finite:
        return lambda x: f"{x:.0f}." if math.isfinite(x) else str(x)
    largest, smallest = max(finite), min(finite)
    whole = all(x == math.ceil(x) for x in finite)
    too_wide = largest / smallest > 1000.0 or largest > 1.0e8
    scientific = too_wide if whole else too_wide or smallest < 1.0e-4
    if options.sci_mode is not None:
        scientific = options.sci_mode
    if scientific:
        return lambda x: f"{x:.{digits}e}" if math.isfinite(x) else str(x)
    if whole:
        return lambda x: f"{x:.0f}." if math.isfinite(x) else str(x)
    return lambda x: f"{x:.{digits}f}" if math.isfinite(x) else str(x)
