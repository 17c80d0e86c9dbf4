"""The backend itself: dtypes, creation, round trips, views, devices, random numbers."""

from __future__ import annotations

import copy
import math
import pickle
from typing import Any

import pytest

import chainrule as cr
from chainrule import backend as registry
from chainrule import dtypes
from chainrule.backend import AVAILABLE, Backend, Device
from chainrule.errors import BackendUnavailableError, DTypeError, MixedBackendError
from chainrule.plugin.finding import find_spec, probe
from chainrule.plugin.host import host
from chainrule.testing.capabilities import CAPABILITIES, requires

np = pytest.importorskip("numpy")

NUMBERS: dict[int, list[Any]] = {
    dtypes.BOOL: [True, False, True],
    dtypes.INTEGER: [0, 1, 100],
    dtypes.FLOATING: [0.0, -1.5, 2.25],
    dtypes.COMPLEX: [0j, 1 - 2j, -0.5 + 0j],
}


@pytest.fixture
def live(backend: str) -> Backend:
    return registry.by_name(backend)


@pytest.fixture
def place(live: Backend) -> Device:
    return live.canonical(Device(live.spec.device_types[0]))


@pytest.fixture(params=[d.name for d in dtypes.ALL])
def kind(request: pytest.FixtureRequest, live: Backend) -> Any:
    found = dtypes.by_name(request.param)
    if not live.supports(found):
        pytest.skip(f"backend {live.name} has no arrays of {found}")
    return found


# What it says of itself


def test_probe_says_available_and_does_not_raise(backend: str) -> None:
    found = probe(find_spec(host, backend)[0])

    assert (found.state, found.devices >= 1) == (AVAILABLE, True)


def test_capabilities_are_known_ones(live: Backend) -> None:
    assert live.spec.capabilities <= CAPABILITIES.keys()


def test_capabilities_and_dtypes_agree(live: Backend) -> None:
    declared = live.spec.capabilities
    assert live.supports(dtypes.float64) == ("float64" in declared)
    assert live.supports(dtypes.complex64) == ("complex" in declared)


def test_float32_int64_and_bool_are_there(live: Backend) -> None:
    assert all(map(live.supports, (dtypes.float32, dtypes.int64, dtypes.bool_)))


def test_lineage_begins_with_itself_and_names_plugins_that_exist(live: Backend) -> None:
    assert live.lineage == (live.spec.name, *live.spec.parents)
    assert all(host.find(name, "backend") for name in live.spec.parents)


def test_a_dtype_that_it_lacks_is_an_error_that_says_so(live: Backend, place: Device) -> None:
    for dtype in dtypes.ALL:
        if not live.supports(dtype):
            with pytest.raises(DTypeError, match=f"backend '{live.name}' has no arrays of dtype"):
                live.key(dtype, place)


# Making arrays and reading them


def test_new_arrays_have_shape_dtype_device_and_type(
    live: Backend, place: Device, kind: Any
) -> None:
    for shape in ((), (0,), (2, 3), (1, 0, 2)):
        made: list[Any] = [live.empty(shape, kind, place), live.full(shape, 1, kind, place)]
        for array in made:
            assert tuple(array.shape) == shape
            assert type(array) is live.array_type
            assert (live.dtype_of(array), live.device_of(array)) == (kind, place)


def test_full_holds_its_value(live: Backend, place: Device, kind: Any) -> None:
    for number in NUMBERS[kind.category]:
        assert live.tolist(live.full((2,), number, kind, place)) == [number] * 2


@pytest.mark.parametrize("counting", [(0, 1, 5), (3, -2, 3), (0, 1, 0)])
def test_arange_counts(live: Backend, place: Device, counting: tuple[int, int, int]) -> None:
    start, step, count = counting
    array = live.arange(start, step, count, dtypes.int64, place)

    assert live.tolist(array) == [start + step * i for i in range(count)]


def test_lists_go_in_and_come_out(live: Backend, place: Device, kind: Any) -> None:
    numbers = NUMBERS[kind.category]
    array = live.from_list([numbers, numbers], (2, 3), kind, place)

    assert live.tolist(array) == [numbers, numbers]
    assert live.tolist(live.from_list(numbers[1], (), kind, place)) == numbers[1]


def test_numpy_arrays_go_in_and_come_out(live: Backend, place: Device, kind: Any) -> None:
    if kind is dtypes.bfloat16:
        pytest.skip("NumPy has no bfloat16")
    given = np.array([NUMBERS[kind.category]], kind.name)
    array = live.from_numpy(given, place)
    found = live.to_numpy(array)

    assert live.dtype_of(array) is kind
    assert (found.dtype, found.tolist()) == (given.dtype, given.tolist())


def test_buffers_are_read(live: Backend, place: Device) -> None:
    data = bytearray(np.array([1.5, -2.0, 3.0], "float32").tobytes())
    array = live.from_buffer(data, (3,), dtypes.float32, place)

    assert live.tolist(array) == [1.5, -2.0, 3.0]


def test_special_values_survive(live: Backend, place: Device) -> None:
    values = [math.inf, -math.inf, -0.0, 3.4028234663852886e38, 1.401298464324817e-45]
    array = live.from_list([*values, math.nan], (6,), dtypes.float32, place)
    *found, last = live.tolist(array)

    assert list(map(str, found)) == list(map(str, values))
    assert math.isnan(last)


