"""Arrays of other libraries, as `tensor` and `as_tensor` meet them: whose are they?"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from ..backend import by_name
from .host import host

if TYPE_CHECKING:
    from ..backend import Array, Backend

_answers: Final[dict[type, tuple[str, Callable[[Any], Any]] | None]] = {}
host.on_change.append(_answers.clear)


def find_foreign(obj: object) -> tuple[Backend, Array] | None:
    """Return the backend that *obj* belongs to and one of its arrays, or None if nobody knows it.

    The plugins are asked once per type.
    """
    kind = type(obj)
    if kind not in _answers:
        host.load_all()
        _answers[kind] = host.first("chainrule_from_array", obj=obj)
    answer = _answers[kind]
    if answer is None:
        return None
    name, convert = answer
    return by_name(name), convert(obj)
