"""Jacobians, Hessians and their products with vectors: functions of a function.

Each takes a function of tensors and the point, one tensor or a tuple, and gives what has the
structure of the point: a tensor for a tensor, a tuple for a tuple. The point itself is not touched:
the function is called with other tensors over the same memory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import ops
from ..errors import AutogradError
from ..grad_mode import enable_grad, is_grad_enabled, set_grad_enabled
from ..tensor import Tensor
from ._functional import (
    GRADIENT_IS_CONSTANT,
    HESSIAN_IS_CONSTANT,
    INPUT_ROLE,
    JACOBIAN_IS_CONSTANT,
    OF_JACOBIAN,
    OF_OUTPUT,
    OF_SECOND_TRICK,
    OF_TRICK,
    all_rows,
    as_points,
    as_tuple,
    as_vector,
    call,
    check_forward,
    check_number,
    check_used,
    complete,
    finished,
    forward_jacobian,
    gradient_at,
    like,
    pull,
    rows,
)

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["hessian", "hvp", "jacobian", "jvp", "vhp", "vjp"]

_STRATEGIES = ("forward-mode", "reverse-mode")


def vjp(
    func: Callable[..., Any],
    inputs: Any,
    v: Any = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """Return the outputs of *func* and the product of *v* with its Jacobian.

    Args:
        func: A function of tensors that returns a tensor or a tuple of them.
        inputs: The point: a tensor or a tuple.
        v: What to multiply with, of the shapes of the outputs; 1 for one output of one element.
        create_graph: Record the computation, so that both results can be differentiated.
        strict: Raise where a result does not depend on an input, rather than give zeros.

    Returns:
        The outputs, and a tensor of the shape of each input.

    Raises:
        RuntimeError: *v* does not fit, or *strict* forbids what was found.
        TypeError: something given or returned is no tensor.

    >>> import chainrule as cr
    >>> vjp(lambda x: x * x, cr.tensor([1.0, 2.0]), cr.tensor([1.0, 10.0]))
    (tensor([1., 4.]), tensor([ 2., 40.]))
    """
    with enable_grad():
        many, points = as_points(inputs, "vjp", create_graph=create_graph)
        several, outputs = call(func, points, "vjp", strict=strict)
        vector = as_vector(
            v, outputs, "vjp", many=several, role="the user-provided function returns"
        )
    with set_grad_enabled(create_graph or is_grad_enabled()):
        found = pull(outputs, points, vector, create_graph=create_graph)
        product = complete(found, points, OF_OUTPUT, strict=strict, recorded=create_graph)
    return (
        like(finished(outputs, create_graph), several),
        like(finished(product, create_graph), many),
    )


def jvp(
    func: Callable[..., Any],
    inputs: Any,
    v: Any = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """Return the outputs of *func* and the product of its Jacobian with *v*.

    Computed by differentiating the product of a vector with the Jacobian by that vector, in which
    it is linear: two backward passes. `chainrule.func.jvp` needs one forward pass.

    Args:
        func: A function of tensors that returns a tensor or a tuple of them.
        inputs: The point: a tensor or a tuple.
        v: The direction, of the shapes of the inputs; 1 for one input of one element.
        create_graph: Record the computation, so that both results can be differentiated.
        strict: Raise where a result does not depend on an input, rather than give zeros.

    Returns:
        The outputs, and a tensor of the shape of each.

    Raises:
        RuntimeError: *v* does not fit, or *strict* forbids what was found.
        TypeError: something given or returned is no tensor.

    >>> import chainrule as cr
    >>> jvp(lambda x: x * x, cr.tensor([1.0, 2.0]), cr.tensor([1.0, 10.0]))
    (tensor([1., 4.]), tensor([ 2., 40.]))
    """
    with enable_grad():
        many, points = as_points(inputs, "jvp", create_graph=create_graph)
        vector = as_vector(v, points, "jvp", many=many, role=INPUT_ROLE)
        several, outputs = call(func, points, "jvp", strict=strict)
        weights = tuple(ops.zeros_like(output).requires_grad_() for output in outputs)
        pulled = pull(outputs, points, weights, create_graph=True)
        if strict:
            check_used(pulled, GRADIENT_IS_CONSTANT)
    with set_grad_enabled(create_graph or is_grad_enabled()):
        found = pull(pulled, weights, vector, create_graph=create_graph)
        product = complete(found, outputs, OF_TRICK, strict=strict, recorded=create_graph)
    return (
        like(finished(outputs, create_graph), several),
        like(finished(product, create_graph), several),
    )


def vhp(
    func: Callable[..., Any],
    inputs: Any,
    v: Any = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """Return the output of *func*, one number, and the product of *v* with its Hessian.

    Args:
        func: A function of tensors that returns a tensor of one element.
        inputs: The point: a tensor or a tuple.
        v: What to multiply with, of the shapes of the inputs; 1 for one input of one element.
        create_graph: Record the computation, so that both results can be differentiated.
        strict: Raise where a result does not depend on an input, rather than give zeros.

    Returns:
        The output, and a tensor of the shape of each input.

    Raises:
        RuntimeError: *v* does not fit, *func* gives more than a number, or *strict* forbids it.
        TypeError: something given or returned is no tensor.

    >>> import chainrule as cr
    >>> vhp(lambda x: x.pow(3).sum(), cr.tensor([1.0, 2.0]), cr.tensor([1.0, 10.0]))
    (tensor(9.), tensor([  6., 120.]))
    """
    many, points, outputs, vector, first = gradient_at(
        func, inputs, v, "vhp", create_graph=create_graph, strict=strict
    )
    with set_grad_enabled(create_graph or is_grad_enabled()):
        found = pull(first, points, vector, create_graph=create_graph)
        product = complete(found, points, OF_JACOBIAN, strict=strict, recorded=create_graph)
    return finished(outputs, create_graph)[0], like(finished(product, create_graph), many)


def hvp(
    func: Callable[..., Any],
    inputs: Any,
    v: Any = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """Return the output of *func*, one number, and the product of its Hessian with *v*.

    The Hessian is symmetric, so `vhp` gives the same with one backward pass less.

    Args:
        func: A function of tensors that returns a tensor of one element.
        inputs: The point: a tensor or a tuple.
        v: The direction, of the shapes of the inputs; 1 for one input of one element.
        create_graph: Record the computation, so that both results can be differentiated.
        strict: Raise where a result does not depend on an input, rather than give zeros.

    Returns:
        The output, and a tensor of the shape of each input.

    Raises:
        RuntimeError: *v* does not fit, *func* gives more than a number, or *strict* forbids it.
        TypeError: something given or returned is no tensor.

    >>> import chainrule as cr
    >>> hvp(lambda x: x.pow(3).sum(), cr.tensor([1.0, 2.0]), cr.tensor([1.0, 10.0]))
    (tensor(9.), tensor([  6., 120.]))
    """
    many, points, outputs, vector, first = gradient_at(
        func, inputs, v, "hvp", create_graph=create_graph, strict=strict
    )
    with enable_grad():
        weights = tuple(ops.zeros_like(point).requires_grad_() for point in points)
        pulled = pull(first, points, weights, create_graph=True)
        if strict:
            check_used(first, HESSIAN_IS_CONSTANT)
    with set_grad_enabled(create_graph or is_grad_enabled()):
        found = pull(pulled, weights, vector, create_graph=create_graph)
        product = complete(found, points, OF_SECOND_TRICK, strict=strict, recorded=create_graph)
    return finished(outputs, create_graph)[0], like(finished(product, create_graph), many)


def jacobian(
    func: Callable[..., Any],
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> Any:
    """Return the derivative of every output element of *func* by every input element.

    Args:
        func: A function of tensors that returns a tensor or a tuple of them.
        inputs: The point: a tensor or a tuple.
        create_graph: Record the computation, so that the result can be differentiated.
        strict: Raise where an output does not depend on an input, rather than give zeros.
        vectorize: Pull all rows back in one pass.
        strategy: ``"reverse-mode"``: a backward pass per output element; ``"forward-mode"``: a
            forward pass per input element, which needs *vectorize*.

    Returns:
        For output i and input j, a tensor of the shape of i followed by that of j: one tensor for
        one of each; else a tuple per output, of tensors per input, where there is a tuple.

    Raises:
        RuntimeError: *strict* forbids what was found, or does not go with *vectorize*.
        NotImplementedError: *strategy* is forward mode and *create_graph* is set, or *vectorize*
            is not.
        AssertionError: *strategy* is neither of the two.

    >>> import chainrule as cr
    >>> jacobian(lambda x: x * x, cr.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """
    if strategy not in _STRATEGIES:
        msg = (
            'Expected strategy to be either "forward-mode" or "reverse-mode". Hint: If your '
            'function has more outputs than inputs, "forward-mode" tends to be more performant. '
            'Otherwise, prefer to use "reverse-mode".'
        )
        raise AssertionError(msg)
    if strategy == "forward-mode":
        check_forward(create_graph=create_graph, strict=strict, vectorize=vectorize)
        return forward_jacobian(func, inputs)
    with enable_grad():
        many, points = as_points(inputs, "jacobian", create_graph=create_graph)
        several, outputs = call(func, points, "jacobian", strict=strict)
        if vectorize:
            if strict:
                msg = (
                    "torch.autograd.functional.jacobian: `strict=True` and `vectorized=True` are "
                    "not supported together. Please either set `strict=False` or "
                    "`vectorize=False`."
                )
                raise AutogradError(msg)
            blocks = all_rows(outputs, points, create_graph=create_graph)
        else:
            blocks = tuple(
                rows(i, output, points, create_graph=create_graph, strict=strict)
                for i, output in enumerate(outputs)
            )
    by_output = tuple(like(finished(block, create_graph), many) for block in blocks)
    return like(by_output, several)


def hessian(
    func: Callable[..., Any],
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode",
) -> Any:
    """Return the second derivatives of *func*, which gives one number.

    Args:
        func: A function of tensors that returns a tensor of one element.
        inputs: The point: a tensor or a tuple.
        create_graph: Record the computation, so that the result can be differentiated.
        strict: Raise where a result does not depend on an input, rather than give zeros.
        vectorize: Pull all rows of the gradient back in one pass.
        outer_jacobian_strategy: How the gradient is differentiated, see `jacobian`.

    Returns:
        For inputs i and j, a tensor of the shape of i followed by that of j: one tensor for one
        input, a tuple of tuples for a tuple.

    Raises:
        RuntimeError: *func* gives more than a number, or as for `jacobian`.
        AssertionError: the strategy is neither of the two.

    >>> import chainrule as cr
    >>> hessian(lambda x: x.pow(3).sum(), cr.tensor([1.0, 2.0]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    many, points = as_tuple(inputs, "inputs", "hessian")
    if outer_jacobian_strategy not in _STRATEGIES:
        msg = 'Expected strategy to be either "forward-mode" or "reverse-mode".'
        raise AssertionError(msg)
    forward = outer_jacobian_strategy == "forward-mode"

    def number(*arguments: Tensor) -> Tensor:
        several, outputs = call(func, arguments, "hessian", strict=strict)
        check_number(several, outputs, "hessian")
        return outputs[0].squeeze()

    def gradient(*arguments: Tensor) -> Any:
        if forward:
            arguments = tuple(argument.requires_grad_() for argument in arguments)
        found = jacobian(number, arguments, create_graph=True)
        if strict:
            check_used(found, JACOBIAN_IS_CONSTANT)
        return found

    found = jacobian(
        gradient,
        points,
        create_graph=create_graph,
        strict=strict,
        vectorize=vectorize,
        strategy=outer_jacobian_strategy,
    )
    return found if many else found[0][0]
