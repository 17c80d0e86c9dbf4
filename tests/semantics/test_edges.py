"""Places in the graph that stand for tensors: gradient edges."""

from __future__ import annotations

import pytest


def edge(lib, tensor):
    return lib.autograd.graph.get_gradient_edge(tensor)


def leaf(lib):
    return lib.tensor([1.0, 2.0], requires_grad=True)


def test_edge_names_the_node_and_the_output(lib):
    x = leaf(lib)
    y, parts = x * 2, x.unbind()

    assert (edge(lib, y).node, edge(lib, y).output_nr) == (y.grad_fn, 0)
    assert (edge(lib, parts[1]).node, edge(lib, parts[1]).output_nr) == (parts[0].grad_fn, 1)
    assert edge(lib, x).node.variable is x
    assert edge(lib, y)._fields == ("node", "output_nr", "ownership_token")


def test_edge_of_a_tensor_without_gradient_is_refused(lib, raises):
    with raises(
        RuntimeError,
        "It is not possible to get the gradient edge for a Tensor that does not require gradients",
    ):
        edge(lib, lib.ones(2))


def test_gradient_at_an_edge_is_that_of_the_tensor(lib):
    x = leaf(lib)
    y = x * 2
    at_y, at_x = edge(lib, y), edge(lib, x)
    loss = (y * y).sum()
    del y

    assert [g.tolist() for g in lib.autograd.grad(loss, [at_y, at_x])] == [[4.0, 8.0], [8.0, 16.0]]


def test_edge_may_be_made_by_hand(lib):
    made = lib.autograd.graph.GradientEdge
    a, b = (leaf(lib) * 1).unbind()
    edges = [made(a.grad_fn, 1), made(a.grad_fn, 0)]

    assert [g.item() for g in lib.autograd.grad(a * 2 + b * 3, edges)] == [3.0, 2.0]


def test_pass_may_start_at_an_edge(lib, raises):
    x = leaf(lib)
    y = x * 2
    assert lib.autograd.grad(edge(lib, y), x, lib.ones(2))[0].tolist() == [2.0, 2.0]

    lib.autograd.backward(edge(lib, (x * 2).sum()))
    assert x.grad.tolist() == [2.0, 2.0]
    with raises(RuntimeError, "grad can be implicitly created only for scalar outputs"):
        lib.autograd.backward(edge(lib, x * 2))
    with raises(
        RuntimeError,
        "Mismatch in shape: grad_output[0] has a shape of torch.Size([3]) and output[0] has a "
        "shape of torch.Size([2]).",
    ):
        lib.autograd.backward(edge(lib, x * 2), lib.ones(3))


def test_edges_and_tensors_mix(lib):
    x = leaf(lib)
    y = x * 2
    found = lib.autograd.grad([edge(lib, y.sum()), x.prod()], [x, edge(lib, y)])

    assert [g.tolist() for g in found] == [[4.0, 3.0], [1.0, 1.0]]


def test_backward_to_an_edge_fills_the_leaf_it_stands_for_and_nothing_else(lib):
    x = leaf(lib)
    y = x * 2
    y.sum().backward(inputs=[edge(lib, y)])
    assert x.grad is None

    (x * 2).sum().backward(inputs=[edge(lib, x)])
    assert x.grad.tolist() == [2.0, 2.0]

    y = x * 2
    y.retain_grad()
    y.sum().backward(inputs=[edge(lib, y)])
    assert y.grad.tolist() == [1.0, 1.0]


def test_unused_edge_gives_none_and_no_zeros(lib, raises):
    x, unused = leaf(lib), edge(lib, leaf(lib) * 3)
    assert lib.autograd.grad((x * 2).sum(), unused, allow_unused=True) == (None,)
    with raises(
        RuntimeError, "materialize_grads cannot be used when the given input is a GradientEdge"
    ):
        lib.autograd.grad((x * 2).sum(), unused, materialize_grads=True)


def test_batch_of_gradients_must_be_given(lib):
    x = leaf(lib)
    with pytest.raises(ValueError):  # noqa: PT011 - PyTorch's message is vmap's, about dimensions
        lib.autograd.grad(x.sum(), x, is_grads_batched=True)
