"""Promises about generators, seeds and states; on the CPU, and on a backend of its own stream."""

from __future__ import annotations

import copy
import pickle
import threading

import pytest

import chainrule as cr
from chainrule import backend as registry
from chainrule.errors import BackendError, DeviceError
from chainrule.ops.generator import default_for


class Counting:
    """A stream whose numbers count up from its seed."""

    def __init__(self, backend):
        self.backend = backend
        self.seed(0)

    def seed(self, seed):
        self.first = self.next = seed

    def initial_seed(self):
        return self.first

    def get_state(self):
        return bytes([self.first, self.next])

    def set_state(self, state):
        self.first, self.next = state

    def uniform(self, shape, dtype, low=0.0, high=1.0):
        (count,) = shape
        numbers = [float(self.next + i) for i in range(count)]
        self.next += count
        return self.backend.from_list(numbers, shape, getattr(cr, dtype), None)


@pytest.fixture
def counting(toy, monkeypatch):
    """Give the toy backend streams that count."""
    backend = registry.by_name("toy")
    monkeypatch.setattr(backend, "stream", lambda algorithm: Counting(backend), raising=False)


def test_same_seed_gives_the_same_numbers():
    first = cr.rand(5, generator=cr.Generator().manual_seed(3))

    assert cr.rand(5, generator=cr.Generator().manual_seed(3)).equal(first)
    assert not cr.rand(5, generator=cr.Generator().manual_seed(4)).equal(first)


def test_manual_seed_starts_the_default_generator_again():
    cr.manual_seed(3)
    first = cr.rand(5)

    assert cr.manual_seed(3) is cr.default_generator
    assert cr.rand(5).equal(first)
    assert not cr.rand(5).equal(first)


def test_generator_of_its_own_leaves_the_default_alone():
    cr.manual_seed(3)
    expected = cr.rand(5)
    cr.manual_seed(3)
    cr.rand(99, generator=cr.Generator())

    assert cr.rand(5).equal(expected)


def test_negative_seed_counts_from_the_end():
    assert cr.Generator().manual_seed(-1).initial_seed() == 2**64 - 1


def test_what_converts_to_an_integer_is_a_seed():
    assert cr.manual_seed(cr.tensor(7)).initial_seed() == 7


@pytest.mark.parametrize("seed", [2**64, -(2**63) - 1])
def test_seed_of_more_than_64_bits_raises(seed):
    with pytest.raises(ValueError, match="Overflow when unpacking long long"):
        cr.manual_seed(seed)


@pytest.mark.parametrize("seed", [1.5, "1", None, True])
def test_generator_takes_whole_seeds_only(seed):
    with pytest.raises(RuntimeError, match="manual_seed expected a long, but got"):
        cr.Generator().manual_seed(seed)


def test_seed_nobody_could_foresee_is_reported():
    assert cr.seed() == cr.initial_seed()
    assert cr.seed() != cr.seed()
    generator = cr.Generator()

    assert generator.seed() == generator.initial_seed()


def test_state_brings_back_what_comes_next():
    generator = cr.Generator().manual_seed(1)
    cr.randn(3, generator=generator)
    state = generator.get_state()
    expected = cr.randn(20, generator=generator)

    generator.set_state(state)

    assert cr.randn(20, generator=generator).equal(expected)


def test_state_is_a_tensor_of_bytes_on_the_cpu():
    state = cr.get_rng_state()

    assert (state.dtype, tuple(state.shape), str(state.device)) == (cr.uint8, (5056,), "cpu")


@pytest.mark.parametrize(
    ("state", "error"),
    [
        ([1], TypeError),
        (lambda: cr.zeros(5056), TypeError),
        (lambda: cr.zeros(3, dtype=cr.uint8), RuntimeError),
    ],
)
def test_what_is_no_state_raises_and_changes_nothing(state, error):
    generator = cr.Generator().manual_seed(1)
    before = generator.get_state()

    with pytest.raises(error):
        generator.set_state(state() if callable(state) else state)

    assert generator.get_state().equal(before)


@pytest.mark.parametrize(
    "copied",
    [
        copy.deepcopy,
        lambda generator: pickle.loads(pickle.dumps(generator)),  # noqa: S301 - our own bytes
        lambda generator: generator.clone_state(),
    ],
    ids=["deepcopy", "pickle", "clone_state"],
)
def test_copy_goes_on_where_the_generator_is_and_on_its_own(copied):
    generator = cr.Generator().manual_seed(1)
    cr.rand(3, generator=generator)
    other = copied(generator)
    expected = cr.rand(4, generator=generator)

    assert cr.rand(4, generator=other).equal(expected)
    assert not cr.rand(4, generator=other).equal(expected)


