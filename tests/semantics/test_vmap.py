"""`vmap`: a function of one sample runs on all samples at once."""

from __future__ import annotations

import pytest


def rows(lib):
    return lib.arange(6.0).reshape(3, 2)


def test_mapped_function_sees_one_sample(lib):
    seen = []

    def look(x):
        seen.append((x.shape, x.dim(), x.numel(), len(x), x.requires_grad))
        return x.sum()

    found = lib.vmap(look)(rows(lib))

    assert seen == [((2,), 1, 2, 2, False)]
    assert found.tolist() == [1.0, 5.0, 9.0]


def test_in_dims_choose_what_is_mapped(lib):
    x, y = rows(lib), lib.tensor([10.0, 20.0])

    assert lib.vmap(lib.add, in_dims=(0, None))(x, y).tolist() == (x + y).tolist()
    assert lib.vmap(lambda c: c.sum(), in_dims=1)(x).tolist() == [6.0, 9.0]
    assert lib.vmap(lambda c: c.sum(), in_dims=-1)(x).tolist() == [6.0, 9.0]


def test_in_dims_follow_the_tree_of_the_arguments(lib):
    x, y = rows(lib), lib.ones(2)
    found = lib.vmap(lambda t: t["x"] * t["y"], in_dims=({"x": 0, "y": None},))({"x": x, "y": y})

    assert found.tolist() == x.tolist()


def test_out_dims_say_where_the_samples_stand(lib):
    x = rows(lib)

    assert lib.vmap(lambda r: r, out_dims=1)(x).tolist() == x.T.tolist()
    assert lib.vmap(lambda r: r, out_dims=-1)(x).tolist() == x.T.tolist()
    first, second = lib.vmap(lambda r: (r, r * 2), out_dims=(1, 0))(x)
    assert (first.shape, second.shape) == ((2, 3), (3, 2))


def test_result_that_is_the_same_for_all_samples_is_repeated(lib):
    found = lib.vmap(lambda r: lib.ones(3))(rows(lib))

    assert found.tolist() == [[1.0, 1.0, 1.0]] * 3


def test_out_dim_none_gives_what_is_the_same_for_all(lib, raises):
    assert lib.vmap(lambda r: lib.ones(3), out_dims=None)(rows(lib)).tolist() == [1.0, 1.0, 1.0]
    with raises(
        ValueError,
        "vmap(<lambda>, ...): `<lambda>` can not return a BatchedTensor when out_dim is None",
    ):
        lib.vmap(lambda r: r, out_dims=None)(rows(lib))


def test_no_samples_give_no_results(lib):
    assert lib.vmap(lambda r: r * 2)(lib.ones(0, 2)).shape == (0, 2)


def test_vmap_of_vmap_maps_two_dimensions(lib):
    x, y = rows(lib), lib.tensor([1.0, 2.0, 3.0])
    table = lib.vmap(lib.vmap(lib.mul, in_dims=(None, 0)), in_dims=(0, None))(y, y)

    assert table.tolist() == [[1.0, 2.0, 3.0], [2.0, 4.0, 6.0], [3.0, 6.0, 9.0]]
    assert lib.vmap(lib.vmap(lib.exp))(x).tolist() == x.exp().tolist()


def test_chunks_give_the_same_result(lib):
    x = rows(lib)

    assert lib.equal(lib.vmap(lib.exp, chunk_size=2)(x), x.exp())


def test_zero_dimensional_samples_promote_as_numbers_do(lib):
    x = lib.arange(3.0).double()
    found = lib.vmap(lambda n: lib.ones(2) * n)(x)

    assert found.dtype == lib.float32


def test_in_place_operation_on_a_sample_changes_the_batch(lib):
    x = rows(lib)
    lib.vmap(lambda r: r.mul_(2))(x)

    assert x.tolist() == [[0.0, 2.0], [4.0, 6.0], [8.0, 10.0]]


def test_writing_through_a_view_of_a_sample(lib):
    def swapped(r):
        made = lib.zeros_like(r)
        made[0] = r[1]
        made[1:].copy_(r[:1] * 2)
        return made

    assert lib.vmap(swapped)(rows(lib)).tolist() == [[1.0, 0.0], [3.0, 4.0], [5.0, 8.0]]


def test_writing_a_sample_into_what_all_samples_share_raises(lib, raises):
    def write(r):
        made = lib.zeros(2)
        made[0] = r[0]
        return made

    with raises(
        RuntimeError,
        "vmap: inplace arithmetic(self, *extra_args) is not possible because there exists a Tensor "
        "`other` in extra_args that has more elements than `self`. This happened due to `other` "
        "being vmapped over but `self` not being vmapped over in a vmap. Please try to use "
        "out-of-place operators instead of inplace arithmetic.",
    ):
        lib.vmap(write)(rows(lib))


