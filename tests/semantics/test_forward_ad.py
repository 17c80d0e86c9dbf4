"""`autograd.forward_ad`: dual tensors, which carry how they change."""

from __future__ import annotations

import pytest


def test_operations_compute_the_tangent_beside_the_value(lib, fw):
    with fw.dual_level():
        x = fw.make_dual(lib.tensor([1.0, 2.0]), lib.tensor([1.0, 10.0]))
        primal, tangent = fw.unpack_dual(x * x)

    assert (primal.tolist(), tangent.tolist()) == ([1.0, 4.0], [2.0, 40.0])


def test_unpacked_dual_has_named_parts_and_no_tangent_for_a_plain_tensor(lib, fw):
    unpacked = fw.unpack_dual(lib.ones(2))

    assert isinstance(unpacked, fw.UnpackedDualTensor)
    assert (unpacked.primal.tolist(), unpacked.tangent) == ([1.0, 1.0], None)


def test_dual_is_a_view_of_the_tensor(lib, fw):
    x = lib.tensor([1.0, 2.0])
    with fw.dual_level():
        dual = fw.make_dual(x, lib.ones(2))
        dual.mul_(3)
        found = fw.unpack_dual(dual)

    assert dual._is_view()
    assert x.tolist() == [3.0, 6.0]
    assert found.tangent.tolist() == [3.0, 3.0]


def test_tangent_is_gone_after_the_level(lib, fw):
    with fw.dual_level():
        dual = fw.make_dual(lib.ones(2), lib.ones(2))
    found = fw.unpack_dual(dual * 2)

    assert (found.primal.tolist(), found.tangent) == ([2.0, 2.0], None)


def test_dual_prints_its_tangent(lib, fw):
    with fw.dual_level():
        dual = fw.make_dual(lib.tensor([1.0], device="cpu"), lib.tensor([5.0], device="cpu"))

        assert repr(dual) == "tensor([1.], tangent=tensor([5.]))"


def test_dual_gives_its_values_to_python(lib, fw):
    with fw.dual_level():
        dual = fw.make_dual(lib.tensor([1.0, 2.0]), lib.ones(2))

        assert dual.tolist() == [1.0, 2.0]
        assert dual.cpu().numpy().tolist() == [1.0, 2.0]
        assert dual[0].item() == 1.0
        assert bool((dual > 0).all())


def test_tangents_are_computed_under_no_grad(lib, fw):
    with fw.dual_level(), lib.no_grad():
        found = fw.unpack_dual(fw.make_dual(lib.ones(2), lib.ones(2)) * 3)

    assert found.tangent.tolist() == [3.0, 3.0]


def test_detach_drops_the_tangent(lib, fw):
    with fw.dual_level():
        dual = fw.make_dual(lib.ones(2), lib.ones(2))

        assert fw.unpack_dual(dual.detach()).tangent is None


def test_integers_have_no_tangent(lib, fw):
    with fw.dual_level():
        dual = fw.make_dual(lib.ones(2), lib.ones(2))

        assert fw.unpack_dual(dual.long()).tangent is None
        assert fw.unpack_dual(dual.argmax()).tangent is None


def test_writing_a_dual_into_a_plain_tensor_gives_it_a_tangent(lib, fw):
    with fw.dual_level():
        dual = fw.make_dual(lib.tensor([1.0, 2.0]), lib.tensor([5.0, 7.0]))
        whole, part = lib.zeros(2), lib.zeros(2)
        view = part[1]
        whole.copy_(dual)
        part[1] = dual[0]

        assert fw.unpack_dual(whole).tangent.tolist() == [5.0, 7.0]
        assert fw.unpack_dual(part).tangent.tolist() == [0.0, 5.0]
        assert fw.unpack_dual(view * 2).tangent.item() == 10.0


def test_writing_through_a_view_of_a_dual_changes_its_tangent(lib, fw):
    with fw.dual_level():
        dual = fw.make_dual(lib.ones(2, 2), lib.ones(2, 2)) * 1
        dual[0].mul_(5)
        dual.T[1].zero_()

        assert fw.unpack_dual(dual).tangent.tolist() == [[5.0, 0.0], [1.0, 0.0]]


def test_disabled_forward_mode_computes_no_tangents(lib, fw):
    with fw.dual_level():
        dual = fw.make_dual(lib.ones(2), lib.ones(2))
        with fw._set_fwd_grad_enabled(False):
            off = fw.unpack_dual(dual * 2)
        on = fw.unpack_dual(dual * 2)

    assert off.tangent is None
    assert on.tangent.tolist() == [2.0, 2.0]


def test_forward_over_reverse_gives_second_derivatives(lib, fw):
    x = lib.tensor([1.0, 2.0], requires_grad=True)
    with fw.dual_level():
        dual = fw.make_dual(x, lib.tensor([1.0, 10.0]))
        (gradient,) = lib.autograd.grad((dual**3).sum(), x)
        found = fw.unpack_dual(gradient)

    assert found.primal.tolist() == [3.0, 12.0]
    assert found.tangent.tolist() == [6.0, 120.0]


