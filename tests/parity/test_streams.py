"""The CPU stream draws PyTorch's own numbers: every comparison is of bytes."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings

import numpy as np
import pytest
import torch

from chainrule_xp.streams import DEFAULT_SEED, MT19937Stream

pytestmark = pytest.mark.parity

SHAPES = [(), (0,), (1,), (2,), (15,), (16,), (17,), (31,), (100,), (1000,), (3, 5), (7, 1, 33)]
SEEDS = [0, 1, 1234, -5, 2**32 + 3, 2**64 - 1, -(2**63)]
FLOATS = ["float16", "float32", "float64"]
INTEGERS = ["uint8", "int8", "int16", "int32", "int64"]
DTYPES = {
    name: getattr(torch, name) for name in [*FLOATS, *INTEGERS, "bool", "complex64", "complex128"]
}


class Pair:
    """Our stream and PyTorch's default generator, started from the same seed."""

    def __init__(self, seed):
        self.stream = MT19937Stream(np)
        self.seed(seed)

    def seed(self, seed):
        torch.manual_seed(seed)
        self.stream.seed(seed)

    def check(self, ours, theirs):
        """Compare a draw with PyTorch's, and where the two have got to."""
        theirs = theirs.numpy()
        assert (ours.dtype, ours.shape) == (theirs.dtype, theirs.shape)
        assert ours.flags.c_contiguous
        assert ours.tobytes() == theirs.tobytes()
        assert self.stream.get_state() == state_of_torch()


def state_of_torch():
    return torch.get_rng_state().numpy().tobytes()


@pytest.fixture
def pair():
    return Pair(2024)


@pytest.fixture(params=SHAPES, ids=str)
def shape(request):
    return request.param


@pytest.fixture(params=FLOATS)
def dtype(request):
    return request.param


def empty(shape, dtype):
    return torch.empty(shape, dtype=DTYPES[dtype])


# ---- seeds and state


@pytest.mark.parametrize("seed", SEEDS)
def test_seed_leaves_the_state_that_manual_seed_leaves(seed):
    pair = Pair(seed)
    assert pair.stream.initial_seed() == torch.initial_seed()
    assert pair.stream.get_state() == state_of_torch()
    pair.check(pair.stream.uniform((5,), "float32"), torch.rand(5))
    pair.seed(seed)
    assert pair.stream.get_state() == state_of_torch()


def test_a_stream_without_a_seed_is_a_generator_without_a_seed():
    fresh = torch.Generator()
    stream = MT19937Stream(np)
    assert stream.initial_seed() == fresh.initial_seed() == DEFAULT_SEED
    assert stream.get_state() == fresh.get_state().numpy().tobytes()
    theirs = torch.rand(4, generator=fresh)
    assert stream.uniform((4,), "float32").tobytes() == theirs.numpy().tobytes()


@pytest.mark.parametrize("drawn", [0, 1, 3, 623, 624, 625, 1248])
@pytest.mark.parametrize("normals", [0, 1, 2])
def test_a_state_saved_by_pytorch_goes_on_with_the_same_numbers(drawn, normals):
    torch.manual_seed(77)
    torch.rand(drawn)
    torch.randn(normals)
    stream = MT19937Stream(np, seed=5)
    stream.set_state(state_of_torch())
    assert stream.initial_seed() == 77
    assert stream.get_state() == state_of_torch()
    assert stream.normal((5,), "float32").tobytes() == torch.randn(5).numpy().tobytes()
    assert stream.uniform((700,), "float32").tobytes() == torch.rand(700).numpy().tobytes()


def test_pytorch_goes_on_from_a_state_saved_here(pair):
    pair.stream.normal((3,), "float32")
    saved = torch.frombuffer(bytearray(pair.stream.get_state()), dtype=torch.uint8)
    torch.set_rng_state(saved)
    pair.check(pair.stream.normal((4,), "float64"), torch.randn(4, dtype=torch.float64))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda state: state[:10],
        lambda state: state[:5048],
        lambda state: state + b"\0",
        lambda state: b"",
        lambda state: bytes(len(state)),
    ],
)
def test_a_bad_state_raises_with_the_sentence_of_pytorch(pair, spoil):
    state = spoil(pair.stream.get_state())
    with pytest.raises(RuntimeError) as theirs:
        torch.set_rng_state(torch.tensor(list(state), dtype=torch.uint8))
    with pytest.raises(RuntimeError) as ours:
        pair.stream.set_state(state)
    assert str(ours.value).splitlines()[0] == str(theirs.value).splitlines()[0]


# ---- draws


@pytest.mark.parametrize(
    "bounds", [(0.0, 1.0), (-0.3, 0.7), (0.0, 3.1), (100.0, 100.7), (2.0, 2.0)]
)
def test_uniform(pair, shape, dtype, bounds):
    pair.check(pair.stream.uniform(shape, dtype, *bounds), empty(shape, dtype).uniform_(*bounds))


