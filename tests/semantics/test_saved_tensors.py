"""Hooks on saved tensors: on all of a block, and on one."""

from __future__ import annotations

import threading
import weakref

import pytest


def hooks(lib, pack, unpack):
    return lib.autograd.graph.saved_tensors_hooks(pack, unpack)


def leaf(lib, values=(1.0, 2.0)):
    return lib.tensor(list(values), requires_grad=True)


def noting(seen, name):
    """Return a pair of hooks that change nothing and note that they ran."""

    def note(what):
        def hook(item):
            seen.append(f"{what} {name}")
            return item

        return hook

    return note("pack"), note("unpack")


# All of a block


def test_what_pack_returns_is_kept_and_unpack_makes_the_tensor_again(lib):
    x = leaf(lib)
    with hooks(lib, lambda t: t.tolist(), lib.tensor):
        y = x**2
        z = y.exp()
    z.sum().backward()

    again = leaf(lib)
    (again**2).exp().sum().backward()
    assert x.grad.tolist() == again.grad.tolist()


def test_pack_sees_the_input_itself_and_no_recording(lib):
    x, seen = leaf(lib), []

    def pack(tensor):
        seen.append((tensor is x, lib.is_grad_enabled()))
        return tensor

    with hooks(lib, pack, lambda t: t):
        x**2

    assert seen == [(True, False)]


def test_unpacked_tensor_has_the_history_of_the_saved_one(lib):
    x = leaf(lib)
    with hooks(lib, lambda t: t.tolist(), lib.tensor):
        y = x**2
        z = y.exp()
        w = y**3
    saved = y.grad_fn._saved_self, z.grad_fn._saved_result, w.grad_fn._saved_self

    assert (saved[0].requires_grad, saved[0].is_leaf, saved[0].grad_fn) == (True, True, None)
    assert saved[1].grad_fn is z.grad_fn
    assert saved[2].grad_fn is y.grad_fn


def test_derivatives_of_higher_order_go_on_past_the_hooks(lib):
    x = leaf(lib)
    with hooks(lib, lambda t: t.tolist(), lib.tensor):
        y = (x**3).sum()
    (gradient,) = lib.autograd.grad(y, x, create_graph=True)
    gradient.sum().backward()

    assert x.grad.tolist() == [6.0, 12.0]


def test_innermost_hooks_count(lib):
    x, seen = leaf(lib), []
    with hooks(lib, *noting(seen, "outer")):
        y = x**2
        with hooks(lib, *noting(seen, "inner")):
            y = y**2
        y = y**2
    y.sum().backward()

    assert seen == [
        "pack outer", "pack inner", "pack outer", "unpack outer", "unpack inner", "unpack outer",
    ]  # fmt: skip


def test_hooks_belong_to_their_thread(lib):
    x, seen = leaf(lib), []
    with hooks(lib, *noting(seen, "here")):
        thread = threading.Thread(target=lambda: x**2)
        thread.start()
        thread.join()

    assert not seen


def test_nothing_is_packed_that_is_not_saved(lib):
    seen = []
    with hooks(lib, *noting(seen, "here")):
        with lib.no_grad():
            leaf(lib) ** 2
        lib.ones(2) ** 2
        leaf(lib) + 1

    assert not seen


def test_operations_of_a_hook_are_not_packed_themselves(lib):
    x, seen = leaf(lib), []

    def pack(tensor):
        seen.append(1)
        return tensor * tensor

    with hooks(lib, pack, lambda t: t.sqrt()):
        y = x**2
    y.sum().backward()

    assert seen == [1]
    assert x.grad.tolist() == [2.0, 4.0]


SAVING = {
    "two matrices": (lambda lib, x: x @ x.t(), [(2, 3), (3, 2)]),
    "a result": (lambda lib, x: x.relu(), [(2, 3)]),
    "both operands": (lambda lib, x: x * x, [(2, 3), (2, 3)]),
    "nothing": (lambda lib, x: x.sum(), []),
    "the indices of a maximum": (lambda lib, x: x.max(1), [(2,)]),
    "indices": (lambda lib, x: x[lib.tensor([0])], [(1,)]),
    "a condition": (lambda lib, x: lib.where(x > 0, x, 0.0), [(2, 3)]),
    "no list": (lambda lib, x: lib.cat([x, x]), []),
}


