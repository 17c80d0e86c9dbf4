"""What a node shows: its name, what it saved, where it leads."""

from __future__ import annotations

import pytest


def names_back_from(node):
    """Return the names of the nodes from *node* on, following the first input."""
    found = []
    while node is not None:
        found.append(node.name())
        node = node.next_functions[0][0] if node.next_functions else None
    return found


# Saved tensors


def test_saved_input_is_the_input_itself(lib):
    leaf = lib.randn(8, requires_grad=True)
    computed = leaf * 2

    assert leaf.pow(2).grad_fn._saved_self is leaf
    assert computed.pow(2).grad_fn._saved_self is computed


def test_saved_input_that_requires_no_grad_is_itself_too(lib):
    x, w = lib.ones(2), lib.ones(2, requires_grad=True)

    assert (x * w).grad_fn._saved_self is x


def test_saved_result_is_equal_to_the_result_and_not_it(lib):
    y = lib.randn(8, requires_grad=True).exp()
    saved = y.grad_fn._saved_result

    assert y.equal(saved)
    assert saved is not y
    assert saved is not y.grad_fn._saved_result
    assert saved.grad_fn is y.grad_fn
    assert saved.data_ptr() == y.data_ptr()


def test_saved_result_shares_the_version(lib):
    y = lib.ones(1, requires_grad=True).exp()
    saved = y.grad_fn._saved_result
    y.detach().add_(0)

    assert saved._version == 1


def test_operand_that_no_wanted_gradient_needs_reads_none(lib):
    x, w = lib.ones(2), lib.ones(2, requires_grad=True)
    node = (x * w).grad_fn

    assert node._saved_self is x
    assert node._saved_other is None


def test_saved_arguments_are_readable(lib):
    x = lib.ones(2, 3, requires_grad=True)

    assert x.pow(2.5).grad_fn._saved_exponent == 2.5
    assert x.sum(1).grad_fn._saved_dim == (1,)
    assert x.softmax(1).grad_fn._saved_dim in {1, 2**64 - 1}
    assert lib.add(x, x, alpha=3).grad_fn._saved_alpha == 3


def test_name_that_was_not_saved_is_no_attribute(lib):
    node = lib.ones(2, requires_grad=True).pow(2).grad_fn

    with pytest.raises(AttributeError, match="'PowBackward0' object has no attribute '_saved_foo'"):
        _ = node._saved_foo


def test_saved_names_are_listed(lib):
    x, w = lib.ones(2, requires_grad=True), lib.ones(2, requires_grad=True)

    assert {n for n in dir((x * w).grad_fn) if n.startswith("_saved_")} == {
        "_saved_self", "_saved_other",
    }  # fmt: skip


# Nodes


def test_nodes_lead_to_the_accumulator_of_the_leaf(lib):
    x = lib.ones(2, requires_grad=True)
    loss = (x * 2).sum()
    accumulator = loss.grad_fn.next_functions[0][0].next_functions[0][0]

    assert names_back_from(loss.grad_fn) == [
        "SumBackward0", "MulBackward0", "torch::autograd::AccumulateGrad",
    ]  # fmt: skip
    assert type(accumulator).__name__ == "AccumulateGrad"
    assert accumulator.variable is x


def test_input_that_requires_no_grad_has_no_edge(lib):
    x, w = lib.ones(2), lib.ones(2, requires_grad=True)
    edges = (x * w).grad_fn.next_functions

    assert edges[0] == (None, 0)
    assert edges[1][0].variable is w


def test_edges_carry_the_number_of_the_output(lib):
    parts = lib.ones(3, requires_grad=True).unbind()

    assert (parts[2] * 2).grad_fn.next_functions[0] == (parts[0].grad_fn, 2)


def test_accumulator_of_a_leaf_is_one_object(lib):
    x = lib.ones(2, requires_grad=True)
    first, second = x * 2, x * 3

    assert first.grad_fn.next_functions[0][0] is second.grad_fn.next_functions[0][0]


def test_node_is_one_hashable_object(lib):
    y = lib.ones(2, requires_grad=True) * 2

    assert y.grad_fn is y.grad_fn
    assert {y.grad_fn: 1}[y.grad_fn] == 1
    assert isinstance(y.grad_fn, lib.autograd.graph.Node)


def test_node_keeps_notes(lib):
    y = lib.ones(2, requires_grad=True) * 2
    y.grad_fn.metadata["line"] = 7

    assert y.grad_fn.metadata == {"line": 7}


def test_sequence_numbers_grow(lib):
    x = lib.ones(2, requires_grad=True)
    first = x * 2
    second = x * 2

    assert first.grad_fn._sequence_nr() < second.grad_fn._sequence_nr()


def test_node_can_be_called_with_a_gradient(lib):
    x, w = lib.ones(2, requires_grad=True), lib.full((2,), 3.0, requires_grad=True)
    by_x, by_w = (x * w).grad_fn(lib.ones(2))

    assert (by_x.tolist(), by_w.tolist()) == ([3.0, 3.0], [1.0, 1.0])


