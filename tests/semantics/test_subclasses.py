"""Subclasses of Tensor, other types and modes that override functions."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys

import pytest


def plain_subclass(lib, name="Marked"):
    return type(name, (lib.Tensor,), {})


def logging_subclass(lib):
    """Return a subclass, and the list of what it was asked about."""
    seen = []

    class Logged(lib.Tensor):
        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            seen.append(func)
            return super().__torch_function__(func, types, args, kwargs or {})

    return Logged, seen


def marked(lib, cls, values=(1.0, 2.0)):
    return lib.tensor(list(values)).as_subclass(cls)


def square(lib, cls):
    return lib.tensor([[1.0, 2.0], [3.0, 4.0]]).as_subclass(cls)


# The type is kept

KEPT = {
    "x + 1": lambda lib, x: x + 1,
    "1 + x": lambda lib, x: 1 + x,
    "1 - x": lambda lib, x: 1 - x,
    "2 ** x": lambda lib, x: 2**x,
    "1 / x": lambda lib, x: 1 / x,
    "tensor + x": lambda lib, x: lib.ones(2, 2) + x,
    "tensor @ x": lambda lib, x: lib.ones(2, 2) @ x,
    "-x": lambda lib, x: -x,
    "abs": lambda lib, x: abs(x),
    "comparison": lambda lib, x: x > 1,
    "equality": lambda lib, x: x == 1,
    "function of a plain one and it": lambda lib, x: lib.add(lib.ones(2), x),
    "reduction": lambda lib, x: x.sum(),
    "element": lambda lib, x: x[0],
    "index": lambda lib, x: x[lib.tensor([0])],
    "view": lambda lib, x: x.view(-1),
    "transposed": lambda lib, x: x.t(),
    "attribute T": lambda lib, x: x.T,
    "stack": lambda lib, x: lib.stack([x, x]),
    "cat with a plain one": lambda lib, x: lib.cat([lib.ones(2, 2), x]),
    "softmax": lambda lib, x: lib.nn.functional.softmax(x, 0),
    "relu": lambda lib, x: lib.nn.functional.relu(x),
    "where": lambda lib, x: lib.where(x > 1, x, 0.0),
    "einsum": lambda lib, x: lib.einsum("ij->i", x),
    "zeros like it": lambda lib, x: lib.zeros_like(x),
    "new zeros": lambda lib, x: x.new_zeros(2),
    "detach": lambda lib, x: x.detach(),
    "data": lambda lib, x: x.data,
    "clone": lambda lib, x: x.clone(),
    "double": lambda lib, x: x.double(),
    "named values": lambda lib, x: x.max(0).values,
    "unpacked values": lambda lib, x: x.sort()[0],
    "a part": lambda lib, x: x.unbind()[0],
    "a split part": lambda lib, x: lib.split(x, 1)[1],
    "a row": lambda lib, x: next(iter(x)),
    "written to": lambda lib, x: x.clone().mul_(2),
    "linear module": lambda lib, x: lib.nn.Linear(2, 2)(x),
    "relu module": lambda lib, x: lib.nn.ReLU()(x),
    "copied": lambda lib, x: copy.copy(x),
}


@pytest.mark.parametrize("compute", KEPT.values(), ids=KEPT)
def test_what_is_computed_from_a_subclass_has_its_type(lib, compute):
    cls = plain_subclass(lib)

    assert type(compute(lib, square(lib, cls))) is cls


def test_values_are_those_of_plain_tensors(lib):
    x = square(lib, plain_subclass(lib))

    assert (x * x - 1).tolist() == [[0.0, 3.0], [8.0, 15.0]]
    assert (lib.ones(2, 2) @ x).tolist() == [[4.0, 6.0], [4.0, 6.0]]
    assert (1 / x)[0].tolist() == [1.0, 0.5]


def test_plain_results_stay_plain(lib):
    x = square(lib, plain_subclass(lib))

    assert type(x.tolist()) is list
    assert type(x.shape) is lib.Size
    assert type(x.max(0)).__name__ == "max"
    assert type(lib.ones(2)) is lib.Tensor


def test_write_keeps_the_object_and_the_type_of_its_target(lib):
    cls = plain_subclass(lib)
    x, y = marked(lib, cls), lib.ones(2)
    same = x
    same += 1
    y.add_(x)
    y[0] = x[0]

    assert same is x
    assert (type(x), type(y)) == (cls, lib.Tensor)
    assert x.add_(1) is x


def test_type_of_out_is_not_changed(lib):
    x, out = marked(lib, plain_subclass(lib)), lib.ones(2)
    lib.add(x, x, out=out)

    assert type(out) is lib.Tensor
    assert out.tolist() == [2.0, 4.0]


def test_more_derived_type_wins(lib):
    base = plain_subclass(lib)
    derived = type("Derived", (base,), {})
    x, y = marked(lib, base), marked(lib, derived)

    assert [type(item) for item in (x + y, y + x, lib.add(x, y))] == [derived] * 3


def test_types_that_do_not_know_each_other_do_not_mix(lib):
    x, y = marked(lib, plain_subclass(lib)), marked(lib, plain_subclass(lib, "Other"))
    with pytest.raises(TypeError, match="unsupported operand type"):
        x + y
    with pytest.raises(TypeError, match=r"Multiple dispatch failed for 'torch\.add'"):
        lib.add(x, y)


# Made and unmade


def test_constructor_gives_the_subclass(lib):
    cls = plain_subclass(lib)

    assert type(cls([1.0, 2.0])) is cls
    assert cls(2, 3).shape == (2, 3)
    assert repr(cls([1.0])) == repr(lib.tensor([1.0])).replace("tensor", "Marked")


def test_subclass_may_have_attributes_that_results_do_not_inherit(lib):
    class Measured(lib.Tensor):
        def __new__(cls, data, unit=None):
            return lib.as_tensor(data).as_subclass(cls)

        def __init__(self, data, unit=None):
            self.unit = unit

    length = Measured([1.0, 2.0], unit="m")

    assert length.unit == "m"
    assert type(length + 1) is Measured
    assert not hasattr(length + 1, "unit")


def test_as_subclass_is_a_differentiable_view(lib, raises):
    cls = plain_subclass(lib)
    x = lib.tensor([1.0, 2.0], requires_grad=True)
    y = x.as_subclass(cls)

    assert (y._is_view(), y.grad_fn.name(), type(x)) == (True, "AliasBackward0", lib.Tensor)
    (y * 3).sum().backward()
    assert x.grad.tolist() == [3.0, 3.0]
    with raises(TypeError, "cls must be a type (got int)"):
        x.as_subclass(3)
    with raises(TypeError, "Creating a Tensor subclass from a class that does not inherit from"):
        x.as_subclass(int)


def test_make_subclass_gives_a_leaf(lib):
    cls = plain_subclass(lib)
    x = lib.Tensor._make_subclass(cls, lib.ones(2), True)

    assert (type(x), x.requires_grad, x.is_leaf) == (cls, True, True)


def test_gradient_of_a_subclass_is_plain(lib):
    x = marked(lib, plain_subclass(lib)).requires_grad_()
    seen = []
    y = x * x
    y.register_hook(lambda grad: seen.append(type(grad)))
    y.sum().backward()

    assert seen == [lib.Tensor]
    assert (type(x.grad), x.grad.tolist()) == (lib.Tensor, [2.0, 4.0])


def test_gradients_that_grad_returns_have_the_type(lib):
    cls = plain_subclass(lib)
    x = marked(lib, cls).requires_grad_()
    (first,) = lib.autograd.grad((x**3).sum(), x, create_graph=True)
    (second,) = lib.autograd.grad(first.sum(), x)

    assert (type(first), type(second)) == (cls, cls)
    assert second.tolist() == [6.0, 12.0]


def test_parameter_may_hold_a_subclass(lib):
    cls = plain_subclass(lib)
    p = lib.nn.Parameter(marked(lib, cls))
    module = lib.nn.Module()
    module.weight = p

    assert type(p) is cls
    assert isinstance(p, lib.nn.Parameter)
    assert (p.requires_grad, next(iter(module.parameters())) is p) == (True, True)
    assert not isinstance(marked(lib, cls), lib.nn.Parameter)


def test_what_is_computed_from_a_subclass_of_parameter_is_plain(lib):
    own = type("Own", (lib.nn.Parameter,), {})
    p = own(lib.ones(2))

    assert [type(item) for item in (p, p * 2, p.data)] == [own, lib.Tensor, lib.Tensor]


# Overriding


def test_subclass_is_asked_about_functions_methods_and_attributes(lib):
    cls, seen = logging_subclass(lib)
    x = square(lib, cls)
    functional = lib.nn.functional
    calls = [
        (lambda: lib.add(x, 1), lib.add),
        (lambda: lib.transpose(x, 0, 1), lib.transpose),
        (lambda: lib.stack([x]), lib.stack),
        (lambda: functional.softmax(x, 0), functional.softmax),
        (lambda: x.add(1), lib.Tensor.add),
        (lambda: x + 1, lib.Tensor.add),
        (lambda: x @ x, lib.Tensor.matmul),
        (lambda: x[0], lib.Tensor.__getitem__),
        (lambda: 1 - x, lib.Tensor.__rsub__),
        (lambda: x == 1, lib.Tensor.__eq__),
        (lambda: x.sum(0), lib.Tensor.sum),
        (lambda: x.T, lib.Tensor.T.__get__),
        (lambda: x.shape, lib.Tensor.shape.__get__),
    ]
    for call, function in calls:
        seen.clear()
        call()
        assert [asked == function for asked in seen] == [True]


def test_functions_are_found_in_a_table_of_overrides(lib):
    handled = {lib.mean: "mean", lib.Tensor.add: "add", lib.transpose: "transpose"}

    class Answering(lib.Tensor):
        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            if func in handled:
                return handled[func]
            return super().__torch_function__(func, types, args, kwargs)

    x = square(lib, Answering)

    assert (lib.mean(x), x + 1, lib.transpose(x, 0, 1)) == ("mean", "add", "transpose")
    assert x.sum().item() == 10.0


def test_derived_types_are_asked_before_their_bases(lib):
    class First(lib.Tensor):
        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            return cls.__name__, [kind.__name__ for kind in types]

    class Second(First):
        pass

    x, y = lib.ones(2).as_subclass(First), lib.ones(2).as_subclass(Second)
    asked = ("Second", ["Second", "First"])

    assert (lib.add(x, y), lib.add(y, x), x + y) == (asked, asked, asked)
    assert lib.add(x, lib.ones(2)) == ("First", ["First"])


def test_override_may_refuse(lib):
    class Refusing(lib.Tensor):
        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            return NotImplemented

    with pytest.raises(TypeError, match=r"Multiple dispatch failed for 'torch\.add'; all"):
        lib.add(lib.ones(2).as_subclass(Refusing), 1)


def test_other_types_are_asked_too(lib):
    class Duck:
        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            return func.__name__, [kind.__name__ for kind in types], len(args)

    duck = Duck()
    assert lib.add(duck, 1) == ("add", ["Duck"], 2)
    assert lib.add(lib.ones(2), duck) == ("add", ["Duck"], 2)
    assert lib.ones(2) @ duck == ("matmul", ["Duck"], 2)
    assert lib.ones(2).matmul(duck) == ("matmul", ["Duck"], 2)
    assert lib.stack([duck]) == ("stack", ["Duck"], 1)
    assert lib.overrides.is_tensor_like(duck)
    assert lib.transpose(duck, 0, 1) == ("transpose", ["Duck"], 3)


def test_asking_can_be_switched_off(lib):
    cls, seen = logging_subclass(lib)
    x = marked(lib, cls)
    with lib._C.DisableTorchFunctionSubclass():
        assert type(x + 1) is lib.Tensor
        assert type(lib.add(x, 1)) is lib.Tensor

    assert not seen
    assert lib.nn.Parameter.__torch_function__ is lib._C._disabled_torch_function_impl


def test_backward_asks_once(lib):
    cls, seen = logging_subclass(lib)
    x = marked(lib, cls).requires_grad_()
    loss = (x * x).sum()
    seen.clear()
    loss.backward()

    assert [func.__name__ for func in seen] == ["backward"]


# Modes


def note_mode(lib, name, seen):
    class Noting(lib.overrides.TorchFunctionMode):
        def __torch_function__(self, func, types, args=(), kwargs=None):
            seen.append(f"{name}{func.__name__}")
            return func(*args, **(kwargs or {}))

    return Noting()


def test_mode_sees_every_function_while_it_is_in_force(lib):
    seen = []
    with note_mode(lib, "", seen):
        x = lib.ones(2)
        y = (x + 1).sum()
        lib.stack([x])
        lib.nn.functional.relu(x)
    assert y.item() == 4.0
    assert seen == ["ones", "add", "sum", "stack", "relu"]

    x + 1
    lib.ones(1)
    assert len(seen) == 5


def test_mode_may_answer_itself(lib):
    class Constant(lib.overrides.TorchFunctionMode):
        def __torch_function__(self, func, types, args=(), kwargs=None):
            return "ones" if func is lib.ones else func(*args, **(kwargs or {}))

    with Constant():
        assert lib.ones(2) == "ones"
        assert lib.zeros(1).tolist() == [0.0]


def test_innermost_mode_is_asked_first_and_passes_on_to_the_next(lib):
    seen = []
    with note_mode(lib, "outer ", seen), note_mode(lib, "inner ", seen):
        lib.ones(2)

    assert seen == ["inner ones", "outer ones"]


def test_subclass_keeps_its_type_under_a_mode(lib):
    cls = plain_subclass(lib)
    x = marked(lib, cls)
    with note_mode(lib, "", []):
        assert type(x + 1) is cls


# For authors of functions


def test_own_functions_can_ask(lib):
    overrides = lib.overrides

    class Duck:
        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            return func.__name__, kwargs

    def own(x, y=1):
        if overrides.has_torch_function((x,)):
            return overrides.handle_torch_function(own, (x,), x, y=y)
        return "plain"

    @overrides.wrap_torch_function(lambda x: (x,))
    def wrapped(x):
        return "plain"

    assert (own(lib.ones(1)), wrapped(1)) == ("plain", "plain")
    assert own(Duck(), y=3) == ("own", {"y": 3})
    assert wrapped(Duck())[0] == "wrapped"


def test_overridable_functions_are_listed(lib):
    overrides = lib.overrides
    functions = overrides.get_overridable_functions()

    assert lib.add in functions[lib]
    assert lib.Tensor.add in functions[lib.Tensor]
    assert lib.nn.functional.relu in functions[lib.nn.functional]
    assert lib.is_tensor in overrides.get_ignored_functions()
    assert overrides.resolve_name(lib.add) == "torch.add"
    assert overrides.resolve_name(lib.Tensor.add) == "torch.Tensor.add"
    assert overrides.is_tensor_method_or_property(lib.Tensor.add)
    assert not overrides.is_tensor_method_or_property(lib.add)


def test_who_wants_to_be_asked_is_known(lib):
    x = marked(lib, plain_subclass(lib))
    asks = lib.overrides.has_torch_function

    assert asks((1, x))
    assert not asks((1, lib.ones(1), lib.nn.Parameter(lib.ones(1))))


def test_public_functions_can_still_be_pickled(lib):
    plain_subclass(lib)

    assert pickle.loads(pickle.dumps(lib.nn.functional.relu)) == lib.nn.functional.relu  # noqa: S301 - what this process wrote


def test_library_itself_makes_nobody_ask():
    """A class of ours that wants to be asked would cost every call of every program."""
    program = (
        "import chainrule, chainrule.nn, chainrule.optim, chainrule.distributions, "
        "chainrule.utils.data, chainrule.func\n"
        "from chainrule import overriding\n"
        "raise SystemExit(overriding.Switches.active)"
    )
    done = subprocess.run([sys.executable, "-c", program], check=False)

    assert done.returncode == 0
