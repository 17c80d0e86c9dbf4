"""`autograd.Function` under `func` and forward mode: jvp, vmap, generate_vmap_rule."""

from __future__ import annotations

import pytest

NO_SETUP = (
    "In order to use an autograd.Function with functorch transforms (vmap, grad, jvp, jacrev, "
    "...), it must override the setup_context staticmethod. For more details, please see "
    "https://pytorch.org/docs/main/notes/extending.func.html"
)


def power_of(lib, *, generate=False):
    """Return ``x ** n`` as a function with every rule, whose jvp and backward add a mark of 100."""

    class Power(lib.autograd.Function):
        generate_vmap_rule = generate

        @staticmethod
        def forward(x, n):
            return x**n

        @staticmethod
        def setup_context(ctx, inputs, output):
            x, ctx.n = inputs
            ctx.save_for_backward(x)
            ctx.save_for_forward(x)

        @staticmethod
        def backward(ctx, grad):
            (x,) = ctx.saved_tensors
            return grad * (ctx.n * x ** (ctx.n - 1) + 100), None

        @staticmethod
        def jvp(ctx, tangent, n):
            (x,) = ctx.saved_tensors
            return tangent * (ctx.n * x ** (ctx.n - 1) + 100)

    return Power


def test_own_backward_runs_under_grad(lib):
    found = lib.func.grad(lambda x: power_of(lib).apply(x, 2))(lib.tensor(3.0))

    assert found.item() == 106.0


def test_own_backward_is_differentiated_again(lib):
    found = lib.func.grad(lib.func.grad(lambda x: power_of(lib).apply(x, 3)))(lib.tensor(2.0))

    assert found.item() == 12.0


def test_own_jvp_runs_in_forward_mode(lib, fw):
    x = lib.tensor([1.0, 2.0])
    _, change = lib.func.jvp(lambda x: power_of(lib).apply(x, 2), (x,), (lib.ones(2),))
    with fw.dual_level():
        found = fw.unpack_dual(power_of(lib).apply(fw.make_dual(x, lib.ones(2)), 2))

    assert change.tolist() == [102.0, 104.0]
    assert found.primal.tolist() == [1.0, 4.0]
    assert found.tangent.tolist() == [102.0, 104.0]


def test_missing_tangents_are_zeros_and_none_for_what_is_no_tensor(lib, fw):
    given = []

    class Product(lib.autograd.Function):
        @staticmethod
        def forward(ctx, x, factor, y):
            ctx.save_for_forward(x, y)
            return x * factor * y

        @staticmethod
        def jvp(ctx, of_x, factor, of_y):
            x, y = ctx.saved_tensors
            given.extend([of_x.tolist(), factor, of_y.tolist()])
            return of_x * y + x * of_y

    with fw.dual_level():
        Product.apply(fw.make_dual(lib.ones(2), lib.ones(2)), 3, lib.ones(2))

    assert given == [[1.0, 1.0], None, [0.0, 0.0]]


def test_missing_tangents_are_none_where_zeros_are_not_wanted(lib, fw):
    given = []

    class Product(lib.autograd.Function):
        @staticmethod
        def forward(ctx, x, y):
            ctx.set_materialize_grads(False)
            ctx.save_for_forward(x, y)
            return x * y

        @staticmethod
        def jvp(ctx, of_x, of_y):
            given.append(of_y)
            return of_x * ctx.saved_tensors[1]

    with fw.dual_level():
        Product.apply(fw.make_dual(lib.ones(2), lib.ones(2)), lib.ones(2))

    assert given == [None]