@pytest.mark.parametrize("seed", range(6))
def test_uniform_rounds_once_where_the_bounds_are_far_apart(seed):
    pair = Pair(seed)
    for low, high in [(1000.1, 1000.3), (-1e-7, 3e7), (12345.678, 12399.9), (-1e-3, 1e8)]:
        for dtype in ("float32", "float64"):
            theirs = empty((4000,), dtype).uniform_(low, high)
            pair.check(pair.stream.uniform((4000,), dtype, low, high), theirs)


@pytest.mark.parametrize("moments", [(0.0, 1.0), (0.3, 1.7), (0.0, 0.02), (-5.0, 1.0), (1.0, 0.0)])
def test_normal(pair, shape, dtype, moments):
    for _ in range(2):  # the second call starts with a pending number, or without
        theirs = empty(shape, dtype).normal_(*moments)
        pair.check(pair.stream.normal(shape, dtype, *moments), theirs)


@pytest.mark.parametrize("dtype", FLOATS)
def test_normal_in_large_arrays(pair, dtype):
    count = 200_005
    pair.check(pair.stream.normal((count,), dtype, 0.1, 2.0), empty(count, dtype).normal_(0.1, 2.0))


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
def test_complex_numbers(pair, shape, dtype):
    pair.check(pair.stream.uniform(shape, dtype), torch.rand(shape, dtype=DTYPES[dtype]))
    pair.check(pair.stream.normal(shape, dtype), torch.randn(shape, dtype=DTYPES[dtype]))
    theirs = empty(shape, dtype).normal_(0.5, 3.0)
    pair.check(pair.stream.normal(shape, dtype, 0.5, 3.0), theirs)


@pytest.mark.parametrize("dtype", [*FLOATS, *INTEGERS, "bool"])
def test_integers(pair, shape, dtype):
    ranges = [
        (0, 1), (0, 2), (0, 10), (-7, 100), (5, 65504), (3, 2**24 + 3), (0, 2**28 - 1), (0, 2**28),
        (-(2**31), 2**31), (-(2**40), 2**41), (-(2**63), 2**63 - 1), (2**53 - 3, 2**53 + 5),
    ]  # fmt: skip
    drawn = 0
    for low, high in ranges:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # it warns of ranges that a dtype cannot hold
                theirs = empty(shape, dtype).random_(low, high)
        except RuntimeError:
            continue  # not a range for this dtype
        pair.check(pair.stream.integers(shape, dtype, low, high), theirs)
        drawn += 1
    assert drawn >= 2


def test_integers_over_all_of_int64(pair, shape):
    theirs = empty(shape, "int64").random_(-(2**63), None)
    pair.check(pair.stream.integers(shape, "int64", -(2**63), 2**63), theirs)


def test_randint_is_integers(pair):
    pair.check(pair.stream.integers((100,), "int64", 3, 10), torch.randint(3, 10, (100,)))


@pytest.mark.parametrize("dtype", [*FLOATS, *INTEGERS, "bool"])
def test_random_full(pair, shape, dtype):
    pair.check(pair.stream.random_full(shape, dtype), empty(shape, dtype).random_())


@pytest.mark.parametrize("dtype", [*FLOATS, *INTEGERS, "bool"])
@pytest.mark.parametrize("p", [0, 0.0, 0.3, 0.5, 1.0, 1])
def test_bernoulli(pair, shape, dtype, p):
    pair.check(pair.stream.bernoulli(shape, dtype, p), empty(shape, dtype).bernoulli_(p))


@pytest.mark.parametrize("dtype", ["float32", "float64", "bool", "int64"])
@pytest.mark.parametrize("dtype_of_p", FLOATS)
def test_bernoulli_with_probabilities_in_an_array(pair, shape, dtype, dtype_of_p):
    p = np.asarray(np.random.default_rng(0).random(shape)).astype(dtype_of_p)
    theirs = empty(shape, dtype).bernoulli_(torch.from_numpy(p))
    pair.check(pair.stream.bernoulli(shape, dtype, p), theirs)


def test_bernoulli_broadcasts_its_probabilities(pair):
    p = np.array([[0.1], [0.9]])
    theirs = torch.empty(2, 50).bernoulli_(torch.from_numpy(p))
    pair.check(pair.stream.bernoulli((2, 50), "float32", p), theirs)


def test_dropout_masks(pair):
    kept = pair.stream.bernoulli((64,), "float32", 0.8)
    dropped = torch.nn.functional.dropout(torch.ones(64), p=0.2)
    pair.check(kept, (dropped != 0).float())


def test_exponential(pair, shape, dtype):
    for rate in (1.0, 3.7, 0.01):
        theirs = empty(shape, dtype).exponential_(rate)
        pair.check(pair.stream.exponential(shape, dtype, rate), theirs)