def test_reverse_over_forward_gives_second_derivatives(lib, fw):
    x = lib.tensor([1.0, 2.0], requires_grad=True)
    with fw.dual_level():
        dual = fw.make_dual(x, lib.tensor([1.0, 10.0]))
        tangent = fw.unpack_dual((dual**3).sum()).tangent
        (found,) = lib.autograd.grad(tangent, x)

    assert found.tolist() == [6.0, 120.0]


def test_tangent_may_require_grad(lib, fw):
    direction = lib.tensor([1.0, 1.0], requires_grad=True)
    with fw.dual_level():
        dual = fw.make_dual(lib.tensor([3.0, 4.0]), direction)
        fw.unpack_dual((dual * dual).sum()).tangent.backward()

    assert direction.grad.tolist() == [6.0, 8.0]


def test_gradient_reaches_parameters_beside_a_dual(lib, fw):
    weight = lib.tensor(2.0, requires_grad=True)
    with fw.dual_level():
        dual = fw.make_dual(lib.tensor(3.0), lib.tensor(1.0))
        (gradient,) = lib.autograd.grad(weight * dual * dual, weight)
        found = fw.unpack_dual(gradient)

    assert (found.primal.item(), found.tangent.item()) == (9.0, 6.0)


def test_dual_of_a_tensor_that_requires_grad_has_its_history(lib, fw):
    x = lib.ones(2, requires_grad=True)
    with fw.dual_level():
        dual = fw.make_dual(x, lib.ones(2))
        primal = fw.unpack_dual(dual * 2).primal
        primal.sum().backward()

    assert dual.requires_grad
    assert x.grad.tolist() == [2.0, 2.0]


def test_module_runs_on_duals(lib, fw):
    layer = lib.nn.Linear(2, 1)
    with fw.dual_level():
        dual = fw.make_dual(lib.ones(2), lib.tensor([1.0, 0.0]))
        tangent = fw.unpack_dual(layer(dual)).tangent

    assert lib.allclose(tangent, layer.weight[:, 0])


def test_without_a_level_there_are_no_duals(lib, fw, raises):
    with raises(
        RuntimeError,
        "Trying to create a dual Tensor for forward AD but no level exists, make sure to "
        "enter_dual_level() first.",
    ):
        fw.make_dual(lib.ones(2), lib.ones(2))
    with raises(RuntimeError, "Dual level must be a positive number."):
        fw.exit_dual_level()


def test_levels_do_not_nest(lib, fw, raises):
    with (
        fw.dual_level(),
        raises(RuntimeError, "Nested forward mode AD is not supported at the moment"),
    ):
        fw.enter_dual_level()


def test_only_the_level_that_is_open_may_be_left(lib, fw, raises):
    sentence = (
        "Trying to exit a forward AD level that was not the last one that was created. This is not "
        "supported."
    )
    with fw.dual_level(), raises(RuntimeError, sentence):
        fw.exit_dual_level(level=5)
    with raises(RuntimeError, sentence):
        fw.exit_dual_level(level=5)


@pytest.mark.parametrize(
    ("primal", "tangent", "kind", "sentence"),
    [
        (
            "integers",
            "floats",
            ValueError,
            "Expected primal to be floating point or complex, but got: torch.int64",
        ),
        (
            "floats",
            "integers",
            ValueError,
            "Expected tangent to be floating point or complex, but got: torch.int64",
        ),
        (
            "floats",
            "three",
            RuntimeError,
            (
                "Trying to set a forward gradient that has a different size than that of the "
                "original Tensor, this is not supported. Tensor is of size [2] while the given "
                "forward gradient is of size [3]."
            ),
        ),
        (
            "dual",
            "floats",
            RuntimeError,
            (
                "Making a dual Tensor based on a Tensor that already has a forward gradient at the "
                "same level 0 is not supported."
            ),
        ),
        (
            "floats",
            "dual",
            RuntimeError,
            (
                "Setting a forward grad that itself has a forward gradient at the same level0 is "
                "not supported."
            ),
        ),
    ],
)
def test_what_cannot_be_a_dual_is_refused(lib, fw, raises, primal, tangent, kind, sentence):
    with fw.dual_level():
        made = {
            "floats": lib.ones(2),
            "integers": lib.ones(2).long(),
            "three": lib.ones(3),
            "dual": fw.make_dual(lib.ones(2), lib.ones(2)),
        }
        with raises(kind, sentence):
            fw.make_dual(made[primal], made[tangent])


def test_operation_without_a_derivative_refuses_duals(lib, fw):
    with (
        fw.dual_level(),
        pytest.raises(NotImplementedError, match=r"Trying to use forward AD with .*floor_divide"),
    ):
        lib.floor_divide(fw.make_dual(lib.ones(2), lib.ones(2)), 2)
