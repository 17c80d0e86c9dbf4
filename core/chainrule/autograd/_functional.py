"""The parts of `functional`: what is given, what is computed, what strict mode says."""

from __future__ import annotations

import importlib
from math import prod
from typing import TYPE_CHECKING, Any

from .. import ops
from ..differentiate import grad as gradient_of
from ..errors import ArgumentError, AutogradError, ShapeError
from ..grad_mode import enable_grad
from ..tensor import Tensor

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Tensors = tuple[Tensor, ...]

_NOT_STRICT = "This is not allowed in strict mode"
_OUTPUTS = "outputs of the user-provided function"

# What is given


def as_tuple(given: Any, name: str, function: str) -> tuple[bool, Tensors]:
    """Return whether *given* is a tuple, and it as one, after checking that it holds tensors."""
    many = isinstance(given, tuple)
    items = given if many else (given,)
    for position, item in enumerate(items):
        if not isinstance(item, Tensor):
            where = f"value at index {position}" if many else f"given {name}"
            msg = (
                f"The {name} given to {function} must be either a Tensor or a tuple of Tensors but "
                f"the {where} has type {type(item)}."
            )
            raise ArgumentError(msg)
    return many, items


def as_points(inputs: Any, function: str, *, create_graph: bool) -> tuple[bool, Tensors]:
    """Return the inputs as other tensors that require grad; with their history where recorded."""
    many, items = as_tuple(inputs, "inputs", function)
    return many, tuple(
        ops.view_as(item, item)
        if create_graph and item.requires_grad
        else item.detach().requires_grad_()
        for item in items
    )


def as_vector(v: Any, fits: Tensors, function: str, *, many: bool, role: str) -> Any:
    """Return *v* as a tuple after checking that it has the shapes of *fits*; None for one 1.

    Raises:
        ShapeError: it has not; or it is None and *fits* has more than one element.
    """
    if v is None:
        if len(fits) == 1 and fits[0].numel() == 1:
            return (None,)
        msg = f"The vector v can only be None if {role} a single Tensor with a single element."
        raise ShapeError(msg)
    _, items = as_tuple(v, "v", function)
    if len(items) != len(fits):
        msg = (
            f"v is a tuple of invalid length: should be {len(fits)} but got {len(items)}."
            if many
            else "The given v should contain a single Tensor."
        )
        raise ShapeError(msg)
    for position, (item, fit) in enumerate(zip(items, fits, strict=True)):
        if item.shape != fit.shape:
            entry = f"Entry {position} in " if many else ""
            msg = f"{entry}v has invalid size: should be {fit.shape} but got {item.shape}."
            raise ShapeError(msg)
    # The history of a vector is kept where the product is recorded.
    return items


INPUT_ROLE = "the input to the user-provided function is"


def call(
    func: Callable[..., Any], points: Tensors, function: str, *, strict: bool
) -> tuple[bool, Tensors]:
    """Return whether *func* gives a tuple, and its outputs as one."""
    several, outputs = as_tuple(func(*points), _OUTPUTS, function)
    if strict:
        check_used(
            outputs,
            "Output {} of the user-provided function does not require gradients. The outputs must "
            "be computed in a differentiable manner from the input when running in strict mode.",
        )
    return several, outputs


def check_number(several: bool, outputs: Tensors, function: str) -> None:
    if several:
        msg = f"The function given to {function} should return a single Tensor"
        raise ShapeError(msg)
    if outputs[0].numel() != 1:
        msg = (
            f"The Tensor returned by the function given to {function} should contain a single "
            "element"
        )
        raise ShapeError(msg)


def gradient_at(
    func: Callable[..., Any],
    inputs: Any,
    v: Any,
    function: str,
    *,
    create_graph: bool,
    strict: bool,
) -> tuple[bool, Tensors, Tensors, Any, Tensors]:
    """Return what products with a Hessian need: points, output, vector, and the gradient."""
    with enable_grad():
        many, points = as_points(inputs, function, create_graph=create_graph)
        vector = as_vector(v, points, function, many=many, role=INPUT_ROLE)
        several, outputs = call(func, points, function, strict=strict)
        check_number(several, outputs, function)
        found = pull(outputs, points, (None,), create_graph=True)
        if strict:
            check_used(found, JACOBIAN_IS_CONSTANT)
    return many, points, outputs, vector, found


# What is computed


