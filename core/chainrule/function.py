"""`Function`: an op of the user's own, with a forward and a backward in Python."""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Any, ClassVar

from ._warn import warn
from .errors import ArgumentError, AutogradError
from .function_node import BackwardCFunction, FunctionCtx
from .function_outputs import give_history
from .grad_mode import mode
from .graph import gradient_edge, next_sequence
from .value import Value, new_value

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "BackwardCFunction", "Function", "FunctionCtx", "FunctionMeta", "InplaceFunction",
    "once_differentiable",
]  # fmt: skip


_NO_SETUP = (
    "In order to use an autograd.Function with functorch transforms (vmap, grad, jvp, jacrev, "
    "...), it must override the setup_context staticmethod. For more details, please see "
    "https://pytorch.org/docs/main/notes/extending.func.html\n"
    "Function: let forward(*args) compute, and setup_context(ctx, inputs, output) save."
)


class FunctionMeta(type):
    """Gives every function the class of its nodes."""

    _backward_cls: type[BackwardCFunction]

    def __init__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> None:
        super().__init__(name, bases, namespace)
        cls._backward_cls = type(
            f"{name}Backward",
            (BackwardCFunction,),
            {
                "_forward_cls": cls,
                "__slots__": (),
                "__module__": f"{__package__}.autograd.function",
            },
        )