def test_node_called_with_another_number_of_gradients_raises(lib, raises):
    y = lib.ones(2, requires_grad=True) * 2
    with raises(TypeError, "expected 1 arguments, got 0 instead"):
        y.grad_fn()


NAMES = {
    "x**2": (lambda lib, x: x**2, ["PowBackward0"]),
    "x**x": (lambda lib, x: x**x, ["PowBackward1"]),
    "2**x": (lambda lib, x: 2**x, ["PowBackward2"]),
    "max of all": (lambda lib, x: x.max(), ["MaxBackward1"]),
    "max along": (lambda lib, x: x.max(0).values, ["MaxBackward0"]),
    "clamp": (lambda lib, x: x.clamp(0, 1), ["ClampBackward1"]),
    "1 - x": (lambda lib, x: 1 - x, ["RsubBackward1"]),
    "1 / x": (lambda lib, x: 1 / x, ["MulBackward0", "ReciprocalBackward0"]),
    "-x": (lambda lib, x: -x, ["NegBackward0"]),
    "norm": (lambda lib, x: x.norm(), ["LinalgVectorNormBackward0"]),
    "x @ w.T": (lambda lib, x: x @ x.T, ["MmBackward0"]),
    "linear": (
        lambda lib, x: lib.nn.functional.linear(x, x.detach(), x.detach()[0]), ["AddmmBackward0"],
    ),
    "matmul of batches": (
        lambda lib, x: x.expand(4, 2, 2) @ x.expand(4, 2, 2),
        ["UnsafeViewBackward0", "BmmBackward0"],
    ),
    "einsum": (lambda lib, x: lib.einsum("ij,jk->ik", x, x), ["ViewBackward0", "PermuteBackward0"]),
    "reshape": (lambda lib, x: x.reshape(4), ["ViewBackward0"]),
    "reshape of transposed": (lambda lib, x: x.t().reshape(4), ["UnsafeViewBackward0"]),
    "double": (lambda lib, x: x.double(), ["ToCopyBackward0"]),
    "dropout": (lambda lib, x: lib.nn.functional.dropout(x, 0.5), ["MulBackward0"]),
    "cross entropy": (
        lambda lib, x: lib.nn.functional.cross_entropy(x, lib.tensor([0, 1])),
        ["NllLossBackward0", "LogSoftmaxBackward0"],
    ),
    "mean": (lambda lib, x: x.mean(), ["MeanBackward0"]),
    "sum along": (lambda lib, x: x.sum(0), ["SumBackward1"]),
    "softmax": (lambda lib, x: x.softmax(0), ["SoftmaxBackward0"]),
    "where": (lambda lib, x: lib.where(x > 0, x, 0.0), ["WhereBackward0"]),
    "cat": (lambda lib, x: lib.cat([x, x]), ["CatBackward0"]),
    "stack": (lambda lib, x: lib.stack([x, x]), ["StackBackward0"]),
    "index by a number": (lambda lib, x: x[0], ["SelectBackward0"]),
    "index by a slice": (lambda lib, x: x[:1], ["SliceBackward0"]),
    "index by a tensor": (lambda lib, x: x[lib.tensor([0, 1])], ["IndexBackward0"]),
    "transpose": (lambda lib, x: x.t(), ["TBackward0"]),
    "expand": (lambda lib, x: x.expand(2, 2, 2), ["ExpandBackward0"]),
    "clone": (lambda lib, x: x.clone(), ["CloneBackward0"]),
    "gelu": (lambda lib, x: lib.nn.functional.gelu(x), ["GeluBackward0"]),
    "mse loss": (
        lambda lib, x: lib.nn.functional.mse_loss(x, x.detach() + 1), ["MseLossBackward0"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("compute", "names"), NAMES.values(), ids=NAMES)
def test_graph_is_written_with_pytorchs_names(lib, compute, names):
    x = lib.tensor([[0.5, 2.0], [1.5, -1.0]], requires_grad=True)

    assert names_back_from(compute(lib, x).grad_fn)[: len(names)] == names


def test_node_tells_what_gradients_it_takes(lib):
    x = lib.ones(2, 3, dtype=lib.float64, requires_grad=True)
    (taken,) = (x * 2).grad_fn._input_metadata

    assert (list(taken.shape), taken.dtype, taken.device) == ([2, 3], lib.float64, x.device)
    assert len(x.unbind()[0].grad_fn._input_metadata) == 2


def test_node_cannot_be_made_by_hand(lib):
    with pytest.raises(TypeError, match="Can't instantiate abstract class Node"):
        lib.autograd.graph.Node()


def test_node_takes_no_further_attributes(lib):
    node = (lib.ones(2, requires_grad=True) * 2).grad_fn
    with pytest.raises(AttributeError, match="'MulBackward0' object has no attribute 'foo'"):
        node.foo = 3
    with pytest.raises(AttributeError):
        node.metadata = {}
