"""What the random streams promise, without PyTorch at hand."""

from __future__ import annotations

import hashlib
import math
import os
import struct
import subprocess
import sys
import types
from fractions import Fraction

import numpy as np
import pytest

from chainrule_xp import streams_float, streams_mt19937
from chainrule_xp.streams import DEFAULT_SEED, MT19937Stream, PhiloxStream, Stream
from chainrule_xp.streams_philox import philox4x32

FLOATS = ["float16", "float32", "float64"]
INTEGERS = ["uint8", "int8", "int16", "int32", "int64", "bool"]
COMPLEX = ["complex64", "complex128"]
SHAPES = [(), (0,), (1,), (15,), (17,), (3, 5), (2, 0, 3)]


@pytest.fixture(params=[MT19937Stream, PhiloxStream])
def kind(request):
    return request.param


@pytest.fixture
def stream(kind):
    return kind(np, seed=1234)


DRAWS = {
    "uniform": lambda stream, shape, dtype: stream.uniform(shape, dtype, -1.0, 2.0),
    "normal": lambda stream, shape, dtype: stream.normal(shape, dtype, 0.5, 2.0),
    "integers": lambda stream, shape, dtype: stream.integers(shape, dtype, 0, 2),
    "random_full": lambda stream, shape, dtype: stream.random_full(shape, dtype),
    "bernoulli": lambda stream, shape, dtype: stream.bernoulli(shape, dtype, 0.3),
    "exponential": lambda stream, shape, dtype: stream.exponential(shape, dtype, 2.0),
    "geometric": lambda stream, shape, dtype: stream.geometric(shape, dtype, 0.4),
    "cauchy": lambda stream, shape, dtype: stream.cauchy(shape, dtype, 0.5, 2.0),
    "log_normal": lambda stream, shape, dtype: stream.log_normal(shape, dtype, 0.5, 0.2),
}
WHOLE = {"integers", "random_full", "bernoulli"}


def dtypes_of(name):
    if name in WHOLE:
        return [*FLOATS, *INTEGERS]
    return [*FLOATS, *COMPLEX] if name in {"uniform", "normal"} else FLOATS


DRAWS_WITH_DTYPES = [(name, dtype) for name in DRAWS for dtype in dtypes_of(name)]


# ---- both streams


def test_both_have_the_methods_of_the_protocol(stream):
    promised = {name for name in vars(Stream) if not name.startswith("_")}
    assert {"uniform", "multinomial"} <= promised
    assert all(callable(getattr(stream, name)) for name in promised)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize(("name", "dtype"), DRAWS_WITH_DTYPES)
def test_a_draw_is_a_new_contiguous_array_of_that_shape_and_dtype(stream, name, dtype, shape):
    first, second = (DRAWS[name](stream, shape, dtype) for _ in range(2))
    for drawn in (first, second):
        assert type(drawn) is np.ndarray
        assert (drawn.shape, drawn.dtype.name) == (shape, dtype)
        assert drawn.flags.c_contiguous
        assert drawn.flags.writeable
    assert not np.shares_memory(first, second)


@pytest.mark.parametrize(("name", "dtype"), DRAWS_WITH_DTYPES)
def test_the_same_seed_gives_the_same_numbers_and_another_seed_others(kind, name, dtype):
    first, again, other = (DRAWS[name](kind(np, seed), (64,), dtype) for seed in (7, 7, 8))
    assert first.tobytes() == again.tobytes()
    assert first.tobytes() != other.tobytes()


@pytest.mark.parametrize("name", DRAWS)
def test_a_state_goes_on_with_the_same_numbers(kind, stream, name):
    stream.normal((3,), "float32")  # the Mersenne Twister has a number waiting now
    state = stream.get_state()
    expected = [DRAWS[name](stream, (5,), "float32").tobytes() for _ in range(3)]
    stream.set_state(state)
    assert [DRAWS[name](stream, (5,), "float32").tobytes() for _ in range(3)] == expected
    other = kind(np, seed=99)
    other.set_state(state)
    assert other.initial_seed() == 1234
    assert [DRAWS[name](other, (5,), "float32").tobytes() for _ in range(3)] == expected


