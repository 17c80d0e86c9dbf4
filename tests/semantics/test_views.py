"""Which results look into the memory of their source, and which are copies."""

from __future__ import annotations

import gc
import weakref

import pytest

import chainrule as cr

VIEWS = {
    "index by a number": lambda x: x[1],
    "index by a slice": lambda x: x[:, 1:],
    "index by None and ...": lambda x: x[None, ..., 0],
    "view": lambda x: x.view(6),
    "reshape of contiguous": lambda x: x.reshape(3, 2),
    "flatten": lambda x: x.flatten(),
    "transpose": lambda x: x.transpose(0, 1),
    "permute": lambda x: x.permute(1, 0),
    "t": lambda x: x.t(),
    "T": lambda x: x.T,
    "expand": lambda x: x.expand(4, 2, 3),
    "unsqueeze": lambda x: x.unsqueeze(0),
    "squeeze": lambda x: x.unsqueeze(0).squeeze(),
    "narrow": lambda x: x.narrow(1, 0, 2),
    "select": lambda x: x.select(0, 1),
    "split": lambda x: x.split(1)[1],
    "chunk": lambda x: x.chunk(2)[1],
    "unbind": lambda x: x.unbind()[1],
    "diagonal": lambda x: x.diagonal(),
    "unfold": lambda x: x.unfold(1, 2, 1),
    "movedim": lambda x: x.movedim(0, 1),
    "detach": lambda x: x.detach(),
}
COPIES = {
    "index by a list": lambda x: x[[0, 1]],
    "index by a tensor": lambda x: x[x > -1],
    "reshape of non-contiguous": lambda x: x.t().reshape(6),
    "repeat": lambda x: x.repeat(1, 1),
    "contiguous of non-contiguous": lambda x: x.t().contiguous(),
    "clone": lambda x: x.clone(),
}


@pytest.mark.parametrize("look", VIEWS.values(), ids=VIEWS)
def test_view_shares_memory_and_version(lib, look):
    x = lib.arange(6.0).reshape(2, 3).clone()
    view = look(x)
    x.fill_(7)

    assert {number for row in nested(view) for number in row} == {7.0}
    assert view._version == x._version == 1


@pytest.mark.parametrize("copy", COPIES.values(), ids=COPIES)
def test_copy_has_its_own_memory_and_version(lib, copy):
    x = lib.arange(6.0).reshape(2, 3).clone()
    made = copy(x)
    x.fill_(7)

    assert 7.0 not in {number for row in nested(made) for number in row}
    assert made._version == 0


def nested(tensor):
    return tensor.reshape(1, -1).tolist()


@pytest.mark.parametrize(
    "look", [look for name, look in VIEWS.items() if name != "detach"],
    ids=[name for name in VIEWS if name != "detach"],
)  # fmt: skip
def test_view_passes_the_gradient_on(lib, look):
    x = lib.arange(6.0).reshape(2, 3).clone().requires_grad_()
    look(x).sum().backward()
    copy = lib.zeros(2, 3)
    ones = look(copy)

    assert x.grad.sum().item() == ones.numel()


def test_contiguous_tensor_is_given_back_as_it_is(lib):
    x = lib.ones(2, 3)

    assert x.contiguous() is x


def test_parts_of_complex_tensors_are_views(lib):
    z = lib.tensor([1 + 2j, 3 + 4j])
    real, imag, pairs = z.real, z.imag, lib.view_as_real(z)
    z.mul_(2)

    assert (real.tolist(), imag.tolist()) == ([2.0, 6.0], [4.0, 8.0])
    assert pairs.tolist() == [[2.0, 4.0], [6.0, 8.0]]


def test_view_made_without_recording_requires_grad_as_its_base_does(lib):
    p = lib.ones(3, requires_grad=True)
    with lib.no_grad():
        view = p[0]

    assert (view.requires_grad, view.is_leaf, view.grad_fn) == (True, True, None)


def test_old_view_of_a_written_base_is_seen_through_its_strides(lib):
    leaf = lib.ones(2, 3, requires_grad=True)
    base = leaf * 1
    view = base.t()[1]
    base.exp_()

    node = view.grad_fn
    assert (node.name(), node.next_functions[0][0].name()) == ("AsStridedBackward0", "ExpBackward0")
    assert tuple(node._saved_size) == (2,)
    assert (tuple(node._saved_stride), node._saved_storage_offset) == ((3,), 1)
    (view * view).sum().backward()
    assert leaf.grad[:, 0].tolist() == [0.0, 0.0]