@pytest.mark.parametrize(("compute", "shapes"), SAVING.values(), ids=SAVING)
def test_every_tensor_that_is_saved_is_packed(lib, compute, shapes):
    x, packed = lib.ones(2, 3, requires_grad=True), []

    def pack(tensor):
        packed.append(tuple(tensor.shape))
        return tensor

    with hooks(lib, pack, lambda t: t):
        compute(lib, x)

    assert sorted(packed) == sorted(shapes)


def test_write_to_what_was_packed_is_not_noticed(lib):
    x = leaf(lib)
    with hooks(lib, lambda t: t.clone(), lambda t: t):
        y = x + 1
        z = y**2
    y.detach().add_(5)
    z.sum().backward()

    assert x.grad.tolist() == [4.0, 6.0]


def test_write_in_place_packs_what_was_there_before(lib):
    x, packed = leaf(lib), []

    def pack(tensor):
        packed.append(tensor.tolist())
        return tensor.clone()

    with hooks(lib, pack, lambda t: t):
        y = x * 1
        y.mul_(y)
    y.sum().backward()

    assert packed == [[1.0, 2.0], [1.0, 2.0]]
    assert x.grad.tolist() == [2.0, 4.0]


def test_write_into_a_view_packs_what_it_saves(lib):
    x = leaf(lib)
    with hooks(lib, lambda t: t.clone(), lambda t: t):
        y = x * 2
        y[0].pow_(3)
        z = y**2
    z.sum().backward()

    assert x.grad.tolist() == [384.0, 16.0]


def test_pack_must_not_write(lib, raises):
    sentence = "A saved tensor pack hook is modifying its input in place."
    for saved in (lib.ones(2), lib.ones(2, requires_grad=True) * 1):
        other = leaf(lib)
        with hooks(lib, lambda t: t.mul_(2), lambda t: t), raises(RuntimeError, sentence):
            other * saved


@pytest.mark.parametrize("wrong", [5, None])
def test_unpack_must_return_a_tensor(lib, raises, wrong):
    with hooks(lib, lambda t: t, lambda t: wrong):
        y = leaf(lib) ** 2
    kind = type(wrong).__name__
    with raises(
        TypeError,
        f"Output of saved tensor unpack_hook expected to be a Tensor but got result of type {kind}",
    ):
        y.sum().backward()


class OwnError(Exception):
    """An exception that no library knows."""


def test_exception_of_a_hook_comes_through(lib):
    def careless(item):
        raise OwnError

    with hooks(lib, careless, lambda t: t), pytest.raises(OwnError):
        leaf(lib) ** 2
    with hooks(lib, lambda t: t, careless):
        y = leaf(lib) ** 2
    with pytest.raises(OwnError):
        y.sum().backward()


def test_hooks_must_be_functions(lib, raises):
    with (
        raises(TypeError, "_push_saved_tensors_default_hooks(): incompatible function arguments."),
        hooks(lib, 1, 2),
    ):
        pass