def test_seed_forgets_what_was_drawn(stream):
    state = stream.get_state()
    stream.normal((3,), "float32")
    assert stream.get_state() != state
    stream.seed(1234)
    assert stream.get_state() == state


def test_a_stream_given_no_seed_starts_from_the_default(kind):
    assert kind(np).initial_seed() == DEFAULT_SEED
    assert kind(np).get_state() == kind(np, DEFAULT_SEED).get_state()


@pytest.mark.parametrize("seed", [-1, -(2**63), 2**32, 2**63, 2**64 - 1])
def test_a_seed_is_kept_modulo_two_to_the_64(kind, seed):
    stream = kind(np, seed)
    assert stream.initial_seed() == seed % 2**64
    assert stream.get_state() == kind(np, seed % 2**64).get_state()


@pytest.mark.parametrize(
    "draw",
    [
        *(lambda stream, name=name: DRAWS[name](stream, (0, 3), "float32") for name in DRAWS),
        lambda stream: stream.permutation(0),
        lambda stream: stream.normal((0,), "complex64"),
    ],
)
def test_drawing_nothing_leaves_the_state_alone(stream, draw):
    state = stream.get_state()
    assert draw(stream).size == 0
    assert stream.get_state() == state


@pytest.mark.parametrize("dtype", FLOATS)
def test_uniform_numbers_stay_below_the_upper_bound(stream, dtype):
    drawn = stream.uniform((20_000,), dtype)
    assert drawn.min() >= 0.0
    assert drawn.max() < 1.0
    drawn = stream.uniform((20_000,), dtype, 1.0, 1.0 + 4.0 * np.finfo(dtype).eps)
    assert set(np.unique((drawn - 1.0) / np.finfo(dtype).eps)) == {0.0, 1.0, 2.0, 3.0}


@pytest.mark.parametrize("dtype", FLOATS)
def test_the_moments_of_the_distributions(stream, dtype):
    count = 20_000
    expected = {
        "uniform": (0.5, math.sqrt(9.0 / 12.0)),
        "normal": (0.5, 2.0),
        "bernoulli": (0.3, math.sqrt(0.21)),
        "exponential": (0.5, 0.5),
        "geometric": (2.5, math.sqrt(0.6) / 0.4),
        "integers": (0.5, 0.5),
    }
    for name, (mean, deviation) in expected.items():
        drawn = DRAWS[name](stream, (count,), dtype).astype("float64")
        assert abs(drawn.mean() - mean) < 4.0 * deviation / math.sqrt(count), name
        assert abs(drawn.std() / deviation - 1.0) < 0.04, name
    assert abs(np.median(stream.cauchy((count,), dtype, 0.5, 2.0)) - 0.5) < 0.1
    logarithms = np.log(stream.log_normal((count,), dtype, 0.5, 0.2).astype("float64"))
    assert abs(logarithms.mean() - 0.5) < 4.0 * 0.2 / math.sqrt(count)


def test_normal_numbers_are_independent_and_have_normal_tails(stream):
    drawn = stream.normal((100_000,), "float32").astype("float64")
    for lag in (1, 2, 8, 16):
        assert abs(np.mean(drawn[lag:] * drawn[:-lag])) < 4.0 / math.sqrt(len(drawn))
    for bound, share in [(1.0, 0.317311), (2.0, 0.0455003), (3.0, 0.0026998)]:
        deviation = math.sqrt(share * (1.0 - share) / len(drawn))
        assert abs(np.mean(np.abs(drawn) > bound) - share) < 4.0 * deviation


@pytest.mark.parametrize("dtype", COMPLEX)
def test_a_complex_normal_number_has_the_variance_of_a_real_one(stream, dtype):
    drawn = stream.normal((20_000,), dtype, 0.0, 3.0)
    assert abs(np.mean(np.abs(drawn) ** 2) / 9.0 - 1.0) < 0.04
    assert abs(drawn.real.std() / drawn.imag.std() - 1.0) < 0.04


@pytest.mark.parametrize("bounds", [(0, 10), (-3, 4), (0, 2**28), (-(2**62), 2**62)])
def test_integers_reach_all_of_their_range_and_nothing_else(stream, bounds):
    low, high = bounds
    drawn = stream.integers((5000,), "int64", low, high)
    assert low <= drawn.min()
    assert drawn.max() < high
    assert np.ptp(drawn.astype("float64")) > 0.99 * (high - 1 - low)


