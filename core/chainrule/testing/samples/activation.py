"""Samples of chainrule/ops/activation.py, activation_smooth.py and softmax.py."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ... import dtypes
from ..cases import ErrorSample, OpCase, Sample
from .arithmetic import INTEGERS, REAL, one_operand, refused, refuses

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..maker import Maker

    Samples = Callable[[Maker], Iterator[Sample]]

SELU = 1.6732632423543772, 1.0507009873554805


def with_options(*options: dict[str, Any], low: float = -4.0, high: float = 4.0) -> Samples:
    """Return the samples of one operand, and one for each way to set the options."""

    def samples(make: Maker) -> Iterator[Sample]:
        yield from one_operand(low, high)(make)
        for chosen in options:
            yield Sample(make(2, 3, low=low, high=high), **chosen)

    return samples


def _sigmoid(np: Any, x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def _softplus(np: Any, x: Any, beta: float = 1, threshold: float = 20) -> Any:
    return np.where(x * beta > threshold, x, np.log1p(np.exp(x * beta)) / beta)


def _elu(np: Any, x: Any, alpha: float = 1.0, scale: float = 1.0) -> Any:
    return scale * np.where(x > 0, x, alpha * np.expm1(x))


def _gelu(np: Any, x: Any, approximate: str = "none") -> Any:
    if approximate == "tanh":
        return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
    return 0.5 * x * (1 + np.vectorize(math.erf, otypes=[float])(x / math.sqrt(2)))


def _gelu_errors(make: Maker) -> Iterator[ErrorSample]:
    yield from refuses("GeluKernelImpl", "bool", "int64", "complex64")(make)
    sample = Sample(make(2), approximate="erf")
    yield refused(sample, "approximate argument must be either none or tanh.")


def _relu_errors(make: Maker) -> Iterator[ErrorSample]:
    yield refused(Sample(make.mask(2)), "Boolean inputs not supported for relu")
    complexes = Sample(make(2, dtype=dtypes.complex64))
    yield refused(complexes, "clamp is not supported for complex types", NotImplementedError)


def _hardtanh_errors(make: Maker) -> Iterator[ErrorSample]:
    yield refused(Sample(make.mask(2)), "Bool inputs not supported for hardtanh")
    unsigned = Sample(make(2, dtype=dtypes.uint8))
    yield refused(unsigned, "cannot do hardtanh on an unsigned type with negative limits")


def _celu_errors(make: Maker) -> Iterator[ErrorSample]:
    yield from refuses("elu_cpu", "int64")(make)
    yield refused(Sample(make(2), 0), "ZeroDivisionError: alpha cannot be 0 for CELU")


def _softshrink_errors(make: Maker) -> Iterator[ErrorSample]:
    yield from refuses("softshrink_check", "int64")(make)
    lambd = r"lambda must be in range \[0, 3.40282e\+38\] for input dtype Float, but found -1"
    yield refused(Sample(make(2), -1), lambd)


def _thresholds(make: Maker) -> Iterator[Sample]:
    yield Sample(make(2, 3), 0, 7)
    yield Sample(make(), 1, 2)
    yield Sample(make(0, 3), 1, 2)
    yield Sample(make.transposed(3, 4), 1, 3)


def _factors(make: Maker) -> Iterator[Sample]:
    yield Sample(make(2, 3), make(1))
    yield Sample(make(2, 3), make(3))
    yield Sample(make(2, 3, 2), make(3))
    yield Sample(make(3), make(1))
    yield Sample(make(), make(1))
    yield Sample(make(0, 3), make(3))
    yield Sample(make.transposed(3, 4), make())


def _prelu(np: Any, x: Any, weight: Any) -> Any:
    shape = [weight.size if d == 1 else 1 for d in range(x.ndim)]
    return np.where(x > 0, x, x * weight.reshape(shape))


def _factor_errors(make: Maker) -> Iterator[ErrorSample]:
    found = "Found parameter numbers = 2 and channel size = 3."
    mismatch = f"Mismatch of parameter numbers and input channel size. {found}"
    yield refused(Sample(make(2, 3), make(2)), mismatch)
    vector = "prelu: Expected `weight` to be a scalar or 1D tensor, but got: ndim = 2"
    yield refused(Sample(make(2, 3), make(3, 1)), vector)
    yield refused(Sample(make(), make(2)), "Not allow zero-dim input tensor.")


def _halves(make: Maker) -> Iterator[Sample]:
    yield Sample(make(2, 4))
    yield Sample(make(4, 3), 0)
    yield Sample(make(2, 6, 3), dim=1)
    yield Sample(make(0, 4), -1)
    yield Sample(make.transposed(3, 4))


def _glu(np: Any, x: Any, dim: int = -1) -> Any:
    first, second = np.split(x, 2, axis=dim)
    return first * _sigmoid(np, second)


def _half_errors(make: Maker) -> Iterator[ErrorSample]:
    odd = "Halving dimension must be even, but dimension 1 is size 3"
    yield refused(Sample(make(2, 3)), odd)
    yield refused(Sample(make()), "glu does not support scalars because halving size must be even")
    yield refused(Sample(make(2, 4), 2), "Dimension out of range", IndexError)


def _along(make: Maker) -> Iterator[Sample]:
    yield Sample(make(2, 3), 1)
    yield Sample(make(2, 3), dim=0)
    yield Sample(make(2, 3, 4), -2)
    yield Sample(make(), 0)
    yield Sample(make(0, 3), 0)
    yield Sample(make(3, 0), 1)
    yield Sample(make.transposed(3, 4), -1)
    yield Sample(make(2, 3, high=2000.0), 1)
    yield Sample(make(2, 3), 1, dtype=dtypes.float64)


def _softmax(np: Any, x: Any, dim: int, dtype: Any = None) -> Any:
    if not x.size:
        return x
    e = np.exp(x - x.max(axis=dim if x.ndim else None, keepdims=True))
    return e / e.sum(axis=dim if x.ndim else None, keepdims=True)


def _log_softmax(np: Any, x: Any, dim: int, dtype: Any = None) -> Any:
    if not x.size:
        return x
    shifted = x - x.max(axis=dim if x.ndim else None, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=dim if x.ndim else None, keepdims=True))


def softmax_errors(word: str) -> Callable[[Maker], Iterator[ErrorSample]]:
    """Return the calls that softmax and its kin refuse."""

    def errors(make: Maker) -> Iterator[ErrorSample]:
        range_ = r"Dimension out of range \(expected to be in range of \[-2, 1\], but got 2\)"
        yield refused(Sample(make(2, 3), 2), range_, IndexError)
        integers = make.index(2, 3, below=5)
        last = f"\"{word}_lastdim_kernel_impl\" not implemented for 'Long'"
        yield refused(Sample(integers, 1), last, NotImplementedError)
        other = f"\"{word}_kernel_impl\" not implemented for 'Long'"
        yield refused(Sample(integers, 0), other, NotImplementedError)

    return errors


def activation(
    name: str,
    samples: Samples,
    reference: Callable[..., Any],
    node: str,
    *saved: str,
    word: str = "",
    **known: Any,
) -> OpCase:
    """Return the case of an activation of floating elements."""
    known.setdefault("errors", refuses(word or f"{name}_cpu", "bool", "int64", "complex64"))
    return OpCase(
        name, samples, reference, known.pop("dtypes", REAL), saved=saved, node=node, **known
    )


cases = [
    activation(
        "relu", one_operand(), lambda np, x: np.maximum(x, 0), "ReluBackward0", "result",
        dtypes=(*INTEGERS, *REAL), errors=_relu_errors, in_place="relu_",
    ),
    activation(
        "threshold", _thresholds, lambda np, x, t, value: np.where(x > t, x, value),
        "ThresholdBackward0", "self", "threshold", dtypes=(*INTEGERS, *REAL), errors=None,
    ),
    activation(
        "hardtanh", with_options({"min_val": -2, "max_val": 1}),
        lambda np, x, min_val=-1, max_val=1: np.clip(x, min_val, max_val),
        "HardtanhBackward0", "max_val", "min_val", "self", dtypes=("int64", *REAL),
        errors=_hardtanh_errors,
    ),
    activation(
        "relu6", one_operand(-2.0, 8.0), lambda np, x: np.clip(x, 0, 6),
        "HardtanhBackward0", "max_val", "min_val", "self", dtypes=(*INTEGERS, *REAL), errors=None,
    ),
    activation(
        "leaky_relu", with_options({"negative_slope": 0.3}, {"negative_slope": -2}),
        lambda np, x, negative_slope=0.01: np.where(x > 0, x, x * negative_slope),
        "LeakyReluBackward0", "negative_slope", "self",
    ),
    activation(
        "prelu", _factors, _prelu, "PreluKernelBackward0", "self", "weight", errors=_factor_errors
    ),
    activation(
        "hardsigmoid", one_operand(-5.0, 5.0), lambda np, x: np.clip(x + 3, 0, 6) / 6,
        "HardsigmoidBackward0", "self",
    ),
    activation(
        "hardswish", one_operand(-5.0, 5.0), lambda np, x: x * np.clip(x + 3, 0, 6) / 6,
        "HardswishBackward0", "self",
    ),
    activation(
        "hardshrink", with_options({"lambd": 1.5}, {"lambd": 0}),
        lambda np, x, lambd=0.5: np.where(np.abs(x) > lambd, x, 0),
        "HardshrinkBackward0", "lambd", "self",
    ),
    activation(
        "softshrink", with_options({"lambd": 1.5}, {"lambd": 0}),
        lambda np, x, lambd=0.5: np.sign(x) * np.maximum(np.abs(x) - lambd, 0),
        "SoftshrinkBackward0", "lambd", "self", errors=_softshrink_errors,
    ),
    activation(
        "elu", with_options({"alpha": 0.5}), _elu, "EluBackward0",
        "alpha", "input_scale", "scale", "self",
    ),
    activation(
        "selu", one_operand(-4.0, 4.0), lambda np, x: _elu(np, x, *SELU), "EluBackward0",
        "alpha", "input_scale", "scale", "self", word="elu_cpu",
    ),
    activation(
        "celu", with_options({"alpha": 0.5}),
        lambda np, x, alpha=1.0: np.where(x > 0, x, alpha * np.expm1(x / alpha)),
        "CeluBackward0", "alpha", "self", errors=_celu_errors,
    ),
    activation(
        "gelu", with_options({"approximate": "tanh"}), _gelu, "GeluBackward0",
        "approximate", "self", errors=_gelu_errors,
    ),
    activation(
        "silu", one_operand(-6.0, 6.0), lambda np, x: x * _sigmoid(np, x), "SiluBackward0", "self",
        errors=refuses("silu_cpu", "bool", "int64"),
    ),
    activation(
        "mish", one_operand(-6.0, 6.0), lambda np, x: x * np.tanh(_softplus(np, x)),
        "MishBackward0", "self",
    ),
    activation(
        "softplus", with_options({"beta": 2}, {"threshold": 1}, low=-6.0, high=6.0), _softplus,
        "SoftplusBackward0", "beta", "self", "threshold",
    ),
    activation(
        "logsigmoid", one_operand(-6.0, 6.0), lambda np, x: np.log(_sigmoid(np, x)),
        "LogSigmoidBackward0", "buffer", "self", word="log_sigmoid_cpu",
    ),
    activation("glu", _halves, _glu, "GluBackward0", "dim", "self", errors=_half_errors),
    activation(
        "softsign", one_operand(), lambda np, x: x / (1 + np.abs(x)), "DivBackward0",
        "other", "self", dtypes=("int64", *REAL), errors=None,
    ),
    activation(
        "tanhshrink", one_operand(), lambda np, x: x - np.tanh(x), "SubBackward0", "alpha",
        dtypes=("int64", *REAL), errors=None,
    ),
    activation(
        "softmax", _along, _softmax, "SoftmaxBackward0", "dim", "result",
        errors=softmax_errors("softmax"),
    ),
    activation(
        "log_softmax", _along, _log_softmax, "LogSoftmaxBackward0", "dim", "result",
        errors=softmax_errors("log_softmax"),
    ),
    activation(
        "softmin", _along, lambda np, x, dim, dtype=None: _softmax(np, -x, dim),
        "SoftmaxBackward0", "dim", "result", errors=None,
    ),
]  # fmt: skip
