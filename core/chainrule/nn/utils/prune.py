"""Pruning: weights that are kept at zero by a mask.

A pruned tensor ``weight`` becomes a parameter ``weight_orig`` and a buffer ``weight_mask``, and is
computed as their product before each forward pass. Pruning it again prunes what is left.
"""

from __future__ import annotations

import numbers
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from ... import ops
from ..parameter import Parameter

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ...tensor import Tensor
    from ..modules.module import Module

__all__ = [
    "BasePruningMethod",
    "CustomFromMask",
    "Identity",
    "L1Unstructured",
    "LnStructured",
    "PruningContainer",
    "RandomStructured",
    "RandomUnstructured",
    "custom_from_mask",
    "global_unstructured",
    "identity",
    "is_pruned",
    "l1_unstructured",
    "ln_structured",
    "random_structured",
    "random_unstructured",
    "remove",
]


class BasePruningMethod(ABC):
    """A way to prune, and the hook that applies its mask. Derive, and write ``compute_mask``."""

    _tensor_name: str
    PRUNING_TYPE: str = "unstructured"

    def __call__(self, module: Module, inputs: Any) -> None:  # noqa: D102 - the hook itself
        setattr(module, self._tensor_name, self.apply_mask(module))

    @abstractmethod
    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """Return ones where *t* is kept and zeros where it is not, on top of *default_mask*."""

    def apply_mask(self, module: Module) -> Any:
        """Return the tensor with its mask."""
        mask = getattr(module, f"{self._tensor_name}_mask")
        original = getattr(module, f"{self._tensor_name}_orig")
        return mask.to(dtype=original.dtype) * original

    @classmethod
    def apply(
        cls,
        module: Any,
        name: str,
        *args: Any,
        importance_scores: Tensor | None = None,
        **kwargs: Any,
    ) -> Any:
        """Prune the tensor *name* of *module*; return the hook.

        Args:
            module: Whose tensor.
            name: Of the tensor.
            *args: Of the method.
            importance_scores: What is pruned by, in place of the tensor itself.
            **kwargs: Of the method.

        Raises:
            AssertionError: the scores have another shape than the tensor.
        """
        method: Any = cls(*args, **kwargs)
        method._tensor_name = name
        earlier = _hook_of(module, name)
        original = getattr(module, name)
        if importance_scores is not None and importance_scores.shape != original.shape:
            msg = f"importance_scores should have the same shape as parameter {name} of {module}"
            raise AssertionError(msg)
        if earlier is None:
            if not isinstance(module._parameters[name], Parameter):
                msg = f"expected 'module._parameters[{name}]' to be a Parameter"
                raise AssertionError(msg)
            module.register_parameter(f"{name}_orig", module._parameters.pop(name))
            default_mask = ops.ones_like(original)
        else:
            key, hook = earlier
            del module._forward_pre_hooks[key]
            container = hook if isinstance(hook, PruningContainer) else PruningContainer(hook)
            container.add_pruning_method(method)
            method = container
            default_mask = getattr(module, f"{name}_mask").detach().clone()
        scores = original if importance_scores is None else importance_scores
        mask = method.compute_mask(scores.detach(), default_mask=default_mask)
        module.register_buffer(f"{name}_mask", mask)
        setattr(module, name, method.apply_mask(module))
        module.register_forward_pre_hook(method)
        return method

    def prune(
        self,
        t: Any,
        default_mask: Tensor | None = None,
        importance_scores: Tensor | None = None,
    ) -> Any:
        """Return *t* pruned, without a module.

        Raises:
            AssertionError: the scores have another shape than *t*.
        """
        if importance_scores is not None and importance_scores.shape != t.shape:
            msg = "importance_scores should have the same shape as tensor t"
            raise AssertionError(msg)
        scores = t if importance_scores is None else importance_scores
        mask = ops.ones_like(t) if default_mask is None else default_mask
        return t * self.compute_mask(scores, default_mask=mask)

    def remove(self, module: Any) -> None:
        """Make the pruned tensor a parameter again, with its zeros."""
        name = self._tensor_name
        weight = self.apply_mask(module)
        if hasattr(module, name):
            delattr(module, name)
        original = module._parameters.pop(f"{name}_orig")
        original.data = weight.data
        del module._buffers[f"{name}_mask"]
        setattr(module, name, original)


