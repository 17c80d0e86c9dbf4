"""Promises about exceptions: the tree that is drawn is the tree there is."""

from __future__ import annotations

import re

import pytest

from chainrule import errors

CLASSES = {
    name: item
    for name, item in vars(errors).items()
    if isinstance(item, type) and item.__module__ == errors.__name__
}
LINE = re.compile(r"^([ │├└─]*)(\w+Error)(?: \((\w+)\))?", re.MULTILINE)


def drawn():
    """Return, per class drawn, the class it stands below and the built-in type beside it."""
    tree, above = {}, {}
    drawing = errors.__doc__[errors.__doc__.index("::") :]
    for indent, name, builtin in LINE.findall(drawing):
        depth = len(indent)
        parents = [above[d] for d in sorted(above) if d < depth]
        tree[name] = (parents[-1] if parents else None, builtin)
        above = {d: n for d, n in above.items() if d < depth} | {depth: name}
    return tree


def test_every_class_is_in_the_drawing():
    assert drawn().keys() == CLASSES.keys()


@pytest.mark.parametrize(("name", "place"), drawn().items(), ids=drawn())
def test_class_stands_where_it_is_drawn(name, place):
    parent, builtin = place
    bases = {base.__name__ for base in CLASSES[name].__mro__}

    assert {parent or "Exception", builtin or "Exception"} <= bases


def test_every_class_says_when_it_is_raised():
    assert [name for name, item in CLASSES.items() if not item.__doc__] == []
