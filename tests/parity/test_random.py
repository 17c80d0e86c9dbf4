"""The same seed gives PyTorch's numbers: every comparison is of bits."""

from __future__ import annotations

import pickle
import warnings

import numpy as np
import pytest
import torch

import chainrule as cr

pytestmark = pytest.mark.parity

SHAPES = [(), (0,), (1,), (7,), (16,), (33,), (3, 5), (2, 3, 4)]
FLOATS = ["float16", "float32", "float64"]
COMPLEX = ["complex64", "complex128"]
INTEGERS = ["uint8", "int8", "int16", "int32", "int64"]
LAYOUTS = {
    "transposed": lambda lib: lib.empty(5, 4).t(),
    "permuted": lambda lib: lib.empty(2, 3, 4).permute(2, 0, 1),
    "every other": lambda lib: lib.empty(4, 6)[:, ::2],
}


FILLS = {
    "normal_": lambda x: x.normal_(1.5, 0.25),
    "uniform_": lambda x: x.uniform_(-2, 3),
    "uniform_ to": lambda x: x.uniform_(to=3),
    "uniform_ from": lambda x: x.uniform_(**{"from": -1}),
    "exponential_": lambda x: x.exponential_(0.7),
    "cauchy_": lambda x: x.cauchy_(1, 2),
    "log_normal_": lambda x: x.log_normal_(0.1, 0.2),
    "geometric_": lambda x: x.geometric_(0.3),
    "bernoulli_": lambda x: x.bernoulli_(0.3),
    "random_": lambda x: x.random_(),
    "random_ to": lambda x: x.random_(7),
    "random_ from to": lambda x: x.random_(-7, 7),
}
CALLS = {
    "dropout": (lambda nn, x: nn.dropout(x, 0.3), (4, 6)),
    "dropout of a transpose": (lambda nn, x: nn.dropout(x.t(), 0.3), (4, 6)),
    "dropout1d": (lambda nn, x: nn.dropout1d(x, 0.3), (4, 6, 2)),
    "dropout1d of one": (lambda nn, x: nn.dropout1d(x, 0.3), (6, 2)),
    "dropout2d": (lambda nn, x: nn.dropout2d(x, 0.3), (4, 6, 2, 3)),
    "dropout3d": (lambda nn, x: nn.dropout3d(x, 0.3), (4, 6, 2, 1, 2)),
    "alpha_dropout": (lambda nn, x: nn.alpha_dropout(x, 0.3, True), (4, 6)),
    "feature_alpha_dropout": (lambda nn, x: nn.feature_alpha_dropout(x, 0.3, True), (4, 6, 2)),
    "certain dropout": (lambda nn, x: nn.dropout(x, 1.0), (4, 6)),
}


def both(function, seed=2024):
    """Return what *function* gives for our module and for PyTorch's, after one seed."""
    cr.manual_seed(seed)
    torch.manual_seed(seed)
    ours, theirs = function(cr), function(torch)
    assert same_state()
    return ours, theirs


def same_state():
    return cr.get_rng_state().numpy().tobytes() == torch.get_rng_state().numpy().tobytes()


def check_equal(ours, theirs):
    assert str(ours.dtype) == str(theirs.dtype)
    assert tuple(ours.shape) == tuple(theirs.shape)
    mine, yours = ours.detach().numpy(), theirs.detach().numpy()
    assert np.ascontiguousarray(mine).tobytes() == np.ascontiguousarray(yours).tobytes()


def check_both(function, **options):
    check_equal(*both(function, **options))


@pytest.fixture(params=SHAPES, ids=str)
def shape(request):
    return request.param


