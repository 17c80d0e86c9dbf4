"""Quick calls in C: they make what core's own calls make, and leave what is not plain to those."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

import chainrule as cr
from chainrule import backend as registry
from chainrule import ops
from chainrule.op import all_ops, composite

if TYPE_CHECKING:
    from chainrule.tensor import Tensor

pytestmark = pytest.mark.skipif(
    os.environ.get("CHAINRULE_NATIVE_CALLS") == "0", reason="the environment leaves calls in Python"
)


@pytest.fixture(autouse=True)
def on_native(core):
    with cr.using(cpu="native"):
        yield


def leaf(*shape, dtype=cr.float32):
    return (
        cr.linspace(0.5, 2.0, max(1, cr.Size(shape).numel()), dtype=dtype)
        .reshape(shape)
        .detach()
        .requires_grad_(dtype.is_floating_point)
    )


CALLS = {
    "sin": lambda x: (x,),
    "exp": lambda x: (x,),
    "sqrt": lambda x: (x,),
    "mul": lambda x: (x, x.detach()),
    "mul by a number": lambda x: (x, 2.5),
    "mul of constants": lambda x: (x.detach(), x),
    "add": lambda x: (x, x),
    "add of another shape": lambda x: (x, x[0]),
    "div": lambda x: (x, 3),
    "pow": lambda x: (x, 2),
    "pow of tensors": lambda x: (x, x),
    "gt": lambda x: (x, 1.0),
    "mm": lambda x: (x, x.detach()),
    "mv": lambda x: (x, x[0].detach()),
    "_sum_all": lambda x: (x,),
    "clone": lambda x: (x,),
    "_t": lambda x: (x,),
    "_expand": lambda x: (x, (2, 3, 3)),
    "_view": lambda x: (x, (9,)),
}  # fmt: skip


def described(node):
    """Return what a node is, as far as two nodes of one op on one input are alike."""
    names = sorted(name for name in dir(node) if name.startswith("_saved_"))
    saved = {name: getattr(node, name) for name in names}
    return (
        node.name(),
        [(target and target.name(), number) for target, number in node.next_functions],
        {n: s.tolist() if isinstance(s, cr.Tensor) else s for n, s in saved.items()},
        [node._versions[slot] if node._versions else 0 for slot in node._plan.tensor_slots],
        node._input_metadata[0].shape,
    )


@pytest.mark.parametrize("case", CALLS)
@pytest.mark.parametrize("recording", [True, False])
def test_result_and_node_are_those_of_core_s_own_call(case, recording):
    op = all_ops[f"cr::{case.split()[0]}"]
    assert type(op.fast).__name__ == "Call"
    with cr.set_grad_enabled(recording):
        x = leaf(3, 3)
        made, expected = op.fast(*CALLS[case](x)), op.fast.__wrapped__(*CALLS[case](x))

    assert (made.tolist(), made.dtype, made.shape) == (
        expected.tolist(), expected.dtype, expected.shape,
    )  # fmt: skip
    assert made.requires_grad == expected.requires_grad
    assert (made._base is None) == (expected._base is None)
    assert (
        (made.grad_fn is None)
        == (expected.grad_fn is None)
        == (not made.requires_grad or not recording)
    )
    if made.grad_fn is not None:
        assert described(made.grad_fn) == described(expected.grad_fn)
        assert made.grad_fn._sequence_nr() < expected.grad_fn._sequence_nr()


def test_version_of_what_was_written_to_before_is_remembered():
    x, y = leaf(2), cr.ones(2)
    y.mul_(2)
    product = x * y

    assert product.grad_fn._versions[1] == 1
    y.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        product.sum().backward()


def test_view_whose_base_was_written_to_gets_its_new_history():
    base = leaf(4) * 1
    part = base.view((2, 2))
    base.mul_(3)

    assert part.sin().grad_fn.next_functions[0][0].name() == "AsStridedBackward0"


def test_view_made_unrecorded_requires_grad_as_its_base_does():
    x = leaf(4)
    with cr.no_grad():
        part = x.view((2, 2))

    assert part.requires_grad
    assert part.is_leaf


def test_results_of_inference_mode_are_marked():
    with cr.inference_mode():
        results = [
            ops.sin(cr.ones(2)),
            cr.ones(2) * 2,
            cr.ones(2, 2).mm(cr.ones(2, 2)),
            cr.ones(2).sum(),
        ]

    assert all(result.is_inference() for result in results)
    with pytest.raises(RuntimeError, match="Inference tensors cannot be saved"):
        leaf(2) * results[1]


def test_hooks_on_saved_tensors_see_what_is_saved():
    seen = []
    with cr.autograd.graph.saved_tensors_hooks(lambda t: seen.append(t) or t, lambda t: t):
        (leaf(2) * cr.ones(2)).sin().sum().backward()

    assert len(seen) == 2


def test_anomaly_mode_knows_the_line_that_made_a_node():
    with pytest.warns(UserWarning, match="Anomaly Detection"), cr.autograd.detect_anomaly():
        product = leaf(2) * 2

    assert "product = leaf(2) * 2" in "".join(product.grad_fn.metadata["traceback_"])


@pytest.mark.parametrize("case", ["mul", "mm", "mv"])
def test_error_for_shapes_that_do_not_fit_is_core_s_own(case):
    arguments = {
        "mul": (cr.ones(2), cr.ones(3)), "mm": (cr.ones(2, 3), cr.ones(2, 3)),
        "mv": (cr.ones(2, 3), cr.ones(2)),
    }[case]  # fmt: skip
    errors = []
    for call in (all_ops[f"cr::{case}"].fast, all_ops[f"cr::{case}"].fast.__wrapped__):
        with pytest.raises(cr.errors.ShapeError) as caught:
            call(*arguments)
        errors.append(str(caught.value))

    assert errors[0] == errors[1]


@pytest.mark.parametrize(
    "arguments",
    [
        (), ("x",), (2, 3), (cr.ones(2),), (cr.ones(2), "x"), (cr.ones(2), None),
        (cr.ones(2), cr.ones(2), 1), (None, cr.ones(2)),
    ],
)  # fmt: skip
def test_wrong_arguments_are_refused_as_core_refuses_them(arguments):
    kinds = []
    for call in (all_ops["cr::mul"].fast, all_ops["cr::mul"].fast.__wrapped__):
        with pytest.raises(Exception) as caught:  # noqa: PT011 - the same one, whichever
            call(*arguments)
        kinds.append((type(caught.value), str(caught.value)))

    assert kinds[0] == kinds[1]


@pytest.mark.parametrize(
    "other", [2, -3, 200, 2**70, 2.5, True, 2j, cr.ones(2, dtype=cr.float64), cr.tensor(2)]
)
@pytest.mark.parametrize("dtype", [cr.float32, cr.int64, cr.bool])
def test_promotion_is_core_s(dtype, other):
    x = cr.ones(2, dtype=dtype)
    results = []
    for call in (all_ops["cr::mul"].fast, all_ops["cr::mul"].fast.__wrapped__):
        try:
            made = call(x, other)
            results.append((made.dtype, made.tolist()))
        except (RuntimeError, OverflowError) as error:
            results.append((type(error), str(error)))

    assert results[0] == results[1]


def test_rule_that_is_stated_anew_is_the_one_that_records():
    @composite(namespace="calltest", promote="float")
    def negated(self: Tensor) -> Tensor:
        """Return ``-self``."""
        return -self

    assert type(negated.fast).__name__ == "Call"
    for factor, rule in ((2.0, lambda grad: grad * 2), (3.0, lambda grad: grad * 3)):
        negated.vjp(self=rule)
        x = leaf(2)
        negated(x).sum().backward()
        assert x.grad.tolist() == [factor, factor]


def test_calls_leave_no_reference_behind():
    x, y, matrix = leaf(3), cr.ones(3), leaf(3, 3)
    key, shared = x._key, [None, True, False, x._key, cr.Tensor, 0]

    def step():
        (grad,) = cr.autograd.grad((matrix @ (x * y + 2).sin()).expm1().sum(), x, create_graph=True)
        (grad * x).view((3, 1)).sum().backward(inputs=[x])
        x.grad = None
        with pytest.raises(RuntimeError):
            x * cr.ones(2)

    for _ in range(20):
        step()
    before = [sys.getrefcount(item) for item in shared]
    for _ in range(200):
        step()
    after = [sys.getrefcount(item) for item in shared]

    assert key is x._key
    assert [b - a for a, b in zip(before, after, strict=True)] == pytest.approx([0] * 6, abs=50)


def test_subclass_whose_slots_are_hidden_by_properties_is_asked_as_core_asks_it():
    class Hidden(cr.Tensor):
        @property
        def _array(self):
            raise ValueError("not to be read")

    plain, hidden = cr.ones(2), object.__new__(Hidden)
    for name in ("_key", "_base", "_storage", "_requires_grad"):
        setattr(hidden, name, getattr(plain, name))

    assert (plain.as_subclass(cr.nn.Buffer) + 1).tolist() == [2, 2]
    for call in (lambda: ops.mul.fast(hidden, 2), lambda: ops.sin.fast(hidden)):
        with pytest.raises(ValueError, match="not to be read"):
            call()
    with pytest.raises(ValueError, match="uninitialized parameter"):
        cr.nn.LazyLinear(3).weight + 1


def test_garbage_collected_amid_a_call_may_change_its_operand():
    def change(x):
        x.detach_()
        x._storage = None
        x.detach()

    def call_while_garbage_is_collected(call, threshold):
        x, busy = leaf(3) * 2, []

        def collecting(phase, info):
            if not busy:
                busy.append(True)
                change(x)
                busy.clear()

        gc.callbacks.append(collecting)
        gc.set_threshold(threshold)
        try:
            return call(x)
        finally:
            gc.callbacks.remove(collecting)

    before = gc.get_threshold()
    try:
        for count in range(400):
            kept = [[] for _ in range(count % 37)]  # the collection falls on another allocation
            for call in (cr.sin, lambda x: x * 3.0, lambda x: x.view(3, 1)):
                made = call_while_garbage_is_collected(call, 1 + count % 23)
                gc.set_threshold(0)
                assert made.grad_fn is None or made.grad_fn.next_functions
                assert made._storage is None or made._storage.version == 0
            del kept
    finally:
        gc.set_threshold(*before)


def test_tensor_without_attributes_is_refused_as_core_refuses_it():
    empty = object.__new__(cr.Tensor)
    for call in (lambda: ops.sin.fast(empty), lambda: ops.add.fast(cr.ones(2), empty)):
        with pytest.raises(AttributeError, match="'Tensor' object has no attribute"):
            call()


def test_layout_that_is_not_the_one_built_for_is_told_and_leaves_calls_as_they_are():
    backend = registry.by_name("native")
    with pytest.warns(RuntimeWarning, match="does not fit this chainrule"):
        assert backend.quick_calls({"value": object}) is None

    assert (leaf(2) * 2).grad_fn.name() == "MulBackward0"


def test_calls_stay_in_python_where_the_environment_says_so():
    program = (
        "import chainrule as cr; cr.use(cpu='native'); (cr.ones(2) * 2).tolist(); "
        "print(type(cr.ops.mul.fast).__name__)"
    )
    printed = {
        value: subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "CHAINRULE_NATIVE_CALLS": value},
            capture_output=True, text=True, check=True,
        ).stdout.strip()
        for value in ("0", "1")
    }  # fmt: skip

    assert printed == {"0": "function", "1": "Call"}
