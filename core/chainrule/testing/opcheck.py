"""`opcheck`: is an op what its statement says? Each check has a name, and a failure carries it.

========================  =================================================================
``call``                  the call works, and gives arrays of the backend
``mutation``              inputs are not written to
``aliasing``              outputs are memory of their own, unless the op is stated as a view
``dtype``                 outputs have the dtype that the statement promises, or the inputs'
``shape``                 outputs have the shape that the body, or the reference backend, gives
``body``                  a kernel and the body it stands for give the same numbers
``registration``          the result has a history exactly if an input requires grad
``saves``                 nothing is kept for backward beside what the node shows as saved
``determinism``           two calls, forward and backward, give the same numbers
``gradient``              gradients agree with finite differences (double precision only)
========================  =================================================================
"""

from __future__ import annotations

import contextlib
import gc
import math
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from .. import backend as _backend
from .. import dtypes
from ..autograd.gradcheck import GradcheckError, gradcheck
from ..differentiate import grad as gradient_of
from ..errors import ArgumentError, ChainruleError, DerivativeError, KernelNotFoundError
from ..grad_mode import no_grad
from ..op import Op
from ..ops.creation_like import ones_like
from ..plan import NOT_IMPLEMENTED
from ..settings import are_deterministic_algorithms_enabled, use_deterministic_algorithms
from ..tensor import Tensor
from ..value import Value
from .cases import Sample
from .tolerances import TOLERANCES
from .walk import differentiable, tensors_of, with_tensors

__all__ = ["CHECKS", "OpcheckError", "opcheck"]

#: Results of a kernel and of the body differ by rounding, which adds up in sums.
SLACK: Final = 50.0


class OpcheckError(ChainruleError, AssertionError):
    """An op is not what its statement says.

    Attributes:
        check: The name of the check that failed.
    """

    def __init__(self, check: str, message: str) -> None:
        super().__init__(f"{check}: {message}")
        self.check = check


class _Call:
    """The call under check: its function, its arguments, and what it has to give."""

    def __init__(self, function: Callable[..., Any], sample: Sample) -> None:
        self.function, self.sample = function, sample
        self.op = function if isinstance(function, Op) else None
        self.inputs = tensors_of(sample)
        self.name = self.op.name if self.op else getattr(function, "__name__", repr(function))

    def __call__(self, sample: Sample | None = None) -> Any:
        given = self.sample if sample is None else sample
        return self.function(*given.args, **given.kwargs)

    def fresh(self, *, requires_grad: bool) -> Sample:
        """Return the arguments with new leaves in place of the tensors.

        Those that required grad do so again; if none did, all floating ones.
        """
        some = any(t.requires_grad for t in self.inputs)
        leaves = (_leaf(t, requires_grad and (t.requires_grad or not some)) for t in self.inputs)
        made: Sample = with_tensors(self.sample, leaves)
        return made

    def fail(self, check: str, message: str) -> OpcheckError:
        return OpcheckError(check, f"{self.name}{self.sample!r}: {message}")


def _leaf(tensor: Tensor, requires_grad: bool) -> Tensor:
    made = tensor.detach().clone()
    wanted = requires_grad and made._key.floating
    return made.requires_grad_(wanted) if wanted else made


def opcheck(
    function: Callable[..., Any],
    args: Sequence[Any],
    kwargs: Mapping[str, Any] | None = None,
    *,
    checks: Iterable[str] | None = None,
    raise_exception: bool = True,
) -> dict[str, str]:
    """Check one call of an op, or of a function of tensors, in every way listed above.

    Args:
        function: An op, as ``chainrule.ops.NAMESPACE.NAME``, or any function of tensors; of the
            latter nothing is known that a body or a statement would say.
        args: The arguments to call it with.
        kwargs: Likewise, by name.
        checks: The names of the checks to do; by default all.
        raise_exception: Whether the first failure raises; else it is told in the result.

    Returns:
        ``"SUCCESS"`` or the failure, by the name of the check.

    Raises:
        OpcheckError: a check failed; its name comes first, and is ``error.check``.
        TypeError: a name of a check that does not exist.

    >>> from chainrule.testing import opcheck
    >>> x = cr.tensor([1.0, 2.0], dtype=cr.float64, requires_grad=True)
    >>> set(opcheck(cr.ops.exp, (x,)).values())
    {'SUCCESS'}
    """
    wanted = list(CHECKS if checks is None else checks)
    unknown = [name for name in wanted if name not in CHECKS]
    if unknown:
        raise ArgumentError(
            f"opcheck: expected names among {', '.join(CHECKS)}, got {unknown[0]!r}."
        )
    call = _Call(function, Sample(*args, **(kwargs or {})))
    found = {}
    for name in wanted:
        try:
            _check(name, call)
            found[name] = "SUCCESS"
        except OpcheckError as error:
            if raise_exception:
                raise
            found[name] = str(error)
    return found