class TestNewTensors:
    @pytest.mark.parametrize("dtype", [*FLOATS, *COMPLEX])
    @pytest.mark.parametrize("name", ["rand", "randn"])
    def test_rand_and_randn_draw_the_same(self, name, dtype, shape):
        check_both(lambda lib: getattr(lib, name)(shape, dtype=getattr(lib, dtype)))

    @pytest.mark.parametrize("seed", [0, 1, -1, 12345678901234567890, 2**63])
    def test_any_seed_draws_the_same(self, seed):
        check_both(lambda lib: lib.randn(20), seed=seed)

    @pytest.mark.parametrize("dtype", [*INTEGERS, *FLOATS, "bool"])
    def test_randint_draws_the_same_in_every_dtype(self, dtype, shape):
        check_both(lambda lib: lib.randint(0, 2, shape, dtype=getattr(lib, dtype)))

    @pytest.mark.parametrize(
        "bounds", [(10,), (-3, 4), (2**31,), (-(2**40), 2**40), (-(2**63), 2**63 - 1)], ids=str
    )
    def test_randint_draws_the_same_in_every_range(self, bounds):
        check_both(lambda lib: lib.randint(*bounds, (9,)))

    @pytest.mark.parametrize("dtype", ["int64", "int32", "uint8", "float32", "float16"])
    @pytest.mark.parametrize("n", [0, 1, 2, 17, 200])
    def test_randperm_draws_the_same(self, n, dtype):
        check_both(lambda lib: lib.randperm(n, dtype=getattr(lib, dtype)))

    def test_calls_go_on_where_the_last_one_ended(self):
        def some_of_each(lib):
            parts = [lib.randn(3), lib.rand(5), lib.randint(9, (4,)).float(), lib.randn(18)]
            return lib.cat(parts)

        check_both(some_of_each)

    def test_out_is_filled_with_the_same(self):
        check_both(lambda lib: lib.rand(4, out=lib.empty(4)))

    @pytest.mark.parametrize("dtype", FLOATS)
    @pytest.mark.parametrize("name", ["rand_like", "randn_like"])
    def test_like_draws_the_same(self, name, dtype, shape):
        def draw(lib):
            return getattr(lib, name)(lib.empty(shape, dtype=getattr(lib, dtype)))

        check_both(draw)

    def test_like_keeps_layout_and_draws_in_memory_order(self):
        def draw(lib):
            return lib.rand_like(lib.empty(5, 4).t())

        ours, theirs = both(draw)

        assert ours.stride() == theirs.stride()
        check_equal(ours, theirs)

    def test_randint_like_draws_the_same(self):
        check_both(lambda lib: lib.randint_like(lib.zeros(3, 4), -2, 9))


class TestInPlace:
    @pytest.mark.parametrize("dtype", FLOATS)
    @pytest.mark.parametrize("fill", FILLS)
    def test_floats_are_filled_with_the_same(self, fill, dtype, shape):
        check_both(lambda lib: FILLS[fill](lib.empty(shape, dtype=getattr(lib, dtype))))

    @pytest.mark.parametrize("dtype", ["int8", "int32", "int64"])
    @pytest.mark.parametrize(
        "fill", ["geometric_", "bernoulli_", "random_", "random_ to", "random_ from to"]
    )
    def test_integers_are_filled_with_the_same(self, fill, dtype, shape):
        check_both(lambda lib: FILLS[fill](lib.empty(shape, dtype=getattr(lib, dtype))))

    @pytest.mark.parametrize("layout", LAYOUTS)
    @pytest.mark.parametrize("fill", [fill for fill in FILLS if fill != "normal_"])
    def test_memory_is_filled_in_its_own_order(self, fill, layout):
        check_both(lambda lib: FILLS[fill](LAYOUTS[layout](lib)))

    def test_bernoulli_takes_a_tensor_of_probabilities(self):
        check_both(lambda lib: lib.empty(3, 4).bernoulli_(lib.linspace(0, 1, 4)))

    @pytest.mark.parametrize("fill", FILLS)
    def test_history_ends_in_a_node_of_the_same_name(self, fill):
        def name(lib):
            x = lib.ones(4, requires_grad=True) * 2
            return FILLS[fill](x).grad_fn

        ours, theirs = both(name)

        assert ours.name() == theirs.name()
        assert [n.name() for n, _ in ours.next_functions] == ["MulBackward0"]
        assert len(theirs.next_functions) == 1

    def test_what_was_overwritten_gets_no_gradient(self):
        def gradient(lib):
            x = lib.ones(4, requires_grad=True)
            y = x * 2
            y.normal_()
            (y * 3).sum().backward()
            return x.grad

        check_both(gradient)


class TestChoices:
    def test_bernoulli_draws_the_same(self, shape):
        check_both(lambda lib: lib.bernoulli(lib.rand(shape)))

    def test_bernoulli_with_one_probability_draws_the_same(self, shape):
        check_both(lambda lib: lib.bernoulli(lib.ones(shape, dtype=lib.int64), 0.3))

    @pytest.mark.parametrize(
        "arguments",
        [
            lambda lib: (lib.arange(20.0), 2.0),
            lambda lib: (3.0, lib.arange(20.0)),
            lambda lib: (lib.arange(20.0), lib.arange(20.0)),
            lambda lib: (lib.arange(4.0).reshape(4, 1), lib.arange(5.0)),
            lambda lib: (lib.arange(4.0),),
            lambda lib: (1.5, 2.5, (20,)),
            lambda lib: (lib.zeros(3), lib.ones(3, dtype=lib.float64)),
        ],
    )
    def test_normal_draws_the_same(self, arguments):
        check_both(lambda lib: lib.normal(*arguments(lib)))

    @pytest.mark.parametrize("dtype", ["float32", "float64"])
    @pytest.mark.parametrize("replacement", [False, True])
    @pytest.mark.parametrize("samples", [1, 3])
    def test_multinomial_draws_the_same(self, samples, replacement, dtype):
        def draw(lib):
            weights = lib.rand(4, 6, dtype=getattr(lib, dtype))
            return lib.multinomial(weights, samples, replacement)

        check_both(draw)

    @pytest.mark.parametrize(
        "arguments",
        [
            lambda lib, x: lib.normal(x, x),
            lambda lib, x: lib.normal(x, 1.0),
            lambda lib, x: lib.normal(0.0, x),
            lambda lib, x: lib.bernoulli(x),
            lambda lib, x: lib.bernoulli(x, 0.5),
        ],
    )
    def test_nodes_have_the_same_names(self, arguments):
        def name(lib):
            return arguments(lib, lib.full((4,), 0.5, requires_grad=True)).grad_fn.name()

        ours, theirs = both(name)

        assert ours == theirs


