"""What PyTorch takes, chainrule takes: names, order, defaults, and what goes by name only.

PyTorch is not needed here: its signatures were written down by tools/record_signatures.py, in the
parity environment. chainrule may take more: its ops take as positional what PyTorch's Python layer
takes by name only.
"""

from __future__ import annotations

import ast
import itertools
import operator
from inspect import Parameter, signature
from pathlib import Path

import pytest

import chainrule
from chainrule import tensor_late
from chainrule.op import Op
from chainrule.ops import _late

TABLE = Path(__file__).with_name("signatures.txt").read_text(encoding="utf-8").splitlines()
OVERLOADS = {
    path: list(lines)
    for path, lines in itertools.groupby(TABLE, key=lambda text: text.partition("(")[0])
}
REQUIRED = object()

#: Where chainrule takes something else, or does not say all that it takes, and why.
OTHERWISE = {
    **dict.fromkeys(
        ("alpha_dropout", "dropout", "feature_alpha_dropout"), "takes train by name, or training"
    ),
    "isin": "takes the names of both overloads: test_calls.py",
    "result_type": "likewise",
    **dict.fromkeys(("save", "fft.fftfreq", "fft.rfftfreq"), "differs in what is ignored"),
    "set_num_interop_threads": "PyTorch takes it by position alone",
    "set_num_threads": "likewise",
    "special.round": "None stands for no decimals: PyTorch has two functions",
    "Tensor.new": "takes by position alone",
    "Tensor.split": "takes split_size by name too: test_calls.py",
    "Tensor.uniform_": "takes `from`, a word of Python, among other names: test_calls.py",
}


def parameters(text):
    """Return the parameters of ``path(a, *, b=1)``: positional ones, those by name, stars."""
    args = ast.parse(f"def f({text.partition('(')[2]}: ...").body[0].args
    defaults = [REQUIRED] * (len(args.args) - len(args.defaults)) + list(
        map(literal, args.defaults)
    )
    positional = dict(zip([a.arg for a in args.args], defaults, strict=True))
    by_name = {
        a.arg: REQUIRED if d is None else literal(d)
        for a, d in zip(args.kwonlyargs, args.kw_defaults, strict=True)
    }
    return positional, by_name, args.vararg is not None, args.kwarg is not None


def literal(node):
    try:
        return ast.literal_eval(node)
    except ValueError:
        return ast.unparse(node)


def ours(path):
    """Return what chainrule has at *path*; of a method that comes late, the op behind it."""
    found = operator.attrgetter(path)(chainrule)
    name = path.rpartition(".")[2]
    if getattr(found, "__module__", "") == tensor_late.__name__:
        return _late.find(name if name in _late.WHERE else name.removesuffix("_"))
    return found


def our_parameters(path):
    """Return the parameters of what chainrule has, as `parameters` does."""
    found = ours(path)
    given = list(signature(found).parameters.values())
    if path.startswith("Tensor.") and given[0].kind is not Parameter.VAR_POSITIONAL:
        given = given[1:]
    ordered = [p for p in given if p.kind in {p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD}]
    positional = {("input" if p.name == "self" else p.name): value_of(p) for p in ordered}
    by_name = {p.name: value_of(p) for p in given if p.kind is p.KEYWORD_ONLY}
    if isinstance(found, Op) or hasattr(found, "__wrapped__"):
        by_name.setdefault("out", None)
    kinds = {p.kind for p in given}
    return positional, by_name, Parameter.VAR_POSITIONAL in kinds, Parameter.VAR_KEYWORD in kinds


def value_of(parameter):
    return REQUIRED if parameter.default is Parameter.empty else parameter.default


def differences(path):
    """Yield, in words, what PyTorch takes at *path* and chainrule does not."""
    positional, by_name, stars, any_name = our_parameters(path)
    places, known, texts = list(positional), {**positional, **by_name}, OVERLOADS[path]
    for text in texts:
        theirs, named, their_stars, _ = parameters(text)
        single = len(texts) == 1 and not stars
        for place, name in enumerate(theirs):
            if place >= len(places) and not stars:
                yield f"{text}: {name!r} is not taken by position"
            elif single and not same_name(places[place], name, place):
                yield f"{text}: {places[place]!r} stands where {name!r} should"
        first = next(iter(theirs), None)
        for name, default in {**theirs, **named}.items():
            if name == "self" or (name == first and places and same_name(places[0], name, 0)):
                continue  # a first tensor, whose names ops know
            if name not in known and not any_name:
                yield f"{text}: {name!r} is not taken by name"
            elif single and name in known and not same_default(known[name], default):
                yield f"{text}: {name!r} is {known[name]!r} by default"
        if their_stars and not stars:
            yield f"{text}: takes no more than it names"


def same_name(our, their, place):
    """Return whether *our* parameter has *their* name; a first tensor has several."""
    return our == their or (place == 0 and their in {"input", "x", "a"})


def same_default(our, their):
    """Return whether the defaults mean the same; what PyTorch requires may have one here."""
    if their is REQUIRED or their is ...:
        return True
    if our is REQUIRED or isinstance(their, str):
        return our == their or str(their).startswith("torch.")
    if isinstance(their, tuple):  # no sizes, or one for all dimensions
        return (our is None and not their) or {our} == set(their) or our == their
    return our == their and isinstance(our, bool) == isinstance(their, bool)


@pytest.mark.parametrize("path", [path for path in OVERLOADS if path not in OTHERWISE])
def test_what_pytorch_takes_is_taken(path):
    assert list(differences(path)) == []


@pytest.mark.parametrize("path", OTHERWISE)
def test_exception_is_still_one(path):
    assert list(differences(path)) != []
