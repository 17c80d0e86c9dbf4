"""`vmap`: a function of one sample becomes a function of many."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from .. import ops
from ..errors import AutogradError
from ..transforms.batched import BatchedArray, BatchLevel, sizes_agree
from ..transforms.wrapped import is_tensor
from ..trees import (
    _broadcast_to_and_flatten,
    tree_flatten,
    tree_unflatten,
)
from ..views import refresh
from ._trees import name_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def vmap(
    func: Callable[..., Any],
    in_dims: Any = 0,
    out_dims: Any = 0,
    randomness: str = "error",
    *,
    chunk_size: int | None = None,
) -> Callable[..., Any]:
    """Return *func* mapped over a dimension of its arguments: all samples are computed at once.

    Args:
        func: A function of tensors, or trees of them, that returns tensors, or trees of them.
        in_dims: The dimension to map over: one for all, or a tree like the arguments; None for
            what is the same for all samples.
        out_dims: Where the mapped dimension stands in the results: one for all, or a tree like
            the result; None for a result that is the same for all samples.
        randomness: What random operations do: ``"error"``; ``"different"``: each sample draws its
            own numbers; ``"same"``: all samples share them.
        chunk_size: Compute so many samples at a time; None for all.

    Returns:
        A function that takes and gives one more dimension.

    Raises:
        ValueError: when called, if the dimensions do not fit the arguments or the result.
        RuntimeError: when called, if a sample's values decide what is computed.

    >>> import chainrule as cr
    >>> x, y = cr.arange(6.0).view(3, 2), cr.ones(3, 2)
    >>> cr.func.vmap(cr.dot)(x, y)
    tensor([1., 5., 9.])
    """
    if randomness not in {"error", "different", "same"}:
        msg = (
            "Only allowed values for randomness are 'error', 'different', or 'same'. "
            f"Got {randomness}"
        )
        raise AutogradError(msg)
    if not (chunk_size is None or chunk_size > 0):
        msg = f"vmap: chunk_size should be None or greater than 0. (got {chunk_size})"
        raise ValueError(msg)

    @functools.wraps(func)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        size, flat_dims, flat, spec = _checked(func, in_dims, args)
        if chunk_size is None or chunk_size >= size:
            mapped = _Mapped(func, size, out_dims, randomness)
            return mapped.run(flat, flat_dims, spec, kwargs)
        results = []
        for start in range(0, size, chunk_size):
            stop = min(start + chunk_size, size)
            part = [_part(a, d, start, stop) for a, d in zip(flat, flat_dims, strict=True)]
            mapped = _Mapped(func, stop - start, out_dims, randomness)
            results.append(mapped.run(part, flat_dims, spec, kwargs))
        return _concatenated(func, results, out_dims)

    return wrapped


def _part(arg: Any, dim: int | None, start: int, stop: int) -> Any:
    return arg if dim is None else ops.narrow(arg, dim, start, stop - start)


def _concatenated(func: Any, results: list[Any], out_dims: Any) -> Any:
    columns, spec = [], None
    for result in results:
        leaves, spec = tree_flatten(result)
        columns.append(leaves)
    dims = _out_dims(func, out_dims, spec)
    return tree_unflatten(
        [
            items[0] if dim is None else ops.cat(list(items), dim)
            for items, dim in zip(zip(*columns, strict=True), dims, strict=True)
        ],
        spec,  # type: ignore[arg-type]  # there is at least one result
    )


class _Mapped:
    """One run of a mapped function."""

    def __init__(self, func: Any, size: int, out_dims: Any, randomness: str) -> None:
        self.func, self.out_dims = func, out_dims
        self.level = BatchLevel(size, randomness)

    def run(self, flat: list[Any], dims: Sequence[int | None], spec: Any, kwargs: Any) -> Any:
        with self.level:
            args = [self._enter(arg, dim) for arg, dim in zip(flat, dims, strict=True)]
            result = self.func(*tree_unflatten(args, spec), **kwargs)
            return self._leave(result)

    def _enter(self, arg: Any, dim: int | None) -> Any:
        if dim is None:
            return arg
        if dim:
            arg = ops.movedim(arg, dim, 0)
        return self.level.backend.batch(self.level, arg)

    def _leave(self, result: Any) -> Any:
        leaves, spec = tree_flatten(result)
        dims = _out_dims(self.func, self.out_dims, spec)
        made = [self._out(leaf, dim) for leaf, dim in zip(leaves, dims, strict=True)]
        return tree_unflatten(made, spec)

    def _out(self, leaf: Any, dim: int | None) -> Any:
        name = name_of(self.func)
        if not is_tensor(leaf):
            if dim is None:
                return leaf
            msg = (
                f"vmap({name}, ...): `{name}` must only return Tensors, got type {type(leaf)}. Did "
                "you mean to set out_dims= to None for output?"
            )
            raise ValueError(msg)
        if leaf._base is not None:
            refresh(leaf)
        array = leaf._array
        mine = isinstance(array, BatchedArray) and array.level is self.level
        if dim is None:
            if mine and array.batched:
                msg = (
                    f"vmap({name}, ...): `{name}` can not return a BatchedTensor when out_dim is "
                    "None"
                )
                raise ValueError(msg)
            return array.tensor if mine else leaf
        whole = array.whole() if mine else ops.expand(leaf, (self.level.size, *array.shape)).clone()
        if mine and not array.batched:
            whole = whole.clone()
        return ops.movedim(whole, 0, dim) if dim else whole


def _out_dims(func: Any, out_dims: Any, spec: Any) -> list[Any]:
    if isinstance(out_dims, int) or out_dims is None:
        return [out_dims] * spec.num_leaves
    name = name_of(func)
    if not isinstance(out_dims, (tuple, list, dict)):
        msg = (
            f"vmap({name}, ..., out_dims={out_dims}): `out_dims` must be an int, None or a python "
            "collection of ints representing where in the outputs the vmapped dimension should "
            "appear."
        )
        raise ValueError(msg)  # noqa: TRY004 - PyTorch's type
    found = _broadcast_to_and_flatten(out_dims, spec)
    if spec.is_leaf() and isinstance(out_dims, tuple) and len(out_dims) == 1:
        found = list(out_dims)
    if found is None:
        structure = tree_flatten(out_dims)[1]
        msg = (
            f"vmap({name}, ..., out_dims={out_dims})(<inputs>): out_dims is not compatible with "
            f"the structure of `outputs`. out_dims has structure {structure} but outputs has "
            f"structure {spec}."
        )
        raise ValueError(msg)
    return found


def _checked(
    func: Any, in_dims: Any, args: tuple[Any, ...]
) -> tuple[int, list[Any], list[Any], Any]:
    """Return the number of samples, the dimension of every leaf, the leaves, their structure."""
    name = name_of(func)
    if not isinstance(in_dims, (int, list, tuple)) or isinstance(in_dims, bool):
        msg = (
            f"vmap({name}, in_dims={in_dims}, ...)(<inputs>): expected `in_dims` to be int or a "
            "(potentially nested) tuple matching the structure of inputs, got: "
            f"{type(in_dims)}."
        )
        raise ValueError(msg)  # noqa: TRY004 - PyTorch's type
    if not args:
        msg = (
            f"vmap({name})(<inputs>): got no inputs. Maybe you forgot to add inputs, or you are "
            "trying to vmap over a function with no inputs. The latter is unsupported."
        )
        raise ValueError(msg)
    flat, spec = tree_flatten(args)
    if isinstance(in_dims, list):
        in_dims = tuple(in_dims)
    dims = _broadcast_to_and_flatten(in_dims, spec)
    start = f"vmap({name}, in_dims={in_dims}, ...)(<inputs>):"
    if dims is None:
        msg = (
            f"{start} in_dims is not compatible with the structure of `inputs`. in_dims has "
            f"structure {tree_flatten(in_dims)[1]} but inputs has structure {spec}."
        )
        raise ValueError(msg)
    dims = [_checked_dim(start, arg, dim) for arg, dim in zip(flat, dims, strict=True)]
    sizes = [a._array.shape[d] for a, d in zip(flat, dims, strict=True) if d is not None]
    if not sizes:
        msg = (
            f"vmap({name}, in_dims={in_dims}, ...)(<inputs>): at least one input should have a "
            "dimension to map over."
        )
        raise ValueError(msg)
    if len(set(sizes)) > 1:
        try:
            sizes_agree(sizes)
        except RuntimeError as error:
            raise ValueError(str(error)) from None
    return sizes[0], dims, flat, spec


def _checked_dim(start: str, arg: Any, dim: Any) -> int | None:
    if dim is None:
        return None
    if not isinstance(dim, int):
        msg = (
            f"{start} Got in_dim={dim} for an input but in_dim must be either an integer dimension "
            "or None."
        )
        raise ValueError(msg)  # noqa: TRY004 - PyTorch's type
    if not is_tensor(arg):
        msg = (
            f"{start} Got in_dim={dim} for an input but the input is of type {type(arg)}. We "
            "cannot vmap over non-Tensor arguments, please use None as the respective in_dim"
        )
        raise ValueError(msg)
    ndim = len(arg._array.shape)
    if not -ndim <= dim < ndim:
        msg = (
            f"{start} Got in_dim={dim} for some input, but that input is a Tensor of "
            f"dimensionality {ndim} so expected in_dim to satisfy -{ndim} <= in_dim < {ndim}."
        )
        raise ValueError(msg)
    return dim % ndim
