"""Promises of the pictures: every node once, arrows as data went, nothing that breaks a page."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

import chainrule as cr
from chainrule.autograd import to_dot, to_html, to_mermaid, to_text
from chainrule.autograd.drawing import sketch


@pytest.fixture
def w(device):
    return cr.ones(2, 3, device=device, requires_grad=True)


def test_a_shared_node_is_drawn_once(w):
    y = w.exp()
    loss = (y * y).sum()

    assert to_text(loss).count("ExpBackward0: ") == 1
    assert to_text(loss).count("ExpBackward0 (see above)") == 1
    assert to_dot(loss).count('label="ExpBackward0') == 1


def test_boxes_say_shape_dtype_and_what_is_saved(w):
    box = sketch(w.exp().sum()).boxes["n1"]

    assert (box.title, box.lines) == ("ExpBackward0", ["[2, 3] float32", "saves result (24 B)"])


def test_freed_nodes_say_so_and_leaves_show_their_gradient(w):
    loss = w.exp().sum()
    loss.backward()
    boxes = sketch(loss).boxes

    assert "freed" in boxes["n1"].lines
    assert any(line.startswith("grad norm ") for line in boxes["l0"].lines)


def test_lines_are_shown_where_they_are_tracked(device):
    with cr.autograd.track_origins():
        loss = cr.ones(2, device=device, requires_grad=True).exp()

    assert "test_drawing.py:" in to_text(loss)


def test_parameters_are_called_by_their_names(device):
    model = cr.nn.Sequential(cr.nn.Linear(2, 1)).to(device)
    loss = model(cr.ones(1, 2, device=device)).sum()

    assert "model.0.weight: [1, 2]" in to_text(loss)
    assert "0.bias: [1]" in to_text(loss, model=model)


@pytest.mark.parametrize("picture", [to_text, to_dot, to_mermaid, to_html])
def test_a_leaf_and_a_constant_can_be_drawn(w, picture):
    assert "[2, 3] float32" in picture(w)
    assert "[2, 3] float32" in picture(w.detach())


@pytest.mark.parametrize("picture", [to_text, to_dot, to_mermaid, to_html])
def test_a_graph_of_a_hundred_thousand_nodes_is_cut_off(w, picture):
    loss = w
    for _ in range(100_000):
        loss = loss + 1
    text = picture(loss, limit=50)

    assert "more: raise limit=" in text
    assert text.count("AddBackward0") <= 100


def test_dot_arrows_go_as_data_went(w):
    text = to_dot((w * 2).sum())

    assert re.findall(r"(\w+) -> (\w+);", text) == [("n0", "r0"), ("n1", "n0"), ("l0", "n1")]
    assert text.startswith("digraph {")
    assert text.endswith("}")


def test_quotes_in_a_line_of_code_are_escaped(device):
    with cr.autograd.track_origins():
        loss = {"a<b": cr.ones(2, device=device, requires_grad=True)}["a<b"] * 2

    assert '\\"a<b\\"' in to_dot(loss)
    assert "a<b" not in to_html(loss)
    assert "#lt;b" in to_mermaid(loss)
    assert '"a' not in to_mermaid(loss).split('n0["')[1].split("\n")[0][:-2]


def test_html_is_well_formed_and_needs_nothing_else(w):
    opened = []

    class Checker(HTMLParser):
        def handle_starttag(self, tag, attrs):
            assert "src" not in dict(attrs)
            if tag != "meta":
                opened.append(tag)

        def handle_endtag(self, tag):
            assert opened.pop() == tag

    y = w.exp()
    Checker().feed(to_html((y * y).sum(), y.mean()))

    assert opened == []


def test_several_results_share_their_graph(w):
    y = w.exp()

    assert to_text(y.sum(), y.mean()).count("ExpBackward0: ") == 1


def test_a_node_can_be_drawn_from(w):
    assert to_text((w * 2).grad_fn).startswith("MulBackward0: ")
