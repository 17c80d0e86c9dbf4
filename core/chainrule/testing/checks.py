"""What must hold for every op: checks that walk the samples of a case and raise AssertionError.

Each takes an `OpCase`, the name of a dtype and a device string. They know no op and no backend.
What is compared with NumPy takes the module ``numpy`` as an argument: this package imports none.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from .. import backend as _backend
from .. import dtypes
from ..autograd.gradcheck import gradcheck, gradgradcheck
from ..differentiate import grad as gradient_of
from ..grad_mode import no_grad
from ..graph import OpNode
from ..op import Op, all_ops
from ..tensor import Tensor
from .cases import Sample
from .maker import Maker
from .tolerances import tolerance

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..graph import Node
    from .cases import OpCase

MODIFIED = (
    "one of the variables needed for gradient computation has been modified by an inplace operation"
)


def samples(
    case: OpCase, dtype: str, device: str, *, requires_grad: bool = False
) -> Iterator[Sample]:
    """Yield the samples of *case*."""
    yield from case.samples(Maker(dtypes.by_name(dtype), device, requires_grad=requires_grad))


@contextlib.contextmanager
def naming(case: OpCase, sample: Sample) -> Iterator[None]:
    """Let whatever fails inside say which sample it was."""
    try:
        yield
    except BaseException as error:
        error.add_note(f"sample: {case.name}{sample!r}")
        raise


def tensors_of(item: Any) -> list[Tensor]:
    """Return the tensors in a sample, a result, or nested lists, in order."""
    if isinstance(item, Tensor):
        return [item]
    if isinstance(item, Sample):
        return tensors_of([*item.args, *item.kwargs.values()])
    if isinstance(item, (list, tuple)):
        return [tensor for part in item for tensor in tensors_of(part)]
    return []


def with_tensors(item: Any, tensors: Iterator[Any]) -> Any:
    """Return *item* with its tensors replaced, in order, by those that come."""
    if isinstance(item, Tensor):
        return next(tensors)
    if isinstance(item, Sample):
        args = with_tensors(list(item.args), tensors)
        return Sample(*args, **{k: with_tensors(v, tensors) for k, v in item.kwargs.items()})
    if type(item) in {list, tuple}:
        return type(item)([with_tensors(part, tensors) for part in item])
    return item


def run(case: OpCase, sample: Sample) -> Any:
    """Return what the op gives for *sample*."""
    return case.operation()(*sample.args, **sample.kwargs)


def differentiable(result: Any) -> list[Tensor]:
    """Return the outputs that carry a gradient."""
    return [tensor for tensor in tensors_of(result) if tensor.requires_grad]


def node_of(result: Any) -> Node | None:
    """Return the node that made the first output that has one."""
    return next((t.grad_fn for t in tensors_of(result) if t.grad_fn is not None), None)


def saved_names(node: Any) -> tuple[str, ...]:
    """Return the saved names that *node* shows, without ``_saved_``, in order of the alphabet."""
    names = [n.removeprefix("_saved_") for n in dir(node) if n.startswith("_saved_")]
    return tuple(sorted(n for n in names if "_sym_" not in f"_{n}"))


# Values

def check_values(case: OpCase, dtype: str, device: str, np: Any) -> None:
    """Check values and shapes against the reference, computed by NumPy in double precision."""
    reference: Any = case.reference
    for sample in samples(case, dtype, device):
        with naming(case, sample):
            arrays = [_as_double(t, np) for t in tensors_of(sample)]
            plain: Any = _plain(with_tensors(sample, iter(arrays)))
            with np.errstate(all="ignore"):
                expected = reference(np, *plain.args, **plain.kwargs)
            _assert_close(case, dtype, run(case, sample), expected, np)


def _as_double(tensor: Tensor, np: Any) -> Any:
    array = tensor.detach().numpy(force=True)
    if tensor.dtype.category < dtypes.FLOATING:
        return array
    return array.astype(np.complex128 if tensor.is_complex() else np.float64)


def _plain(item: Any) -> Any:
    """Return *item* with dtypes as NumPy takes them: by name."""
    if isinstance(item, Sample):
        kwargs = {name: _plain(value) for name, value in item.kwargs.items()}
        return Sample(*map(_plain, item.args), **kwargs)
    return item.name if isinstance(item, dtypes.DType) else item


def _assert_close(case: OpCase, dtype: str, result: Any, expected: Any, np: Any) -> None:
    found = tensors_of(result) if not isinstance(result, (bool, int, float, complex)) else [result]
    wanted = list(expected) if isinstance(expected, (list, tuple)) else [expected]
    assert len(found) == len(wanted), f"{len(found)} results, expected {len(wanted)}"
    for tensor, array in zip(found, wanted, strict=True):
        if not isinstance(tensor, Tensor):
            assert tensor == array
            continue
        assert tuple(tensor.shape) == np.shape(array), f"shape {tensor.shape}, not {np.shape(array)}"
        relative, absolute = tolerance(case, dtype, tensor.dtype.name)
        actual = _as_double(tensor, np)
        np.testing.assert_allclose(actual, array, rtol=relative, atol=absolute, equal_nan=True)


def check_inputs_unchanged(case: OpCase, dtype: str, device: str) -> None:
    """Check that neither values nor versions of the inputs change, forward and backward."""
    for sample in samples(case, dtype, device, requires_grad=case.grad):
        with naming(case, sample):
            inputs = tensors_of(sample)
            before = [(t.tolist(), t._version) for t in inputs]
            outputs = differentiable(run(case, sample))
            if outputs:
                wanted = [t for t in inputs if t.requires_grad]
                gradient_of(outputs, wanted, [_ones(t) for t in outputs], allow_unused=True)

            assert repr([(t.tolist(), t._version) for t in inputs]) == repr(before)


def check_precisions_agree(case: OpCase, dtype: str, device: str, np: Any) -> None:
    """Check that the result of *dtype* is near that of the same numbers in double precision."""
    for sample in samples(case, dtype, device):
        with naming(case, sample):
            doubled = with_tensors(sample, map(_doubled, tensors_of(sample)))
            expected = [_as_double(t, np) for t in tensors_of(run(case, doubled))]
            _assert_close(case, dtype, tensors_of(run(case, sample)), expected, np)


def _doubled(tensor: Tensor) -> Tensor:
    if tensor.is_complex():
        return tensor.to(dtypes.complex128)
    return tensor.to(dtypes.float64) if tensor.is_floating_point() else tensor


def _ones(tensor: Tensor) -> Tensor:
    return tensor.detach() * 0 + 1


# Derivatives

def check_first_derivative(case: OpCase, dtype: str, device: str) -> None:
    """Check the gradient formulas against finite differences."""
    for sample in samples(case, dtype, device, requires_grad=True):
        with naming(case, sample):
            function, inputs = as_function(case, sample)
            if any(t.requires_grad for t in inputs) and differentiable(run(case, sample)):
                gradcheck(function, inputs)


def check_second_derivative(case: OpCase, dtype: str, device: str) -> None:
    """Check the gradients of the gradient formulas against finite differences."""
    for sample in samples(case, dtype, device, requires_grad=True):
        with naming(case, sample):
            function, inputs = as_function(case, sample)
            if any(t.requires_grad for t in inputs) and differentiable(run(case, sample)):
                gradgradcheck(function, inputs, fast_mode=True)


def as_function(
    case: OpCase, sample: Sample
) -> tuple[Callable[..., tuple[Tensor, ...]], tuple[Tensor, ...]]:
    """Return the call of *sample* as a function of its tensors, and these."""

    def function(*tensors: Tensor) -> tuple[Tensor, ...]:
        result = run(case, with_tensors(sample, iter(tensors)))
        return tuple(t for t in tensors_of(result) if t.dtype.category >= dtypes.FLOATING)

    return function, tuple(tensors_of(sample))


# What the graph keeps

def check_saved_inputs(case: OpCase, dtype: str, device: str) -> None:
    """Check that an input is saved as the object that was passed."""
    for sample in samples(case, dtype, device, requires_grad=True):
        with naming(case, sample):
            node: Any = node_of(run(case, sample))
            given = {id(t) for t in tensors_of(sample)}
            for name, saved in _saved_inputs(case, node):
                if saved.grad_fn is None:  # else it was computed on the way
                    assert id(saved) in given, f"_saved_{name} is a copy of the input"


def _saved_inputs(case: OpCase, node: Any) -> Iterator[tuple[str, Tensor]]:
    """Yield the saved tensor inputs of the op's own node."""
    if not isinstance(node, OpNode) or node._plan.op is not case.operation():
        return
    for name in saved_names(node):
        if name in node._plan.op.differentiable:
            for tensor in tensors_of(getattr(node, f"_saved_{name}")):
                if id(tensor) == id(tensors_of(getattr(node, f"_saved_{name}"))[0]):
                    yield name, tensor