def test_function_packs_what_it_saves(lib):
    seen = []

    class Double(lib.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            result = x * 2
            ctx.save_for_backward(x, result, None)
            return result

        @staticmethod
        def backward(ctx, grad):
            x, result, nothing = ctx.saved_tensors
            seen.append((x.tolist(), x.requires_grad, result.grad_fn is ctx, nothing))
            return grad * 2

    x = leaf(lib)
    with hooks(lib, lambda t: t * 10, lambda t: t / 10):
        y = Double.apply(x)
    y.sum().backward()

    assert seen == [([1.0, 2.0], True, True, None)]


def test_packed_graph_is_freed_with_its_result(lib):
    class Content:
        pass

    kept = []

    def pack(tensor):
        content = Content()
        kept.append(weakref.ref(content))
        return content

    with hooks(lib, pack, lambda c: lib.ones(2)):
        y = leaf(lib).exp()
    assert kept[0]() is not None
    del y
    assert kept[0]() is None

    with hooks(lib, pack, lambda c: lib.ones(2)):
        y = leaf(lib).exp()
    y.sum().backward()
    assert kept[1]() is None


# Forbidden


def test_hooks_may_be_forbidden(lib, raises):
    disabled = lib.autograd.graph.disable_saved_tensors_hooks
    with disabled("not here"):
        leaf(lib) ** 2
        with raises(RuntimeError, "not here"), hooks(lib, lambda t: t, lambda t: t):
            pass
    with (
        hooks(lib, lambda t: t, lambda t: t),
        raises(RuntimeError, "not now"),
        disabled("not now"),
    ):
        pass
    with hooks(lib, lambda t: t, lambda t: t):
        leaf(lib) ** 2


def test_function_may_forbid_hooks(lib, raises):
    @lib.autograd.graph.disable_saved_tensors_hooks("not in here")
    def careful():
        with hooks(lib, lambda t: t, lambda t: t):
            pass

    with raises(RuntimeError, "not in here"):
        careful()


# In host memory


def test_saved_tensors_may_wait_in_host_memory(lib):
    x = leaf(lib)
    context = lib.autograd.graph.save_on_cpu()
    with context:
        y = (x**2).exp()
    saved = y.grad_fn._saved_result
    y.sum().backward()

    assert isinstance(context, lib.autograd.graph.saved_tensors_hooks)
    assert saved.device == x.device
    assert x.grad[0].item() == pytest.approx(2 * 2.7182818)


# One saved tensor


def test_one_saved_tensor_takes_hooks(lib):
    x, packed = leaf(lib), []
    y = x**2
    y.grad_fn._raw_saved_self.register_hooks(
        lambda t: packed.append(t.tolist()), lambda _: lib.tensor([10.0, 10.0])
    )
    y.sum().backward()

    assert packed == [[1.0, 2.0]]
    assert x.grad.tolist() == [20.0, 20.0]


def test_saved_result_takes_hooks(lib):
    x = leaf(lib, [0.0, 0.0])
    y = x.exp()
    y.grad_fn._raw_saved_result.register_hooks(lambda t: t, lambda t: t * 2)
    y.sum().backward()

    assert x.grad.tolist() == [2.0, 2.0]


def test_saved_tensors_of_a_function_take_hooks(lib):
    class Scaled(lib.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * 2

        @staticmethod
        def backward(ctx, grad):
            return grad * ctx.saved_tensors[0]

    x = leaf(lib)
    y = Scaled.apply(x)
    (saved,) = y.grad_fn._raw_saved_tensors
    saved.register_hooks(lambda t: t, lambda t: t * 100)
    y.sum().backward()

    assert x.grad.tolist() == [100.0, 200.0]


def test_list_of_saved_tensors_is_a_tuple_of_them(lib):
    x = leaf(lib)
    y = x[lib.tensor([0, 1])]
    (indices,) = y.grad_fn._raw_saved_indices
    indices.register_hooks(lambda t: t, lambda t: t.flip(0))
    (y * lib.tensor([1.0, 10.0])).sum().backward()

    assert x.grad.tolist() == [10.0, 1.0]


TWICE = (
    "Calling register_hooks on a saved tensor whose hooks have already been set. Hint: only one "
    "pair of hooks is allowed at a time."
)


def test_saved_tensor_takes_one_pair_of_hooks(lib, raises):
    y = leaf(lib) ** 2
    saved = y.grad_fn._raw_saved_self
    saved.register_hooks(lambda t: t, lambda t: t)
    with raises(RuntimeError, TWICE):
        saved.register_hooks(lambda t: t, lambda t: t)

    with hooks(lib, lambda t: t, lambda t: t):
        y = leaf(lib) ** 2
    with raises(RuntimeError, TWICE):
        y.grad_fn._raw_saved_self.register_hooks(lambda t: t, lambda t: t)


def test_what_is_freed_takes_no_hooks(lib, raises):
    y = leaf(lib) ** 2
    saved = y.grad_fn._raw_saved_self
    y.sum().backward()
    with raises(
        RuntimeError, "Calling register_hooks on a saved tensor after it has been freed. Saved"
    ):
        saved.register_hooks(lambda t: t, lambda t: t)


def test_what_is_not_saved_takes_no_hooks(lib, raises):
    y = leaf(lib) * lib.ones(2)
    assert y.grad_fn._saved_self is None
    with raises(
        RuntimeError, "Calling register_hooks on a saved tensor with value None is forbidden"
    ):
        y.grad_fn._raw_saved_self.register_hooks(lambda t: t, lambda t: t)
    with pytest.raises(AttributeError, match="has no attribute '_raw_saved_exponent'"):
        _ = (leaf(lib) ** 2).grad_fn._raw_saved_exponent


def test_pack_hook_of_one_tensor_must_not_write(lib, raises):
    y = leaf(lib) * 1
    z = y**2
    with raises(RuntimeError, "A saved tensor pack hook is modifying its input in place."):
        z.grad_fn._raw_saved_self.register_hooks(lambda t: t.add_(1), lambda t: t)


# Writing into what is saved


def mutation(lib):
    return lib.autograd.graph.allow_mutation_on_saved_tensors()


def test_what_is_saved_is_copied_when_it_is_written_to(lib):
    x = leaf(lib)
    with mutation(lib):
        y = x * 1
        z = y**2
        y.mul_(100)
        y.add_(1)
        z.sum().backward()

    assert x.grad.tolist() == [2.0, 4.0]


def test_leaf_result_and_base_may_be_written_to(lib):
    with mutation(lib):
        x = leaf(lib)
        y = x**2
        with lib.no_grad():
            x.mul_(5)
        y.sum().backward()
        assert x.grad.tolist() == [2.0, 4.0]

        x = leaf(lib, [0.0, 0.0])
        y = x.exp()
        y.mul_(3)
        y.sum().backward()
        assert x.grad.tolist() == [3.0, 3.0]

        x = leaf(lib)
        base = x * 1
        y = base**2
        base[0] = 7.0
        (y.sum() + base.sum()).backward()
        assert x.grad.tolist() == [2.0, 5.0]


def test_graph_of_a_mutation_block_stays_in_it(lib):
    with mutation(lib):
        z = (leaf(lib) * 1).sin()
    with pytest.raises(AssertionError, match="Trying to backward outside of the"):
        z.sum().backward()


def test_mutation_blocks_are_not_nested(lib, raises):
    sentence = "allow_mutation_on_saved_tensors contexts cannot be nested"
    with mutation(lib), raises(RuntimeError, sentence), mutation(lib):
        pass
    with mutation(lib):
        pass


# Versions by hand


def test_version_may_be_counted_up_by_hand(lib, raises):
    x = leaf(lib)
    y = x + 1
    z = y**2
    lib.autograd.graph.increment_version(y)
    assert y._version == 1
    lib.autograd.graph.increment_version([y, y])
    assert y._version == 3
    with raises(
        RuntimeError,
        "one of the variables needed for gradient computation has been modified by an inplace "
        "operation: [torch.FloatTensor [2]], which is output 0 of Add, is at version 3; expected "
        "version 0 instead.",
    ):
        z.sum().backward()


def test_write_may_be_hidden(lib):
    x = lib.ones(2)
    with lib.autograd._unsafe_preserve_version_counter(x):
        x.add_(1)
    with lib.autograd._unsafe_preserve_version_counter((x,)):
        x.add_(1)

    assert (x._version, x.tolist()) == (0, [3.0, 3.0])


def test_gradient_by_a_leaf_that_hooks_unpacked_is_that_of_the_leaf(lib):
    x = lib.tensor(0.5, requires_grad=True)
    with lib.autograd.graph.saved_tensors_hooks(lambda t: t.detach(), lambda t: t):
        y = x**2
    unpacked = y.grad_fn._saved_self

    (gradient,) = lib.autograd.grad(3 * unpacked, unpacked)

    assert gradient.item() == 3
