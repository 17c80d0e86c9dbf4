"""`Function`: an op of the user's own, with a forward and a backward in Python."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from .errors import ArgumentError, AutogradError, GraphFreedError, InplaceError, ShapeError
from .grad_mode import mode
from .graph import (
    FREED,
    LEAF,
    REGISTER_FREED,
    Node,
    alias_of_output,
    check_version,
    freed_error,
    gradient_edge,
    history_of,
    next_sequence,
    version_of,
)
from .saved import Packed, SavedTensor, in_force
from .value import Value, count_write, new_value, storage_of, times_written
from .watching import packed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class FunctionCtx:
    """What forward hands to backward: ``ctx``."""

    _to_save: tuple[Any, ...] = ()
    _dirty: tuple[Any, ...] = ()
    _non_differentiable: tuple[Any, ...] = ()
    _materialize = True
    needs_input_grad: tuple[bool, ...] = ()

    def save_for_backward(self, *tensors: Any) -> None:
        """Save *tensors* (or None) for backward, where they stand in ``ctx.saved_tensors``.

        Raises:
            TypeError: something else is given; put that on ``ctx`` as an attribute.
        """
        for position, tensor in enumerate(tensors):
            if tensor is not None and not isinstance(tensor, Value):
                msg = (
                    f"save_for_backward can only save variables, but argument {position} is of "
                    f"type {type(tensor).__name__}\n"
                    "Function: keep other things as attributes of ctx."
                )
                raise ArgumentError(msg)
        self._to_save = tensors

    def mark_dirty(self, *tensors: Any) -> None:
        """Say that forward wrote into these inputs; each must be returned."""
        self._dirty = tensors

    def mark_non_differentiable(self, *tensors: Any) -> None:
        """Say that these outputs carry no gradient."""
        self._non_differentiable = tensors

    def set_materialize_grads(self, value: bool) -> None:
        """Say whether backward gets zeros (True, the default) or None for an unused output."""
        self._materialize = value


class FunctionNode(Node, FunctionCtx):
    """The node of a user's function: it *is* the ``ctx`` of both passes.

    A subclass per function carries its name: ``<Name>Backward``.
    """

    __slots__ = ("__dict__",)

    _function: ClassVar[type[Function]]
    _saved: tuple[Any, ...] = ()
    _versions: Any = ()
    _own_outputs: tuple[tuple[int, int], ...] = ()  # (position among the saved, output number)
    _input_positions: tuple[int, ...] = ()  # of the edges among the arguments
    _argument_count: int = 0
    _names: tuple[str, ...] | None = None  # of the saved tensors; a published function has some

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """What `save_for_backward` was given; checked against later writes."""
        if self._versions is FREED:
            raise freed_error(self)
        items = list(self._saved)
        for position, (tensor, version) in enumerate(zip(items, self._versions, strict=True)):
            if type(tensor) is Packed:
                items[position] = tensor.unpack()
            elif tensor is not None:
                check_version(tensor, version, self)
        for position, number in self._own_outputs:
            alias = items[position]
            made = new_value(alias._array, alias._key)
            made._storage = alias._storage
            made._requires_grad, made._node, made._output_nr = True, self, number
            items[position] = made
        return tuple(items)

    saved_variables = saved_tensors

    @property
    def _raw_saved_tensors(self) -> tuple[SavedTensor, ...]:
        """What `save_for_backward` was given, to register hooks on."""
        if self._versions is FREED:
            raise freed_error(self)
        return tuple(map(self._raw_at, range(len(self._saved))))

    def _raw_at(self, position: int) -> SavedTensor:
        def read() -> Any:
            if self._versions is FREED:
                raise GraphFreedError(REGISTER_FREED)
            return self._saved[position]

        def write(hooks: Any) -> None:
            item = self._saved[position]
            is_output = any(position == place for place, _ in self._own_outputs)
            made = Packed(alias_of_output(item), hooks, None if is_output else history_of(item))
            self._saved = (*self._saved[:position], made, *self._saved[position + 1 :])

        return SavedTensor.at(read, write)

    def name_saved(self, inputs: Sequence[Any], outputs: Sequence[Any]) -> None:
        """Be told what the saved tensors may be; a published function has names for them."""

    def release(self) -> None:
        """Drop what was saved."""
        if self._saved:
            self._saved, self._versions = (), FREED

    def apply(self, grad: Any, wanted: Sequence[bool] | None) -> Sequence[Any]:
        """Return what the user's backward gives for *grad*, checked, one item per input."""
        grads = [grad] if self._outputs is None else list(grad)
        if self._materialize:
            grads = [self._zeros(i) if g is None else g for i, g in enumerate(grads)]
        results = self._function._backward_of()(self, *grads)
        return self._checked(results)

    def _zeros(self, number: int) -> Any:
        shape, key = self.output_meta(number)
        if not key.floating:
            return None
        return new_value(key.backend.full(tuple(shape), 0, key.dtype, key.device), key)

    def _checked(self, results: Any) -> list[Any]:
        """Return one gradient per edge after the checks that PyTorch makes."""
        name = self.name()
        items = list(results) if isinstance(results, (tuple, list)) else [results]
        expected = self._argument_count
        if len(items) > expected and all(item is None for item in items[expected:]):
            items = items[:expected]
        if len(items) != expected:
            msg = (
                f"function {name} returned an incorrect number of gradients (expected {expected}, "
                f"got {len(items)})\n"
                f"{name}: backward must return one gradient per argument of forward, None for what "
                "is no tensor."
            )
            raise AutogradError(msg)
        for position, item in enumerate(items):
            if item is not None and position not in self._input_positions:
                msg = (
                    f"function {name} returned a gradient different than None at position "
                    f"{position + 1}, but the corresponding forward input was not a Variable"
                )
                raise AutogradError(msg)
            if item is not None and not isinstance(item, Value):
                msg = f"expected Variable or None (got {type(item).__name__})"
                raise AutogradError(msg)
        gradients = [items[position] for position in self._input_positions]
        for index, (edge, gradient) in enumerate(zip(self._edges, gradients, strict=True)):
            if edge is not None and gradient is not None:
                self._check_shape(index, edge, gradient)
        return gradients

    def _check_shape(self, index: int, edge: Any, gradient: Value) -> None:
        target, number = edge
        shape = target._array.shape if number == LEAF else target.output_meta(number)[0]
        found = tuple(gradient._array.shape)
        tail = found[len(found) - len(shape) :] if len(found) >= len(shape) else None
        if tail is None or any(
            want not in {1, have} for want, have in zip(shape, tail, strict=True)
        ):
            msg = (
                f"Function {self.name()} returned an invalid gradient at index {index} - got "
                f"{list(found)} but expected shape compatible with {list(shape)}"
            )
            raise ShapeError(msg)