def check_saved_results(case: OpCase, dtype: str, device: str) -> None:
    """Check that an output is saved without its node, and read with it: equal, not the same."""
    for sample in samples(case, dtype, device, requires_grad=True):
        with naming(case, sample):
            result = run(case, sample)
            node: Any = node_of(result)
            if not isinstance(node, OpNode):
                continue
            outputs = dict(zip(node._plan.op.schema.outputs, tensors_of(result), strict=False))
            for name in set(saved_names(node)) & outputs.keys():
                saved, output = getattr(node, f"_saved_{name}"), outputs[name]
                if saved is None or output.grad_fn is not node:
                    continue
                assert saved is not output
                assert saved.tolist() == output.tolist() or repr(saved.tolist()) == repr(output.tolist())
                assert saved.grad_fn is node


def check_frozen_inputs(case: OpCase, dtype: str, device: str) -> None:
    """Check that what no wanted gradient needs is not kept, and reads None."""
    op = case.operation()
    if not isinstance(op, Op) or len(op.differentiable) < 2 or op.has_lists:
        return
    for sample in samples(case, dtype, device):
        with naming(case, sample):
            bound = op.schema.bind(sample.args, sample.kwargs)
            for name in op.differentiable:
                _check_one_wanted(op, bound, name)


def _check_one_wanted(op: Op[Any, Any], bound: list[Any], name: str) -> None:
    position = op.schema.position[name]
    tensor = bound[position]
    rule = op.rules.get(name)
    if not isinstance(tensor, Tensor) or tensor.dtype.category < dtypes.FLOATING:
        return
    if not callable(rule):
        return
    arguments = [t.detach() if isinstance(t, Tensor) else t for t in bound]
    arguments[position] = arguments[position].requires_grad_()
    result = op.function(*arguments) if not op.rules and op.kind == "composite" else op.evaluate(arguments)
    node: Any = node_of(result)
    if node is None:
        return
    needed = set(rule.__code__.co_varnames[: rule.__code__.co_argcount])
    for other in set(saved_names(node)) & set(op.differentiable) - needed:
        if isinstance(arguments[op.schema.position[other]], Tensor):
            assert getattr(node, f"_saved_{other}") is None, f"_saved_{other} is kept for nothing"