def _check(name: str, call: _Call) -> None:
    """Do one check; what the op itself raises meanwhile is a failure of it, too."""
    try:
        CHECKS[name](call)
    except OpcheckError:
        raise
    except Exception as error:
        raise call.fail(name, f"it raised {type(error).__name__}: {error}") from error


# The checks


def _check_call(call: _Call) -> None:
    for output in tensors_of(call()):
        expected = output._key.array_type
        if not isinstance(output._array, expected):
            found = type(output._array).__name__
            raise call.fail("call", f"it gave {found}, expected {expected.__name__}")


def _check_mutation(call: _Call) -> None:
    if call.op is not None and (call.op.kind == "update" or call.op.__name__.endswith("_")):
        return  # it says that it writes
    sample = call.fresh(requires_grad=False)
    inputs = tensors_of(sample)
    before = [_numbers(t) for t in inputs]
    call(sample)
    for position, (tensor, numbers) in enumerate(zip(inputs, before, strict=True)):
        if _numbers(tensor) != numbers:
            raise call.fail(
                "mutation", f"it wrote into input {position}, which its statement does not say"
            )


def _numbers(tensor: Tensor) -> str:
    return repr(tensor.detach().tolist())


def _check_aliasing(call: _Call) -> None:
    sample = call.fresh(requires_grad=False)
    inputs = tensors_of(sample)
    for number, output in enumerate(tensors_of(call(sample))):
        for position, tensor in enumerate(inputs):
            declared = output is tensor or _share_storage(output, tensor)
            if not declared and _overlap(output, tensor):
                raise call.fail(
                    "aliasing",
                    f"output {number} is memory of input {position}, which its statement does not "
                    "say. Return a copy, or state the op with view=True",
                )


def _share_storage(one: Tensor, other: Tensor) -> bool:
    """Return whether the two are known to look into the same memory."""
    return one._storage is not None and one._storage is other._storage


def _overlap(one: Tensor, other: Tensor) -> bool:
    if one._key.backend is not other._key.backend or one._key.device != other._key.device:
        return False
    (low, high), (start, end) = _extent(one), _extent(other)
    return low < end and start < high


def _extent(tensor: Tensor) -> tuple[int, int]:
    """Return the addresses between which the elements of *tensor* lie."""
    backend, array = tensor._key.backend, tensor._array
    if 0 in array.shape:
        return 0, 0
    size = tensor._key.dtype.itemsize
    offsets = [
        (length - 1) * step * size
        for length, step in zip(array.shape, backend.strides(array), strict=True)
    ]
    start = backend.data_ptr(array)
    return start + sum(o for o in offsets if o < 0), start + sum(o for o in offsets if o > 0) + size


def _check_dtype(call: _Call) -> None:
    result = call()
    for number, output in enumerate(tensors_of(result)):
        stated, found = output._key.dtype, output._key.backend.dtype_of(output._array)
        if found is not stated:
            raise call.fail(
                "dtype", f"output {number} holds {found}, where its statement promises {stated}"
            )
        expected = _precision_of_inputs(call)
        if expected and output._key.floating and found.to_real() not in expected:
            raise call.fail(
                "dtype",
                f"output {number} is {found}, where the inputs are "
                f"{' and '.join(sorted(map(str, expected)))}: a precision was lost or made up",
            )
    for number, (output, other) in enumerate(_beside_others(call, result)):
        if output.dtype is not other.dtype:
            raise call.fail(
                "dtype",
                f"output {number} is {output.dtype}, where {_reference_of(call)} gives "
                f"{other.dtype}",
            )


def _precision_of_inputs(call: _Call) -> set[Any]:
    """Return the real dtypes of an op's floating inputs; none if an argument asks for a dtype."""
    if call.op is None:
        return set()
    arguments = [*call.sample.args, *call.sample.kwargs.values()]
    if any(isinstance(argument, dtypes.DType) for argument in arguments):
        return set()
    return {t.dtype.to_real() for t in call.inputs if t._key.floating}


