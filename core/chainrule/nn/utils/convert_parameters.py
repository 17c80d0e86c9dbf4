"""All parameters as one vector, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ... import ops
from ...queries import typename
from ...tensor import Tensor

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["parameters_to_vector", "vector_to_parameters"]


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """Return one vector with the elements of all *parameters*, one after the other.

    Raises:
        TypeError: they are on different devices.

    Gradient:
        The parts of ``grad``, each in the shape of its parameter.

    >>> import chainrule as cr
    >>> parameters_to_vector([cr.ones(1, 2), cr.zeros(1)])
    tensor([1., 1., 0.])
    """
    parameters = list(parameters)
    _expect_one_device(parameters)
    return ops.cat([parameter.reshape(-1) for parameter in parameters])


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Make the parts of *vec* the data of *parameters*, in order.

    Raises:
        TypeError: *vec* is no tensor, or the parameters are on different devices.

    >>> import chainrule as cr
    >>> w = cr.zeros(1, 2, requires_grad=True)
    >>> vector_to_parameters(cr.tensor([5.0, 6.0]), [w])
    >>> w
    tensor([[5., 6.]], requires_grad=True)
    """
    if not isinstance(vec, Tensor):
        msg = f"expected torch.Tensor, but got: {typename(vec)}"
        raise TypeError(msg)
    parameters = list(parameters)
    _expect_one_device(parameters)
    start = 0
    for parameter in parameters:
        end = start + parameter.numel()
        parameter.data = vec[start:end].view_as(parameter).data
        start = end


def _expect_one_device(parameters: list[Tensor]) -> None:
    if len({str(parameter.device) for parameter in parameters}) > 1:
        msg = "Found two parameters on different devices, this is currently not supported."
        raise TypeError(msg)