def test_integers_may_span_all_64_bits(stream):
    drawn = stream.integers((1000,), "int64", -(2**63), 2**63)
    assert drawn.min() < -(2**62)
    assert drawn.max() > 2**62


def test_integers_in_float16_do_not_round_up_to_the_bound(stream):
    drawn = stream.integers((200_000,), "float16", 0, 65504)
    assert drawn.max() < np.float16(65504)


@pytest.mark.parametrize(
    ("dtype", "largest"),
    [("bool", 1), ("uint8", 255), ("int8", 127), ("int16", 2**15 - 1), ("float16", 2**11)],
)
def test_random_full_reaches_the_largest_number(stream, dtype, largest):
    drawn = stream.random_full((400_000,), dtype)
    assert (drawn.min(), drawn.max()) == (0, largest)


@pytest.mark.parametrize("dtype", ["uint16", "uint32", "uint64"])
def test_random_full_has_all_bits_of_an_unsigned_integer(stream, dtype):
    drawn = stream.random_full((1000,), dtype)
    assert np.bitwise_or.reduce(drawn) == np.iinfo(dtype).max


def test_bernoulli_is_certain_where_the_probability_is(stream):
    assert stream.bernoulli((1000,), "float32", 1.0).all()
    assert not stream.bernoulli((1000,), "float32", 0.0).any()
    drawn = stream.bernoulli((2, 1000), "bool", np.array([[0.0], [1.0]], "float32"))
    assert not drawn[0].any()
    assert drawn[1].all()


@pytest.mark.parametrize("n", [0, 1, 2, 3, 100, 5000])
def test_a_permutation_has_every_number_once(stream, n):
    drawn = stream.permutation(n, "int32")
    assert drawn.dtype == np.int32
    assert sorted(drawn.tolist()) == list(range(n))


def test_every_permutation_of_three_is_as_likely(stream):
    counts = {}
    for _ in range(3000):
        drawn = tuple(stream.permutation(3).tolist())
        counts[drawn] = counts.get(drawn, 0) + 1
    assert len(counts) == 6
    assert all(abs(count - 500) < 90 for count in counts.values())


def test_multinomial_draws_as_the_weights_say(stream):
    weights = np.array([[0.0, 1.0, 3.0], [2.0, 0.0, 2.0]])
    drawn = stream.multinomial(weights, 8000, replacement=True)
    assert (drawn.shape, drawn.dtype) == ((2, 8000), np.int64)
    shares = np.stack([np.bincount(row, minlength=3) / 8000 for row in drawn])
    np.testing.assert_allclose(shares, [[0.0, 0.25, 0.75], [0.5, 0.0, 0.5]], atol=0.025)
    ones = np.concatenate([stream.multinomial(weights[0], 1) for _ in range(2000)])
    np.testing.assert_allclose(np.bincount(ones) / 2000, [0.0, 0.25, 0.75], atol=0.05)


def test_multinomial_without_replacement_takes_nothing_twice(stream):
    weights = np.array([1.0, 0.0, 5.0, 2.0, 4.0], "float32")
    for _ in range(50):
        drawn = stream.multinomial(weights, 4)
        assert sorted(drawn.tolist()) == [0, 2, 3, 4]
    assert stream.multinomial(np.ones((3, 4)), 2).shape == (3, 2)


def test_numbers_beyond_float16_become_infinite_without_a_warning(stream):
    assert np.isinf(stream.cauchy((2000,), "float16", 0.0, 1e4)).any()
    assert np.isinf(stream.log_normal((2000,), "float16", 10.0, 3.0)).any()
    assert np.isinf(stream.normal((2000,), "float16", 0.0, 1e5)).any()
    assert np.isinf(stream.log_normal((2000,), "float64", 700.0, 100.0)).any()


# ---- the Mersenne Twister

