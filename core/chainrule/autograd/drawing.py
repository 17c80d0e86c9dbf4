"""A graph as a picture: text, Graphviz, Mermaid, HTML."""

from __future__ import annotations

import html
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..graph import LEAF, Node
from ._live import edges_of
from ._naming import name_of, place_of, user_frame
from .reporting import saved_text

if TYPE_CHECKING:
    from types import FrameType

__all__ = ["Sketch", "sketch", "to_dot", "to_html", "to_mermaid", "to_text"]


@dataclass
class Box:
    """One thing in a picture: a result, a node, or a leaf.

    Attributes:
        key: What it is referred to by.
        kind: ``"result"``, ``"node"`` or ``"leaf"``.
        title: Its name.
        lines: What else is said of it: shape and dtype, line, what it saves, its gradient.
        inputs: The keys of the boxes that its gradient goes on to.
    """

    key: str
    kind: str
    title: str
    lines: list[str]
    inputs: list[str] = field(default_factory=list)


@dataclass
class Sketch:
    """A graph as boxes, each before those it was computed from.

    Attributes:
        boxes: The boxes by key.
        roots: The keys of the results.
        left_out: How many boxes did not fit into the limit.
    """

    boxes: dict[str, Box]
    roots: list[str]
    left_out: int = 0


def sketch(*results: Any, model: Any = None, limit: int = 500) -> Sketch:
    """Return the graph behind *results* as boxes: what all pictures are drawn from.

    Args:
        results: Tensors, or nodes.
        model: A module, whose parameters are then called by their names.
        limit: How many boxes there may be.

    >>> import chainrule as cr
    >>> w = cr.ones(2, requires_grad=True)
    >>> list(sketch((w * 2).sum()).boxes)
    ['r0', 'n0', 'n1', 'l0']
    """
    return _Sketcher(model, user_frame(), limit).sketched(results)


class _Sketcher:
    """Makes boxes of a graph, the youngest node first."""

    def __init__(self, model: Any, frame: FrameType | None, limit: int) -> None:
        self.model, self.frame, self.limit = model, frame, limit
        self.boxes: dict[str, Box] = {}
        self.keys: dict[int, str] = {}
        self.waiting: list[Node] = []
        self.left_out = 0

    def sketched(self, results: tuple[Any, ...]) -> Sketch:
        roots = []
        for result in results:
            if isinstance(result, Node):
                roots += self._key_of(result, 0)
                continue
            box = self._add("r", "result", self._name(result) or "result", _facts(result))
            roots.append(box.key)
            node = result.grad_fn
            if node is not None:
                box.inputs = self._key_of(node, result.output_nr)
            elif result.requires_grad:
                box.inputs = self._key_of(result, LEAF)
        while self.waiting:
            node = max(self.waiting, key=lambda node: node._seq)
            self.waiting.remove(node)
            for target, number in edges_of(node):
                self.boxes[self.keys[id(node)]].inputs += self._key_of(target, number)
        return Sketch(self.boxes, roots, self.left_out)

    def _key_of(self, target: Any, number: int) -> list[str]:
        """Return the key of a node or leaf, in a list that is empty where there is no room."""
        known = self.keys.get(id(target))
        if known is not None:
            return [known]
        if len(self.boxes) >= self.limit:
            self.left_out += 1
            return []
        if number == LEAF:
            box = self._add("l", "leaf", self._name(target) or "leaf", _facts(target))
        else:
            box = self._add("n", "node", target.name(), _node_facts(target))
            self.waiting.append(target)
        self.keys[id(target)] = box.key
        return [box.key]

    def _add(self, letter: str, kind: str, title: str, lines: list[str]) -> Box:
        key = f"{letter}{sum(box.kind == kind for box in self.boxes.values())}"
        box = self.boxes[key] = Box(key, kind, title, lines)
        return box

    def _name(self, tensor: Any) -> str | None:
        return name_of(tensor, self.frame, self.model)


def _facts(tensor: Any) -> list[str]:
    lines = [f"{list(tensor._array.shape)} {tensor._key.dtype.name}"]
    if tensor._grad is not None:
        size = tensor._grad.detach().abs()
        lines.append(f"grad norm {float((size * size).sum()) ** 0.5:.3g}")
    return lines


def _node_facts(node: Node) -> list[str]:
    outputs = [node.output_meta(0)] if node._outputs is None else list(node._outputs)
    lines = ["; ".join(f"{list(shape)} {key.dtype.name}" for shape, key in outputs)]
    return [*lines, *filter(None, [place_of(node).removeprefix(" at "), saved_text(node)])]


# Pictures


def to_text(*results: Any, model: Any = None, limit: int = 500) -> str:
    """Return the graph behind *results* as a tree of text, results first.

    A node that several others use is drawn once; the others refer to it.

    Args:
        results: Tensors, or nodes.
        model: A module, whose parameters are then called by their names.
        limit: How many boxes there may be.

    >>> import chainrule as cr
    >>> w = cr.ones(2, requires_grad=True)
    >>> y = w.exp()
    >>> loss = (y * y).sum()
    >>> print(to_text(loss))
    loss: [] float32
    └─ SumBackward0: [] float32
       └─ MulBackward0: [2] float32; saves self, other (16 B)
          ├─ ExpBackward0: [2] float32; saves result (8 B)
          │  └─ w: [2] float32
          └─ ExpBackward0 (see above)
    """
    drawn = sketch(*results, model=model, limit=limit)
    lines: list[str] = []
    seen: set[str] = set()
    waiting = [(key, "", "") for key in reversed(drawn.roots)]
    while waiting:
        key, lead, below = waiting.pop()
        box = drawn.boxes[key]
        if key in seen:
            lines.append(f"{lead}{box.title} (see above)")
            continue
        seen.add(key)
        lines.append(f"{lead}{box.title}: {'; '.join(box.lines)}")
        last = len(box.inputs) - 1
        waiting += [
            (
                inner,
                f"{below}{'└─ ' if number == last else '├─ '}",
                f"{below}{'   ' if number == last else '│  '}",
            )
            for number, inner in reversed(list(enumerate(box.inputs)))
        ]
    return "\n".join([*lines, *_rest(drawn)])