def test_unrecorded_write_makes_views_old_too(lib, raises):
    base = lib.ones(2, 2, requires_grad=True) * 1
    other = base.unbind()[1]
    with lib.no_grad():
        base.add_(1)
    with raises(RuntimeError, "Output 1 of Unbind is a view and its base or another view of its"):
        other * 2


def test_view_of_one_of_several_views_is_not_written_to(lib, raises):
    base = lib.ones(2, 2, requires_grad=True) * 1
    part = base.unbind()[0][0]
    with raises(RuntimeError, "Output 0 of Select is a view and is being modified inplace. This"):
        part.add_(1)


def test_view_of_a_view_made_without_recording_is_not_written_to(lib, raises):
    base = lib.ones(3, requires_grad=True) * 1
    with lib.no_grad():
        view = base.view(3)
    part = view[0]
    with raises(RuntimeError, "Output 0 of Select is a view of a view which was created in"):
        part.add_(1)


def test_hook_on_a_view_is_gone_with_the_history_it_was_on(lib):
    base, heard = lib.ones(3, requires_grad=True) * 1, []
    view = base.view(3)
    view.register_hook(lambda grad: heard.append("before"))
    view.mul_(3)
    view.register_hook(lambda grad: heard.append("after"))
    view.sum().backward()

    assert heard == ["after"]


def test_base_with_a_write_into_its_view_is_freed_without_collection(lib):
    leaf = lib.ones(4, requires_grad=True)
    base = leaf * 1
    base[0] = leaf[1]
    view = base[1:]
    view.mul_(2)
    held = weakref.ref(base), weakref.ref(view)
    gc.collect()
    gc.disable()
    try:
        del base, view
        assert [reference() for reference in held] == [None, None]
    finally:
        gc.enable()


def test_view_keeps_its_elements_where_the_base_is_reshaped_in_place(lib):
    leaf = lib.tensor([1.0, 2.0], requires_grad=True)
    base = leaf * 1
    last = base[..., -1]

    base.unsqueeze_(0)
    last.backward()

    assert last.grad_fn.name() == "AsStridedBackward0"
    assert leaf.grad.tolist() == [0.0, 1.0]


def test_parts_of_a_complex_base_that_is_transposed_in_place_keep_their_gradients(lib):
    leaf = lib.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], dtype=lib.complex64, requires_grad=True)
    base = leaf * 1
    parts = base.real

    base.t_()
    (parts * lib.arange(6.0).reshape(2, 3)).sum().backward()

    assert leaf.grad.real.tolist() == [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]
    assert leaf.grad.imag.tolist() == [[0.0] * 3] * 2


def test_write_into_a_view_of_a_base_that_was_reshaped_in_place_finds_its_place(lib):
    leaf = lib.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], requires_grad=True)
    base = leaf * 1
    row = base[0]

    base.transpose_(0, 1)
    row.mul_(2)
    base.sum().backward()

    assert base.tolist() == [[2.0, 4.0], [4.0, 5.0], [6.0, 6.0]]
    assert leaf.grad.tolist() == [[2.0, 2.0, 2.0], [1.0, 1.0, 1.0]]


def test_nothing_is_read_outside_of_a_base_that_became_smaller():
    base = cr.ones(3, 4, requires_grad=True) * 1
    row = base[2]
    base.as_strided_((2,), (1,))

    with pytest.raises(IndexError):
        row.sum().backward()


def test_history_of_a_view_ends_where_its_detached_base_is_written_to(lib):
    x = lib.ones(2, 3, requires_grad=True)
    base = x * 2
    view = base.transpose(0, 1)
    base.detach_()
    assert lib.autograd.grad(view.sum(), x, retain_graph=True)[0].tolist() == [[2.0] * 3] * 2

    base[0] = 5.0

    assert view.requires_grad
    assert view.grad_fn.name() == "AsStridedBackward0"
    assert lib.autograd.grad(view.sum(), x, allow_unused=True) == (None,)


@pytest.mark.parametrize("looked_at", [False, True])
def test_view_that_was_written_to_keeps_its_history_when_its_base_is_detached(lib, looked_at):
    x = lib.ones(3, requires_grad=True)
    base = x * 1
    view = base[1:]
    view.mul_(2)
    if looked_at:
        assert view.grad_fn is not None

    base.detach_()
    view.sum().backward()

    assert x.grad.tolist() == [0, 2, 2]