def _check_shape(call: _Call) -> None:
    for number, (output, other) in enumerate(_beside_others(call, call())):
        if output.shape != other.shape:
            raise call.fail(
                "shape",
                f"output {number} has shape {tuple(output.shape)}, where {_reference_of(call)} "
                f"gives {tuple(other.shape)}",
            )


def _reference_of(call: _Call) -> str:
    return "the body" if _has_body(call) else "the reference backend"


def _has_body(call: _Call) -> bool:
    return call.op is not None and call.op.kind == "composite"


def _beside_others(call: _Call, result: Any) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield the outputs beside those of the body, or of NumPy's kernel for an op without one."""
    if call.op is None or not call.inputs:
        return
    found = _by_body(call) if _has_body(call) else _on_reference(call)
    others = tensors_of(found)
    outputs = tensors_of(result)
    if others and len(outputs) != len(others):
        raise call.fail("shape", f"it gave {len(outputs)} outputs, expected {len(others)}")
    yield from zip(outputs, others, strict=False)


def _by_body(call: _Call) -> Any:
    """Return what the op's body gives, in place of the kernel."""
    assert call.op is not None
    index = call.inputs[0]._key.index
    call.op.table[index] = call.op.body_over(_backend.live[index])
    try:
        with no_grad():
            return call()
    finally:
        call.op.reset(index)


def _on_reference(call: _Call) -> Any:
    """Return what the op gives on the host; None where that has no kernel for it."""
    try:
        host = _backend.by_name("numpy")
    except ChainruleError:
        return None
    if call.inputs[0]._key.backend is host:
        return None
    try:
        with no_grad():
            return call(with_tensors(call.sample, (t.to("cpu@numpy") for t in call.inputs)))
    except (KernelNotFoundError, ChainruleError):
        return None


def _check_body(call: _Call) -> None:
    if not _has_body(call):
        return
    for number, (output, other) in enumerate(_beside_others(call, call())):
        relative, absolute = (SLACK * t for t in TOLERANCES[output.dtype.name])
        if not _close(output.tolist(), other.tolist(), relative, absolute):
            raise call.fail("body", f"output {number} of the kernel is not what the body gives")


def _close(one: Any, other: Any, relative: float, absolute: float) -> bool:
    if isinstance(one, list) != isinstance(other, list):
        return False
    if isinstance(one, list):
        pairs = zip(one, other, strict=False)
        return len(one) == len(other) and all(_close(a, b, relative, absolute) for a, b in pairs)
    if isinstance(one, complex):
        return _close(one.real, other.real, relative, absolute) and _close(
            one.imag, other.imag, relative, absolute
        )
    both_nan = one != one and other != other  # noqa: PLR0124 - that is what a NaN is
    return both_nan or math.isclose(one, other, rel_tol=relative, abs_tol=absolute)


def _is_differentiable(op: Op[Any, Any]) -> bool:
    """Return whether the statement of *op* gives a gradient for some input."""
    if op.function_class is not None:
        return True
    rules = op.rules.values()
    return any(rule is not None and not isinstance(rule, NOT_IMPLEMENTED) for rule in rules)


def _check_registration(call: _Call) -> None:
    sample = call.fresh(requires_grad=True)
    with no_grad():
        silent = tensors_of(call(sample))
    if any(t.grad_fn is not None for t in silent):
        raise call.fail("registration", "it has a history under no_grad()")
    outputs = tensors_of(call(sample))
    for number, output in enumerate(outputs):
        if output.requires_grad and not output._key.floating:
            raise call.fail("registration", f"output {number} of {output.dtype} requires grad")
    wanted = any(t.requires_grad for t in tensors_of(sample))
    floating = [t for t in outputs if t._key.floating]
    if call.op is None or not (wanted and floating and _is_differentiable(call.op)):
        return
    if _wants_gradients(call, sample) and not any(t.requires_grad for t in floating):
        raise call.fail("registration", "no output has a history, though an input requires grad")


def _wants_gradients(call: _Call, sample: Sample) -> bool:
    """Return whether some tensor that requires grad stands where the op has a rule."""
    op = call.op
    if op is None or op.function_class is not None:
        return True
    bound = op.schema.bind(sample.args, sample.kwargs)
    return any(
        rule is not None and differentiable([bound[op.schema.position[name]]])
        for name, rule in op.rules.items()
    )


