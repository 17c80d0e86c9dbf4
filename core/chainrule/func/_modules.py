"""Modules as functions of their parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import ops
from ..errors import AutogradError
from ..value import Value

if TYPE_CHECKING:
    from collections.abc import Sequence

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
    from ..nn.utils.stateless import _functional_call  # whoever has a module has loaded it

    given = _merged(parameter_and_buffer_dicts)
    return _functional_call(module, given, args, kwargs, tie_weights=tie_weights, strict=strict)


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
        {name: _stacked(name, [one[name] for one in params]) for name in params[0]},
        {name: _stacked(name, [one[name] for one in buffers]) for name in buffers[0]},
    )


def _stacked(name: str, tensors: list[Any]) -> Any:
    if not all(isinstance(tensor, Value) for tensor in tensors):
        return tensors[0]
    if len({tensor.requires_grad for tensor in tensors}) > 1:
        msg = (
            f"Expected {name} from each model to have the same .requires_grad\n"
            "stack_module_state: freeze it in all models or in none."
        )
        raise AutogradError(msg)
    made = ops.stack(tensors).detach()
    made._requires_grad = tensors[0].requires_grad
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