class TestDropout:
    @pytest.mark.parametrize("dtype", FLOATS)
    @pytest.mark.parametrize("call", CALLS)
    def test_mask_and_values_are_the_same(self, call, dtype):
        function, shape = CALLS[call]

        def drop(lib):
            functional = lib if lib is cr else torch.nn.functional
            return function(functional, lib.randn(shape, dtype=getattr(lib, dtype)))

        check_both(drop)

    @pytest.mark.parametrize("call", CALLS)
    def test_graph_and_gradient_are_the_same(self, call):
        function, shape = CALLS[call]

        def drop(lib):
            functional = lib if lib is cr else torch.nn.functional
            x = lib.randn(shape, dtype=lib.float64, requires_grad=True)
            y = function(functional, x)
            y.sum().backward()
            return y.grad_fn.name(), x.grad

        ours, theirs = both(drop)

        assert ours[0] == theirs[0]
        check_equal(ours[1], theirs[1])

    def test_in_place_writes_the_same(self):
        def drop(lib):
            functional = lib if lib is cr else torch.nn.functional
            x = lib.ones(10)
            assert functional.dropout(x, 0.5, True, True) is x
            assert x._version == 1
            return x

        check_both(drop)


class TestStates:
    def test_states_travel_between_the_two(self):
        torch.manual_seed(5)
        torch.randn(7)

        cr.set_rng_state(cr.tensor(torch.get_rng_state().numpy()))

        check_equal(cr.randn(7), torch.randn(7))

    def test_generators_draw_the_same(self):
        ours, theirs = cr.Generator().manual_seed(3), torch.Generator().manual_seed(3)

        check_equal(cr.rand(5, generator=ours), torch.rand(5, generator=theirs))
        check_equal(cr.empty(5).normal_(generator=ours), torch.empty(5).normal_(generator=theirs))
        check_equal(ours.get_state(), theirs.get_state())

    def test_a_pickled_generator_draws_the_same(self):
        ours, theirs = cr.Generator().manual_seed(3), torch.Generator().manual_seed(3)
        cr.rand(5, generator=ours)
        torch.rand(5, generator=theirs)

        again = pickle.loads(pickle.dumps(ours))  # noqa: S301 - our own bytes

        check_equal(cr.rand(5, generator=again), torch.rand(5, generator=theirs))

    def test_seeds_are_reported_the_same(self):
        for seed in (0, 7, -1, 2**64 - 1, -(2**63)):
            assert cr.manual_seed(seed).initial_seed() == torch.manual_seed(seed).initial_seed()
        assert cr.Generator().initial_seed() == torch.Generator().initial_seed()