def check_modified_saved_tensors(case: OpCase, dtype: str, device: str) -> None:
    """Check that backward raises after a saved tensor was written to."""
    for number in range(_count(case, dtype, device)):
        for name in _saved_tensor_names(_nth(case, dtype, device, number)[1]):
            result, node = _nth(case, dtype, device, number)
            saved = getattr(node, f"_saved_{name}")
            with no_grad():
                saved.copy_(saved.clone())
            _assert_raises_modified(differentiable(result), name)


def _count(case: OpCase, dtype: str, device: str) -> int:
    return sum(1 for _ in samples(case, dtype, device))


def _nth(case: OpCase, dtype: str, device: str, number: int) -> tuple[Any, Any]:
    """Return result and node of a fresh run of one sample."""
    for index, sample in enumerate(samples(case, dtype, device, requires_grad=True)):
        if index == number:
            result = run(case, sample)
            return result, node_of(result)
    raise IndexError(number)


def _saved_tensor_names(node: Any) -> list[str]:
    if not isinstance(node, OpNode):
        return []
    plan = node._plan
    slots = {name: slot for name, slot in plan.readable.items() if slot in plan.tensor_slots}
    return [name for name in slots if isinstance(getattr(node, f"_saved_{name}"), Tensor)]


def _assert_raises_modified(outputs: list[Tensor], name: str) -> None:
    from .. import autograd

    try:
        autograd.backward(outputs, [_ones(t) for t in outputs])
    except RuntimeError as error:
        assert str(error).startswith(MODIFIED), str(error)
    else:
        raise AssertionError(f"_saved_{name} was written to, and backward did not notice")


