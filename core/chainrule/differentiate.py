"""`backward` and `grad`: the questions a user asks, checked and handed to the engine."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from . import engine
from ._warn import warn, warn_once
from .errors import ArgumentError, AutogradError, DTypeError, NoGraphError, ShapeError
from .graph import LEAF, GradientEdge, gradient_edge
from .shapes import Size
from .traces import words
from .value import Value, new_value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .backend import DispatchKey
    from .graph import Edge

CREATE_GRAPH_WARNING = (
    "Using backward() with create_graph=True will create a reference cycle between the parameter "
    "and its gradient which can cause a memory leak. We recommend using autograd.grad when "
    "creating the graph to avoid this. If you have to use this function, make sure to reset the "
    ".grad fields of your parameters to None after use to break the cycle and avoid the leak."
)


def backward(
    tensors: Any,
    grad_tensors: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    grad_variables: Any = None,
    inputs: Any = None,
) -> None:
    """Add the gradient of *tensors* into the ``.grad`` of every leaf that they depend on.

    Args:
        tensors: One tensor or a sequence of them.
        grad_tensors: The gradient of each; may be left out for tensors of one element.
        retain_graph: Keep what the nodes saved; by default as *create_graph*.
        create_graph: Record the backward pass, for derivatives of higher order.
        grad_variables: An old name of *grad_tensors*.
        inputs: Accumulate into these only.

    Raises:
        RuntimeError: a tensor has no graph, no implicit gradient, or its graph was freed.

    >>> import chainrule as cr
    >>> x = cr.tensor([1.0, 2.0], requires_grad=True)
    >>> cr.autograd.backward([(x * x).sum()])
    >>> x.grad
    tensor([2., 4.])
    """
    if grad_variables is not None:
        warn(
            "`grad_variables` is deprecated. Use `grad_tensors` instead.",
            FutureWarning,
            stacklevel=2,
        )
        if grad_tensors is not None:
            msg = (
                "`grad_tensors` and `grad_variables` (deprecated) arguments both passed to "
                "`backward()`. Please only use `grad_tensors`."
            )
            raise AutogradError(msg)
        grad_tensors = grad_variables
    wanted = None if inputs is None else _sequence(inputs)
    if wanted is not None and not wanted:
        msg = "`inputs` argument to `backward()` cannot be empty."
        raise AutogradError(msg)
    roots, grads = _roots(_sequence(tensors), grad_tensors, create_graph=create_graph)
    if create_graph:
        warn_once(CREATE_GRAPH_WARNING, UserWarning, stacklevel=3)
    keep = create_graph if retain_graph is None else retain_graph
    for item in wanted or ():
        if isinstance(item, Value) and gradient_edge(item) != (item, LEAF):
            item.retain_grad()  # type: ignore[attr-defined]  # a Tensor
    edges = None if wanted is None else _input_edges(wanted)
    engine.run_backward(roots, grads, keep_graph=keep, create_graph=create_graph, inputs=edges)


def grad(
    outputs: Any,
    inputs: Any,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    only_inputs: bool = True,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> Any:
    """Return the gradients of *outputs* by *inputs*, without touching any ``.grad``.

    Args:
        outputs: One tensor or a sequence of them.
        inputs: The tensors to differentiate by; a dict gives a dict.
        grad_outputs: The gradient of each output; may be left out for outputs of one element.
        retain_graph: Keep what the nodes saved; by default as *create_graph*.
        create_graph: Record the pass, so that the gradients can be differentiated again.
        only_inputs: Deprecated and ignored.
        allow_unused: Give None for an input that the outputs do not depend on.
        is_grads_batched: The first dimension of each gradient is a batch of gradients.
        materialize_grads: Give zeros in place of None.

    Returns:
        A tuple with a gradient per input.

    Raises:
        RuntimeError: an input was not used and *allow_unused* is not set, or as for `backward`.

    >>> import chainrule as cr
    >>> x = cr.tensor(3.0, requires_grad=True)
    >>> cr.autograd.grad(x * x, x)
    (tensor(6.),)
    """
    if materialize_grads and allow_unused is False:
        msg = (
            "Expected allow_unused to be True or not passed when materialize_grads=True, "
            "but got: allow_unused=False."
        )
        raise ValueError(msg)
    if isinstance(inputs, dict):
        found = grad(
            outputs, tuple(inputs.values()), grad_outputs, retain_graph, create_graph, only_inputs,
            allow_unused, is_grads_batched, materialize_grads,
        )  # fmt: skip
        return dict(zip(inputs, found, strict=True))
    wanted = _sequence(inputs)
    if not only_inputs:
        warn(
            "only_inputs argument is deprecated and is ignored now (defaults to True). To "
            "accumulate gradient for other parts of the graph, please use torch.autograd.backward.",
            FutureWarning,
            stacklevel=2,
        )
    if not wanted:
        msg = "`inputs` argument to `grad()` cannot be empty."
        raise AutogradError(msg)
    results = _sequence(outputs)
    keep = create_graph if retain_graph is None else retain_graph
    if is_grads_batched:
        return _batched(
            results, wanted, grad_outputs, keep, create_graph, allow_unused, materialize_grads
        )
    edges = _input_edges(wanted)
    roots, grads = _roots(results, grad_outputs, create_graph=create_graph)
    gradients = engine.run_backward(
        roots, grads, keep_graph=keep, create_graph=create_graph, inputs=edges, capture=True
    )
    return _complete(wanted, gradients, allow_unused, materialize_grads, recorded=create_graph)


def _complete(
    wanted: Sequence[Any],
    gradients: list[Any],
    allow_unused: bool | None,
    materialize: bool,
    *,
    recorded: bool,
) -> tuple[Any, ...]:
    """Return *gradients* with zeros where asked for, or raise for an input that was not used.

    Zeros in place of a *recorded* gradient require grad: they can be differentiated like the rest.
    """
    for position, (tensor, found) in enumerate(zip(wanted, gradients, strict=True)):
        if found is not None:
            continue
        if materialize:
            if isinstance(tensor, GradientEdge):
                msg = "materialize_grads cannot be used when the given input is a GradientEdge"
                raise AutogradError(msg)
            gradients[position] = zeros = _filled(*_meta(tensor), 0)
            zeros._requires_grad = recorded
        elif not allow_unused:
            msg = (
                f"The differentiated Tensor at index {position} appears to not have been used in "
                "the graph. Set allow_unused=True if this is the desired behavior.\n"
                "grad: no path leads from the outputs to that input. Was it replaced, detached, or "
                "used under no_grad()?"
            )
            raise AutogradError(msg)
    return tuple(gradients)


def _batched(
    outputs: Sequence[Any],
    wanted: Sequence[Any],
    grad_outputs: Any,
    keep: bool,
    create_graph: bool,
    allow_unused: bool | None,
    materialize: bool,
) -> tuple[Any, ...]:
    """Pull the whole batch of gradients back at once."""
    given = (None,) * len(outputs) if grad_outputs is None else _sequence(grad_outputs)
    for output, batch in zip(outputs, given, strict=False):
        if batch is not None:
            continue
        _check_implicit(*_meta(output))
        msg = (
            "grad: is_grads_batched=True expects grad_outputs, one batch of gradients per output, "
            "got None."
        )
        raise ValueError(msg)
    for position, (output, batch) in enumerate(zip(outputs, given, strict=True)):
        if tuple(batch._array.shape[1:]) != tuple(output._array.shape) or not batch._array.shape:
            msg = (
                "If `is_grads_batched=True`, we interpret the first dimension of each grad_output "
                "as the batch dimension. The sizes of the remaining dimensions are expected to "
                "match the shape of corresponding output, but a mismatch was detected: "
                f"grad_output[{position}] has a shape of {Size(batch._array.shape)} and "
                f"output[{position}] has a shape of {Size(output._array.shape)}. If you only want "
                "some tensors in `grad_output` to be considered batched, consider using vmap."
            )
            raise ShapeError(msg)
    used: list[bool] = []

    def one(*rows: Any) -> tuple[Any, ...]:
        found = grad(outputs, wanted, rows, keep, create_graph, allow_unused=allow_unused,
                     materialize_grads=materialize)  # fmt: skip
        used[:] = [gradient is not None for gradient in found]
        return tuple(gradient for gradient in found if gradient is not None)

    # A layer above: found when it is needed, since forward passes never ask for it.
    vmap = importlib.import_module(".func", __package__).vmap
    gradients = iter(vmap(one)(*given))
    return tuple(next(gradients) if there else None for there in used)


def _sequence(tensors: Any) -> tuple[Any, ...]:
    if isinstance(tensors, (Value, GradientEdge)):
        return (tensors,)
    if isinstance(tensors, dict):
        return tuple(tensors.values())
    return tuple(tensors)


def _input_edges(inputs: Sequence[Any]) -> list[Edge]:
    edges = []
    for tensor in inputs:
        if isinstance(tensor, GradientEdge):
            edges.append(tensor._edge())
            continue
        if not isinstance(tensor, Value):
            msg = f"all inputs have to be Tensors or GradientEdges, but got {type(tensor).__name__}"
            raise AutogradError(msg)
        edge = gradient_edge(tensor)
        if edge is None and tensor.requires_grad:  # type: ignore[attr-defined]  # a Tensor
            edge = tensor, LEAF  # a view of what was asked later: nothing leads to it
        if edge is None:
            msg = (
                "One of the differentiated Tensors does not require grad\n"
                "grad: call requires_grad_() on it before the forward pass."
            )
            raise AutogradError(msg)
        edges.append(edge)
    return edges


def _roots(
    tensors: Sequence[Any], gradients: Any, *, create_graph: bool
) -> tuple[list[Edge], list[Any]]:
    """Return where to start, and the gradient there, after every check that PyTorch makes."""
    if gradients is None:
        given: Sequence[Any] = (None,) * len(tensors)
    elif isinstance(gradients, Value):
        given = (gradients,)
    else:
        given = tuple(gradients)
    if len(given) < len(tensors):
        msg = f"got {len(tensors)} tensors and {len(given)} gradients"
        raise AutogradError(msg)
    edges: list[Edge] = []
    grads: list[Any] = []
    for position, (tensor, gradient) in enumerate(zip(tensors, given, strict=False)):
        edge = _root_edge(position, tensor)
        shape, key = _meta(tensor)
        if gradient is None:
            if edge is not None:
                _check_implicit(shape, key)
        else:
            _check_gradient(position, shape, key, gradient)
        if edge is None:
            raise _no_graph(position, tensor)
        edges.append(edge)
        grads.append(_filled(shape, key, 1) if gradient is None else gradient)
    return edges, grads


def _no_graph(position: int, tensor: Any) -> NoGraphError:
    """Return PyTorch's error for a root without history, and why it has none, if that is known."""
    msg = f"element {position} of tensors does not require grad and does not have a grad_fn\n"
    if words.no_graph is not None:
        why = words.no_graph(tensor)
        return NoGraphError(f"{msg}backward: {why}", why=why)
    return NoGraphError(
        f"{msg}backward: expected a result computed from a tensor that requires grad. Somewhere on "
        "the way the graph was cut: requires_grad_() missing, detach(), item(), no_grad(), or an "
        "operation on integers. autograd.track_origins() tells where."
    )