def test_view_of_a_detached_base_gets_the_history_of_what_is_written_to_it(lib):
    x, w = (lib.ones(2, 3, requires_grad=True) for _ in range(2))
    base = x * 2
    view = base[0]
    base.detach_()
    base.mul_(w)

    assert [g is None for g in lib.autograd.grad(view.sum(), [x, w], allow_unused=True)] == [
        True, False,
    ]  # fmt: skip


def test_view_made_under_no_grad_requires_grad_as_long_as_its_base_does(lib):
    x = lib.ones(1, 3, requires_grad=True)
    with lib.no_grad():
        view = x.squeeze(0)
    view.requires_grad_(False)

    assert view.requires_grad
    assert view[0].requires_grad

    x.requires_grad_(False)

    assert not view.requires_grad


def test_view_looked_at_after_a_write_follows_its_base_when_that_requires_grad_later(lib):
    base = lib.zeros(3)
    view, piece = base[:2], base.unbind(0)[0]
    base.fill_(3.0)
    assert view.is_leaf
    assert piece.is_leaf

    base.requires_grad_()
    (2 * view).sum().backward()

    assert base.grad.tolist() == [2, 2, 0]
    with pytest.raises(RuntimeError, match="a function that returns multiple views"):
        _ = piece.grad_fn


def test_view_that_is_recorded_may_be_asked_again_whatever_became_of_its_base(lib):
    x = lib.ones(4, requires_grad=True)
    piece = x.chunk(2)[0]
    with lib.no_grad():
        x.mul_(2)

    assert piece.requires_grad_() is piece


@pytest.mark.parametrize("asked", [False, True])
@pytest.mark.parametrize("cut", ["detach_", "requires_grad_"])
def test_freezing_what_shares_the_memory_leaves_views_alone(lib, asked, cut):
    x = lib.ones(3, 2, requires_grad=True)
    q, k, _ = x.unbind(0)
    beside = x.detach().requires_grad_(asked)
    beside.detach_() if cut == "detach_" else beside.requires_grad_(False)
    (q * k).sum().backward()

    assert x.grad.tolist() == [[1, 1], [1, 1], [0, 0]]


def test_history_of_a_view_is_told_under_no_grad_too(lib, raises):
    x = lib.ones(3, requires_grad=True).clone()
    view, piece = x[:2], x.unbind(0)[0]
    x.mul_(2)

    with lib.no_grad():
        assert view.grad_fn.name() == "AsStridedBackward0"
        with raises(RuntimeError, "Output 0 of Unbind"):
            piece.register_hook(print)


@pytest.mark.parametrize("mode", ["no_grad", "inference_mode"])
def test_view_made_without_recording_asks_its_base_and_not_the_view_it_was_made_of(lib, mode):
    x = lib.ones(2, 3, requires_grad=True) * 1
    row = x[0]
    x.detach_()
    with getattr(lib, mode)():
        part = row[1:]

    assert row.requires_grad
    assert not part.requires_grad
    assert not (part * 2).requires_grad


def test_nothing_leads_to_a_view_of_what_was_asked_later(lib):
    base = lib.zeros(3)
    view = base[:2]
    base.requires_grad_()

    assert lib.autograd.grad(base.sum(), view, allow_unused=True) == (None,)
    with pytest.raises(RuntimeError, match="appears to not have been used in the graph"):
        lib.autograd.grad(base.sum(), view)


def test_view_that_is_written_to_goes_on_retaining_its_gradient(lib):
    base = lib.ones(3, requires_grad=True).clone()
    written, beside = base[:2], base[:]
    written.retain_grad()
    beside.retain_grad()

    written.mul_(2)
    (3 * written.sum() + 5 * beside.sum()).backward()

    assert written.grad.tolist() == [3, 3]
    assert beside.grad.tolist() == [5, 5, 5]


def test_view_that_was_not_used_again_has_nothing_to_retain(lib):
    base = lib.ones(3, requires_grad=True).clone()
    view = base[:2]
    view.retain_grad()

    view.mul_(2)
    base.sum().backward()

    assert view.retains_grad
    assert view.grad is None


def test_size_that_does_not_change_is_no_write(lib):
    x = lib.ones(1, 2)

    x.resize_(1, 2)
    x.resize_as_(lib.zeros(1, 2))
    assert x._version == 0

    x.resize_(2)
    assert x._version == 1