def pull(
    outputs: Sequence[Any], inputs: Tensors, weights: Any, *, create_graph: bool, **options: Any
) -> Any:
    """Return the gradients of *inputs*, None for what the outputs do not depend on."""
    pairs = [
        (output, weight)
        for output, weight in zip(outputs, weights, strict=True)
        if output is not None and output.requires_grad
    ]
    if not pairs:
        return (None,) * len(inputs)
    return gradient_of(
        [output for output, _ in pairs],
        inputs,
        [weight for _, weight in pairs],
        create_graph=create_graph,
        allow_unused=True,
        **options,
    )


def rows(
    number: int, output: Tensor, points: Tensors, *, create_graph: bool, strict: bool
) -> Tensors:
    """Return the derivatives of one output by every input, a backward pass per element."""
    rows: list[list[Tensor]] = [[] for _ in points]
    flat = output.reshape(-1)
    for element in flat:
        found = pull((element,), points, (None,), create_graph=create_graph, retain_graph=True)
        for position, (gradient, point) in enumerate(zip(found, points, strict=True)):
            if strict and gradient is None:
                msg = (
                    f"Output {number} of the user-provided function is independent of input "
                    f"{position}. {_NOT_STRICT}."
                )
                raise AutogradError(msg)
            if strict and create_graph and not gradient.requires_grad:
                msg = (
                    "The jacobian of the user-provided function is independent of input "
                    f"{number}. {_NOT_STRICT} when create_graph=True."
                )
                raise AutogradError(msg)
            rows[position].append(ops.zeros_like(point) if gradient is None else gradient)
    return tuple(
        ops.stack(row).reshape((*output.shape, *point.shape))
        if row
        else ops.zeros((*output.shape, *point.shape), dtype=point.dtype, device=point.device)
        for row, point in zip(rows, points, strict=True)
    )


def all_rows(outputs: Tensors, points: Tensors, *, create_graph: bool) -> tuple[Tensors, ...]:
    """Return the derivatives of every output by every input from one batched backward pass."""
    sizes = [output.numel() for output in outputs]
    flat = [output.reshape(-1) for output in outputs]
    found: Any = (None,) * len(points)
    if sum(sizes):
        found = pull(
            flat, points, _unit_rows(outputs), create_graph=create_graph, is_grads_batched=True
        )
    blocks = []
    for gradient, point in zip(found, points, strict=True):
        if gradient is None:
            rows = ops.zeros((sum(sizes), *point.shape), dtype=point.dtype, device=point.device)
        else:
            rows = gradient
        parts = ops.split(rows, sizes, dim=0)
        blocks.append(
            [
                part.reshape((*output.shape, *point.shape))
                for part, output in zip(parts, outputs, strict=True)
            ]
        )
    return tuple(zip(*blocks, strict=True))


def _unit_rows(tensors: Tensors) -> Tensors:
    """Return, per tensor, its columns of the unit matrix over the elements of all of them."""
    sizes = [prod(tensor.shape) for tensor in tensors]
    columns = []
    start = 0
    for tensor, size in zip(tensors, sizes, strict=True):
        unit = ops.eye(sum(sizes), dtype=tensor.dtype, device=tensor.device)
        columns.append(unit[:, start : start + size])
        start += size
    return tuple(columns)


def check_forward(*, create_graph: bool, strict: bool, vectorize: bool) -> None:
    """Check what forward mode goes together with."""
    together = 'torch.autograd.functional.jacobian: `{}` and `strategy="forward-mode"` are not '
    together += 'supported together (yet). Please either set `{}` or `strategy="reverse-mode"`.'
    if create_graph:
        raise NotImplementedError(together.format("create_graph=True", "create_graph=False"))
    if strict:
        raise AutogradError(together.format("strict=True", "strict=False"))
    if not vectorize:
        msg = (
            "Computing Jacobian using forward-AD or forward-over-reverse Hessian is"
            "only implemented for `vectorize=True`."
        )
        raise NotImplementedError(msg)


def forward_jacobian(func: Callable[..., Any], inputs: Any) -> Any:
    """Return the Jacobian by pushing the unit vectors of the inputs through *func*."""
    many, points = as_tuple(inputs, "inputs", "jacobian")
    several = False
    columns: list[list[Tensor]] = []
    outputs: Tensors = ()
    for position, point in enumerate(points):
        for index in range(point.numel()):
            tangents = [ops.zeros_like(other) for other in points]
            tangents[position].reshape(-1)[index] = 1
            several, outputs, pushed = _push(func, points, tuple(tangents))
            columns.append(pushed)
    sizes = [point.numel() for point in points]
    blocks = []
    for number, output in enumerate(outputs):
        matrix = ops.stack([column[number] for column in columns], -1)
        parts = ops.split(matrix, sizes, dim=-1)
        blocks.append(like(
            tuple(
                part.reshape((*output.shape, *point.shape))
                for part, point in zip(parts, points, strict=True)
            ),
            many,
        ))  # fmt: skip
    return like(tuple(blocks), several)