@pytest.mark.parametrize(
    ("function", "sentence"),
    [
        (
            lambda r: r.sum().item(),
            (
                "vmap: It looks like you're calling .item() on a Tensor. We don't support vmap "
                "over calling .item() on a Tensor, please try to rewrite what you're doing with "
                "other operations."
            ),
        ),
        (
            lambda r: r if r.sum() > 0 else -r,
            (
                "vmap: It looks like you're attempting to use a Tensor in some data-dependent "
                "control flow. We don't support that yet, please file an issue at "
                "https://github.com/pytorch/pytorch/issues ."
            ),
        ),
        (
            lambda r: r.nonzero(),
            (
                "vmap: We do not support batching operators that can output dynamic shape. "
                "Attempted to vmap over aten::nonzero. Please file an issue at "
                "https://github.com/pytorch/pytorch/issues if you need this feature."
            ),
        ),
        (
            lambda r: r[r > 0],
            (
                "vmap: We do not support batching operators that can support dynamic shape. "
                "Attempting to batch over indexing with a boolean mask."
            ),
        ),
        (
            lambda r: r.masked_select(r > 0),
            (
                "vmap: Attempted to vmap over `mask` in torch.masked_select(self, mask) We cannot "
                "support this because for each batch this would return a differently shaped Tensor."
            ),
        ),
        (lambda r: r.cpu().numpy(), "Cannot access data pointer of Tensor that doesn't have stor"),
    ],
)
def test_what_depends_on_a_samples_values_raises(lib, raises, function, sentence):
    with raises(RuntimeError, sentence):
        lib.vmap(function)(rows(lib))


@pytest.mark.parametrize(
    ("options", "arguments", "sentence"),
    [
        (
            {},
            (3,),
            (
                "vmap(<lambda>, in_dims=0, ...)(<inputs>): Got in_dim=0 for an input but the input "
                "is of type <class 'int'>. We cannot vmap over non-Tensor arguments, please use "
                "None as the respective in_dim"
            ),
        ),
        (
            {"in_dims": (0, 0)},
            None,
            (
                "vmap(<lambda>, in_dims=(0, 0), ...)(<inputs>): in_dims is not compatible with the "
                "structure of `inputs`. in_dims has structure TreeSpec(tuple, None, [*,\n  *]) but "
                "inputs has structure TreeSpec(tuple, None, [*])."
            ),
        ),
        (
            {"in_dims": None},
            None,
            (
                "vmap(<lambda>, in_dims=None, ...)(<inputs>): expected `in_dims` to be int or a "
                "(potentially nested) tuple matching the structure of inputs, got: <class "
                "'NoneType'>."
            ),
        ),
        (
            {"in_dims": 5},
            None,
            (
                "vmap(<lambda>, in_dims=5, ...)(<inputs>): Got in_dim=5 for some input, but that "
                "input is a Tensor of dimensionality 2 so expected in_dim to satisfy -2 <= in_dim "
                "< 2."
            ),
        ),
        (
            {"in_dims": (2.0,)},
            None,
            (
                "vmap(<lambda>, in_dims=(2.0,), ...)(<inputs>): Got in_dim=2.0 for an input but "
                "in_dim must be either an integer dimension or None."
            ),
        ),
        (
            {},
            (),
            (
                "vmap(<lambda>)(<inputs>): got no inputs. Maybe you forgot to add inputs, or you "
                "are trying to vmap over a function with no inputs. The latter is unsupported."
            ),
        ),
        (
            {"out_dims": (0, 0)},
            None,
            (
                "vmap(<lambda>, ..., out_dims=(0, 0))(<inputs>): out_dims is not compatible with "
                "the structure of `outputs`. out_dims has structure TreeSpec(tuple, None, [*,\n  "
                "*]) but outputs has structure *."
            ),
        ),
        (
            {"out_dims": "a"},
            None,
            (
                "vmap(<lambda>, ..., out_dims=a): `out_dims` must be an int, None or a python "
                "collection of ints representing where in the outputs the vmapped dimension should "
                "appear."
            ),
        ),
    ],
)
def test_dimensions_that_do_not_fit_are_refused(lib, raises, options, arguments, sentence):
    given = (rows(lib),) if arguments is None else arguments
    with raises(ValueError, sentence):
        lib.vmap(lambda *xs: xs[0], **options)(*given)


def test_samples_must_be_equally_many(lib, raises):
    with raises(
        ValueError,
        "vmap: Expected all tensors to have the same size in the mapped dimension, got sizes "
        "[3, 4] for the mapped dimension",
    ):
        lib.vmap(lib.add)(lib.ones(3, 2), lib.ones(4, 2))