def _rest(drawn: Sketch) -> list[str]:
    return [f"... and {drawn.left_out} more: raise limit=."] if drawn.left_out else []


def to_dot(*results: Any, model: Any = None, limit: int = 500) -> str:
    r"""Return the graph behind *results* in the language of Graphviz; arrows go as data went.

    Args:
        results: Tensors, or nodes.
        model: A module, whose parameters are then called by their names.
        limit: How many boxes there may be.

    >>> import chainrule as cr
    >>> w = cr.ones(2, requires_grad=True)
    >>> print(to_dot((w * 2).sum()))  # doctest: +ELLIPSIS
    digraph {
      rankdir=TB; node [shape=box, style="rounded,filled", fontname="sans-serif", fontsize=10];
      r0 [label="result\n[] float32", fillcolor="#d9ead3"];
    ...
      l0 -> n1;
    }
    """
    drawn = sketch(*results, model=model, limit=limit)
    colours = {"result": "#d9ead3", "node": "#eeeeee", "leaf": "#cfe2f3"}
    style = 'shape=box, style="rounded,filled", fontname="sans-serif", fontsize=10'
    lines = ["digraph {", f"  rankdir=TB; node [{style}];"]
    for box in drawn.boxes.values():
        label = "\\n".join(_quoted(line) for line in [box.title, *box.lines])
        lines.append(f'  {box.key} [label="{label}", fillcolor="{colours[box.kind]}"];')
    lines += [f"  {inner} -> {box.key};" for box in drawn.boxes.values() for inner in box.inputs]
    lines += [f'  rest [label="{line}", shape=plaintext];' for line in _rest(drawn)]
    return "\n".join([*lines, "}"])


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def to_mermaid(*results: Any, model: Any = None, limit: int = 500) -> str:
    """Return the graph behind *results* in the language of Mermaid; arrows go as data went.

    Args:
        results: Tensors, or nodes.
        model: A module, whose parameters are then called by their names.
        limit: How many boxes there may be.

    >>> import chainrule as cr
    >>> w = cr.ones(2, requires_grad=True)
    >>> print(to_mermaid((w * 2).sum()))
    flowchart TD
      r0(["result<br/>[] float32"])
      n0["SumBackward0<br/>[] float32"]
      n1["MulBackward0<br/>[2] float32"]
      l0[("w<br/>[2] float32")]
      n0 --> r0
      n1 --> n0
      l0 --> n1
    """
    drawn = sketch(*results, model=model, limit=limit)
    shapes = {"result": ("([", "])"), "node": ("[", "]"), "leaf": ("[(", ")]")}
    lines = ["flowchart TD"]
    for box in drawn.boxes.values():
        label = "<br/>".join(_entities(line) for line in [box.title, *box.lines])
        left, right = shapes[box.kind]
        lines.append(f'  {box.key}{left}"{label}"{right}')
    lines += [f"  {inner} --> {box.key}" for box in drawn.boxes.values() for inner in box.inputs]
    lines += [f'  rest["{line}"]' for line in _rest(drawn)]
    return "\n".join(lines)


def _entities(text: str) -> str:
    """Return *text* without what Mermaid would read as its own."""
    return html.escape(text, quote=True).replace("&", "#").replace("`", "#96;")


_STYLE = """
  body { font: 14px/1.5 sans-serif; margin: 2em; }
  details { margin-left: 1.2em; }
  summary, .end { padding: 1px 6px; border-radius: 4px; }
  .end { margin-left: 2.4em; display: inline-block; }
  .result { background: #d9ead3; } .node { background: #eeeeee; } .leaf { background: #cfe2f3; }
  small { color: #555; margin-left: 0.8em; }
"""


def to_html(*results: Any, model: Any = None, limit: int = 500) -> str:
    """Return the graph behind *results* as one page of HTML: a tree that opens and closes.

    The page needs nothing from elsewhere.

    Args:
        results: Tensors, or nodes.
        model: A module, whose parameters are then called by their names.
        limit: How many boxes there may be.

    >>> import chainrule as cr
    >>> w = cr.ones(2, requires_grad=True)
    >>> to_html((w * 2).sum()).startswith("<!doctype html>")
    True
    """
    drawn = sketch(*results, model=model, limit=limit)
    parts: list[str] = []
    seen: set[str] = set()
    waiting: list[str | None] = list(reversed(drawn.roots))
    while waiting:
        key = waiting.pop()
        if key is None:
            parts.append("</details>")
            continue
        box = drawn.boxes[key]
        text = f"{html.escape(box.title)}<small>{html.escape('; '.join(box.lines))}</small>"
        if key in seen:
            text = f'<a href="#{key}">{html.escape(box.title)}</a><small>see above</small>'
        if key in seen or not box.inputs:
            name = "" if key in seen else f' id="{key}"'
            parts.append(f'<div><span{name} class="end {box.kind}">{text}</span></div>')
        else:
            parts.append(f'<details open id="{key}"><summary class="{box.kind}">{text}</summary>')
            waiting += [None, *reversed(box.inputs)]
        seen.add(key)
    parts += [f"<p>{line}</p>" for line in _rest(drawn)]
    body = "\n".join(parts)
    return (
        f"<!doctype html>\n<meta charset=utf-8>\n<title>graph</title>\n<style>{_STYLE}</style>\n"
        f"{body}\n"
    )