def test_fork_rng_leaves_the_state_as_it_was():
    before = cr.get_rng_state()
    with cr.random.fork_rng():
        cr.rand(3)
        assert not cr.get_rng_state().equal(before)

    assert cr.get_rng_state().equal(before)


def test_fork_rng_leaves_the_state_as_it_was_after_an_error():
    before = cr.get_rng_state()

    @cr.random.fork_rng()
    def draw_and_fail():
        return cr.rand(3).tolist()["no such place"]

    with pytest.raises(TypeError):
        draw_and_fail()

    assert cr.get_rng_state().equal(before)


def test_fork_rng_can_be_switched_off():
    before = cr.get_rng_state()
    with cr.random.fork_rng(enabled=False):
        cr.rand(3)

    assert not cr.get_rng_state().equal(before)


def test_philox_draws_other_numbers_than_the_default_and_the_same_ones_again():
    def draw(algorithm):
        return cr.rand(5, generator=cr.Generator(algorithm=algorithm).manual_seed(1))

    assert draw("philox").equal(draw("philox"))
    assert not draw("philox").equal(draw(None))


def test_unknown_algorithm_raises():
    with pytest.raises(BackendError, match="expected one of default, mt19937, philox"):
        cr.Generator(algorithm="dice")


def test_what_is_no_generator_raises():
    with pytest.raises(TypeError, match=r"argument 'generator' must be torch.Generator, not int"):
        cr.rand(2, generator=3)


@pytest.mark.usefixtures("counting")
def test_generator_of_another_device_type_is_refused():
    generator = cr.Generator("toy")

    with pytest.raises(DeviceError, match="Expected a 'cpu' device type for generator but found"):
        cr.rand(2, generator=generator)


@pytest.mark.usefixtures("counting")
def test_a_backends_own_stream_draws_for_its_device():
    generator = cr.Generator("toy").manual_seed(5)

    assert cr.rand(2, generator=generator, device="toy").tolist() == [5.0, 6.0]
    assert cr.rand(2, generator=generator, device="toy").tolist() == [7.0, 8.0]


@pytest.mark.usefixtures("counting")
def test_manual_seed_holds_for_devices_that_draw_later(monkeypatch):
    monkeypatch.setattr("chainrule.ops.generator.defaults._made", {})
    cr.manual_seed(40)

    assert default_for("toy").initial_seed() == 40
    assert cr.rand(2, device="toy").tolist() == [40.0, 41.0]


def test_threads_never_draw_one_number_twice():
    generator = cr.Generator().manual_seed(0)
    drawn = []

    def draw():
        drawn.extend(cr.randn(15, generator=generator).tolist() for _ in range(20))

    threads = [threading.Thread(target=draw) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    generator.manual_seed(0)
    expected = [cr.randn(15, generator=generator).tolist() for _ in range(80)]

    assert sorted(drawn) == sorted(expected)


def test_requires_grad_is_honoured_without_recording():
    with cr.no_grad():
        assert cr.rand(2, requires_grad=True).requires_grad


def test_filling_counts_the_version_up():
    x = cr.zeros(3)
    view = x[1:]
    view.normal_()

    assert x._version == 1


@pytest.mark.parametrize("fill", ["normal_", "uniform_", "random_", "bernoulli_", "exponential_"])
def test_leaf_that_requires_grad_is_not_filled_and_nothing_is_drawn(fill):
    x = cr.zeros(3, requires_grad=True)
    before = cr.get_rng_state()

    with pytest.raises(RuntimeError, match="a leaf Variable that requires grad is being used in"):
        getattr(x, fill)()

    assert x.tolist() == [0.0, 0.0, 0.0]
    assert cr.get_rng_state().equal(before)


def test_leaf_that_requires_grad_is_filled_under_no_grad():
    x = cr.zeros(3, requires_grad=True)
    with cr.no_grad():
        assert x.fill_(0).uniform_(1, 2) is x

    assert all(1 <= number < 2 for number in x.tolist())
    assert x.is_leaf


def test_dropout_outside_training_returns_its_input():
    x = cr.ones(3)

    assert cr.dropout(x, 0.5, training=False) is x
    assert cr.dropout(x, 0.5, train=False) is x


def test_dropout_saves_one_mask_for_both_derivatives():
    x = cr.ones(50, dtype=cr.float64, requires_grad=True)
    y = cr.dropout(x, 0.5)
    (gradient,) = cr.autograd.grad(y.sum(), x)

    assert gradient.equal(y.detach())