def test_result_that_is_no_tensor_is_refused(lib, raises):
    with raises(
        ValueError,
        "vmap(<lambda>, ...): `<lambda>` must only return Tensors, got type <class 'float'>. Did "
        "you mean to set out_dims= to None for output?",
    ):
        lib.vmap(lambda r: 1.0)(rows(lib))


def test_tensor_that_escaped_from_vmap_is_refused(lib, raises):
    escaped = []
    lib.vmap(lambda r: (escaped.append(r), r)[1])(rows(lib))
    with raises(
        RuntimeError,
        "Either your tensor may have escaped from inside a function being vmapped and this is a "
        "user error",
    ):
        escaped[0] + 1


def test_sample_prints_as_a_batch(lib):
    seen = []
    lib.vmap(lambda r: (seen.append(repr(r)), r)[1])(lib.tensor([1.0, 2.0], device="cpu"))

    assert seen == ["BatchedTensor(lvl=1, bdim=0, value=\n    tensor([1., 2.])\n)"]


# Gradients


def test_gradients_per_sample(lib):
    found = lib.vmap(lib.func.grad(lambda r: (r * r).sum()))(rows(lib))

    assert found.tolist() == (rows(lib) * 2).tolist()


def test_gradient_through_a_mapped_function(lib):
    x, weight = rows(lib).requires_grad_(), lib.ones(2, requires_grad=True)
    lib.vmap(lambda r: (r * weight).sum())(x).sum().backward()

    assert x.grad.tolist() == [[1.0, 1.0]] * 3
    assert weight.grad.tolist() == [6.0, 9.0]


def test_gradient_of_a_captured_tensor_differs_between_samples(lib):
    shared = lib.ones(2)
    found = lib.vmap(lambda r: lib.func.grad(lambda y: (r * y).sum())(shared))(rows(lib))

    assert found.tolist() == rows(lib).tolist()


def test_gradients_per_sample_of_a_module(lib):
    layer, x = lib.nn.Linear(2, 1), rows(lib)
    params = dict(layer.named_parameters())

    def loss(params, sample):
        return lib.func.functional_call(layer, params, sample).square().sum()

    found = lib.vmap(lib.func.grad(loss), in_dims=(None, 0))(params, x)
    total = lib.func.grad(lambda p: lib.func.functional_call(layer, p, x).square().sum())(params)

    assert found["weight"].shape == (3, 1, 2)
    assert lib.allclose(found["weight"].sum(0), total["weight"])
    assert lib.allclose(found["bias"].sum(0), total["bias"])


@pytest.mark.parametrize("orders", ["vmap jvp", "jvp vmap", "grad vmap vmap", "vmap grad jvp"])
def test_mapping_nests_with_every_derivative(lib, orders):
    x, ones = rows(lib), lib.ones(3, 2)
    grad, jvp, vmap = lib.func.grad, lib.func.jvp, lib.vmap
    found = {
        "vmap jvp": lambda: vmap(lambda r, t: jvp(lib.exp, (r,), (t,))[1])(x, ones),
        "jvp vmap": lambda: jvp(vmap(lib.exp), (x,), (ones,))[1],
        "grad vmap vmap": lambda: grad(lambda a: vmap(vmap(lib.exp))(a).sum())(x),
        "vmap grad jvp": lambda: vmap(grad(lambda r: jvp(lib.exp, (r,), (lib.ones(2),))[0].sum()))(
            x
        ),
    }[orders]()

    assert lib.allclose(found, x.exp())


def test_batched_gradients_are_pulled_back_at_once(lib):
    x = lib.tensor([1.0, 2.0], requires_grad=True)
    runs = []
    y = x * x
    y.register_hook(lambda grad: runs.append(grad.shape))
    (found,) = lib.autograd.grad(y, x, lib.eye(2), is_grads_batched=True)

    assert found.tolist() == [[2.0, 0.0], [0.0, 4.0]]
    assert runs == [(2,)]


def test_batched_gradients_may_be_differentiated_again(lib):
    x = lib.tensor([1.0, 2.0], requires_grad=True)
    (found,) = lib.autograd.grad((x**3), x, lib.eye(2), is_grads_batched=True, create_graph=True)
    (second,) = lib.autograd.grad(found.sum(), x)

    assert second.tolist() == [6.0, 12.0]


def test_unused_input_of_batched_gradients_is_none(lib):
    x, y = lib.ones(2, requires_grad=True), lib.ones(2, requires_grad=True)
    found = lib.autograd.grad(x * 2, (x, y), lib.eye(2), is_grads_batched=True, allow_unused=True)

    assert (found[0].shape, found[1]) == ((2, 2), None)