#: SHA-256 of the bytes that PyTorch 2.13 draws on the CPU after `manual_seed(1234)`.
DIGESTS_OF_PYTORCH = {
    "b30b0bf67b76af8f": lambda stream: stream.uniform((1000,), "float32", -0.3, 0.7),
    "789937c293d5481e": lambda stream: stream.uniform((1000,), "float64"),
    "0c6635e0cf925d75": lambda stream: stream.normal((1000,), "float32"),
    "611c4c113e3ef544": lambda stream: stream.normal((1000,), "float16"),
    "5dacd8862f0a2468": lambda stream: stream.integers((1000,), "int64", 0, 10),
    "22f58c224acf93db": lambda stream: stream.integers((1000,), "int64", 0, 2**40),
    "2640d278d903da50": lambda stream: stream.random_full((1000,), "int32"),
    "41eff2cc7e5b2c9b": lambda stream: stream.bernoulli((1000,), "float32", 0.3),
    "e21b83de4de5fe93": lambda stream: stream.exponential((1000,), "float32"),
    "6bc0e30d0d5651e3": lambda stream: stream.cauchy((1000,), "float32"),
    "ddcefd41cdc45ce5": lambda stream: stream.geometric((1000,), "float32", 0.2),
    "9419909640dce7be": lambda stream: stream.log_normal((1000,), "float32"),
    "ae8ae77dccd2f5e0": lambda stream: stream.permutation(1000),
    "e688a0684f63056c": lambda stream: stream.multinomial(
        np.arange(1.0, 51.0, dtype="float32"), 1000, replacement=True
    ),
    "7b9488dd1e885e4d": lambda stream: stream.multinomial(
        np.arange(1.0, 51.0, dtype="float32"), 50
    ),
}


@pytest.mark.parametrize("digest", DIGESTS_OF_PYTORCH)
def test_the_numbers_are_those_that_pytorch_drew(digest):
    drawn = DIGESTS_OF_PYTORCH[digest](MT19937Stream(np, seed=1234))
    assert hashlib.sha256(drawn.tobytes()).hexdigest().startswith(digest)


def test_the_seed_of_the_twister_is_its_low_32_bits():
    low, high = (MT19937Stream(np, seed) for seed in (5, 2**40 + 5))
    assert low.uniform((9,), "float64").tobytes() == high.uniform((9,), "float64").tobytes()
    assert low.initial_seed() != high.initial_seed()


def test_the_second_normal_number_of_a_pair_waits_for_the_next_call():
    pair = MT19937Stream(np, seed=3).normal((2,), "float64")
    stream = MT19937Stream(np, seed=3)
    first = stream.normal((), "float64")
    state = stream.get_state()
    second = stream.normal((1,), "float64")
    assert [first.item(), *second.tolist()] == pair.tolist()
    stream.set_state(state)
    assert stream.normal((1,), "float64").tolist() == second.tolist()
    assert struct.unpack_from("<d", state, 24 + 624 * 8 + 8) == tuple(second)


def test_importing_the_streams_imports_no_array_library_and_drawing_imports_numpy_random():
    program = (
        "import sys, chainrule_xp.streams as streams\n"
        "assert 'numpy' not in sys.modules\n"
        "import numpy\n"
        "stream = streams.MT19937Stream(numpy, seed=1)\n"
        "assert 'numpy.random' not in sys.modules\n"
        "stream.uniform((1,), 'float32')\n"
        "assert 'numpy.random' in sys.modules\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", program], env=environment, check=True)


@pytest.mark.parametrize("size", [0, 16, 5048, 5057])
def test_a_twister_state_of_the_wrong_size_raises(size):
    sentence = (
        "^Expected a CPUGeneratorImplState of size 5056 "
        f"but found the input RNG state size to be {size}\n"
    )
    with pytest.raises(RuntimeError, match=sentence):
        MT19937Stream(np).set_state(bytes(size))


@pytest.mark.parametrize(("offset", "value"), [(8, 0), (8, 625), (12, 0), (16, 7)])
def test_an_impossible_twister_state_raises_and_changes_nothing(offset, value):
    stream = MT19937Stream(np, seed=1)
    stream.uniform((3,), "float32")
    good = stream.get_state()
    bad = bytearray(good)
    struct.pack_into("<i", bad, offset, value)
    with pytest.raises(RuntimeError, match=r"^Invalid mt19937 state\n"):
        stream.set_state(bytes(bad))
    assert stream.get_state() == good


