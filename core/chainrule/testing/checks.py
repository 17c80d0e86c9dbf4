"""What must hold for every op: checks that walk the samples of a case and raise AssertionError.

Each takes an `OpCase`, the name of a dtype and a device string. They know no op and no backend.
What is compared with NumPy takes the module ``numpy`` as an argument: this package imports none.
"""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING, Any, Final

from .. import backend as _backend
from .. import dtypes
from ..autograd.gradcheck import gradcheck, gradgradcheck
from ..device import Device
from ..differentiate import backward
from ..differentiate import grad as gradient_of
from ..grad_mode import no_grad
from ..graph import OpNode
from ..op import Op, all_ops
from ..ops.creation_like import ones_like
from ..plan import names_of
from ..tensor import Tensor
from .cases import Sample
from .maker import Maker
from .opcheck import opcheck, repeatable
from .tolerances import tolerance
from .walk import (
    as_function,
    differentiable,
    naming,
    node_of,
    run,
    samples,
    tensors_of,
    with_tensors,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .cases import OpCase

MODIFIED = (
    "one of the variables needed for gradient computation has been modified by an inplace operation"
)

#: Up to so many elements of inputs and outputs, whole Jacobians are compared.
ENTRY_BY_ENTRY = 16

# Values


def check_values(case: OpCase, dtype: str, device: str, np: Any) -> None:
    """Check values and shapes against the reference, computed by NumPy in double precision."""
    reference: Any = case.reference
    for sample in samples(case, dtype, device):
        with naming(case, sample):
            arrays = [_as_double(t, np) for t in tensors_of(sample)]
            plain = _plain(with_tensors(sample, iter(arrays)))
            with np.errstate(all="ignore"):
                expected = reference(np, *plain.args, **plain.kwargs)
            _assert_close(case, dtype, run(case, sample), expected, np)


def check_precisions_agree(case: OpCase, dtype: str, device: str, np: Any) -> None:
    """Check that the result of *dtype* is near that of the same numbers in double precision."""
    for sample in samples(case, dtype, device):
        with naming(case, sample):
            doubled = with_tensors(sample, map(_doubled, tensors_of(sample)))
            expected = [_as_double(t, np) for t in tensors_of(run(case, doubled))]
            _assert_close(case, dtype, tensors_of(run(case, sample)), expected, np)


def check_inputs_unchanged(case: OpCase, dtype: str, device: str) -> None:
    """Check that neither values nor versions of the inputs change, forward and backward."""
    for sample in samples(case, dtype, device, requires_grad=case.grad):
        with naming(case, sample):
            inputs = tensors_of(sample)
            before = [_text(t) for t in inputs]
            outputs, wanted = differentiable(run(case, sample)), differentiable(sample)
            if outputs:
                gradient_of(outputs, wanted, [ones_like(t) for t in outputs], allow_unused=True)

            assert [_text(t) for t in inputs] == before


def _text(tensor: Tensor) -> str:
    """Return values and version as a text: equal texts for equal numbers, NaN included."""
    return f"{tensor.tolist()} at version {tensor._version}"


def _as_double(tensor: Tensor, np: Any) -> Any:
    array = tensor.detach().numpy(force=True)
    if tensor.dtype.category < dtypes.FLOATING:
        return array
    return array.astype(np.complex128 if tensor.is_complex() else np.float64)


def _doubled(tensor: Tensor) -> Tensor:
    if tensor.is_complex():
        return tensor.to(dtypes.complex128)
    return tensor.to(dtypes.float64) if tensor.is_floating_point() else tensor


def _plain(sample: Sample) -> Sample:
    """Return *sample* with dtypes as NumPy takes them: by name."""

    def named(item: Any) -> Any:
        return item.name if isinstance(item, dtypes.DType) else item

    kwargs = {name: named(value) for name, value in sample.kwargs.items()}
    return Sample(*map(named, sample.args), **kwargs)


def _assert_close(case: OpCase, dtype: str, result: Any, expected: Any, np: Any) -> None:
    found = list(result) if isinstance(result, (list, tuple)) else [result]
    wanted = list(expected) if isinstance(expected, (list, tuple)) else [expected]
    assert len(found) == len(wanted), f"{len(found)} results, expected {len(wanted)}"
    for item, array in zip(found, wanted, strict=True):
        if not isinstance(item, Tensor):
            assert item == array
            continue
        assert tuple(item.shape) == np.shape(array), f"shape {item.shape}, not {np.shape(array)}"
        relative, absolute = tolerance(case, dtype, item.dtype.name)
        np.testing.assert_allclose(_as_double(item, np), array, relative, absolute, equal_nan=True)


# Derivatives

#: How far two passes may be apart on a backend that adds numbers in any order.
ANY_ORDER: Final = 1e-12


def _apart(sample: Sample) -> float:
    """Return how far apart two backward passes may be, where the tensors of *sample* are."""
    backend = tensors_of(sample)[0]._key.backend
    return 0.0 if "deterministic" in backend.spec.capabilities else ANY_ORDER


def check_first_derivative(case: OpCase, dtype: str, device: str) -> None:
    """Check the gradient formulas against finite differences.

    Small Jacobians are compared entry by entry, larger ones along a direction.
    """
    for sample in samples(case, dtype, device, requires_grad=True):
        with naming(case, sample):
            outputs = differentiable(run(case, sample))
            if differentiable(sample) and outputs:
                count = sum(t.numel() for t in [*tensors_of(sample), *outputs])
                gradcheck(
                    *as_function(case, sample),
                    fast_mode=count > ENTRY_BY_ENTRY,
                    nondet_tol=_apart(sample),
                )


def check_second_derivative(case: OpCase, dtype: str, device: str) -> None:
    """Check the gradients of the gradient formulas against finite differences."""
    for sample in samples(case, dtype, device, requires_grad=True):
        with naming(case, sample):
            if differentiable(sample) and differentiable(run(case, sample)):
                gradgradcheck(*as_function(case, sample), fast_mode=True, nondet_tol=_apart(sample))


# What the graph keeps


def check_saved_inputs(case: OpCase, dtype: str, device: str) -> None:
    """Check that an input is saved as the object that was passed."""
    for sample in samples(case, dtype, device, requires_grad=True):
        with naming(case, sample):
            given = {id(t) for t in tensors_of(sample)}
            node: Any = node_of(run(case, sample))
            for name, saved in _saved_inputs(node):
                computed = node._plan.op is not case.operation() and not saved.requires_grad
                if saved.is_leaf and not computed:
                    assert id(saved) in given, f"_saved_{name} is a copy of the input"


def _saved_inputs(node: Any) -> Iterator[tuple[str, Tensor]]:
    """Yield the saved tensors that are inputs of the node's op."""
    for name in _names_of_saved_tensors(node):
        if name in node._plan.op.differentiable:
            for saved in tensors_of(getattr(node, f"_saved_{name}")):
                yield name, saved


def _names_of_saved_tensors(node: Any) -> list[str]:
    """Return the readable names under which *node* keeps tensors; none if it is no op's."""
    if not isinstance(node, OpNode):
        return []
    slots = node._plan.tensor_slots
    return [name for name, slot in node._plan.readable.items() if slot in slots]


def check_saved_results(case: OpCase, dtype: str, device: str) -> None:
    """Check that an output is saved without its node, and read with it: equal, not the same."""
    for sample in samples(case, dtype, device, requires_grad=True):
        with naming(case, sample):
            result = run(case, sample)
            node: Any = node_of(result)
            for name in _names_of_saved_tensors(node):
                if name not in node._plan.op.schema.outputs:
                    continue
                number = node._plan.op.schema.outputs.index(name)
                output = next((t for t in tensors_of(result) if t.output_nr == number), None)
                if output is not None and output.grad_fn is node:
                    _assert_saved_apart(output, getattr(node, f"_saved_{name}"))


def _assert_saved_apart(output: Tensor, saved: Tensor) -> None:
    assert saved is not output
    assert _text(saved) == _text(output)
    assert saved.grad_fn is output.grad_fn


def check_frozen_inputs(case: OpCase, dtype: str, device: str) -> None:
    """Check that what no wanted gradient needs is not kept, and reads None."""
    op = case.operation()
    if not isinstance(op, Op) or op.has_lists:
        return
    for sample in samples(case, dtype, device):
        with naming(case, sample):
            bound = op.schema.bind(sample.args, sample.kwargs)
            for name in op.differentiable:
                if callable(op.rules.get(name)) and isinstance(
                    bound[op.schema.position[name]], Tensor
                ):
                    _assert_keeps_what_one_needs(op, bound, name)


def _assert_keeps_what_one_needs(op: Op[Any, Any], bound: list[Any], name: str) -> None:
    """Check the node that is left where the input *name* alone requires grad."""
    arguments = [item.detach() if isinstance(item, Tensor) else item for item in bound]
    wanted = arguments[op.schema.position[name]]
    if wanted.dtype.category < dtypes.FLOATING:
        return
    wanted.requires_grad_()
    node: Any = node_of(op.evaluate(arguments))
    for other in _names_of_saved_tensors(node):
        needed = other in names_of(op.rules[name])
        kept = getattr(node, f"_saved_{other}") is not None
        assert needed or not kept, f"_saved_{other} is kept for nothing"


def check_modified_saved_tensors(case: OpCase, dtype: str, device: str) -> None:
    """Check that backward raises after a saved tensor was written to."""
    for sample in samples(case, dtype, device, requires_grad=True):
        with naming(case, sample):
            for name in _names_of_saved_tensors(node_of(run(case, sample))):
                result = run(case, sample)
                for saved in tensors_of(getattr(node_of(result), f"_saved_{name}"))[:1]:
                    if _is_writable(saved):
                        with no_grad():
                            saved.copy_(saved.clone())
                        _assert_notices(differentiable(result), name)


def _is_writable(tensor: Tensor) -> bool:
    return all(tensor.stride()) or tensor.numel() < 2  # else its elements share memory


def _assert_notices(outputs: list[Tensor], name: str) -> None:
    """Check that the pass from *outputs* raises for the write into one saved tensor."""
    message = _raised(RuntimeError, lambda: backward(outputs, [ones_like(t) for t in outputs]))
    assert message.startswith(MODIFIED), f"_saved_{name} was written to: {message}"


# Other forms of the call


def check_in_place(case: OpCase, dtype: str, device: str) -> None:
    """Check the in-place form: the same values, the same object, a new version; or an error.

    Both forms get the input laid out alike: a library may round otherwise where it takes strides.
    """
    for sample in samples(case, dtype, device):
        source, *others = sample.args
        if isinstance(source, Tensor):
            with naming(case, sample), repeatable():
                alike = Sample(source.clone(), *others, **sample.kwargs)
                _assert_writes(case, alike, run(case, alike))


def _assert_writes(case: OpCase, sample: Sample, expected: Tensor) -> None:
    source, target = sample.args[0], sample.args[0].clone()

    def write() -> Any:
        return getattr(target, case.in_place)(*sample.args[1:], **sample.kwargs)

    if expected.shape != target.shape or expected.dtype.category > target.dtype.category:
        _raised(RuntimeError, write)
        assert _text(target) == f"{source.tolist()} at version 0", (
            "it failed and changed its target"
        )
        return
    assert write() is target
    assert target._version > 0
    assert target.dtype is source.dtype
    assert repr(target.tolist()) == repr(expected.to(target.dtype).tolist())


def _raised(kind: type[Exception], call: Callable[[], Any]) -> str:
    """Return the message of the exception of *kind* that *call* must raise."""
    try:
        call()
    except kind as error:
        return str(error)
    msg = f"expected {kind.__name__}, and nothing was raised"
    raise AssertionError(msg)


def check_bodies(case: OpCase, dtype: str, device: str, np: Any) -> None:
    """Check that fused kernels and the bodies they stand for agree, also in both derivatives."""
    relative, absolute = tolerance(case, dtype)
    for sample in samples(case, dtype, device, requires_grad=True):
        with naming(case, sample):
            fused = with_derivatives(case, sample)
            with bodies_alone(device.partition("@")[2]):
                plain = with_derivatives(case, sample)
            for one, other in zip(fused, plain, strict=True):
                arrays = _as_double(one, np), _as_double(other, np)
                np.testing.assert_allclose(*arrays, 10 * relative, 10 * absolute)


@contextlib.contextmanager
def bodies_alone(backend: str) -> Iterator[list[str]]:
    """Let every composite op run its body in place of its kernel; give the names of those."""
    live = _backend.by_name(backend)
    fused = [op for op in all_ops.values() if op.kind == "composite" and live.find_kernel(op.name)]
    for op in fused:
        op.table[live.index] = op.body_over(live)
    try:
        yield [op.name for op in fused]
    finally:
        for op in fused:
            op.reset(live.index)


def with_derivatives(case: OpCase, sample: Sample) -> list[Tensor]:
    """Return the results, their gradients, the same recorded, and the gradients of those."""
    result = run(case, sample)
    found, outputs, wanted = tensors_of(result), differentiable(result), differentiable(sample)
    if not outputs or not wanted:
        return found
    plain = _gradients(outputs, wanted, create_graph=False)
    recorded = _gradients(outputs, wanted, create_graph=True)
    found += [*plain, *recorded]
    outputs = [g for g in recorded if g.requires_grad]
    return [*found, *_gradients(outputs, wanted, create_graph=False)] if outputs else found


def _gradients(outputs: list[Tensor], wanted: list[Tensor], *, create_graph: bool) -> list[Tensor]:
    """Return those gradients of a weighted sum of *outputs* that there are."""
    weights = [ones_like(t) * (0.5 + 0.1 * i) for i, t in enumerate(outputs)]
    gradients = gradient_of(
        outputs, wanted, weights, retain_graph=True, create_graph=create_graph, allow_unused=True
    )
    return [g for g in gradients if g is not None]


def check_errors(case: OpCase, device: str) -> None:
    """Check that the error samples raise what they say, with that first line.

    A device to which work is queued may tell when it is waited for.
    """
    errors: Any = case.errors
    live = _backend.for_device(Device(device))
    for error in errors(Maker(dtypes.float32, device)):
        with naming(case, error.sample):
            if error.on_host and "streams" in live.spec.capabilities:
                run(case, error.sample)
                continue
            ended: list[bool] = []

            def call(sample: Sample = error.sample, ended: list[bool] = ended) -> None:
                run(case, sample)
                ended.append(True)
                live.synchronize(live.canonical(Device(device)))

            message = _raised(error.raises, call)
            first = message.partition("\n")[0]
            assert ended or re.match(error.match, first), (
                f"{first!r} does not match {error.match!r}"
            )


# The statement


def check_statement(check: str, case: OpCase, dtype: str, device: str) -> None:
    """Check one of the promises of `opcheck`, by its name, on every sample."""
    for sample in samples(case, dtype, device, requires_grad=case.grad):
        with naming(case, sample):
            opcheck(case.operation(), sample.args, sample.kwargs, checks=[check])


def check_gradients_fit(case: OpCase, dtype: str, device: str) -> None:
    """Check that a gradient has the shape, the dtype and the backend of what it belongs to."""
    for sample in samples(case, dtype, device, requires_grad=True):
        with naming(case, sample):
            outputs, wanted = differentiable(run(case, sample)), differentiable(sample)
            if not outputs or not wanted:
                continue
            ones = [ones_like(t) for t in outputs]
            gradients = gradient_of(outputs, wanted, ones, allow_unused=True)
            for tensor, gradient in zip(wanted, gradients, strict=True):
                if gradient is not None:
                    found = gradient.shape, gradient.dtype, gradient.backend
                    assert found == (tensor.shape, tensor.dtype, tensor.backend)