def _hook_of(module: Any, name: str) -> tuple[int, Any] | None:
    """Return the hook that prunes the tensor *name*, with its number."""
    for key, hook in module._forward_pre_hooks.items():
        if isinstance(hook, BasePruningMethod) and hook._tensor_name == name:
            return key, hook
    return None


class PruningContainer(BasePruningMethod):
    """Several ways to prune one tensor, one after the other.

    Args:
        *args: The first ones.
    """

    def __init__(self, *args: Any) -> None:
        self._pruning_methods: tuple[Any, ...] = ()
        if len(args) == 1 and isinstance(args[0], BasePruningMethod):
            self._tensor_name = args[0]._tensor_name
        for method in args[0] if args and not isinstance(args[0], BasePruningMethod) else args:
            self.add_pruning_method(method)

    def add_pruning_method(self, method: Any) -> None:
        """Add one more.

        Raises:
            TypeError: it is no way to prune.
            ValueError: it prunes another tensor.
        """
        if method is not None and not isinstance(method, BasePruningMethod):
            msg = f"{type(method)} is not a BasePruningMethod subclass"
            raise TypeError(msg)
        name = getattr(self, "_tensor_name", None)
        if method is not None and name is not None and name != method._tensor_name:
            msg = (
                "Can only add pruning methods acting on the parameter named "
                f"'{name}' to PruningContainer {self}. Found '{method._tensor_name}'"
            )
            raise ValueError(msg)
        self._pruning_methods += (method,)

    def __len__(self) -> int:
        return len(self._pruning_methods)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._pruning_methods)

    def __getitem__(self, index: int) -> Any:
        return self._pruning_methods[index]

    def compute_mask(self, t: Any, default_mask: Any) -> Any:
        """Return *default_mask* after the last way to prune pruned what it left."""
        method = self._pruning_methods[-1]
        mask = default_mask.to(dtype=t.dtype)
        where = _left(method, mask)
        new = mask.clone()
        new[where] = method.compute_mask(t[where], mask[where]).to(mask.dtype)
        return new


def _left(method: Any, mask: Any) -> Any:
    """Return an index of what a way to prune may still take."""
    if method.PRUNING_TYPE == "unstructured":
        return mask == 1
    if method.PRUNING_TYPE == "global":
        return (slice(None),) * mask.dim()
    if method.PRUNING_TYPE != "structured":
        msg = f"Unrecognized PRUNING_TYPE {method.PRUNING_TYPE}"
        raise ValueError(msg)
    dim = getattr(method, "dim", 0) % mask.dim()
    others = [d for d in range(mask.dim()) if d != dim]
    index: list[Any] = [slice(None)] * mask.dim()
    index[dim] = mask.sum(others) != 0
    return tuple(index)


class Identity(BasePruningMethod):
    """Prunes nothing, and only makes the mask."""

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """Return *default_mask*."""
        return default_mask


class _ByAmount(BasePruningMethod):
    """Prunes a fraction of what there is, or a number."""

    def __init__(self, amount: float) -> None:
        _check_amount(amount)
        self.amount = amount

    def _count(self, size: int) -> int:
        """Return how many of *size* to prune.

        Raises:
            ValueError: there are fewer.
        """
        if isinstance(self.amount, numbers.Integral) and self.amount > size:
            msg = (
                f"amount={self.amount} should be smaller than the number of parameters to "
                f"prune={size}"
            )
            raise ValueError(msg)
        integral = isinstance(self.amount, numbers.Integral)
        return int(self.amount) if integral else round(self.amount * size)


class RandomUnstructured(_ByAmount):
    """Prunes elements at random.

    Args:
        amount: How many, or which fraction.
    """

    def compute_mask(self, t: Any, default_mask: Any) -> Any:
        """Return *default_mask* without elements drawn at random."""
        return _without_elements(
            default_mask, ops.rand_like(t), self._count(t.numel()), largest=True
        )


class L1Unstructured(_ByAmount):
    """Prunes the elements nearest to zero.

    Args:
        amount: How many, or which fraction.
    """

    def compute_mask(self, t: Any, default_mask: Any) -> Any:
        """Return *default_mask* without the smallest elements."""
        return _without_elements(default_mask, t.abs(), self._count(t.numel()), largest=False)