@pytest.mark.parametrize("n", [*range(8), 100, 1000])
def test_a_permutation_is_what_its_swaps_make_one_by_one(n):
    words = np.random.RandomState(11).randint(2**32, size=max(n - 1, 0), dtype=np.uint32).tolist()
    expected = list(range(n))
    for i, word in enumerate(words):
        j = i + word % (n - i)
        expected[i], expected[j] = expected[j], expected[i]
    assert MT19937Stream(np, seed=11).permutation(n).tolist() == expected


@pytest.mark.parametrize("n", [1, 2, 3, 10, 1000])
def test_a_long_permutation_grows_from_the_inside_out(monkeypatch, n):
    monkeypatch.setattr(streams_mt19937, "LONG", 1)
    words = np.random.RandomState(11).randint(2**64, size=n, dtype=np.uint64).tolist()
    expected = []
    for i, word in enumerate(words):
        expected.append(i)
        j = word % (i + 1)
        expected[i], expected[j] = expected[j], i
    assert MT19937Stream(np, seed=11).permutation(n).tolist() == expected


# ---- Philox


@pytest.mark.parametrize(
    ("counter", "key", "words"),
    [
        ("00000000 00000000 00000000 00000000", "00000000 00000000",
         "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
        ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff",
         "408f276d 41c83b0e a20bc7c6 6d5451fd"),
        ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0",
         "d16cfe09 94fdcceb 5001e420 24126ea1"),
    ],
)  # fmt: skip
def test_philox_gives_the_words_that_its_authors_publish(counter, key, words):
    arrays = tuple(np.array([int(word, 16)], np.uint64) for word in counter.split())
    k0, k1 = (int(word, 16) for word in key.split())
    drawn = philox4x32(np, arrays, (k0, k1))
    assert [f"{word[0]:08x}" for word in drawn] == words.split()