@pytest.mark.parametrize("dtype", [*FLOATS, "int32", "int64"])
def test_geometric(pair, shape, dtype):
    for p in (0.2, 0.5, 0.99):
        pair.check(pair.stream.geometric(shape, dtype, p), empty(shape, dtype).geometric_(p))


def test_cauchy(pair, shape, dtype):
    for median, sigma in ((0.0, 1.0), (0.3, 1.7)):
        theirs = empty(shape, dtype).cauchy_(median, sigma)
        pair.check(pair.stream.cauchy(shape, dtype, median, sigma), theirs)


def test_log_normal(pair, shape, dtype):
    for mean, std in ((1.0, 2.0), (0.0, 0.25), (600.0, 100.0)):
        theirs = empty(shape, dtype).log_normal_(mean, std)
        pair.check(pair.stream.log_normal(shape, dtype, mean, std), theirs)


@pytest.mark.parametrize("n", [0, 1, 2, 3, 15, 16, 17, 31, 100, 1000, 50_000])
@pytest.mark.parametrize("dtype", ["int64", "int32", "float32"])
def test_permutation(pair, n, dtype):
    pair.check(pair.stream.permutation(n, dtype), torch.randperm(n, dtype=DTYPES[dtype]))


@pytest.mark.parametrize("shape", [(1,), (5,), (1000,), (3, 7), (4, 1), (0, 3)], ids=str)
@pytest.mark.parametrize("samples", [1, 2, 50])
def test_multinomial_with_replacement(pair, shape, dtype, samples):
    weights = np.random.default_rng(0).random(shape).astype(dtype)
    theirs = torch.multinomial(torch.from_numpy(weights), samples, replacement=True)
    pair.check(pair.stream.multinomial(weights, samples, replacement=True), theirs)


@pytest.mark.parametrize("shape", [(1,), (5,), (1000,), (3, 7), (4, 1)], ids=str)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_multinomial_without_replacement(pair, shape, dtype):
    weights = np.random.default_rng(0).random(shape).astype(dtype)
    for samples in {1, (shape[-1] + 1) // 2, shape[-1]}:
        theirs = torch.multinomial(torch.from_numpy(weights), samples)
        pair.check(pair.stream.multinomial(weights, samples), theirs)


def test_multinomial_with_weights_of_zero(pair):
    weights = np.array([0.0, 2.0, 0.0, 1.0, 3.0, 0.0], "float32")
    for samples, replacement in [(3, False), (1, False), (40, True)]:
        theirs = torch.multinomial(torch.from_numpy(weights), samples, replacement)
        pair.check(pair.stream.multinomial(weights, samples, replacement), theirs)


def test_multinomial_in_float16_has_the_same_scores(pair):
    # Equal scores are common in float16, and PyTorch's topk leaves their order open.
    weights = np.random.default_rng(0).random(50).astype("float16")
    for _ in range(50):
        before = torch.get_rng_state()
        theirs = torch.multinomial(torch.from_numpy(weights), 20).numpy()
        torch.set_rng_state(before)
        score = weights / torch.empty(50, dtype=torch.float16).exponential_().numpy()
        ours = pair.stream.multinomial(weights, 20)
        assert score[ours].tobytes() == score[theirs].tobytes()


@pytest.mark.parametrize("seed", SEEDS)
def test_mixed_draws_stay_together(seed):
    pair, order = Pair(seed), np.random.default_rng(seed % 1000)
    draws = [
        lambda n: (pair.stream.normal((n,), "float32"), torch.randn(n)),
        lambda n: (
            pair.stream.normal((n,), "float64"),
            torch.randn(n, dtype=torch.float64),
        ),
        lambda n: (pair.stream.uniform((n,), "float32"), torch.rand(n)),
        lambda n: (pair.stream.integers((n,), "int64", 0, 9), torch.randint(9, (n,))),
        lambda n: (pair.stream.permutation(n), torch.randperm(n)),
        lambda n: (
            pair.stream.log_normal((n,), "float32"),
            torch.empty(n).log_normal_(),
        ),
        lambda n: (pair.stream.bernoulli((n,), "bool", 0.4), torch.zeros(n).bernoulli_(0.4).bool()),
    ]
    for _ in range(60):
        pair.check(*draws[order.integers(len(draws))](int(order.integers(0, 40))))


def test_pytorch_without_vector_code_differs_in_the_last_places_only():
    # There PyTorch's float32 takes the C library's logf, sinf and cosf, without fused steps.
    program = "import torch; torch.manual_seed(3); print(torch.randn(50_000).double().tolist())"
    environment = {**os.environ, "ATEN_CPU_CAPABILITY": "default"}
    printed = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    ).stdout
    theirs = np.array([float(number) for number in printed.strip("[]\n").split(",")])
    ours = MT19937Stream(np, seed=3).normal((50_000,), "float32")
    assert 0.0 < np.abs(ours - theirs).max() < 3e-6
