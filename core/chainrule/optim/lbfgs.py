"""A quasi-Newton method with limited memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import ops
from ..grad_mode import no_grad
from ._grouped import check_rate
from ._line_search import Point, strong_wolfe
from ._stepping import loss_of, number
from .optimizer import Optimizer

if TYPE_CHECKING:
    from ..tensor import Tensor
    from ._stepping import Closure

__all__ = ["LBFGS"]

#: Curvature below it says nothing, and is not remembered.
_LEAST_CURVATURE = 1e-10


class LBFGS(Optimizer):
    """Steps with an inverse Hessian that the last gradients tell, for losses without noise.

    All parameters are one vector, in one group. A step calls the closure several times.

    Args:
        params: Tensors, or pairs of name and tensor.
        lr: The length of a step, or where a line search begins.
        max_iter: How many directions are followed per step.
        max_eval: How often the closure may be called per step; 1.25 *max_iter* by default.
        tolerance_grad: Done when no element of the gradient is larger.
        tolerance_change: Done when parameters or loss change less.
        history_size: How many changes of the gradient are remembered.
        line_search_fn: ``"strong_wolfe"``, or None for steps of a fixed length.

    Raises:
        ValueError: there are several groups, or *lr* is negative, infinite or not a number.

    Source:
        Nocedal, "Updating quasi-Newton matrices with limited storage", 1980, and Nocedal and
        Wright, "Numerical optimization", 2006, algorithm 7.4.

    >>> import chainrule as cr
    >>> w = cr.tensor([3.0, -2.0], requires_grad=True)
    >>> optimizer = LBFGS([w], line_search_fn="strong_wolfe")
    >>> def closure():
    ...     optimizer.zero_grad()
    ...     loss = ((w - 1) ** 2).sum()
    ...     loss.backward()
    ...     return loss
    >>> optimizer.step(closure)
    tensor(13., grad_fn=<SumBackward0>)
    >>> cr.allclose(w, cr.ones(2))
    True
    """

    def __init__(
        self,
        params: Any,
        lr: float | Tensor = 1,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        defaults = {
            "lr": lr,
            "max_iter": max_iter,
            "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
            "tolerance_grad": tolerance_grad,
            "tolerance_change": tolerance_change,
            "history_size": history_size,
            "line_search_fn": line_search_fn,
        }
        super().__init__(params, defaults)
        if len(self.param_groups) != 1:
            msg = "LBFGS doesn't support per-parameter options (parameter groups)"
            raise ValueError(msg)
        self._params: list[Tensor] = self.param_groups[0]["params"]

    def _check_group(self, group: dict[str, Any]) -> None:
        check_rate(group["lr"])

    @no_grad()
    def step(self, closure: Closure) -> Any:  # type: ignore[override]  # as PyTorch: it is needed
        """Follow up to *max_iter* directions; return what *closure* returned at first.

        Raises:
            RuntimeError: the line search is unknown.
        """
        self._params = self.param_groups[0]["params"]
        group, state = self.param_groups[0], self.state[self._params[0]]
        state.setdefault("func_evals", 0)
        state.setdefault("n_iter", 0)
        first_loss = loss_of(closure)
        loss, grad, looks = _value(first_loss), self._flat_grad(), 1
        state["func_evals"] += 1
        if grad.abs().max() <= group["tolerance_grad"]:
            return first_loss
        rate = number(group["lr"])
        for done in range(1, group["max_iter"] + 1):
            state["n_iter"] += 1
            direction = self._direction(state, grad, group["history_size"])
            state["prev_flat_grad"], state["prev_loss"] = grad.clone(), loss
            state["t"] = rate
            if state["n_iter"] == 1:
                state["t"] = min(1.0, 1.0 / grad.abs().sum()) * rate
            slope = grad.dot(direction)
            if slope > -group["tolerance_change"]:
                break
            if group["line_search_fn"] is not None:
                start = Point(0, loss, grad, slope)
                found, count = self._search(
                    closure, start, direction, group["line_search_fn"], group["max_eval"] - looks
                )
                loss, grad, state["t"] = found.value, found.grad, found.t
            else:
                self._move(direction, state["t"])
                count = 0
                if done != group["max_iter"]:  # nobody will ask for the last
                    loss, grad, count = _value(loss_of(closure)), self._flat_grad(), 1
            looks += count
            state["func_evals"] += count
            if looks >= group["max_eval"] or self._is_done(group, state, loss, grad):
                break
        return first_loss

    @staticmethod
    def _is_done(group: dict[str, Any], state: dict[str, Any], loss: float, grad: Tensor) -> bool:
        """Return whether the gradient, the step or the change of the loss is small enough."""
        small = group["tolerance_change"]
        return bool(
            grad.abs().max() <= group["tolerance_grad"]
            or (state["d"] * state["t"]).abs().max() <= small
            or abs(loss - state["prev_loss"]) < small
        )

    @staticmethod
    def _direction(state: dict[str, Any], grad: Tensor, history_size: int) -> Tensor:
        """Return the way to go, the inverse Hessian times the gradient, after remembering more."""
        if state["n_iter"] == 1:
            state.update(d=-grad, old_dirs=[], old_stps=[], ro=[], H_diag=1)
            return state["d"]  # type: ignore[no-any-return]  # as put there
        changes, moves, scales = state["old_dirs"], state["old_stps"], state["ro"]
        change, move = grad - state["prev_flat_grad"], state["d"] * state["t"]
        curvature = change.dot(move)
        if curvature > _LEAST_CURVATURE:
            if len(changes) == history_size:
                for memory in (changes, moves, scales):
                    memory.pop(0)
            changes.append(change)
            moves.append(move)
            scales.append(1.0 / curvature)
            state["H_diag"] = curvature / change.dot(change)
        shares = state.setdefault("al", [None] * history_size)
        direction: Any = -grad
        for i in reversed(range(len(changes))):
            shares[i] = moves[i].dot(direction) * scales[i]
            direction = direction - changes[i] * shares[i]
        direction = direction * state["H_diag"]
        for i in range(len(changes)):
            share = changes[i].dot(direction) * scales[i]
            direction = direction + moves[i] * (shares[i] - share)
        state["d"] = direction
        return state["d"]  # type: ignore[no-any-return]  # as put there

    def _search(
        self, closure: Closure, start: Point, direction: Tensor, how: str, most: int
    ) -> tuple[Point, int]:
        """Return a good place along *direction*, and move there."""
        if how != "strong_wolfe":
            msg = "only 'strong_wolfe' is supported"
            raise RuntimeError(msg)
        origin = [param.clone() for param in self._params]

        def go_back() -> None:
            for param, values in zip(self._params, origin, strict=True):
                param.copy_(values)

        def look(t: Any) -> Point:
            self._move(direction, t)
            loss, grad = _value(loss_of(closure)), self._flat_grad()
            go_back()
            return Point(t, loss, grad, grad.dot(direction))

        first = self.state[self._params[0]]["t"]
        found, looks = strong_wolfe(look, start, first, direction.abs().max(), most=most)
        self._move(direction, found.t)
        return found, looks

    def _move(self, direction: Tensor, t: Any) -> None:
        """Move all parameters by *t* times their part of *direction*."""
        start = 0
        for param in self._params:
            target = ops.view_as_real(param) if param.is_complex() else param
            end = start + target.numel()
            target.add_(direction[start:end].view_as(target) * t)
            start = end

    def _flat_grad(self) -> Tensor:
        """Return all gradients as one vector; zeros where there is none."""
        flat = []
        for param in self._params:
            grad = ops.zeros_like(param) if param.grad is None else param.grad
            flat.append((ops.view_as_real(grad) if grad.is_complex() else grad).reshape(-1))
        return ops.cat(flat)


def _value(loss: Any) -> float:
    """Return a loss as a Python number, also where it has a history."""
    return float(number(loss))