def philox_words(seed, offset, count):
    """The words of a draw, one block at a time and in Python's integers."""
    words = []
    for block in range(-(-count // 4)):
        c = [block & 0xFFFFFFFF, block >> 32, offset & 0xFFFFFFFF, offset >> 32]
        k = [seed & 0xFFFFFFFF, seed >> 32]
        for _ in range(10):
            left, right = c[0] * 0xD2511F53, c[2] * 0xCD9E8D57
            c = [
                right >> 32 ^ c[1] ^ k[0], right & 0xFFFFFFFF,
                left >> 32 ^ c[3] ^ k[1], left & 0xFFFFFFFF,
            ]  # fmt: skip
            k = [(k[0] + 0x9E3779B9) & 0xFFFFFFFF, (k[1] + 0xBB67AE85) & 0xFFFFFFFF]
        words += c
    return words[:count]


def philox_at(offset, seed=0x0123456789ABCDEF):
    stream = PhiloxStream(np, seed)
    stream.set_state(struct.pack("<QQ", seed, offset))
    return stream


@pytest.mark.parametrize("offset", [0, 1, 2**32 + 7, 2**64 - 1])
def test_philox_draws_are_made_of_words_as_documented(offset):
    words = philox_words(0x0123456789ABCDEF, offset, 20)
    wide = [high << 32 | low for high, low in zip(words[::2], words[1::2], strict=True)]

    drawn = philox_at(offset).integers((20,), "int64", 5, 105)
    assert drawn.tolist() == [5 + word % 100 for word in words]
    drawn = philox_at(offset).integers((10,), "int64", 0, 10**12)
    assert drawn.tolist() == [word % 10**12 for word in wide]
    drawn = philox_at(offset).uniform((20,), "float32")
    assert drawn.tolist() == [(word & 0xFFFFFF) * 2.0**-24 for word in words]
    drawn = philox_at(offset).uniform((10,), "float64")
    assert drawn.tolist() == [(word & (2**53 - 1)) * 2.0**-53 for word in wide]
    drawn = philox_at(offset).bernoulli((10,), "bool", 0.3)
    assert drawn.tolist() == [(word & (2**53 - 1)) * 2.0**-53 < 0.3 for word in wide]
    keys = [(word & ~15) | i for i, word in enumerate(wide)]
    assert philox_at(offset).permutation(10).tolist() == [key & 15 for key in sorted(keys)]


def test_philox_normal_numbers_come_in_pairs_as_documented():
    u = philox_at(3).uniform((10,), "float64")
    radius, angle = np.sqrt(-2.0 * np.log(1.0 - u[::2])), 2.0 * math.pi * u[1::2]
    pairs = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    drawn = philox_at(3).normal((10,), "float64", 1.0, 2.0)
    np.testing.assert_allclose(drawn, 1.0 + 2.0 * pairs.reshape(-1), rtol=1e-14)
    u = philox_at(3).uniform((10,), "float32").astype("float64")
    radius, angle = np.sqrt(-2.0 * np.log(1.0 - u[::2])), 2.0 * math.pi * u[1::2]
    pairs = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    drawn = philox_at(3).normal((10,), "float32")
    np.testing.assert_allclose(drawn, pairs.reshape(-1), rtol=0, atol=3e-6)


@pytest.mark.parametrize(("name", "dtype"), DRAWS_WITH_DTYPES)
def test_a_philox_element_does_not_depend_on_how_many_are_drawn(name, dtype):
    few, many = (DRAWS[name](philox_at(9), (count,), dtype) for count in (7, 70_000))
    assert few.tobytes() == many[:7].tobytes()


@pytest.mark.parametrize("name", DRAWS)
def test_every_philox_draw_takes_one_offset(name):
    stream = PhiloxStream(np, seed=5)
    for offset in (1, 2, 3):
        DRAWS[name](stream, (11,), "float32")
        assert stream.get_state() == struct.pack("<QQ", 5, offset)


def test_permutations_and_choices_take_one_philox_offset():
    stream = PhiloxStream(np, seed=5)
    stream.permutation(4)
    stream.multinomial(np.ones(4), 2)
    stream.multinomial(np.ones(4), 2, replacement=True)
    stream.normal((4,), "complex64")
    assert stream.get_state() == struct.pack("<QQ", 5, 4)


def test_the_philox_offset_starts_again_after_the_last():
    stream = philox_at(2**64 - 1)
    stream.uniform((1,), "float32")
    assert stream.get_state()[8:] == bytes(8)


def test_a_philox_state_of_the_wrong_size_raises():
    with pytest.raises(RuntimeError, match=r"^RNG state is wrong size\n"):
        PhiloxStream(np).set_state(bytes(15))


@pytest.mark.parametrize(("name", "dtype"), DRAWS_WITH_DTYPES)
def test_a_device_draws_whole_what_host_memory_draws_in_blocks(name, dtype):
    device = types.SimpleNamespace(**vars(np))
    device.__name__ = "device"
    del device.errstate
    count = 2 * streams_float.BLOCK * 4 + 5
    host = DRAWS[name](PhiloxStream(np, seed=5), (count,), dtype)
    with np.errstate(all="ignore"):  # a device has no such thing, and does not warn either
        whole = DRAWS[name](PhiloxStream(device, seed=5), (count,), dtype)
    assert host.tobytes() == whole.tobytes()


# ---- one rounding


def nearest(number, dtype):
    """The float of *dtype* nearest to a fraction, of two equally near the even one."""
    guess = np.array([float(number)]).astype(dtype)
    around = [np.nextafter(guess, -np.inf), guess, np.nextafter(guess, np.inf)]
    even = {"float32": "int32", "float64": "int64"}[dtype]

    def badness(candidate):
        return abs(Fraction(float(candidate[0])) - number), candidate.view(even)[0] & 1

    return min(around, key=badness)[0]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_fused_multiply_add_rounds_once(dtype):
    order = np.random.default_rng(5)
    for _ in range(60):
        a = (order.standard_normal(20) * 2.0 ** order.integers(-9, 9)).astype(dtype)
        b, c = (float(number) for number in order.standard_normal(2).astype(dtype))
        # Sums that nearly cancel, sums of very different size, and exact ties.
        for addend in (c, -float(a[0]) * b, c * 1e9, c * 1e-12, float(a[1]) * b * 2.0**30):
            (rounded,) = np.array([addend]).astype(dtype)
            expected = [
                nearest(Fraction(float(x)) * Fraction(b) + Fraction(float(rounded)), dtype)
                for x in a
            ]
            fused = streams_float.fused_multiply_add(np, a, b, float(rounded))
            assert fused.tobytes() == np.array(expected, dtype).tobytes()


def test_a_fused_multiply_add_is_right_where_two_roundings_are_not():
    # The sum lies 2^-54 below the middle of two float32; in float64 it is the middle.
    a = np.array([2.0**-12 * (1.0 + 2.0**-15)], "float32")
    b, c = 2.0**-12 * (1.0 - 2.0**-15), 1.0 + 2.0**-23
    assert (a.astype("float64") * b + c).astype("float32")[0] == np.float32(1.0 + 2.0**-22)
    assert streams_float.fused_multiply_add(np, a, b, c)[0] == np.float32(1.0 + 2.0**-23)


def test_a_fused_multiply_add_keeps_what_is_infinite():
    a = np.array([1.0, -np.inf, np.nan])
    fused = streams_float.fused_multiply_add(np, a, 2.0, np.inf)
    np.testing.assert_array_equal(fused, [np.inf, np.nan, np.nan])
    np.testing.assert_array_equal(
        streams_float.fused_multiply_add(np, np.array([1.0, 2.0]), np.inf, 1.0), [np.inf, np.inf]
    )


def fused_arrays(a, b, c):
    """``a * b + c`` of float32 arrays, rounded once: the exact product, summed to odd."""
    product, c = a.astype("float64") * b, np.asarray(c, "float64")
    return streams_float._sum_rounded_to_odd(np, product, c).astype("float32")


def cephes_log(x):
    fraction, exponent = np.frexp(x)
    small = fraction < np.float32(math.sqrt(0.5))
    t = np.where(small, fraction + fraction, fraction) - np.float32(1.0)
    power = (exponent - small).astype("float32")
    square, total = t * t, np.full_like(t, streams_float.LOG[0])
    for coefficient in streams_float.LOG[1:]:
        total = fused_arrays(total, t, coefficient)
    total = fused_arrays(total * t, square, power * np.float32(streams_float.LOG_2_LOW))
    total = total - np.float32(0.5) * square
    return (t + total) + power * np.float32(streams_float.LOG_2_HIGH)


def cephes_sine_and_cosine(angle):
    octant = ((angle * np.float32(4.0 / math.pi)).astype("int32") + 1) & ~1
    j, t = octant.astype("float32"), angle
    for part in (0.78515625, 2.4187564849853515625e-4, float(np.float32(3.77489497744594108e-8))):
        t = fused_arrays(j, -part, t)
    square = t * t
    sine, cosine = np.full_like(t, streams_float.SINE[0]), np.full_like(t, streams_float.COSINE[0])
    for coefficient in streams_float.SINE[1:]:
        sine = fused_arrays(sine, square, coefficient)
    sine = fused_arrays(sine * square, t, t)
    for coefficient in streams_float.COSINE[1:]:
        cosine = fused_arrays(cosine, square, coefficient)
    cosine = fused_arrays(cosine * square, square, -np.float32(0.5) * square) + np.float32(1.0)
    swapped = (octant & 2) != 0
    signs = np.array([1, 1, -1, -1, 1], "float32"), np.array([1, -1, -1, 1, 1], "float32")
    return (
        np.where(swapped, cosine, sine) * signs[0][octant >> 1],
        np.where(swapped, sine, cosine) * signs[1][octant >> 1],
    )


@pytest.mark.parametrize("step", [61, pytest.param(1, marks=pytest.mark.slow)])
def test_the_float32_functions_round_every_step_once_for_every_uniform_number(step):
    for start in range(0, 1 << 24, step << 16):
        number = np.arange(start, min(start + (step << 16), 1 << 24), step)
        u = (number * 2.0**-24).astype("float32")
        rest, angle = np.float32(1.0) - u, u * np.float32(2.0 * math.pi)
        assert streams_float.log_float32(np, rest).tobytes() == cephes_log(rest).tobytes()
        ours = streams_float.sine_and_cosine_float32(np, angle)
        for mine, reference in zip(ours, cephes_sine_and_cosine(angle), strict=True):
            assert mine.tobytes() == reference.tobytes()
        np.testing.assert_allclose(ours[0], np.sin(angle.astype("float64")), rtol=0, atol=1.2e-7)
