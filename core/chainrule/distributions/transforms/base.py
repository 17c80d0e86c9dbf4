"""`Transform`, and the inverse of one."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

from ...shapes import Size

if TYPE_CHECKING:
    from ..constraints import Constraint


def check_dims(found: int, least: int) -> None:
    """Check that an argument of a transform has at least *least* dimensions.

    Raises:
        ValueError: it has fewer.
    """
    if found < least:
        msg = "Too few dimensions on input"
        raise ValueError(msg)


class Transform:
    """A map ``y = t(x)`` with ``t.inv`` and ``t.log_abs_det_jacobian(x, y)``.

    Derive, give `domain` and `codomain`, ``_call``, ``_inverse`` and `log_abs_det_jacobian`.

    Args:
        cache_size: 1 keeps the last pair of values, so that an inverse that is inexact, or costs
            much, is not computed; 0 keeps none.
    """

    bijective = False
    domain: Constraint
    codomain: Constraint

    def __init__(self, cache_size: int = 0) -> None:
        if cache_size not in {0, 1}:
            msg = "cache_size must be 0 or 1"
            raise ValueError(msg)
        self._cache_size = cache_size
        self._inv: weakref.ReferenceType[Transform] | None = None
        self._cached_x_y: tuple[Any, Any] = (None, None)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_inv": None}

    @property
    def event_dim(self) -> int:
        """How many dimensions are mapped together, where domain and codomain agree."""
        if self.domain.event_dim == self.codomain.event_dim:
            return self.domain.event_dim
        msg = "Please use either .domain.event_dim or .codomain.event_dim"
        raise ValueError(msg)

    @property
    def inv(self) -> Transform:
        """The inverse, as a transform."""
        made = self._inv() if self._inv is not None else None
        if made is None:
            made = _InverseTransform(self)
            self._inv = weakref.ref(made)
        return made

    @property
    def sign(self) -> Any:
        """The sign of the derivative: 1 or -1, where it is one of numbers and keeps its sign."""
        raise NotImplementedError

    def with_cache(self, cache_size: int = 1) -> Transform:
        """Return the same transform with another size of cache."""
        if self._cache_size == cache_size:
            return self
        if type(self).__init__ is Transform.__init__:
            return type(self)(cache_size=cache_size)
        msg = f"{type(self)}.with_cache is not implemented"
        raise NotImplementedError(msg)

    def __eq__(self, other: object) -> bool:
        return self is other

    __hash__ = object.__hash__

    def __call__(self, x: Any) -> Any:
        """Return what *x* is mapped to."""
        if self._cache_size == 0:
            return self._call(x)
        old_x, old_y = self._cached_x_y
        if x is old_x:
            return old_y
        y = self._call(x)
        self._cached_x_y = x, y
        return y

    def _inv_call(self, y: Any) -> Any:
        if self._cache_size == 0:
            return self._inverse(y)
        old_x, old_y = self._cached_x_y
        if y is old_y:
            return old_x
        x = self._inverse(y)
        self._cached_x_y = x, y
        return x

    def _call(self, x: Any) -> Any:
        raise NotImplementedError

    def _inverse(self, y: Any) -> Any:
        raise NotImplementedError

    def log_abs_det_jacobian(self, x: Any, y: Any) -> Any:
        """Return ``log |dy/dx|``, per event."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"

    def forward_shape(self, shape: Any) -> Size:
        """Return the shape of the result for an argument of *shape*."""
        return Size(shape)

    def inverse_shape(self, shape: Any) -> Size:
        """Return the shape of the argument for a result of *shape*."""
        return Size(shape)


class _InverseTransform(Transform):
    """The inverse of a transform."""

    def __init__(self, transform: Transform) -> None:
        super().__init__(cache_size=transform._cache_size)
        self._inv = None
        self._of = transform

    @property
    def domain(self) -> Constraint:  # type: ignore[override]  # the other's codomain
        """The codomain of the transform."""
        return self._of.codomain

    @property
    def codomain(self) -> Constraint:  # type: ignore[override]  # the other's domain
        """The domain of the transform."""
        return self._of.domain

    @property
    def bijective(self) -> bool:  # type: ignore[override]  # as the other
        """Whether the transform is bijective."""
        return self._of.bijective

    @property
    def sign(self) -> Any:
        return self._of.sign

    @property
    def inv(self) -> Transform:
        return self._of

    def with_cache(self, cache_size: int = 1) -> Transform:
        return self._of.with_cache(cache_size).inv

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _InverseTransform) and self._of == other._of

    __hash__ = Transform.__hash__

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._of!r})"

    def __call__(self, x: Any) -> Any:
        return self._of._inv_call(x)

    def log_abs_det_jacobian(self, x: Any, y: Any) -> Any:
        return -self._of.log_abs_det_jacobian(y, x)

    def forward_shape(self, shape: Any) -> Size:
        return self._of.inverse_shape(shape)

    def inverse_shape(self, shape: Any) -> Size:
        return self._of.forward_shape(shape)