def test_function_without_jvp_refuses_duals(lib, fw, raises):
    class Plain(lib.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

    with (
        fw.dual_level(),
        raises(
            NotImplementedError,
            "You must implement the jvp function for custom autograd.Function to use it with "
            "forward mode AD.",
        ),
    ):
        Plain.apply(fw.make_dual(lib.ones(2), lib.ones(2)))


def pushed(lib, forward, jvp):
    """Return a function that has a jvp and no backward."""
    members = {"forward": staticmethod(forward), "jvp": staticmethod(jvp)}
    return type("Pushed", (lib.autograd.Function,), members)


def written(ctx, x):
    ctx.mark_dirty(x)
    return x.mul_(2)


def kept_whole(ctx, x):
    result = x.clone()
    ctx.mark_non_differentiable(result)
    return result


NO_CHANGE = (
    "Function's jvp returned a gradient at position 0, but  the corresponding forward output is "
    "not a differentiable Tensor.You should return None at that position instead."
)
NO_VIEW = (
    "A custom Function's forward is returning a view (or an input as-is) but the jvp is not "
    "returning a view."
)
WRONG_TANGENTS = {
    "two of one": (
        lambda ctx, x: x * 2,
        lambda ctx, t: (t, t),
        "Function's jvp returned an invalid number of forward gradients (expected 1 but got 2)",
    ),
    "a number": (
        lambda ctx, x: x * 2,
        lambda ctx, t: 3,
        "expected Variable or None (got int) for grad output 0.",
    ),
    "of another shape": (
        lambda ctx, x: x * 2,
        lambda ctx, t: t[:1],
        "Trying to set a forward gradient that has a different size than that of the original ",
    ),
    "of what is marked": (kept_whole, lambda ctx, t: t, NO_CHANGE),
    "of integers": (lambda ctx, x: x.long(), lambda ctx, t: t, NO_CHANGE),
    "no view of a view": (lambda ctx, x: x[:1], lambda ctx, t: t[:1] * 1, NO_VIEW),
    "of an input as it is": (lambda ctx, x: x, lambda ctx, t: t, NO_VIEW),
    "not written to": (
        written,
        lambda ctx, t: t * 2,
        "An inplace custom Function is not modifying the forward mode gradients inplace.",
    ),
    "another than was written to": (
        written,
        lambda ctx, t: t.mul_(2) * 1,
        "An inplace custom Function is not ",
    ),
}


@pytest.mark.parametrize("tangents", WRONG_TANGENTS)
def test_wrong_tangents_are_refused(lib, fw, raises, tangents):
    forward, jvp, sentence = WRONG_TANGENTS[tangents]

    with fw.dual_level(), raises(RuntimeError, sentence):
        pushed(lib, forward, jvp).apply(fw.make_dual(lib.ones(2), lib.ones(2)))


def test_tangent_may_look_into_that_of_the_input(lib, fw):
    function = pushed(lib, lambda ctx, x: x[1:], lambda ctx, t: t[1:])
    with fw.dual_level():
        found = fw.unpack_dual(function.apply(fw.make_dual(lib.ones(2), lib.tensor([2.0, 3.0]))))

    assert found.tangent.tolist() == [3]


@pytest.mark.parametrize("style", ["first", "second"])
def test_function_that_writes_changes_the_tangent_in_place(lib, fw, style):
    class First(lib.autograd.Function):
        @staticmethod
        def forward(ctx, x, factor):
            ctx.mark_dirty(x)
            ctx.save_for_backward(factor)
            ctx.save_for_forward(factor)
            return x.mul_(factor)

        @staticmethod
        def backward(ctx, grad):
            (factor,) = ctx.saved_tensors
            return grad * factor, None

        @staticmethod
        def jvp(ctx, tangent, _):
            (factor,) = ctx.saved_tensors
            return tangent.mul_(factor)

    class Second(First):
        @staticmethod
        def forward(x, factor):
            return x.mul_(factor)

        @staticmethod
        def setup_context(ctx, inputs, output):
            x, factor = inputs
            ctx.mark_dirty(x)
            ctx.save_for_backward(factor)
            ctx.save_for_forward(factor)

    function, factor = {"first": First, "second": Second}[style], lib.full((2,), 3.0)
    x, tangent = lib.tensor([1.0, 2.0]), lib.ones(2)
    leaf = lib.ones(2, requires_grad=True)
    with fw.dual_level():
        dual = fw.make_dual(x, tangent)
        assert function.apply(dual, factor) is dual
        again = function.apply(fw.make_dual(leaf * 1, lib.ones(2)), factor)
        (grad,) = lib.autograd.grad(again.sum(), leaf)

    assert (x.tolist(), tangent.tolist(), grad.tolist()) == ([3, 6], [3, 3], [3, 3])


@pytest.mark.parametrize("recorded", [False, True])
def test_random_mask_of_a_function_is_one_in_forward_and_backward_mode(lib, fw, recorded):
    masks = []

    class Dropout(lib.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            mask = (lib.rand(50) > 0.5).to(x.dtype)
            masks.append(mask)
            ctx.save_for_backward(mask)
            ctx.save_for_forward(mask)
            return x * mask

        @staticmethod
        def backward(ctx, grad):
            (mask,) = ctx.saved_tensors
            return grad * mask

        @staticmethod
        def jvp(ctx, tangent):
            (mask,) = ctx.saved_tensors
            return tangent * mask

    lib.manual_seed(0)
    with fw.dual_level():
        dual = fw.make_dual(lib.ones(50, requires_grad=recorded), lib.ones(50))
        made = Dropout.apply(dual)
        found = [t.tolist() for t in fw.unpack_dual(made)]
        if recorded:
            (grad,) = lib.autograd.grad(made.sum(), dual)
            found.append(fw.unpack_dual(grad).primal.tolist())
    following = lib.rand(1).item()

    assert all(values == masks[0].tolist() for values in found)
    lib.manual_seed(0)
    lib.rand(50)
    assert following == lib.rand(1).item()
    assert recorded or len(masks) == 1


def test_tensor_without_tangent_gets_the_one_of_what_is_written_to_it(lib, fw):
    def forward(ctx, x, factor):
        ctx.mark_dirty(x)
        return x.mul_(factor)

    function = pushed(lib, forward, lambda ctx, t, of_factor: t + of_factor)
    with fw.dual_level():
        x = lib.tensor([1.0, 2.0])
        function.apply(x, fw.make_dual(lib.ones(2), lib.ones(2)))
        found = fw.unpack_dual(x)

    assert (found.primal.tolist(), found.tangent.tolist()) == ([1, 2], [1, 1])


def test_save_for_forward_takes_tensors_alone(lib):
    class Wrong(lib.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_forward(x, 3)
            return x * 2

    with pytest.raises(AssertionError, match="save_for_forward expects all arguments to be tens"):
        Wrong.apply(lib.ones(2))


@pytest.mark.parametrize("transform", ["grad", "vmap", "jvp"])
def test_context_of_forward_alone_is_refused_under_transforms(lib, raises, transform):
    class OldStyle(lib.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, grad):
            return grad * 2

    x = lib.ones(2)
    calls = {
        "grad": lambda: lib.func.grad(lambda x: OldStyle.apply(x).sum())(x),
        "vmap": lambda: lib.vmap(OldStyle.apply)(x),
        "jvp": lambda: lib.func.jvp(OldStyle.apply, (x,), (x,)),
    }
    with raises(RuntimeError, NO_SETUP):
        calls[transform]()


# vmap


def mapped_of(lib, seen):
    """Return a function that doubles, with a vmap rule that notes what it is given."""

    class Double(lib.autograd.Function):
        @staticmethod
        def forward(x, factor):
            return x * factor

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.factor = inputs[1]

        @staticmethod
        def backward(ctx, grad):
            return grad * ctx.factor, None

        @staticmethod
        def vmap(info, in_dims, x, factor):
            seen.append((info.batch_size, info.randomness, in_dims, x.shape))
            return Double.apply(x, factor).T, 1

    return Double


def test_own_vmap_rule_gets_the_whole_batch(lib):
    seen = []
    double = mapped_of(lib, seen)
    found = lib.vmap(lambda r: double.apply(r, 2))(lib.arange(6.0).reshape(3, 2))

    assert seen == [(3, "error", (0, None), (3, 2))]
    assert found.tolist() == [[0.0, 2.0], [4.0, 6.0], [8.0, 10.0]]


def test_own_vmap_rule_runs_under_gradients_in_both_orders(lib):
    double = mapped_of(lib, [])
    x = lib.arange(6.0).reshape(3, 2)
    inside = lib.vmap(lib.func.grad(lambda r: double.apply(r, 2).sum()))(x)
    outside = lib.func.grad(lambda x: lib.vmap(lambda r: double.apply(r, 2))(x).sum())(x)

    assert inside.tolist() == outside.tolist() == [[2.0, 2.0]] * 3


def test_own_vmap_rule_is_not_asked_where_nothing_is_mapped(lib):
    seen = []
    double, shared = mapped_of(lib, seen), lib.ones(2)
    lib.vmap(lambda r: r + double.apply(shared, 2))(lib.ones(3, 2))

    assert seen == []


@pytest.mark.parametrize("order", ["vmap", "vmap grad", "grad vmap", "vmap jvp", "jvp vmap"])
def test_generated_rule_maps_forward_backward_and_jvp(lib, order):
    power, x, ones = power_of(lib, generate=True), lib.tensor([[1.0], [2.0]]), lib.ones(2, 1)
    grad, jvp, vmap = lib.func.grad, lib.func.jvp, lib.vmap

    def call(r):
        return power.apply(r, 2)

    found = {
        "vmap": lambda: vmap(call)(x),
        "vmap grad": lambda: vmap(grad(lambda r: call(r).sum()))(x),
        "grad vmap": lambda: grad(lambda x: vmap(call)(x).sum())(x),
        "vmap jvp": lambda: vmap(lambda r, t: jvp(call, (r,), (t,))[1])(x, ones),
        "jvp vmap": lambda: jvp(vmap(call), (x,), (ones,))[1],
    }[order]()

    expected = [[1.0], [4.0]] if order == "vmap" else [[102.0], [104.0]]
    assert found.tolist() == expected


def test_generated_rule_sums_the_gradient_of_what_all_samples_share(lib):
    class Product(lib.autograd.Function):
        generate_vmap_rule = True

        @staticmethod
        def forward(x, y):
            return x * y

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.save_for_backward(*inputs)

        @staticmethod
        def backward(ctx, grad):
            x, y = ctx.saved_tensors
            return grad * y, grad * x

    x, shared = lib.arange(6.0).reshape(3, 2), lib.ones(2)
    found = lib.func.grad(lambda y: lib.vmap(lambda r: Product.apply(r, y))(x).sum())(shared)

    assert found.tolist() == [6.0, 9.0]


def test_function_without_a_vmap_rule_is_refused(lib, raises):
    power = power_of(lib)
    with raises(
        RuntimeError,
        "You tried to vmap over Power, but it does not have vmap support. Please override and "
        "implement the vmap staticmethod or set generate_vmap_rule=True. For more details, please "
        "see https://pytorch.org/docs/main/notes/extending.func.html",
    ):
        lib.vmap(lambda r: power.apply(r, 2))(lib.ones(3))


def test_function_with_two_vmap_rules_is_refused(lib, raises):
    double = mapped_of(lib, [])
    double.generate_vmap_rule = True
    with raises(
        RuntimeError,
        "You tried to vmap over Double, but it has both generate_vmap_rule=True and an overridden "
        "vmap staticmethod. Please set generate_vmap_rule=False or delete the overridden vmap "
        "staticmethod to avoid ambiguity.",
    ):
        lib.vmap(lambda r: double.apply(r, 2))(lib.ones(3))


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        (
            lambda info, in_dims, x, factor: x,
            (
                "Expected the vmap staticmethod to have two returns, an output and out_dims with "
                "pytree structure compatible with the output. Got a <class '"
            ),
        ),
        (
            lambda info, in_dims, x, factor: (x, (0, 0)),
            (
                "The autograd.Function's vmap staticmethod returned an incompatible (output, "
                "out_dims) tuple. Expected out_dims=(0, 0) to be compatible with the structure of "
                "`output`."
            ),
        ),
    ],
)
def test_vmap_rule_must_say_where_the_batch_stands(lib, raises, rule, sentence):
    double = mapped_of(lib, [])
    double.vmap = staticmethod(rule)
    with raises(RuntimeError, sentence):
        lib.vmap(lambda r: double.apply(r, 2))(lib.ones(3))