def _without_elements(mask: Any, scores: Any, count: int, *, largest: bool) -> Any:
    """Return *mask* with zeros at the *count* largest or smallest scores."""
    new = mask.clone()
    if count:
        chosen = ops.topk(scores.reshape(-1), count, largest=largest).indices
        new.view(-1)[chosen] = 0
    return new


class RandomStructured(_ByAmount):
    """Prunes whole slices of a dimension at random.

    Args:
        amount: How many, or which fraction.
        dim: The dimension.
    """

    PRUNING_TYPE = "structured"

    def __init__(self, amount: float, dim: int = -1) -> None:
        super().__init__(amount)
        self.dim = dim

    def compute_mask(self, t: Any, default_mask: Any) -> Any:
        """Return *default_mask* without slices drawn at random."""
        _check_slices(t, self.dim)
        size = t.shape[self.dim]
        count = self._count(size)
        if not count:
            return default_mask
        scores = ops.rand(size, device=t.device)
        kept = scores > ops.kthvalue(scores, count).values
        return _with_slices(default_mask, kept, self.dim)


class LnStructured(_ByAmount):
    """Prunes the slices of a dimension with the smallest norms.

    Args:
        amount: How many, or which fraction.
        n: The order of the norm.
        dim: The dimension.
    """

    PRUNING_TYPE = "structured"

    def __init__(self, amount: float, n: Any, dim: int = -1) -> None:
        super().__init__(amount)
        self.n, self.dim = n, dim

    def compute_mask(self, t: Any, default_mask: Any) -> Any:
        """Return *default_mask* without the slices with the smallest norms."""
        _check_slices(t, self.dim)
        size = t.shape[self.dim]
        count = self._count(size)
        if not count:
            return default_mask
        others = [d for d in range(t.dim()) if d != self.dim % t.dim()]
        norms = ops.norm(t, p=self.n, dim=others)
        kept = ops.zeros_like(norms).bool()
        kept[ops.topk(norms, size - count).indices] = True
        return _with_slices(default_mask, kept, self.dim)


def _with_slices(mask: Any, kept: Any, dim: int) -> Any:
    """Return *mask* with zeros where the slices of *dim* are not *kept*."""
    shape = [1] * mask.dim()
    shape[dim] = -1
    return mask * kept.reshape(shape).to(mask.dtype)


class CustomFromMask(BasePruningMethod):
    """Prunes by a mask that is given.

    Args:
        mask: Ones where the tensor is kept.
    """

    PRUNING_TYPE = "global"

    def __init__(self, mask: Tensor) -> None:
        self.mask = mask

    def compute_mask(self, t: Tensor, default_mask: Any) -> Any:
        """Return *default_mask* where the mask given keeps it."""
        return default_mask * self.mask.to(dtype=default_mask.dtype)


# Functions


def identity(module: Any, name: str) -> Any:
    """Give the tensor *name* of *module* a mask that prunes nothing; return *module*."""
    Identity.apply(module, name)
    return module


def random_unstructured(module: Any, name: str, amount: float) -> Any:
    """Prune elements of the tensor *name* at random; return *module*."""
    RandomUnstructured.apply(module, name, amount)
    return module


def l1_unstructured(
    module: Any, name: str, amount: float, importance_scores: Tensor | None = None
) -> Any:
    """Prune the elements of the tensor *name* that are nearest to zero; return *module*.

    Args:
        module: Whose tensor.
        name: Of the tensor.
        amount: How many, or which fraction.
        importance_scores: What is pruned by, in place of the tensor itself.

    Raises:
        TypeError: *amount* is no number.
        ValueError: it is no fraction and no count.

    >>> import chainrule as cr
    >>> layer = l1_unstructured(cr.nn.Linear(2, 3), "weight", amount=4)
    >>> int(layer.weight_mask.sum())
    2
    """
    L1Unstructured.apply(module, name, amount, importance_scores=importance_scores)
    return module


def random_structured(module: Any, name: str, amount: float, dim: int) -> Any:
    """Prune slices of the tensor *name* along *dim* at random; return *module*."""
    RandomStructured.apply(module, name, amount, dim)
    return module