def test_astype_converts_and_copies(live: Backend, place: Device, kind: Any) -> None:
    array = live.from_list([0.0, 1.0, 2.0], (3,), dtypes.float32, place)
    made = live.astype(array, kind)
    expected = [False, True, True] if kind is dtypes.bool_ else [0, 1, 2]

    assert (live.dtype_of(made), live.tolist(made)) == (kind, expected)


@requires("inplace")
def test_a_copy_is_memory_of_its_own(live: Backend, place: Device) -> None:
    array = live.full((2, 2), 1, dtypes.float32, place)
    made = live.copy(array)
    live.assign(array, live.full((2, 2), 5, dtypes.float32, place))

    assert live.tolist(made) == [[1.0, 1.0]] * 2
    assert live.is_contiguous(made)


@requires("inplace")
def test_assign_broadcasts_and_casts(live: Backend, place: Device) -> None:
    target = live.full((2, 3), 0, dtypes.float32, place)
    live.assign(target, live.from_list([1, 2, 3], (3,), dtypes.int64, place))

    assert live.tolist(target) == [[1.0, 2.0, 3.0]] * 2
    assert live.dtype_of(target) is dtypes.float32


def test_strides_are_in_elements(live: Backend, place: Device) -> None:
    array = live.full((2, 3, 4), 0, dtypes.float32, place)

    assert live.strides(array) == (12, 4, 1)
    assert live.is_contiguous(array)


# Tensors on it


@requires("views", "inplace")
def test_a_view_shares_memory_in_both_directions(device: str) -> None:
    x = cr.zeros(2, 3, device=device)
    row = x[1]
    row += 1
    x[1, 0] = 5

    assert x.tolist() == [[0.0] * 3, [5.0, 1.0, 1.0]]
    assert row.tolist() == [5.0, 1.0, 1.0]


@requires("inplace")
def test_a_view_is_kept_up_to_date_whether_memory_is_shared_or_not(device: str) -> None:
    x = cr.zeros(4, device=device)
    view = x.reshape(2, 2)
    x.add_(1)

    assert view.tolist() == [[1.0, 1.0], [1.0, 1.0]]


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])  # noqa: S301 - our own bytes
def test_tensors_are_copied_and_pickled(device: str, copied: Any) -> None:
    x = cr.tensor([1.0, 2.0], device=device, requires_grad=True)
    made = copied(x)

    assert (made.tolist(), made.dtype, made.requires_grad) == ([1.0, 2.0], x.dtype, True)


def test_results_stay_on_backend_and_device(device: str, backend: str) -> None:
    x = cr.ones(2, device=device)
    y = (x * 2 + x.sum()).exp()

    assert (y.backend, y.device) == (backend, x.device)


def test_moving_to_the_host_and_back_is_differentiable(device: str) -> None:
    x = cr.tensor([1.0, 2.0], requires_grad=True, device=device)
    host_side = x.to("cpu@numpy")
    (host_side.to(device) * 3).sum().backward()

    assert x.grad is not None
    assert x.grad.tolist() == [3.0, 3.0]
    assert x.grad.backend == x.backend


def test_tensors_of_another_kind_of_array_do_not_mix(device: str, live: Backend) -> None:
    other = next(name for name in ("numpy", "sim") if _storage(name) != live.spec.storage)
    kind = registry.by_name(other).spec.device_types[0]
    with pytest.raises(MixedBackendError, match=r"^Expected all tensors to be on the same device"):
        cr.ones(1, device=device) + cr.ones(1, device=f"{kind}@{other}")


def _storage(name: str) -> str:
    return registry.by_name(name).spec.storage


# Devices


def test_every_device_works_and_none_beyond(live: Backend) -> None:
    kind = live.spec.device_types[0]
    for index in range(live.device_count()):
        place = live.canonical(Device(kind, index))
        assert live.device_of(live.full((1,), 1, dtypes.float32, place)) == place
    if kind != "cpu":
        with pytest.raises(BackendUnavailableError, match="invalid device ordinal"):
            live.canonical(Device(kind, live.device_count()))


def test_copy_to_a_device_is_a_copy(live: Backend, place: Device) -> None:
    array = live.full((2,), 3, dtypes.float32, place)
    made = live.copy_to(array, place)

    assert made is not array
    assert (live.tolist(made), live.device_of(made)) == ([3.0, 3.0], place)


def test_synchronize_returns(live: Backend, place: Device) -> None:
    live.synchronize(place)


# Random numbers


@pytest.mark.parametrize("draw", ["rand", "randn"])
def test_random_numbers_repeat_with_their_seed(device: str, draw: str) -> None:
    def drawn(seed: int) -> Any:
        cr.manual_seed(seed)
        return getattr(cr, draw)(50, device=device).tolist()

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)


def test_the_state_of_a_stream_can_be_put_back(live: Backend) -> None:
    stream = live.stream("default")
    stream.seed(3)
    state = stream.get_state()
    again = live.stream("default")
    again.set_state(state)

    assert (again.get_state(), stream.initial_seed()) == (state, 3)
