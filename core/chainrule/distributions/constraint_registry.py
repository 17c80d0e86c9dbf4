"""From a constraint to a transform that leads into it from unconstrained numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import constraints, transforms

if TYPE_CHECKING:
    from collections.abc import Callable

    from .constraints import Constraint
    from .transforms import Transform

__all__ = ["ConstraintRegistry", "biject_to", "transform_to"]


class ConstraintRegistry:
    """A table from kinds of constraints to makers of transforms.

    >>> from chainrule.distributions import biject_to, constraints
    >>> biject_to(constraints.positive)
    ExpTransform()
    """

    def __init__(self) -> None:
        self._makers: dict[type[Constraint], Callable[[Any], Transform]] = {}

    def register(
        self,
        constraint: Constraint | type[Constraint],
        factory: Callable[[Any], Transform] | None = None,
    ) -> Callable[[Any], Any]:
        """Let *factory* make the transform into constraints of this kind; also as a decorator.

        Raises:
            TypeError: *constraint* is no constraint.
        """
        if factory is None:
            return lambda made: self.register(constraint, made)
        kind = type(constraint) if isinstance(constraint, constraints.Constraint) else constraint
        if not isinstance(kind, type) or not issubclass(kind, constraints.Constraint):
            msg = (
                "Expected constraint to be either a Constraint subclass or instance, but got "
                f"{constraint}"
            )
            raise TypeError(msg)
        self._makers[kind] = factory
        return factory

    def __call__(self, constraint: Constraint) -> Transform:
        """Return the transform into *constraint*.

        Raises:
            NotImplementedError: none is registered for constraints of this kind.
        """
        try:
            factory = self._makers[type(constraint)]
        except KeyError:
            msg = f"Cannot transform {type(constraint).__name__} constraints"
            raise NotImplementedError(msg) from None
        return factory(constraint)


biject_to = ConstraintRegistry()
transform_to = ConstraintRegistry()


def _both(*kinds: Any) -> Callable[[Any], Any]:
    """Register a maker in both tables, for each of *kinds*."""

    def add(factory: Any) -> Any:
        for kind in kinds:
            biject_to.register(kind, factory)
            transform_to.register(kind, factory)
        return factory

    return add


@_both(constraints.real)
def _to_real(constraint: Any) -> Transform:
    return transforms.identity_transform


@biject_to.register(constraints.independent)
def _bijection_of_events(constraint: Any) -> Transform:
    base = biject_to(constraint.base_constraint)
    return transforms.IndependentTransform(base, constraint.reinterpreted_batch_ndims)


@transform_to.register(constraints.independent)
def _transform_of_events(constraint: Any) -> Transform:
    base = transform_to(constraint.base_constraint)
    return transforms.IndependentTransform(base, constraint.reinterpreted_batch_ndims)


@_both(constraints.positive, constraints.nonnegative)
def _to_positive(constraint: Any) -> Transform:
    return transforms.ExpTransform()


@_both(constraints.greater_than, constraints.greater_than_eq)
def _to_greater_than(constraint: Any) -> Transform:
    steps = [transforms.ExpTransform(), transforms.AffineTransform(constraint.lower_bound, 1)]
    return steps[0] if _is(constraint.lower_bound, 0) else transforms.ComposeTransform(steps)


@_both(constraints.less_than)
def _to_less_than(constraint: Any) -> Transform:
    return transforms.ComposeTransform(
        [transforms.ExpTransform(), transforms.AffineTransform(constraint.upper_bound, -1)]
    )


@_both(constraints.interval, constraints.half_open_interval)
def _to_interval(constraint: Any) -> Transform:
    low, high = constraint.lower_bound, constraint.upper_bound
    if _is(low, 0) and _is(high, 1):
        return transforms.SigmoidTransform()
    return transforms.ComposeTransform(
        [transforms.SigmoidTransform(), transforms.AffineTransform(low, high - low)]
    )


def _is(bound: Any, number: int) -> bool:
    return isinstance(bound, (int, float)) and bound == number


@biject_to.register(constraints.simplex)
def _bijection_to_simplex(constraint: Any) -> Transform:
    return transforms.StickBreakingTransform()


@transform_to.register(constraints.simplex)
def _transform_to_simplex(constraint: Any) -> Transform:
    return transforms.SoftmaxTransform()


@transform_to.register(constraints.lower_cholesky)
def _to_lower_cholesky(constraint: Any) -> Transform:
    return transforms.LowerCholeskyTransform()


@transform_to.register(constraints.positive_definite)
@transform_to.register(constraints.positive_semidefinite)
def _to_positive_definite(constraint: Any) -> Transform:
    return transforms.PositiveDefiniteTransform()


@_both(constraints.corr_cholesky)
def _to_corr_cholesky(constraint: Any) -> Transform:
    return transforms.CorrCholeskyTransform()


def _parts(table: ConstraintRegistry) -> None:
    """Register what is put together of parts."""

    @table.register(constraints.cat)
    def _to_cat(constraint: Any) -> Transform:
        parts = [table(c) for c in constraint.cseq]
        return transforms.CatTransform(parts, constraint.dim, constraint.lengths)

    @table.register(constraints.stack)
    def _to_stack(constraint: Any) -> Transform:
        return transforms.StackTransform([table(c) for c in constraint.cseq], constraint.dim)


_parts(biject_to)
_parts(transform_to)