def ln_structured(
    module: Any,
    name: str,
    amount: float,
    n: Any,
    dim: int,
    importance_scores: Tensor | None = None,
) -> Any:
    """Prune the slices of the tensor *name* along *dim* with the smallest norms of order *n*."""
    LnStructured.apply(module, name, amount, n, dim, importance_scores=importance_scores)
    return module


def custom_from_mask(module: Any, name: str, mask: Tensor) -> Any:
    """Prune the tensor *name* by *mask*; return *module*."""
    CustomFromMask.apply(module, name, mask)
    return module


def global_unstructured(
    parameters: Iterable[tuple[Any, str]],
    pruning_method: Any,
    importance_scores: dict[tuple[Any, str], Tensor] | None = None,
    **kwargs: Any,
) -> None:
    """Prune several tensors as if they were one.

    Args:
        parameters: Pairs of module and name.
        pruning_method: A class like `L1Unstructured`.
        importance_scores: What is pruned by, for some pairs.
        **kwargs: Of the method.

    Raises:
        TypeError: *parameters* is no list, or the method takes whole slices.
    """
    if not isinstance(parameters, (list, tuple)):
        msg = "global_unstructured(): expected a list or tuple of pairs of module and name."
        raise TypeError(msg)
    given = importance_scores or {}
    scores = [given.get((m, name), getattr(m, name)).detach() for m, name in parameters]
    masks = [
        getattr(m, f"{name}_mask", ops.ones_like(score))
        for (m, name), score in zip(parameters, scores, strict=True)
    ]
    method = pruning_method(**kwargs)
    if method.PRUNING_TYPE != "unstructured":
        msg = (
            'Only "unstructured" PRUNING_TYPE supported for the `pruning_method`. Found method '
            f"{pruning_method} of type {method.PRUNING_TYPE}"
        )
        raise TypeError(msg)
    method._tensor_name = "temp"
    container = PruningContainer()
    container._tensor_name = "temp"
    container.add_pruning_method(method)
    final = container.compute_mask(
        ops.cat([score.reshape(-1) for score in scores]),
        ops.cat([mask.reshape(-1) for mask in masks]),
    )
    start = 0
    for (module, name), score in zip(parameters, scores, strict=True):
        end = start + score.numel()
        custom_from_mask(module, name, mask=final[start:end].view_as(score))
        start = end


def remove(module: Any, name: str) -> Any:
    """Make the pruned tensor *name* a parameter again, with its zeros; return *module*.

    Raises:
        ValueError: it is not pruned.
    """
    found = _hook_of(module, name)
    if found is None:
        msg = (
            f"Parameter '{name}' of module {module} has to be pruned before pruning can be removed"
        )
        raise ValueError(msg)
    key, hook = found
    hook.remove(module)
    del module._forward_pre_hooks[key]
    return module


def is_pruned(module: Any) -> bool:
    """Return whether *module*, or a module in it, has a pruned tensor."""
    return any(
        isinstance(hook, BasePruningMethod)
        for _, child in module.named_modules()
        for hook in child._forward_pre_hooks.values()
    )


def _check_amount(amount: Any) -> None:
    if not isinstance(amount, numbers.Real):
        msg = f"Invalid type for amount: {amount}. Must be int or float."
        raise TypeError(msg)
    integral = isinstance(amount, numbers.Integral)
    if (integral and amount < 0) or (not integral and not 0.0 <= float(amount) <= 1.0):
        msg = (
            f"amount={amount} should either be a float in the range [0, 1] or a non-negative "
            "integer"
        )
        raise ValueError(msg)


def _check_slices(t: Any, dim: int) -> None:
    """Check that *t* has slices of *dim*.

    Raises:
        ValueError: it has one dimension only.
        IndexError: *dim* is out of range.
    """
    if t.dim() <= 1:
        msg = (
            "Structured pruning can only be applied to multidimensional tensors. Found tensor of "
            f"shape {t.shape} with {t.dim()} dims"
        )
        raise ValueError(msg)
    if dim >= t.dim():
        msg = f"Invalid index {dim} for tensor of size {t.shape}"
        raise IndexError(msg)