# Random numbers


def test_random_operation_in_error_mode_raises(lib, raises):
    sentence = (
        "vmap: called random operation while in randomness error mode. Please either use the "
        "'same' or 'different' randomness flags on vmap or perform the randomness operation out of "
        "vmap"
    )
    for draw in (lib.rand_like, lambda r: lib.rand(2), lambda r: r.clone().normal_()):
        with raises(RuntimeError, sentence):
            lib.vmap(draw)(rows(lib))


def test_unknown_randomness_is_refused(lib, raises):
    with raises(
        RuntimeError,
        "Only allowed values for randomness are 'error', 'different', or 'same'. Got blah",
    ):
        lib.vmap(lambda r: r, randomness="blah")(rows(lib))


DRAWS = {
    "rand": lambda lib, r: lib.rand(4),
    "randn": lambda lib, r: lib.randn(4),
    "randint": lambda lib, r: lib.randint(0, 1000, (4,)),
    "randperm": lambda lib, r: lib.randperm(20),
    "rand_like": lambda lib, r: lib.rand_like(r),
    "normal_": lambda lib, r: r.clone().normal_(),
    "bernoulli of a constant": lambda lib, r: lib.bernoulli(lib.full((20,), 0.5)),
    "multinomial of a constant": lambda lib, r: lib.multinomial(lib.ones(50), 5),
    "dropout": lambda lib, r: lib.nn.functional.dropout(lib.ones(30), 0.5),
}


@pytest.mark.parametrize("draw", DRAWS)
def test_samples_draw_different_numbers_or_the_same(lib, draw):
    lib.manual_seed(0)
    different = lib.vmap(lambda r: DRAWS[draw](lib, r), randomness="different")(rows(lib))
    same = lib.vmap(lambda r: DRAWS[draw](lib, r), randomness="same")(rows(lib))

    assert not lib.equal(different[0], different[1])
    assert lib.equal(same[0], same[1])
    assert lib.equal(same[0], same[2])


def test_different_numbers_are_those_of_the_whole_batch(lib):
    lib.manual_seed(0)
    found = lib.vmap(lambda r: lib.rand(2), randomness="different")(rows(lib))
    lib.manual_seed(0)

    assert lib.equal(found, lib.rand(3, 2))


def test_same_numbers_for_different_probabilities_are_refused(lib, raises):
    with raises(
        RuntimeError,
        "Vmap does not currently support same randomness with a batched tensor input. Please file "
        "an issue with functorch",
    ):
        lib.vmap(lib.bernoulli, randomness="same")(rows(lib) / 6)


def test_different_numbers_do_not_fit_into_what_all_samples_share(lib, raises):
    with raises(
        RuntimeError,
        "vmap: Cannot ask for different inplace randomness on an unbatched tensor. This will "
        "appear like same randomness.",
    ):
        lib.vmap(lambda r: lib.zeros(2).normal_(), randomness="different")(rows(lib))


# Indices


def test_sample_may_be_the_index_of_another(lib):
    places = lib.tensor([0, 1, 0])

    assert lib.vmap(lambda r, i: r[i])(rows(lib), places).tolist() == [0.0, 3.0, 4.0]
    assert lib.vmap(lambda i: lib.tensor([5.0, 7.0])[i])(places).tolist() == [5.0, 7.0, 5.0]
    assert lib.vmap(lambda r, i: r[i.unsqueeze(0)])(rows(lib), places).tolist() == [
        [0.0],
        [3.0],
        [4.0],
    ]


def test_places_per_sample_may_be_written_to(lib):
    def put(r, i):
        made = r.clone()
        made[i.unsqueeze(0)] = 9.0
        return made

    found = lib.vmap(put)(rows(lib), lib.tensor([0, 1, 0]))

    assert found.tolist() == [[9.0, 1.0], [2.0, 9.0], [9.0, 5.0]]


@pytest.mark.parametrize("apart", [False, True], ids=["side by side", "apart"])
def test_several_indices_keep_their_places_in_the_result(lib, apart):
    x = lib.arange(2.0 * 3 * 4 * 5).reshape(2, 3, 4, 5)
    i, j = lib.tensor([[0, 2], [1, 1]]), lib.tensor([0, 3])

    def index(sample, i):
        return sample[i, :, j] if apart else sample[:, j, i]

    found = lib.vmap(index)(x, i)
    one_by_one = lib.stack([index(x[0], i[0]), index(x[1], i[1])])

    assert lib.equal(found, one_by_one)


def test_data_of_a_sample_is_refused(lib, raises):
    with raises(RuntimeError, "accessing `data` under vmap transform is not allowed"):
        lib.vmap(lambda r: r.data)(rows(lib))