class Function(FunctionCtx, metaclass=FunctionMeta):
    """An operation with a gradient of its own.

    Derive, write ``forward`` and ``backward``, call ``apply``. Both are static methods. In the
    first style ``forward(ctx, *args)`` saves what it needs; in the second ``forward(*args)``
    computes and ``setup_context(ctx, inputs, output)`` saves. forward runs with recording off,
    backward with recording as *create_graph* says, so that a backward written in tensor operations
    can be differentiated again.

    >>> import chainrule as cr
    >>> class Square(Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         ctx.save_for_backward(x)
    ...         return x * x
    ...
    ...     @staticmethod
    ...     def backward(ctx, grad):
    ...         (x,) = ctx.saved_tensors
    ...         return 2 * x * grad
    >>> x = cr.tensor(3.0, requires_grad=True)
    >>> y = Square.apply(x)
    >>> y.backward()
    >>> y, x.grad
    (tensor(9., grad_fn=<SquareBackward>), tensor(6.))
    """

    _op: ClassVar[Any] = None  # the op that it was published as

    #: Whether `vmap` may derive its rule by vectorising forward and backward.
    generate_vmap_rule: ClassVar[bool] = False
    #: Whether what was saved is let go of when it is first read.
    clear_saved_tensors_on_access: ClassVar[bool] = False
    #: Whether backward takes the gradients as one list, which it may empty to free them early.
    boxed_grads_call: ClassVar[bool] = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        warn(
            f"{type(self)} should not be instantiated. Methods on autograd functions are all "
            "static, so you should invoke them on the class itself. Instantiating an autograd "
            "function will raise an error in a future version of PyTorch.",
            DeprecationWarning,
            stacklevel=2,
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Refuse: a function is applied, not called."""
        msg = (
            "Legacy autograd function with non-static forward method is deprecated. Please use "
            "new-style autograd function with static forward method. (Example: "
            "https://pytorch.org/docs/stable/autograd.html#torch.autograd.Function)"
        )
        raise AutogradError(msg)

    @staticmethod
    def forward(*args: Any, **kwargs: Any) -> Any:
        """Compute the result from the arguments."""
        msg = "You must implement the forward function for custom autograd.Function."
        raise NotImplementedError(msg)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> Any:
        """Save what backward needs, in the second style."""
        msg = "setup_context is not implemented."
        raise NotImplementedError(msg)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        """Return a gradient per argument of forward for the gradients of its outputs."""
        msg = (
            "You must implement either the backward or vjp method for your custom "
            "autograd.Function to use it with backward mode AD."
        )
        raise NotImplementedError(msg)

    vjp = backward

    @staticmethod
    def jvp(ctx: Any, *grad_inputs: Any) -> Any:
        """Return a tangent per output of forward for the tangents of its arguments."""
        msg = (
            "You must implement the jvp function for custom autograd.Function to use it with "
            "forward mode AD."
        )
        raise NotImplementedError(msg)

    @staticmethod
    def vmap(info: Any, in_dims: Any, *args: Any) -> Any:
        """Return the outputs for batched arguments, and where their batch dimensions are."""
        msg = (
            "To use autograd.Function with vmap, you must either override the vmap staticmethod or "
            "set generate_vmap_rule=True."
        )
        raise NotImplementedError(msg)

    @classmethod
    def _backward_of(cls) -> Callable[..., Any]:
        """Return what the class states as its gradient, under either name.

        Raises:
            RuntimeError: it states both.
        """
        backward, vjp = cls.backward is not Function.backward, cls.vjp is not Function.vjp
        if backward and vjp:
            msg = (
                "Implementing both 'backward' and 'vjp' for a custom Function is not allowed. You "
                "should only implement one of them."
            )
            raise AutogradError(msg)
        return cls.vjp if vjp else cls.backward

    @classmethod
    def apply(cls, *args: Any, **kwargs: Any) -> Any:
        """Run forward and record it, if an argument requires grad.

        A function that was published with `as_op` runs as that op: with a kernel, if there is one.
        """
        if cls._op is not None:
            return cls._op.general(args, kwargs)
        return cls._apply(cls._backward_cls, args, kwargs)

    @classmethod
    def as_op(cls, name: str) -> Any:
        """Return the op ``"namespace::name"`` that runs this function, for a plugin to publish.

        The parameters of forward are the op's: those annotated ``Tensor``, or neither annotated nor
        defaulted, are tensors. In the second style a backend may have a kernel for the op, which
        then runs in place of forward; a forward that consists of a docstring alone is no more than
        a signature, and such an op needs a kernel. What setup_context saves is read by the names of
        the parameters, ``grad_fn._saved_x``, or as ``_saved_result``.

        Raises:
            OpDefinitionError: the name has no namespace, or forward no signature that an op can
                have.

        >>> class Cube(Function):
        ...     @staticmethod
        ...     def forward(x):
        ...         return x * x * x
        ...
        ...     @staticmethod
        ...     def setup_context(ctx, inputs, output):
        ...         ctx.save_for_backward(*inputs)
        ...
        ...     @staticmethod
        ...     def backward(ctx, grad):
        ...         (x,) = ctx.saved_tensors
        ...         return grad * 3 * x * x
        >>> cube = Cube.as_op("docs::cube")
        >>> x = cr.tensor(2.0, requires_grad=True)
        >>> cube(x), cube(x).grad_fn._saved_x is x
        (tensor(8., grad_fn=<CubeBackward>), True)
        """
        from .published import FunctionOp

        return FunctionOp(cls, name)

    @classmethod
    def _apply(
        cls,
        node_class: type[BackwardCFunction],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        forward: Callable[..., Any] | None = None,
    ) -> Any:
        """Run *forward*, by default the function's own, and record it if an argument asks for it.

        Args:
            node_class: The class of the node, which is ``ctx``.
            args: The arguments of forward.
            kwargs: Further ones, by name.
            forward: What computes in place of the function's own, in the second style.

        Raises:
            RuntimeError: a function transform runs, and the function is of the first style.
        """
        separate = cls.setup_context is not Function.setup_context
        if kwargs:
            args = _in_order(cls, args, kwargs, separate=separate)
        if mode.transforming and not separate:
            raise AutogradError(_NO_SETUP)
        if mode.levels:
            backends = [a._key.backend for a in args if isinstance(a, Value)]
            highest: Any = max(backends, key=lambda backend: backend.level, default=None)
            if highest is not None and highest.level:
                return highest.apply_function(cls, node_class, args, forward)
        return cls._run(node_class, args, forward)[0]

    @classmethod
    def _run(
        cls,
        node_class: type[BackwardCFunction],
        args: tuple[Any, ...],
        forward: Callable[..., Any] | None = None,
    ) -> tuple[Any, Any]:
        """Return what `_apply` returns, recorded where *args* are, and the node.

        Here *forward* computes in place of the function's own in both styles.
        """
        separate = cls.setup_context is not Function.setup_context
        node: Any = object.__new__(node_class)
        node._extras, node._seq = None, next_sequence()
        node.needs_input_grad = needs = tuple(
            isinstance(a, Value) and _requires_grad(a) for a in args
        )
        inputs = [a for a in args if isinstance(a, Value)]
        before = mode.enabled
        node.requires_grad = record = bool(before) and any(needs)
        node._edges = tuple(map(gradient_edge, inputs)) if record else (None,) * len(inputs)
        mode.enabled = False
        try:
            if separate:
                results = (forward or cls.forward)(*args)
                cls.setup_context(node, args, results)
            else:
                results = (forward or cls.forward)(node, *args)
        finally:
            mode.enabled = before
        node._input_positions = tuple(i for i, a in enumerate(args) if isinstance(a, Value))
        node._argument_count = len(args)
        outputs = results if isinstance(results, tuple) else (results,)
        if node._names is not None:
            node.name_saved(args, outputs)
        wrapped = give_history(node, outputs, inputs, recorded=record)
        return (tuple(wrapped) if isinstance(results, tuple) else wrapped[0]), node


def _requires_grad(tensor: Any) -> bool:
    return gradient_edge(tensor) is not None


def _in_order(
    cls: type[Function], args: tuple[Any, ...], kwargs: dict[str, Any], *, separate: bool
) -> tuple[Any, ...]:
    """Return all arguments of forward by position, those given by name among them.

    Raises:
        TypeError: forward has no such parameter, or it was given twice.
    """
    parameters = list(inspect.signature(cls.forward).parameters.values())
    names = [p for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD][0 if separate else 1 :]
    known = {p.name for p in names}
    for name in kwargs:
        if name not in known:
            msg = (
                f"forward() got an unexpected keyword argument '{name}'\n"
                f"{cls.__name__}: expected names of positional parameters of forward, which are "
                f"{', '.join(p.name for p in names) or 'none'}."
            )
            raise ArgumentError(msg)
    bound = list(args)
    for parameter in names[len(args) :]:
        if parameter.name in kwargs:
            bound.append(kwargs[parameter.name])
        elif parameter.default is not parameter.empty:
            bound.append(parameter.default)
        else:
            msg = f"missing a required argument: '{parameter.name}'"
            raise ArgumentError(msg)
    for parameter in names[: len(args)]:
        if parameter.name in kwargs:
            msg = f"multiple values for argument '{parameter.name}'"
            raise ArgumentError(msg)
    return tuple(bound)


class InplaceFunction(Function):
    """A function that old programs make with ``inplace=True`` and then ask for `inplace`."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace


def once_differentiable(function: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a backward that must not be differentiated again: doing so raises.

    Raises:
        RuntimeError: on the second differentiation.
    """

    @functools.wraps(function)
    def wrapped(ctx: Any, *grads: Any) -> Any:
        recording = mode.enabled and any(isinstance(g, Value) and g._requires_grad for g in grads)
        before, mode.enabled = mode.enabled, False
        try:
            results = function(ctx, *grads)
        finally:
            mode.enabled = before
        if not recording:
            return results
        many = isinstance(results, tuple)
        items = [_refusing(item) for item in (results if many else (results,))]
        return tuple(items) if many else items[0]

    return wrapped


def _refusing(item: Any) -> Any:
    """Return *item* as the output of a node that refuses to be differentiated."""
    if not isinstance(item, Value) or not item._key.floating:
        return item
    made = new_value(item._array, item._key)
    made._requires_grad = True
    return Error.apply(
        "trying to differentiate twice a function that was marked with @once_differentiable", made
    )


class Error(Function):
    """Returns tensors as they are; its backward raises a RuntimeError of a given message."""

    @staticmethod
    def forward(ctx: Any, message: str, *inputs: Any) -> Any:
        """Return the inputs as they are."""
        ctx.message = message
        outputs = tuple(tensor.view_as(tensor) for tensor in inputs)
        return outputs[0] if len(outputs) == 1 else outputs

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        """Raise."""
        raise AutogradError(ctx.message)


def rename_node(function: type[Function], name: str) -> None:
    """Let the nodes of *function* be called *name*, as those of PyTorch's C++ half."""
    node: Any = function._backward_cls
    node.__name__, node.name = name, lambda self: f"torch::autograd::{name}"


rename_node(Error, "Error")