# Other forms of the call

def check_in_place(case: OpCase, dtype: str, device: str) -> None:
    """Check the in-place form: the same values, the same object, a new version; or an error."""
    for sample in samples(case, dtype, device):
        with naming(case, sample):
            source = sample.args[0]
            if not isinstance(source, Tensor):
                continue
            expected = run(case, sample)
            target = source.clone()
            before = target._version
            method = getattr(target, case.in_place)
            if not _fits_into(expected, target):
                _assert_raises(RuntimeError, lambda: method(*sample.args[1:], **sample.kwargs))
                assert repr(target.tolist()) == repr(source.tolist()), "it failed, and changed its target"
                continue
            found = method(*sample.args[1:], **sample.kwargs)
            assert found is target
            assert target._version > before
            assert repr(target.tolist()) == repr(expected.to(target.dtype).tolist())


def _fits_into(result: Tensor, target: Tensor) -> bool:
    same_shape = result.shape == target.shape
    return same_shape and result.dtype.category <= target.dtype.category


def _assert_raises(kind: type[Exception], call: Callable[[], Any]) -> str:
    """Return the message of the exception of *kind* that *call* must raise."""
    try:
        call()
    except kind as error:
        return str(error)
    raise AssertionError(f"expected {kind.__name__}, and nothing was raised")


def check_bodies(case: OpCase, dtype: str, device: str, np: Any) -> None:
    """Check that fused kernels and the bodies they stand for agree, also in both derivatives."""
    name = device.partition("@")[2]
    for sample in samples(case, dtype, device, requires_grad=True):
        with naming(case, sample):
            fused = with_derivatives(case, sample)
            with bodies_alone(name):
                plain = with_derivatives(case, sample)
            assert len(fused) == len(plain)
            for one, other in zip(fused, plain, strict=True):
                relative, absolute = tolerance(case, dtype)
                np.testing.assert_allclose(
                    _as_double(one, np), _as_double(other, np), 10 * relative, 10 * absolute
                )


@contextlib.contextmanager
def bodies_alone(backend: str) -> Iterator[list[str]]:
    """Let every composite op of one node run its body in place of its kernel; give their names."""
    live = _backend.by_name(backend)
    fused = [op for op in all_ops.values() if op.kind == "composite" and live.find_kernel(op.name)]
    for op in fused:
        op.table[live.index] = op._body_over(live)
    try:
        yield [op.name for op in fused]
    finally:
        for op in fused:
            op.reset(live.index)


def with_derivatives(case: OpCase, sample: Sample) -> list[Tensor]:
    """Return the results, their gradients, and the gradients of those."""
    result = run(case, sample)
    found, outputs = tensors_of(result), differentiable(result)
    wanted = [t for t in tensors_of(sample) if t.requires_grad]
    for create_graph in (True, False):
        if not outputs or not wanted:
            break
        weights = [_ones(t) * (0.5 + 0.1 * i) for i, t in enumerate(outputs)]
        gradients = gradient_of(
            outputs, wanted, weights, create_graph=create_graph, allow_unused=True
        )
        found += [g for g in gradients if g is not None]
        outputs = [g for g in gradients if g is not None and g.requires_grad]
    return found


def check_errors(case: OpCase, device: str) -> None:
    """Check that the error samples raise what they say, with that first line."""
    import re

    errors: Any = case.errors
    for error in errors(Maker(dtypes.float32, device)):
        message = _assert_raises(error.raises, lambda e=error: run(case, e.sample))  # type: ignore[misc]  # a lambda's default
        first = message.splitlines()[0]
        assert re.match(error.match, first), f"{error.sample!r}: {first!r} does not match {error.match!r}"