def _push(
    func: Callable[..., Any], points: Tensors, tangents: Tensors
) -> tuple[bool, Tensors, list[Tensor]]:
    """Return the outputs of *func* and their derivatives along *tangents*."""
    forward_ad = importlib.import_module(".forward_ad", __package__)
    with forward_ad.dual_level():
        duals = [forward_ad.make_dual(p, t) for p, t in zip(points, tangents, strict=True)]
        several, outputs = as_tuple(func(*duals), _OUTPUTS, "jacobian")
        unpacked = [forward_ad.unpack_dual(output) for output in outputs]
    primals = tuple(pair.primal for pair in unpacked)
    return several, primals, [
        ops.zeros_like(pair.primal) if pair.tangent is None else pair.tangent for pair in unpacked
    ]  # fmt: skip


# What is found

JACOBIAN_IS_CONSTANT = (
    "While computing the hessian, found that the jacobian of the user-provided function with "
    f"respect to input {{}} is independent of the input. {_NOT_STRICT}. You should ensure that "
    "your function is twice differentiable and that the jacobian depends on the inputs (this would "
    "be violated by a linear function for example)."
)
HESSIAN_IS_CONSTANT = (
    "The hessian of the user-provided function with respect to input {} is independent of the "
    f"input. {_NOT_STRICT}. You should ensure that your function is thrice differentiable and that "
    "the hessian depends on the inputs."
)
#: What strict mode says of a gradient that is not there; and of one that does not depend on the
#: input any more, where the computation is recorded.
OF_OUTPUT = (
    f"The output of the user-provided function is independent of input {{}}. {_NOT_STRICT}.",
    "jacobian",
)
GRADIENT_IS_CONSTANT = (
    "The gradient with respect to input {} is independent of the inputs of the user-provided "
    f"function. {_NOT_STRICT}."
)
OF_TRICK = (
    (
        "The gradient with respect to the input is independent of entry {} in the grad_outputs "
        "when using the double backward trick to compute forward mode gradients. "
        f"{_NOT_STRICT}."
    ),
    "jacobian",
)
OF_JACOBIAN = (
    f"The jacobian of the user-provided function is independent of input {{}}. {_NOT_STRICT}.",
    "hessian",
)
OF_SECOND_TRICK = (
    (
        "The hessian of the user-provided function is independent of entry {} in the "
        f"grad_jacobian. {_NOT_STRICT} as it prevents from using the double backward trick to "
        "replace forward mode AD."
    ),
    "hessian",
)


def check_used(tensors: Any, sentence: str) -> None:
    """Check that each of *tensors* is there and requires grad.

    Raises:
        AutogradError: one is not, or does not.
    """
    items = tensors if isinstance(tensors, tuple) else (tensors,)
    for position, tensor in enumerate(items):
        if tensor is None:
            msg = (
                f"The output of the user-provided function is independent of input {position}. "
                f"{_NOT_STRICT}."
            )
            raise AutogradError(msg)
        if not tensor.requires_grad:
            raise AutogradError(sentence.format(position))


def complete(
    found: Any, like: Tensors, sentences: tuple[str, str], *, strict: bool, recorded: bool
) -> Tensors:
    """Return the gradients with zeros for what is missing; *strict* raises instead."""
    missing, kind = sentences
    results = []
    for position, (gradient, point) in enumerate(zip(found, like, strict=True)):
        if gradient is None:
            if strict:
                raise AutogradError(missing.format(position))
            results.append(ops.zeros_like(point))
            continue
        if strict and recorded and not gradient.requires_grad:
            msg = (
                f"The {kind} of the user-provided function is independent of input {position}. "
                f"{_NOT_STRICT} when create_graph=True."
            )
            raise AutogradError(msg)
        results.append(gradient)
    return tuple(results)


def finished(tensors: Tensors, create_graph: bool) -> Tensors:
    """Return the tensors as a caller gets them: without history unless it was asked for."""
    return tensors if create_graph else tuple(tensor.detach() for tensor in tensors)


def like(items: tuple[Any, ...], many: bool) -> Any:
    """Return a tuple where a tuple was given, else the one item."""
    return items if many else items[0]
