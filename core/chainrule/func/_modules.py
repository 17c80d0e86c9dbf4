"""Modules as functions of their parameters."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from .. import ops
from ..errors import AutogradError
from ..value import Value

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..nn import Module
    from ..tensor import Tensor


def functional_call(
    module: Module,
    parameter_and_buffer_dicts: dict[str, Tensor] | Sequence[dict[str, Tensor]],
    args: Any = None,
    kwargs: dict[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """Return what *module* gives with other parameters and buffers in place of its own.

    Args:
        module: It is the same afterwards.
        parameter_and_buffer_dicts: The tensors, by the names of ``named_parameters()`` and
            ``named_buffers()``; or several such dicts.
        args: The positional arguments; one that is no tuple stands alone.
        kwargs: The keyword arguments.
        tie_weights: Whether a tensor that the module has under two names is replaced under both.
        strict: Whether every parameter and buffer must be given, and nothing else.

    Raises:
        ValueError: a name is given twice, by itself or by another one of the same tensor.
        RuntimeError: *strict*, and a name is missing or unknown.

    >>> import chainrule as cr
    >>> layer = cr.nn.Linear(2, 1)
    >>> params = {"weight": cr.ones(1, 2), "bias": cr.zeros(1)}
    >>> cr.func.functional_call(layer, params, cr.tensor([1.0, 2.0]))
    tensor([3.])
    """
    given = _merged(parameter_and_buffer_dicts)
    if args is None:
        args = ()
    elif not isinstance(args, tuple):
        args = (args,)
    with _replaced(module, given, tie_weights=tie_weights, strict=strict):
        return module(*args, **(kwargs or {}))


def _merged(dicts: Any) -> dict[str, Any]:
    if isinstance(dicts, dict):
        return dicts
    if not isinstance(dicts, (tuple, list)):
        msg = (
            "Expected parameter_and_buffer_dicts to be a dict, or a list/tuple of dicts, but got "
            f"{type(dicts)}"
        )
        raise ValueError(msg)  # noqa: TRY004 - PyTorch's type
    if not all(isinstance(one, dict) for one in dicts):
        msg = "Expected all elements of parameter_and_buffer_dicts to be dictionaries"
        raise ValueError(msg)
    names = [name for one in dicts for name in one]
    twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    if twice:
        msg = f"{twice} appeared in multiple dictionaries; behavior of functional call is ambiguous"
        raise ValueError(msg)
    return {name: tensor for one in dicts for name, tensor in one.items()}


@contextlib.contextmanager
def _replaced(
    module: Any, given: dict[str, Any], *, tie_weights: bool, strict: bool
) -> Iterator[None]:
    """Put tensors in place of the module's own, and put those back."""
    own = {**_named(module.named_parameters), **_named(module.named_buffers)}
    if strict:
        _check_strict(module, given, own)
    if tie_weights:
        given = _tied(given, own)
    places = [(*_register(module, name), tensor) for name, tensor in given.items()]
    before = [(members, name, members.get(name, _ABSENT)) for members, name, _ in places]
    try:
        for members, name, tensor in places:
            members[name] = tensor
        yield
    finally:
        for members, name, tensor in before:
            if tensor is _ABSENT:
                members.pop(name, None)
            else:
                members[name] = tensor


_ABSENT: Any = object()


def _named(listing: Any) -> dict[str, Any]:
    return dict(listing(remove_duplicate=False))


def _check_strict(module: Any, given: dict[str, Any], own: dict[str, Any]) -> None:
    unexpected = [name for name in given if name not in own]
    names: dict[int, set[str]] = {}
    for name, tensor in own.items():
        names.setdefault(id(tensor), set()).add(name)
    missing = [n for n, t in own.items() if not names[id(t)] & given.keys()]
    lines = [
        f"\t{kind} key(s): {', '.join(f'{name!r}' for name in found)}."
        for kind, found in (("Unexpected", unexpected), ("Missing", missing))
        if found
    ]
    if lines:
        what = "\n".join(lines)
        msg = f"Error(s) in reparametrizing for {type(module).__name__}:\n{what}"
        raise AutogradError(msg)


def _tied(given: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """Return *given*, with a tensor under every name of what it replaces.

    Raises:
        ValueError: two tensors would replace one.
    """
    names: dict[int, list[str]] = {}
    for name, tensor in own.items():
        names.setdefault(id(tensor), []).append(name)
    made = dict(given)
    for tied in names.values():
        new = [name for name in tied if name in given]
        if len({id(given[name]) for name in new}) > 1:
            msg = (
                f"functional_call got multiple values for keys {sorted(new)}, which are tied. "
                "Consider using tie_weights=False"
            )
            raise ValueError(msg)
        if new:
            made.update(dict.fromkeys(tied, given[new[0]]))
    return made


def _register(module: Any, path: str) -> tuple[Any, str]:
    """Return the dict in which the module keeps what *path* names, and its name there."""
    *parents, name = path.split(".")
    for parent in parents:
        if parent not in module._modules:
            msg = f"{type(module).__name__} has no attribute `{parent}`"
            raise AttributeError(msg)
        module = module._modules[parent]
    for members in (module._parameters, module._buffers):
        if name in members:
            return members, name
    return module.__dict__, name


def stack_module_state(
    models: Sequence[Module],
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the parameters and the buffers of several equal modules, stacked.

    With `functional_call` and `vmap` the modules run as one.

    Args:
        models: Modules of one class, in one mode.

    Returns:
        Two dicts: leaves that require grad as the parameters do, and buffers.

    Raises:
        RuntimeError: there are none, or they differ in class or mode.

    >>> import chainrule as cr
    >>> params, buffers = cr.func.stack_module_state([cr.nn.Linear(2, 3) for _ in range(5)])
    >>> params["weight"].shape
    torch.Size([5, 3, 2])
    """
    models = list(models)
    if not models:
        msg = "stack_module_state: Expected at least one model, got 0."
        raise AutogradError(msg)
    if len({model.training for model in models}) > 1:
        msg = "stack_module_state: Expected all models to have the same training/eval mode."
        raise AutogradError(msg)
    if len({type(model) for model in models}) > 1:
        msg = "stack_module_state: Expected all models to be of the same class."
        raise AutogradError(msg)
    params = [dict(model.named_parameters()) for model in models]
    buffers = [dict(model.named_buffers()) for model in models]
    return (
        {name: _stacked([one[name] for one in params]) for name in params[0]},
        {name: _stacked([one[name] for one in buffers]) for name in buffers[0]},
    )


def _stacked(tensors: list[Any]) -> Any:
    if not all(isinstance(tensor, Value) for tensor in tensors):
        return tensors[0]
    made = ops.stack(tensors).detach()
    made._requires_grad = any(tensor.requires_grad for tensor in tensors)
    return made


def replace_all_batch_norm_modules_(root: Module) -> Module:
    """Return *root* after making every batch normalisation in it keep no running statistics.

    `vmap` maps over what would be written into one statistic for all samples.

    >>> import chainrule as cr
    >>> model = cr.nn.Sequential(cr.nn.Linear(2, 3), cr.nn.BatchNorm1d(3))
    >>> cr.func.replace_all_batch_norm_modules_(model)[1].running_mean is None
    True
    """
    for module in root.modules():
        own: Any = module
        if hasattr(own, "track_running_stats") and type(own).__name__.startswith("BatchNorm"):
            own.running_mean = own.running_var = own.num_batches_tracked = None
            own.track_running_stats = False
    return root
