"""Parametrizations: a parameter that is computed from others whenever it is read."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ...grad_mode import no_grad
from ...tensor import Tensor
from ..modules.container import ModuleDict, ModuleList
from ..modules.module import Module
from ..parameter import Parameter

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "ParametrizationList",
    "cached",
    "is_parametrized",
    "register_parametrization",
    "remove_parametrizations",
    "transfer_parametrizations_and_params",
    "type_before_parametrizations",
]

#: How many `cached` blocks are open, and what was computed inside of them.
_open = [0]
_computed: dict[tuple[int, str], Tensor] = {}


@contextlib.contextmanager
def cached() -> Iterator[None]:
    """Compute every parametrized tensor once inside the block, at its first reading.

    >>> import chainrule as cr
    >>> layer = register_parametrization(cr.nn.Linear(2, 2), "weight", cr.nn.Tanh())
    >>> with cached():
    ...     layer.weight is layer.weight
    True
    """
    _open[0] += 1
    try:
        yield
    finally:
        _open[0] -= 1
        if not _open[0]:
            _computed.clear()


class ParametrizationList(ModuleList):
    """The parametrizations of one tensor, in the order in which they are applied.

    Args:
        modules: The parametrizations.
        original: The tensor that is parametrized.
        unsafe: Do not check that shape and dtype stay.

    Attributes:
        original: What the first parametrization is given: a parameter or buffer; or ``original0``,
            ``original1`` and so on, where its ``right_inverse`` gives several.

    Raises:
        ValueError: ``right_inverse`` gives no tensor, or one of another shape or dtype.
    """

    def __init__(
        self, modules: Sequence[Module], original: Tensor | Parameter, unsafe: bool = False
    ) -> None:
        if not modules:
            msg = "ParametrizationList requires one or more modules."
            raise ValueError(msg)
        super().__init__(modules)
        self.unsafe = unsafe
        with no_grad():
            new: Any = self._undone(original)
        if not isinstance(new, (Tensor, Sequence)):
            msg = (
                "'right_inverse' must return a Tensor or a Sequence of tensors (list, tuple...). "
                f"Got {type(new).__name__}"
            )
            raise ValueError(msg)  # noqa: TRY004 - as PyTorch
        before = original.dtype, original.shape
        self.is_tensor = isinstance(new, Tensor)
        self.ntensors = 1 if self.is_tensor else len(new)
        if self.is_tensor:
            self._take_one(original, new)  # type: ignore[arg-type]  # as asked above
        else:
            self._take_several(original, new)  # type: ignore[arg-type]  # as asked above
        if not self.unsafe:
            _expect_alike(before, self())

    def _undone(self, value: Tensor) -> Any:
        """Return what the parametrizations make *value* of."""
        for module in reversed(list(self)):
            if hasattr(module, "right_inverse"):
                with contextlib.suppress(NotImplementedError):  # then it begins with what is there
                    value = module.right_inverse(value)
        return value

    def _take_one(self, original: Tensor, new: Tensor) -> None:
        if original.dtype != new.dtype:
            msg = (
                "When `right_inverse` outputs one tensor, it may not change the dtype.\n"
                f"original.dtype: {original.dtype}\nright_inverse(original).dtype: {new.dtype}"
            )
            raise ValueError(msg)
        if original.device != new.device:
            msg = (
                "When `right_inverse` outputs one tensor, it may not change the device.\n"
                f"original.device: {original.device}\n"
                f"right_inverse(original).device: {new.device}"
            )
            raise ValueError(msg)
        with no_grad():
            _set_data(original, new)
        _register(self, "original", original)

    def _take_several(self, original: Tensor, new: Sequence[Any]) -> None:
        for number, item in enumerate(new):
            if not isinstance(item, Tensor):
                msg = (
                    "'right_inverse' must return a Tensor or a Sequence of tensors (list, "
                    f"tuple...). Got element {number} of the sequence with type "
                    f"{type(item).__name__}."
                )
                raise ValueError(msg)  # noqa: TRY004 - as PyTorch
            made: Tensor = item
            if isinstance(original, Parameter):
                made = Parameter(item, original.requires_grad)
            made.requires_grad_(original.requires_grad)
            _register(self, f"original{number}", made)

    def right_inverse(self, value: Tensor) -> None:
        """Set the original tensors so that the parametrized one becomes *value*.

        Raises:
            RuntimeError: a parametrization has no ``right_inverse``.
            ValueError: one gives something else than before.
        """
        with no_grad():
            for module in reversed(list(self)):
                if not hasattr(module, "right_inverse"):
                    msg = (
                        f"parametrization {type(module).__name__} does not implement right_inverse."
                    )
                    raise RuntimeError(msg)
                value = module.right_inverse(value)
            if self.is_tensor:
                if not isinstance(value, Tensor):
                    msg = f"`right_inverse` should return a tensor. Got {type(value).__name__}"
                    raise ValueError(msg)
                _set_data(self.original, value)
                return
            self._set_several(value)

    def _set_several(self, values: Any) -> None:
        if not isinstance(values, Sequence):
            msg = f"'right_inverse' must return a sequence of tensors. Got {type(values).__name__}."
            raise ValueError(msg)  # noqa: TRY004 - as PyTorch
        if len(values) != self.ntensors:
            msg = (
                "'right_inverse' must return a sequence of tensors of length "
                f"{self.ntensors}. Got a sequence of length {len(values)}."
            )
            raise ValueError(msg)
        for number, item in enumerate(values):
            if not isinstance(item, Tensor):
                msg = (
                    f"`right_inverse` must return a sequence of tensors. Got element {number} of "
                    f"type {type(item).__name__}"
                )
                raise ValueError(msg)  # noqa: TRY004 - as PyTorch
            _set_data(getattr(self, f"original{number}"), item)

    def _originals(self) -> list[Tensor]:
        if self.is_tensor:
            return [self.original]
        return [getattr(self, f"original{number}") for number in range(self.ntensors)]

    def forward(self) -> Tensor:
        """Return the parametrized tensor."""
        first, *rest = list(self)
        value: Tensor = first(*self._originals())
        for module in rest:
            value = module(value)
        return value


def _register(module: Module, name: str, tensor: Tensor) -> None:
    if isinstance(tensor, Parameter):
        module.register_parameter(name, tensor)
    else:
        module.register_buffer(name, tensor)


def _set_data(target: Tensor, source: Tensor) -> None:
    """Give *target* the values of *source*, and its shape."""
    target.data = source if source.dtype == target.dtype else source.to(target.dtype)


def _expect_alike(before: tuple[Any, Any], after: Any) -> None:
    """Check that a parametrization keeps dtype and shape.

    Raises:
        ValueError: it does not.
    """
    if not isinstance(after, Tensor):
        msg = f"A parametrization must return a tensor. Got {type(after).__name__}."
        raise ValueError(msg)  # noqa: TRY004 - as PyTorch
    for what, one in zip(("dtype", "shape"), before, strict=True):
        other = getattr(after, what)
        if one != other:
            msg = (
                f"Registering a parametrization may not change the {what} of the tensor, unless "
                f"`unsafe` flag is enabled.\nunparametrized {what}: {one}\n"
                f"parametrized {what}: {other}"
            )
            raise ValueError(msg)


# Classes with properties


def _inject_new_class(module: Module) -> None:
    """Give *module* a class of its own, on which properties can be put."""
    cls = type(module)

    def getstate(self: Module) -> Any:
        msg = (
            "Serialization of parametrized modules is only supported through state_dict(). See:\n"
            "https://pytorch.org/tutorials/beginner/saving_loading_models.html"
            "#saving-loading-a-general-checkpoint-for-inference-and-or-resuming-training"
        )
        raise RuntimeError(msg)

    def deepcopied(self: Module, memo: dict[int, Any]) -> Any:
        if id(self) in memo:
            return memo[id(self)]
        copied = self.__new__(type(self))
        memo[id(self)] = copied
        copied.__dict__ = copy.deepcopy(self.__dict__, memo)
        type(copied)  # of the same class: its properties read the copy's own parametrizations
        return copied

    members: dict[str, Any] = {"__getstate__": getstate, "__module__": __name__}
    if not hasattr(cls, "__deepcopy__"):
        members["__deepcopy__"] = deepcopied
    module.__class__ = type(f"Parametrized{cls.__name__}", (cls,), members)


def _inject_property(module: Module, tensor_name: str) -> None:
    """Let *module* compute *tensor_name* when it is read."""

    def compute(self: Any) -> Tensor:
        if not _open[0]:
            value: Tensor = self.parametrizations[tensor_name]()
            return value
        key = id(self), tensor_name
        found = _computed.get(key)
        if found is None:
            found = _computed[key] = self.parametrizations[tensor_name]()
        return found

    def put(self: Any, value: Tensor) -> None:
        self.parametrizations[tensor_name].right_inverse(value)

    setattr(type(module), tensor_name, property(compute, put))


def register_parametrization(
    module: Module, tensor_name: str, parametrization: Module, *, unsafe: bool = False
) -> Module:
    """Let *parametrization* compute the parameter or buffer *tensor_name* from what it was.

    Reading ``module.weight`` then calls the parametrization; setting it calls its
    ``right_inverse``, if it has one. Several are applied one after the other.

    Args:
        module: Whose tensor.
        tensor_name: Its name.
        parametrization: A module that takes the tensor and returns one of the same shape.
        unsafe: Do not check that shape and dtype stay.

    Returns:
        *module*.

    Raises:
        ValueError: there is no such tensor, or its shape or dtype would change.

    >>> import chainrule as cr
    >>> class Symmetric(cr.nn.Module):
    ...     def forward(self, x):
    ...         return x.triu() + x.triu(1).mT
    >>> layer = register_parametrization(cr.nn.Linear(3, 3), "weight", Symmetric())
    >>> bool((layer.weight == layer.weight.mT).all())
    True
    """
    parametrization.train(module.training)
    if is_parametrized(module, tensor_name):
        _append(module, tensor_name, parametrization, unsafe=unsafe)
    elif tensor_name in module._buffers or tensor_name in module._parameters:
        original = getattr(module, tensor_name)
        parametrizations = ParametrizationList([parametrization], original, unsafe=unsafe)
        delattr(module, tensor_name)
        if not is_parametrized(module):
            _inject_new_class(module)
            module.parametrizations = ModuleDict()
        _inject_property(module, tensor_name)
        module.parametrizations[tensor_name] = parametrizations
    else:
        msg = (
            f"Module '{module}' does not have a parameter, a buffer, or a parametrized element "
            f"with name '{tensor_name}'"
        )
        raise ValueError(msg)
    return module


def _append(module: Any, tensor_name: str, parametrization: Any, *, unsafe: bool) -> None:
    """Apply one more parametrization to a tensor that has some."""
    existing = module.parametrizations[tensor_name]
    if not unsafe:
        before = getattr(module, tensor_name)
        _expect_alike((before.dtype, before.shape), parametrization(before))
        if hasattr(parametrization, "right_inverse"):
            inverse = parametrization.right_inverse(before)
            if not isinstance(inverse, Tensor):
                msg = f"parametrization.right_inverse must return a tensor. Got: {type(inverse)}"
                raise ValueError(msg)
    existing.append(parametrization)
    existing.unsafe |= unsafe


def is_parametrized(module: Module, tensor_name: str | None = None) -> bool:
    """Return whether *module* has parametrizations, or one of *tensor_name*."""
    parametrizations = getattr(module, "parametrizations", None)
    if not isinstance(parametrizations, ModuleDict):
        return False
    return len(parametrizations) > 0 if tensor_name is None else tensor_name in parametrizations


def remove_parametrizations(
    module: Module, tensor_name: str, leave_parametrized: bool = True
) -> Module:
    """Undo the parametrizations of *tensor_name*.

    Args:
        module: Whose tensor.
        tensor_name: Its name.
        leave_parametrized: Let the tensor keep the values that were computed, rather than what it
            was before.

    Returns:
        *module*.

    Raises:
        ValueError: there are none, or the tensor was made of several that shall not be left.
    """
    if not is_parametrized(module, tensor_name):
        msg = f"Module {module} does not have a parametrization on {tensor_name}"
        raise ValueError(msg)
    parametrizations: Any = module.parametrizations
    parametrization = parametrizations[tensor_name]
    if parametrization.is_tensor:
        original = parametrization.original
        if leave_parametrized:
            with no_grad():
                computed = getattr(module, tensor_name)
                _set_data(original, computed)
    elif leave_parametrized:
        computed = getattr(module, tensor_name)
        original = Parameter(computed) if computed.requires_grad else computed
    else:
        msg = (
            "Cannot leave unparametrized (`leave_parametrized=False`) a tensor that is "
            "parametrized in terms of a sequence of tensors."
        )
        raise ValueError(msg)
    delattr(type(module), tensor_name)
    del parametrizations[tensor_name]
    _register(module, tensor_name, original)
    if not is_parametrized(module):
        delattr(module, "parametrizations")
        module.__class__ = type_before_parametrizations(module)
    return module


def type_before_parametrizations(module: Module) -> type:
    """Return the class that *module* had before it was parametrized."""
    return (
        type(module).__bases__[0]
        if is_parametrized(module) or _has_own_class(module)
        else type(module)
    )


def _has_own_class(module: Module) -> bool:
    return "__getstate__" in type(module).__dict__ and type(module).__module__ == __name__


def transfer_parametrizations_and_params(
    from_module: Module, to_module: Module, tensor_name: str | None = None
) -> Module:
    """Give *to_module* the parametrizations of *from_module*, and the tensors behind them.

    Args:
        from_module: Which has them.
        to_module: Which gets copies.
        tensor_name: Of this tensor alone; None for all.

    Returns:
        *to_module*.
    """
    if not is_parametrized(from_module):
        return to_module
    source: Any = from_module.parametrizations
    for name in source if tensor_name is None else [tensor_name]:
        own = source[name]
        if not hasattr(to_module, name):
            setattr(to_module, name, Parameter(getattr(from_module, name).detach().clone()))
        for parametrization in own:
            register_parametrization(to_module, name, copy.deepcopy(parametrization))
        target: Any = to_module.parametrizations
        for theirs, mine in zip(target[name]._originals(), own._originals(), strict=True):
            with no_grad():
                _set_data(theirs, mine.detach().clone())
    return to_module
