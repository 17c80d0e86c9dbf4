"""Packages for many kinds of arrays, on our tensors, with results compared with PyTorch's."""

from __future__ import annotations

import io
import subprocess
import sys

import einops
import numpy as np
import opt_einsum
import pytest
import rich.console
import torch
import tqdm

import chainrule as cr

SHAPES = ((2, 3, 4, 6), (2, 5, 4, 6))


def pairs(*shapes):
    """Return the same values as tensors of ours and of PyTorch's, which require grad."""
    numbers = np.random.default_rng(0)
    arrays = [numbers.normal(size=shape) for shape in shapes]
    ours = [cr.tensor(array, requires_grad=True) for array in arrays]
    return ours, [torch.tensor(array, requires_grad=True) for array in arrays]


def assert_same_with_gradients(function, *shapes):
    mine, theirs = pairs(*shapes)
    results = [function(*mine), function(*theirs)]
    for result in results:
        (result * result).sum().backward()

    assert isinstance(results[0], cr.Tensor)
    np.testing.assert_allclose(results[0].detach().numpy(), results[1].detach().numpy(), 1e-10)
    for own, other in zip(mine, theirs, strict=True):
        np.testing.assert_allclose(own.grad.numpy(), other.grad.numpy(), 1e-10)


@pytest.mark.parametrize(
    ("call", "pattern", "sizes"),
    [
        (einops.rearrange, "b c (h p) (w q) -> b (h w) (p q c)", {"p": 2, "q": 3}),
        (einops.rearrange, "b ... -> ... b", {}),
        (einops.repeat, "b c h w -> b c (h two) w new", {"two": 2, "new": 3}),
        (lambda x, pattern: einops.reduce(x, pattern, "mean"), "b c h w -> b c", {}),
        (lambda x, pattern: einops.reduce(x, pattern, "max"), "b c h w -> h 1", {}),
        (lambda x, pattern: einops.reduce(x, pattern, "min"), "b c h w -> ()", {}),
        (lambda x, pattern: einops.reduce(x, pattern, "prod"), "b c h w -> b c h", {}),
    ],
)
def test_einops_patterns_are_pytorchs(call, pattern, sizes):
    assert_same_with_gradients(lambda x: call(x, pattern, **sizes), SHAPES[0])


def test_einops_packs_and_unpacks():
    def there_and_back(x, y):
        packed, shapes = einops.pack([x, y], "b * h w")
        first, second = einops.unpack(packed * 2, shapes, "b * h w")
        return first.sum() * second

    assert_same_with_gradients(there_and_back, *SHAPES)


def test_einops_stacks_lists_and_sums_products():
    assert_same_with_gradients(
        lambda x, y: einops.rearrange([x, y], "n a b -> a (b n)"), *[(2, 3)] * 2
    )
    assert_same_with_gradients(
        lambda x, y: einops.einsum(x, y, "b c h w, b d h w -> b c d"), *SHAPES
    )


def test_einops_refuses_the_same():
    with pytest.raises(einops.EinopsError, match="Shape mismatch"):
        einops.rearrange(cr.ones(3, 2), "(a b) c -> a b c", a=2)


@pytest.mark.parametrize("first", ["einops", "chainrule"])
def test_einops_knows_us_whichever_is_imported_first(first):
    second = {"einops": "chainrule", "chainrule": "einops"}[first]
    program = (
        f"import {first}, {second}\n"
        "print(einops.rearrange(chainrule.ones(2, 3), 'a b -> b a').shape)"
    )
    found = subprocess.run(
        [sys.executable, "-c", program], check=False, capture_output=True, text=True
    )

    assert found.stdout.strip() == "torch.Size([3, 2])", found.stderr


@pytest.mark.parametrize(
    ("equation", "shapes"),
    [
        ("ij,jk,kl->il", [(2, 3), (3, 4), (4, 5)]),
        ("bij,bjk->bki", [(2, 3, 4), (2, 4, 5)]),
        ("i,j,ij->", [(2,), (3,), (2, 3)]),
        ("ijj,jk->ki", [(2, 3, 3), (3, 4)]),
    ],
)
def test_opt_einsum_contracts_as_with_pytorch(equation, shapes):
    assert_same_with_gradients(lambda *items: opt_einsum.contract(equation, *items), *shapes)


def test_opt_einsum_expressions_take_our_tensors():
    expression = opt_einsum.contract_expression("ij,jk->ik", (2, 3), (3, 4))

    assert_same_with_gradients(expression, (2, 3), (3, 4))


def test_tqdm_goes_through_rows_and_loaders():
    file = io.StringIO()
    rows = list(tqdm.tqdm(cr.arange(6.0).reshape(3, 2), file=file))
    loader = cr.utils.data.DataLoader(cr.utils.data.TensorDataset(cr.arange(5)), batch_size=2)
    bar = tqdm.tqdm(loader, file=file)
    counted = 0
    for (batch,) in bar:
        counted += len(batch)
        bar.set_postfix(loss=cr.tensor(0.25))

    assert [row.tolist() for row in rows] == [[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]]
    assert (counted, bar.total) == (5, 3)
    assert "3/3" in file.getvalue()
    assert "loss=" in file.getvalue()


def test_rich_prints_tensors_and_modules_as_they_are():
    console = rich.console.Console(file=io.StringIO(), width=100)
    x = cr.tensor([1.0, 2.0], requires_grad=True)
    layer = cr.nn.Linear(2, 1)
    console.print({"x": x, "layer": layer})
    console.print(x)
    printed = console.file.getvalue()

    assert printed.count("tensor([1., 2.], requires_grad=True)") == 2
    assert "Linear(in_features=2, out_features=1, bias=True)" in printed
    rich.inspect(x, console=console)
    assert "grad_fn" in console.file.getvalue()