class _FunctionMeta(type):
    """Gives every function the class of its nodes."""

    def __init__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> None:
        super().__init__(name, bases, namespace)
        cls._node_class = type(
            f"{name}Backward", (FunctionNode,), {"_function": cls, "__slots__": ()}
        )


class Function(metaclass=_FunctionMeta):
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

    _node_class: ClassVar[type[FunctionNode]]
    _op: ClassVar[Any] = None  # the op that it was published as

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        import warnings

        warnings.warn(
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

    @classmethod
    def _backward_of(cls) -> Callable[..., Any]:
        if cls.backward is Function.backward and cls.vjp is not Function.vjp:
            return cls.vjp
        return cls.backward

    @classmethod
    def apply(cls, *args: Any, **kwargs: Any) -> Any:
        """Run forward and record it, if an argument requires grad.

        A function that was published with `as_op` runs as that op: with a kernel, if there is one.
        """
        if cls._op is not None:
            return cls._op.general(args, kwargs)
        return cls._apply(cls._node_class, args, kwargs)

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
        node_class: type[FunctionNode],
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
        """
        node: Any = object.__new__(node_class)
        node._extras = None
        tensors = [(i, a) for i, a in enumerate(args) if isinstance(a, Value)]
        node.needs_input_grad = tuple(isinstance(a, Value) and a._requires_grad for a in args)
        before = mode.enabled
        record = before and any(node.needs_input_grad)
        node._edges = tuple(gradient_edge(t) if record else None for _, t in tensors)
        versions = {id(t): times_written(t) for _, t in tensors}
        mode.enabled = False
        try:
            if cls.setup_context is not Function.setup_context:
                results = (forward or cls.forward)(*args, **kwargs)
                cls.setup_context(node, args, results)
            else:
                results = cls.forward(node, *args, **kwargs)
        finally:
            mode.enabled = before
        node._input_positions = tuple(i for i, _ in tensors)
        node._argument_count = len(args) + len(kwargs)
        outputs = results if isinstance(results, (tuple, list)) else (results,)
        if node._names is not None:
            node.name_saved(args, outputs)
        wrapped = _finish(node, outputs, tensors, versions, record)
        if not isinstance(results, (tuple, list)):
            return wrapped[0]
        return tuple(wrapped)


def _finish(
    node: Any,
    outputs: Sequence[Any],
    inputs: list[tuple[int, Any]],
    versions: dict[int, Any],
    record: bool,
) -> list[Any]:
    """Return the outputs with *node* as their history, and let the node keep what was saved."""
    dirty = {id(t) for t in node._dirty}
    returned = {id(o) for o in outputs}
    if dirty - returned:
        msg = (
            "Some elements marked as dirty during the forward method were not returned as output. "
            "The inputs that are modified inplace must all be outputs of the Function."
        )
        raise AutogradError(msg)
    plain = {id(t) for t in node._non_differentiable}
    given = {id(t) for _, t in inputs}
    results: list[Any] = [_as_output(item, given, dirty, record, versions) for item in outputs]
    tensors = [r for r in results if isinstance(r, Value)]
    node._seq = next_sequence()
    if tensors:
        node._shape, node._key = tensors[0]._array.shape, tensors[0]._key
    node._outputs = None
    if len(outputs) != 1:
        node._outputs = tuple(
            (r._array.shape, r._key) if isinstance(r, Value) else ((), node._key) for r in results
        )
    if not record:
        return results
    for number, (output, result) in enumerate(zip(outputs, results, strict=True)):
        if isinstance(result, Value) and id(output) not in plain and result._key.floating:
            result._node, result._output_nr, result._requires_grad = node, number, True
    _save(node, outputs, results)
    return results


def _as_output(
    output: Any, given: set[int], dirty: set[int], record: bool, versions: dict[int, Any]
) -> Any:
    """Return what stands for one result of forward: a new object for an input returned as it is."""
    if not isinstance(output, Value) or id(output) not in given:
        return output
    if id(output) in dirty:
        if record and output._requires_grad and output._node is None:
            msg = "a leaf Variable that requires grad has been used in an in-place operation."
            raise InplaceError(msg)
        if times_written(output) == versions[id(output)]:
            count_write(output, "mark_dirty")
        return output
    view = new_value(output._array, output._key)
    view._storage = storage_of(output)
    return view


def _save(node: Any, outputs: Sequence[Any], results: list[Any]) -> None:
    """Keep what `save_for_backward` named; outputs without the node. Note [Saving an output]."""
    number_of = {id(o): n for n, o in enumerate(outputs) if isinstance(o, Value)}
    number_of |= {id(r): n for n, r in enumerate(results) if isinstance(r, Value)}
    saved, own = [], []
    for position, tensor in enumerate(node._to_save):
        number = number_of.get(id(tensor))
        if number is not None and results[number]._node is node:
            own.append((position, number))
            saved.append(alias_of_output(results[number]))
        else:
            saved.append(tensor)
    node._to_save = ()
    if in_force.hooks:
        outputs_saved = {position for position, _ in own}
        saved = [
            packed(tensor, in_force.hooks[-1], is_output=position in outputs_saved)
            for position, tensor in enumerate(saved)
        ]
    node._saved, node._own_outputs = tuple(saved), tuple(own)
    node._versions = tuple(map(version_of, saved))


def once_differentiable(function: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a backward that must not be differentiated again: doing so raises.

    Raises:
        RuntimeError: on the second differentiation.
    """
    import functools

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
        many = isinstance(results, (tuple, list))
        items = [_refusing(item) for item in (results if many else (results,))]
        return tuple(items) if many else items[0]

    return wrapped


def _refusing(item: Any) -> Any:
    """Return *item* as the output of a node that refuses to be differentiated."""
    if not isinstance(item, Value) or not item._key.floating:
        return item
    made = new_value(item._array, item._key)
    made._requires_grad = True
    return _Once.apply(made)


class _Once(Function):
    """The end of a backward that may be differentiated once."""

    @staticmethod
    def forward(ctx: Any, tensor: Any) -> Any:
        return tensor.clone()

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        msg = "trying to differentiate twice a function that was marked with @once_differentiable"
        raise AutogradError(msg)