def _root_edge(position: int, output: Any) -> Edge | None:
    if isinstance(output, GradientEdge):
        return output._edge()
    if not isinstance(output, Value):
        msg = f"element {position} of tensors tuple is not a Tensor"
        raise ArgumentError(msg)
    return gradient_edge(output)


def _meta(output: Any) -> tuple[tuple[int, ...], DispatchKey]:
    """Return shape and key of a tensor, or of what stands at an edge."""
    if isinstance(output, GradientEdge):
        return output.node.output_meta(output.output_nr)
    return tuple(output._array.shape), output._key


def _check_implicit(shape: tuple[int, ...], key: DispatchKey) -> None:
    """Raise unless the gradient of an output may be left out."""
    if key.complex:
        msg = (
            "grad can be implicitly created only for real scalar outputs but got "
            f"{key.dtype}\nbackward: pass the gradient of the output."
        )
        raise AutogradError(msg)
    if shape and any(size != 1 for size in shape):
        msg = (
            "grad can be implicitly created only for scalar outputs\n"
            f"backward: the output has shape {tuple(shape)}. Reduce it with sum() or mean(), or "
            "pass its gradient."
        )
        raise AutogradError(msg)


def _check_gradient(position: int, shape: tuple[int, ...], key: DispatchKey, gradient: Any) -> None:
    if not isinstance(gradient, Value):
        msg = f"gradients can be either Tensors or None, but got {type(gradient).__name__}"
        raise ArgumentError(msg)
    if tuple(gradient._array.shape) != tuple(shape):
        msg = (
            f"Mismatch in shape: grad_output[{position}] has a shape of "
            f"{Size(gradient._array.shape)} and output[{position}] has a shape of {Size(shape)}."
        )
        raise ShapeError(msg)
    if gradient._key.complex != key.complex:
        msg = (
            "For complex Tensors, both grad_output and output are required to have the same dtype. "
            f"Mismatch in dtype: grad_output[{position}] has a dtype of {gradient._key.dtype} and "
            f"output[{position}] has a dtype of {key.dtype}."
        )
        raise DTypeError(msg)


def _filled(shape: tuple[int, ...], key: DispatchKey, value: int) -> Any:
    return new_value(key.backend.full(tuple(shape), value, key.dtype, key.device), key)