MISTAKES = {
    "rand of integers": lambda lib: lib.rand(2, dtype=lib.int64),
    "randn of integers": lambda lib: lib.randn(2, dtype=lib.int64),
    "rand of a negative size": lambda lib: lib.rand(-2),
    "randint without a number": lambda lib: lib.randint(3, 3, (2,)),
    "randint beyond uint8": lambda lib: lib.randint(300, (2,), dtype=lib.uint8),
    "randint below int8": lambda lib: lib.randint(-200, 2, (2,), dtype=lib.int8),
    "randint beyond bool": lambda lib: lib.randint(0, 3, (2,), dtype=lib.bool),
    "randint beyond float16": lambda lib: lib.randint(0, 100000, (2,), dtype=lib.float16),
    "randint of complex numbers": lambda lib: lib.randint(0, 3, (2,), dtype=lib.complex64),
    "randint that requires grad": lambda lib: lib.randint(0, 3, (2,), requires_grad=True),
    "randperm of a negative size": lambda lib: lib.randperm(-1),
    "randperm of a float": lambda lib: lib.randperm(2.0),
    "randperm beyond uint8": lambda lib: lib.randperm(300, dtype=lib.uint8),
    "randperm of bools": lambda lib: lib.randperm(2, dtype=lib.bool),
    "normal with a negative std": lambda lib: lib.normal(0.0, -1.0, (2,)),
    "normal with a negative tensor": lambda lib: lib.normal(lib.zeros(2), -lib.ones(2)),
    "normal of integers": lambda lib: lib.normal(lib.zeros(2).long(), lib.ones(2)),
    "normal of shapes that differ": lambda lib: lib.normal(lib.zeros(3), lib.ones(2)),
    "bernoulli beyond one": lambda lib: lib.bernoulli(lib.tensor([1.5])),
    "bernoulli of integers": lambda lib: lib.bernoulli(lib.tensor([1])),
    "bernoulli with p beyond one": lambda lib: lib.bernoulli(lib.ones(2), 1.5),
    "multinomial of three dimensions": lambda lib: lib.multinomial(lib.ones(1, 1, 1), 1),
    "multinomial of no samples": lambda lib: lib.multinomial(lib.ones(3), 0),
    "multinomial of too many": lambda lib: lib.multinomial(lib.ones(3), 4),
    "multinomial of a negative weight": lambda lib: lib.multinomial(lib.tensor([1.0, -1.0]), 1),
    "multinomial of an infinite weight": lambda lib: lib.multinomial(lib.tensor([1, np.inf]), 1),
    "multinomial of zeros": lambda lib: lib.multinomial(lib.zeros(2), 1),
    "multinomial of integers": lambda lib: lib.multinomial(lib.ones(3).long(), 1),
    "normal_ of integers": lambda lib: lib.zeros(2).long().normal_(),
    "normal_ with a negative std": lambda lib: lib.zeros(2).normal_(0, -1),
    "uniform_ of integers": lambda lib: lib.zeros(2).long().uniform_(),
    "uniform_ the wrong way round": lambda lib: lib.zeros(2).uniform_(2, 1),
    "uniform_ over too much": lambda lib: lib.zeros(2).uniform_(-3e38, 3e38),
    "uniform_ beyond float16": lambda lib: lib.zeros(2).half().uniform_(0, 1e5),
    "uniform_ with NumPy's names": lambda lib: lib.zeros(2).uniform_(a=0),
    "random_ without a number": lambda lib: lib.zeros(2).long().random_(5, 5),
    "random_ beyond uint8": lambda lib: lib.zeros(2, dtype=lib.uint8).random_(300),
    "random_ of complex numbers": lambda lib: lib.zeros(2, dtype=lib.complex64).random_(),
    "bernoulli_ with p beyond one": lambda lib: lib.zeros(2).bernoulli_(2),
    "bernoulli_ with a tensor beyond one": lambda lib: lib.zeros(2).bernoulli_(lib.ones(2) * 2),
    "bernoulli_ with another shape": lambda lib: lib.zeros(3, 2).bernoulli_(lib.ones(3)),
    "exponential_ with no rate": lambda lib: lib.zeros(2).exponential_(0),
    "exponential_ of integers": lambda lib: lib.zeros(2).long().exponential_(),
    "geometric_ with certainty": lambda lib: lib.zeros(2).geometric_(1),
    "cauchy_ with a negative width": lambda lib: lib.zeros(2).cauchy_(0, -1),
    "cauchy_ of integers": lambda lib: lib.zeros(2).long().cauchy_(),
    "log_normal_ with a negative std": lambda lib: lib.zeros(2).log_normal_(0, -1),
    "log_normal_ of integers": lambda lib: lib.zeros(2).long().log_normal_(),
    "a leaf that requires grad": lambda lib: lib.zeros(2, requires_grad=True).normal_(),
    "repeated memory": lambda lib: lib.zeros(1).expand(3).uniform_(),
    "a seed too large": lambda lib: lib.manual_seed(2**64),
    "a generator's seed of text": lambda lib: lib.Generator().manual_seed("a"),
    "a state of floats": lambda lib: lib.Generator().set_state(lib.zeros(5056)),
    "a state that is none": lambda lib: lib.Generator().set_state([1]),
    "a state too short": lambda lib: lib.set_rng_state(lib.zeros(10, dtype=lib.uint8)),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_told_in_the_same_words(mistake):
    with pytest.raises(Exception) as theirs:  # noqa: PT011 - whatever PyTorch raises
        MISTAKES[mistake](torch)

    with pytest.raises(type(theirs.value)) as ours:
        MISTAKES[mistake](cr)

    assert str(ours.value).splitlines()[0] == str(theirs.value).splitlines()[0]


@pytest.mark.parametrize("bounds", [(0, 2**25), (-(2**25), 2)])
def test_whole_numbers_that_a_float_does_not_hold_warn_the_same(bounds):
    def warning(lib):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            lib.randint(*bounds, (2,), dtype=lib.float32)
        return str(caught[0].message).partition(" (Triggered")[0]

    ours, theirs = both(warning)

    assert ours == theirs
