"""A line search for the strong Wolfe conditions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

#: How much of the promised decrease is asked for, and how much of the slope may be left.
_DECREASE, _SLOPE = 1e-4, 0.9


class Point(NamedTuple):
    """What is known at one place of the line: how far along, value, gradient, slope."""

    t: Any
    value: float
    grad: Any
    slope: Any


def strong_wolfe(
    look: Callable[[Any], Point],
    start: Point,
    first: Any,
    longest: Any,
    *,
    most: int = 25,
    tolerance: float = 1e-9,
) -> tuple[Point, int]:
    """Return a point that is low and flat enough, and how often the function was looked at.

    Args:
        look: Gives the point at ``t``.
        start: The point at 0; its slope is negative.
        first: The ``t`` to begin with.
        longest: The largest element of the direction.
        most: How often the function may be looked at, besides at *first*.
        tolerance: How small a bracket is not worth dividing.

    Source:
        Nocedal and Wright, "Numerical optimization", 2006, algorithms 3.5 and 3.6, with the
        safeguards of Schmidt, "minFunc", 2005.
    """
    before, point, looks = start, look(first), 1
    ends, steps = None, 0
    while steps < most:
        if _too_high(point, start) or (steps > 1 and point.value >= before.value):
            ends = [before, point]
        elif _flat_enough(point, start):
            return point, looks
        elif point.slope >= 0:
            ends = [before, point]
        if ends is not None:
            break
        bounds = (point.t + 0.01 * (point.t - before.t), point.t * 10)
        before, point = point, look(interpolate(before, point, bounds))
        looks, steps = looks + 1, steps + 1
    found, more = _divide(look, start, ends or [start, point], most - steps, longest, tolerance)
    return found, looks + more


def _divide(
    look: Callable[[Any], Point],
    start: Point,
    ends: list[Point],
    most: int,
    longest: Any,
    tolerance: float,
) -> tuple[Point, int]:
    """Return the best point of a bracket after making it smaller, and how often was looked."""
    looks, stuck, done = 0, False, False
    low, high = _ranked(ends)
    while not done and looks < most:
        if abs(ends[1].t - ends[0].t) * longest < tolerance:
            break
        t, stuck = _inside(ends, stuck=stuck)
        point = look(t)
        looks += 1
        if _too_high(point, start) or point.value >= ends[low].value:
            ends[high] = point
            low, high = _ranked(ends)
        else:
            if _flat_enough(point, start):
                done = True
            elif point.slope * (ends[high].t - ends[low].t) >= 0:
                ends[high] = ends[low]
            ends[low] = point
    return ends[low], looks


def _inside(ends: list[Point], *, stuck: bool) -> tuple[Any, bool]:
    """Return where in a bracket to look, not too near its ends twice; and whether it was near."""
    t = interpolate(ends[0], ends[1])
    low, high = min(p.t for p in ends), max(p.t for p in ends)
    margin = 0.1 * (high - low)
    if min(high - t, t - low) >= margin:
        return t, False
    if not (stuck or t >= high or t <= low):
        return t, True
    return (high - margin if abs(t - high) < abs(t - low) else low + margin), False


def _too_high(point: Point, start: Point) -> bool:
    return bool(point.value > start.value + _DECREASE * point.t * start.slope)


def _flat_enough(point: Point, start: Point) -> bool:
    return bool(abs(point.slope) <= -_SLOPE * start.slope)


def _ranked(ends: list[Point]) -> tuple[int, int]:
    """Return the positions of the lower and of the higher end."""
    return (0, 1) if ends[0].value <= ends[1].value else (1, 0)


def interpolate(a: Point, b: Point, bounds: tuple[Any, Any] | None = None) -> Any:
    """Return where the cubic through two points with their slopes is lowest, within *bounds*."""
    low, high = bounds or (min(a.t, b.t), max(a.t, b.t))
    d1 = a.slope + b.slope - 3 * (a.value - b.value) / (a.t - b.t)
    square = d1 * d1 - a.slope * b.slope
    if square < 0:
        return (low + high) / 2.0
    d2 = square**0.5
    if a.t > b.t:
        a, b = b, a
    t = b.t - (b.t - a.t) * ((b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2))
    return min(max(t, low), high)