def _check_saves(call: _Call) -> None:
    """Let go of the inputs, and look which of their arrays live on beside the saved ones."""
    leaves = tensors_of(call.fresh(requires_grad=True))
    inputs = [leaf.clone() for leaf in leaves]  # a leaf would be kept as the end of an edge
    sample = with_tensors(call.sample, iter(inputs))
    result = call(sample)
    outputs = tensors_of(result)
    known = [*outputs, *_saved_tensors(outputs)]
    try:
        watched = [
            (i, weakref.ref(t._array))
            for i, t in enumerate(inputs)
            if t.numel() and not any(_share_storage(o, t) or _overlap(o, t) for o in known)
        ]
    except TypeError:
        return  # arrays of this library cannot be watched
    del sample, inputs, result, known
    if any(reference() is not None for _, reference in watched):
        gc.collect()  # a cycle may hold it, which is no fault of the op
    for position, reference in watched:
        if reference() is not None:
            raise call.fail(
                "saves",
                f"input {position} is kept alive, and the node does not show it as saved. Name it "
                "in the gradient rule, or give it to ctx.save_for_backward: what is kept unseen "
                "is not checked against later writes, and costs memory when frozen",
            )


def _saved_tensors(outputs: list[Tensor]) -> Iterator[Any]:
    """Yield the tensors that the graph behind *outputs* shows as saved."""
    pending: list[Any] = [t.grad_fn for t in outputs if t.grad_fn is not None]
    seen: set[int] = set()
    while pending:
        node = pending.pop()
        if node is None or id(node) in seen:
            continue
        seen.add(id(node))
        pending += [edge[0] for edge in node.next_functions]
        yield from _values_in(getattr(node, "_saved", None) or ())


def _values_in(saved: Any) -> Iterator[Any]:
    for item in saved:
        if isinstance(item, Value):
            yield item
        elif isinstance(item, (list, tuple)):
            yield from _values_in(item)


@contextlib.contextmanager
def repeatable() -> Iterator[None]:
    """Ask for the same numbers every time, which a device need not give unasked."""
    before = are_deterministic_algorithms_enabled()
    use_deterministic_algorithms(True)
    try:
        yield
    finally:
        use_deterministic_algorithms(before)


def _check_determinism(call: _Call) -> None:
    with repeatable():
        first, second = _with_gradients(call), _with_gradients(call)
    if first != second:
        raise call.fail("determinism", "two calls with the same arguments gave different numbers")


def _with_gradients(call: _Call) -> list[str]:
    sample = call.fresh(requires_grad=True)
    outputs = tensors_of(call(sample))
    found = [_numbers(t) for t in outputs]
    wanted, roots = differentiable(sample), differentiable(outputs)
    if wanted and roots:
        ones = [ones_like(t) for t in roots]
        try:
            gradients = gradient_of(roots, wanted, ones, allow_unused=True)
        except DerivativeError:
            return found
        found += [_numbers(g) if g is not None else "none" for g in gradients]
    return found


def _check_gradient(call: _Call) -> None:
    doubles = {dtypes.float64, dtypes.complex128}
    floating = [t for t in call.inputs if t._key.floating]
    if not floating or any(t.dtype not in doubles for t in floating):
        return
    sample = call.fresh(requires_grad=True)
    if not differentiable(tensors_of(call(sample))):
        return

    def function(*tensors: Tensor) -> tuple[Tensor, ...]:
        outputs = tensors_of(call(with_tensors(sample, iter(tensors))))
        return tuple(t for t in outputs if t.requires_grad)

    try:
        gradcheck(function, tuple(tensors_of(sample)), fast_mode=True)
    except DerivativeError:
        return
    except GradcheckError as error:
        raise call.fail("gradient", str(error)) from error


#: The checks by name, in the order in which they are done.
CHECKS: Final[dict[str, Callable[[_Call], None]]] = {
    "call": _check_call,
    "mutation": _check_mutation,
    "aliasing": _check_aliasing,
    "dtype": _check_dtype,
    "shape": _check_shape,
    "body": _check_body,
    "registration": _check_registration,
    "saves": _check_saves,
    "determinism": _check_determinism,
    "gradient": _check_gradient,
}
