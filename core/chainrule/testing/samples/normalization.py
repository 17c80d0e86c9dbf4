"""Samples of chainrule/ops/normalization.py."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..cases import ErrorSample, OpCase, Sample

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..maker import Maker


def _batches(make: Maker) -> Iterator[Sample]:
    weight, bias = make(2), make(2)
    mean = make(2, requires_grad=False)
    var = make(2, low=0.5, high=2.0, requires_grad=False)
    yield Sample(make(3, 2, 2), mean, var, weight, bias)
    yield Sample(make(3, 2), None, None, weight, bias, True)
    yield Sample(make(3, 2, 2, 2), None, None, training=True)
    yield Sample(make(3, 2, 2), mean, var)
    yield Sample(make(3, 2, 2), None, None, weight, None, True, 0.1, 1e-2)
    yield Sample(make(0, 2), mean, var, weight, bias)
    yield Sample(make.transposed(3, 2, 2, dims=(0, 1)), None, None, training=True)


def _batch(
    np: Any, x: Any, mean: Any, var: Any, weight: Any = None, bias: Any = None,
    training: bool = False, momentum: float = 0.1, eps: float = 1e-5,
) -> Any:  # fmt: skip
    dims, line = (0, *range(2, x.ndim)), (1, -1, *(1,) * (x.ndim - 2))
    if not x.size:
        return x
    if training:
        mean, var = x.mean(dims), x.var(dims)
    out = (x - mean.reshape(line)) / np.sqrt(var.reshape(line) + eps)
    out = out if weight is None else out * weight.reshape(line)
    return out if bias is None else out + bias.reshape(line)


def _batch_errors(make: Maker) -> Iterator[ErrorSample]:
    for sample, raises, text in (
        (Sample(make(1, 3), None, None, training=True), ValueError,
         (r"Expected more than 1 value per channel when training, got input size "
         r"torch\.Size\(\[1, 3\]\)")),
        (Sample(make(2, 3), None, None), RuntimeError,
         "running_mean must be defined in evaluation mode"),
        (Sample(make(2, 3), make(2), make(2)), RuntimeError,
         "running_mean should contain 3 elements not 2"),
        (Sample(make(2, 3), None, None, make(2), training=True), RuntimeError,
         "weight should contain 3 elements not 2"),
    ):  # fmt: skip
        yield ErrorSample(sample=sample, raises=raises, match=text)


def _instances(make: Maker) -> Iterator[Sample]:
    mean = make(2, requires_grad=False)
    var = make(2, low=0.5, high=2.0, requires_grad=False)
    yield Sample(make(3, 2, 3))
    yield Sample(make(3, 2, 2, 2), None, None, make(2), make(2))
    yield Sample(make(3, 2, 2), mean, var, make(2), make(2), False)
    yield Sample(make(3, 2, 4), eps=1e-2)


def _instance_errors(make: Maker) -> Iterator[ErrorSample]:
    yield ErrorSample(
        sample=Sample(make(2, 3, 1)),
        raises=ValueError,
        match=r"Expected more than 1 spatial element when training, got input size "
        r"torch\.Size\(\[2, 3, 1\]\)",
    )
    yield ErrorSample(
        sample=Sample(make(2, 3, 2), use_input_stats=False),
        raises=RuntimeError,
        match="Expected running_mean and running_var to be defined when use_input_stats is false",
    )


def _instance(
    np: Any, x: Any, mean: Any = None, var: Any = None, weight: Any = None, bias: Any = None,
    use_input_stats: bool = True, momentum: float = 0.1, eps: float = 1e-5,
) -> Any:  # fmt: skip
    dims, line = tuple(range(2, x.ndim)), (1, -1, *(1,) * (x.ndim - 2))
    if use_input_stats:
        mean, var = x.mean(dims, keepdims=True), x.var(dims, keepdims=True)
    else:
        mean, var = mean.reshape(line), var.reshape(line)
    out = (x - mean) / np.sqrt(var + eps)
    out = out if weight is None else out * weight.reshape(line)
    return out if bias is None else out + bias.reshape(line)


def _groups(make: Maker) -> Iterator[Sample]:
    yield Sample(make(2, 4, 3), 2, make(4), make(4))
    yield Sample(make(2, 4), 2)
    yield Sample(make(2, 4, 2, 2), 4, make(4))
    yield Sample(make(2, 4, 2), 1, None, make(4), 1e-2)
    yield Sample(make(0, 4, 2), 2, make(4), make(4))
    yield Sample(make.transposed(2, 4, 2, dims=(0, 1)), 2)


def _group(
    np: Any, x: Any, count: int, weight: Any = None, bias: Any = None, eps: float = 1e-5
) -> Any:
    line = (1, -1, *(1,) * (x.ndim - 2))
    rows = x.reshape(x.shape[0], count, x[0].size // count if len(x) else 0)
    if x.size:
        rows = (rows - rows.mean(2, keepdims=True)) / np.sqrt(rows.var(2, keepdims=True) + eps)
    out = rows.reshape(x.shape)
    out = out if weight is None else out * weight.reshape(line)
    return out if bias is None else out + bias.reshape(line)


def _group_errors(make: Maker) -> Iterator[ErrorSample]:
    yield ErrorSample(
        sample=Sample(make(2, 3, 4), 2),
        raises=RuntimeError,
        match="Expected number of channels in input to be divisible by num_groups, but got input "
        r"of shape \[2, 3, 4\] and num_groups=2",
    )
    yield ErrorSample(
        sample=Sample(make(4), 2),
        raises=RuntimeError,
        match="Expected at least 2 dimensions for input tensor but received 1",
    )


def _layers(make: Maker) -> Iterator[Sample]:
    yield Sample(make(2, 4), (4,), make(4), make(4))
    yield Sample(make(2, 2, 3), [2, 3], make(2, 3), make(2, 3))
    yield Sample(make(4), (4,))
    yield Sample(make(2, 4), (4,), make(4))
    yield Sample(make(2, 3, 4), (4,), None, make(4), 1e-2)
    yield Sample(make(0, 4), (4,), make(4), make(4))
    yield Sample(make.transposed(3, 4), (4,))


def _layer(
    np: Any, x: Any, shape: Any, weight: Any = None, bias: Any = None, eps: float = 1e-5
) -> Any:
    dims = tuple(range(-len(shape), 0))
    out = (x - x.mean(dims, keepdims=True)) / np.sqrt(x.var(dims, keepdims=True) + eps)
    out = out if weight is None else out * weight
    return out if bias is None else out + bias


def _roots(make: Maker) -> Iterator[Sample]:
    yield Sample(make(2, 4), (4,), make(4))
    yield Sample(make(2, 2, 3), [2, 3])
    yield Sample(make(4), (4,), None, 1e-2)
    yield Sample(make(0, 4), (4,), make(4), 1e-3)


def _root(np: Any, x: Any, shape: Any, weight: Any = None, eps: Any = 0.0) -> Any:
    dims = tuple(range(-len(shape), 0))
    out = x / np.sqrt((x * x).mean(dims, keepdims=True) + eps)
    return out if weight is None else out * weight


def _root_errors(make: Maker) -> Iterator[ErrorSample]:
    yield ErrorSample(
        sample=Sample(make(2, 4), (3,)),
        raises=RuntimeError,
        match=r"Given normalized_shape=\[3\], expected input with shape \[\*3\], but got input of",
    )


def _fused_root_errors(make: Maker) -> Iterator[ErrorSample]:
    yield from _root_errors(make)
    yield ErrorSample(
        sample=Sample(make(2, 4), (4,), make(4).double()),
        raises=RuntimeError,
        match="expected scalar type Float but found Double",
    )
    yield ErrorSample(
        sample=Sample(make(2, 4).detach().long(), (4,)),
        raises=RuntimeError,
        match="\"rms_norm\" not implemented for 'Long'",
    )


def _vectors(make: Maker) -> Iterator[Sample]:
    yield Sample(make(3, 4), make(3, 4))
    yield Sample(make(3, 4), make(1, 4), 0)
    yield Sample(make(4), make(4), dim=0, eps=0.1)
    yield Sample(make(0, 4), make(0, 4))


def _cosine(np: Any, x: Any, y: Any, dim: int = 1, eps: float = 1e-8) -> Any:
    x, y = np.broadcast_arrays(x, y)
    units = [v / np.maximum(np.linalg.norm(v, axis=dim, keepdims=True), eps) for v in (x, y)]
    return (units[0] * units[1]).sum(dim)


def _layer_errors(make: Maker) -> Iterator[ErrorSample]:
    for sample, text in (
        (Sample(make(2, 4), (3,)),
         (r"Given normalized_shape=\[3\], expected input with shape \[\*, 3\], but got input of "
         r"size\[2, 4\]")),
        (Sample(make(2, 4), (4,), make(3)),
         "Expected weight to be of same shape as normalized_shape, but got weight of shape"),
        (Sample(make(2, 4), ()), "Expected normalized_shape to be at least 1-dimensional"),
    ):  # fmt: skip
        yield ErrorSample(sample=sample, raises=RuntimeError, match=text)


cases = [
    OpCase(
        "nn.functional.batch_norm",
        _batches,
        _batch,
        saved=(
            "eps", "input", "result1", "result2", "running_mean", "running_var", "training",
            "weight",
        ),
        node="NativeBatchNormBackward0",
        errors=_batch_errors,
    ),
    OpCase("nn.functional.instance_norm", _instances, _instance, errors=_instance_errors),
    OpCase(
        "nn.functional.group_norm",
        _groups,
        _group,
        node="NativeGroupNormBackward0",
        errors=_group_errors,
    ),
    OpCase("rms_norm", _roots, _root, errors=_root_errors),
    OpCase(
        "ops.fused.rms_norm",
        _roots,
        _root,
        saved=("eps", "input", "normalized_shape", "result1", "weight"),
        node="FusedRmsNormBackward0",
        errors=_fused_root_errors,
    ),
    OpCase("cosine_similarity", _vectors, _cosine),
    OpCase(
        "nn.functional.layer_norm",
        _layers,
        _layer,
        saved=("bias", "input", "normalized_shape", "result1", "result2", "weight"),
        node="NativeLayerNormBackward0",
        errors=_layer_errors,
    ),
]  # fmt: skip
