"""One call may be spelt in several ways: older orders, NumPy's names, the names of overloads."""

from __future__ import annotations

import warnings

import pytest

#: A call, and others that mean the same.
OLDER_ORDERS = {
    "t.add(x, y, alpha=2)": ["t.add(x, 2, y)", "x.add(2, y)", "x.clone().add_(2, y)"],
    "t.sub(x, y, alpha=2)": ["t.sub(x, 2, y)", "x.sub(2, y)", "x.clone().sub_(2, y)"],
    "x - 2 * 3": ["t.subtract(x, 2, 3)", "x.subtract(2, 3)"],
    "t.addcmul(x, x, y, value=2)": ["t.addcmul(x, 2, x, y)", "x.clone().addcmul_(2, x, y)"],
    "t.addcdiv(x, x, y, value=2)": ["x.addcdiv(2, x, y)", "x.clone().addcdiv_(2, x, y)"],
    "t.addmm(x, x, y, beta=2)": ["t.addmm(2, x, x, y)", "x.addmm(2, x, y)"],
    "t.addmm(x, x, y, beta=2, alpha=3)": ["t.addmm(2, x, 3, x, y)", "x.clone().addmm_(2, 3, x, y)"],
    "t.addmv(v, x, v, beta=2)": ["t.addmv(2, v, x, v)", "v.clone().addmv_(2, x, v)"],
    "t.addr(x, v, v, beta=2, alpha=3)": ["t.addr(2, x, 3, v, v)", "x.addr(2, 3, v, v)"],
    "t.baddbmm(x[None], x[None], y[None], beta=2)": ["t.baddbmm(2, x[None], x[None], y[None])"],
    "t.addbmm(x, x[None], y[None], beta=2)": ["t.addbmm(2, x, x[None], y[None])"],
}
NUMPYS_NAMES = {
    "t.add(x, y)": ["t.add(x1=x, x2=y)", "t.add(x, x2=y)", "t.add(a=x, other=y)", "x.add(x2=y)"],
    "t.abs(x)": ["t.abs(x=x)", "t.abs(a=x)", "t.abs(x1=x)"],
    "t.sum(x, dim=0, keepdim=True)": [
        "t.sum(a=x, axis=0, keepdims=True)",
        "x.sum(0, keepdims=True)",
    ],
    "t.softmax(x, 0)": ["t.softmax(x, axis=0)", "x.softmax(axis=0)"],
    "t.sort(x, 0)[1]": ["t.sort(x=x, axis=0)[1]", "x.sort(axis=0)[1]"],
    "t.topk(x, 1, 0)[0]": ["t.topk(x, 1, axis=0)[0]"],
    "x.unsqueeze(1).squeeze(1)": ["t.squeeze(t.unsqueeze(x, axis=1), axis=1)"],
    "t.unbind(x, 1)[1]": ["t.unbind(x, axis=1)[1]", "x.unbind(axis=1)[1]"],
    "t.chunk(x, 2, 1)[1]": ["t.chunk(x, 2, axis=1)[1]"],
    "t.gather(x, 0, i[None])": ["t.gather(x=x, axis=0, index=i[None])"],
    "t.index_select(x, 1, i)": ["x.index_select(axis=1, index=i)"],
    "x.index_fill(0, i, 5.0)": ["x.clone().index_fill_(axis=0, index=i, value=5.0)"],
    "t.count_nonzero(x, 0)": ["t.count_nonzero(x, axis=0)"],
    "t.stack([x, y], 1)": ["t.stack([x, y], axis=1)"],
    "t.max(x, 1)[0]": ["t.max(x, axis=1)[0]"],
}
NAMES_OF_OVERLOADS = {
    "t.det(x)": ["t.det(input=x)"],
    "t.inverse(x)": ["t.inverse(input=x)"],
    "t.linalg.eigvalsh(x)": ["t.linalg.eigvalsh(input=x)"],
    "t.linalg.tensorsolve(x, v)": ["t.linalg.tensorsolve(input=x, other=v)"],
    "t.tensor_split(v, 2)[0]": [
        "t.tensor_split(v, sections=2)[0]",
        "t.tensor_split(v, indices=(1,))[0]",
        "t.tensor_split(v, tensor_indices_or_sections=t.tensor(2))[0]",
    ],
    "x.hsplit(2)[0]": ["x.hsplit(sections=2)[0]", "t.hsplit(x, indices=(1,))[0]"],
    "x.vsplit(2)[1]": ["t.vsplit(x, sections=2)[1]"],
    "t.isin(i, t.tensor([1]))": ["t.isin(elements=i, test_element=1)"],
    "t.isin(t.tensor(1), i)": ["t.isin(element=1, test_elements=i)"],
    "t.repeat_interleave(i)": ["t.repeat_interleave(repeats=i)"],
    "x.unsafe_split(1)[0]": ["t.unsafe_split(input=x, split_size=1)[0]"],
    "x.split(1)[0]": ["x.split(split_size=1)[0]", "t.split(tensor=x, split_size_or_sections=1)[0]"],
    "y": ["x.clone().copy_(other=y)"],
    "x.reshape(4)": [
        "x.clone().resize_(size=(4,))",
        "x.clone().resize_as_(the_template=t.ones(4))",
    ],
    "x.sum_to_size(1, 2)": ["x.sum_to_size(size=(1, 2))"],
    "t.norm(x, 2, 0)": ["t.norm(x, 2, 0, False, None, t.float64).float()", "x.norm(2, 0)"],
    "t.nonzero_static(i, size=1)": ["t.nonzero_static(i, size=1, out=t.zeros(1, 1).long())"],
    "t.histogram(v).hist": ["t.histogram(v, bins=100).hist", "v.histogram().hist"],
}
SWITCHES = {
    "F.layer_norm(x, (2,))": ["t.layer_norm(x, (2,), None, None, 1e-5, False)"],
    "F.batch_norm(x, v, v)": ["t.batch_norm(x, None, None, v, v, False, 0.1, 1e-5, False)"],
    "F.instance_norm(x[None])": [
        "t.instance_norm(x[None], None, None, None, None, True, 0.1, 1e-5, False)"
    ],
    "F.group_norm(x[None], 1)": ["t.group_norm(x[None], 1, None, None, 1e-5, False)"],
    "F.adaptive_max_pool1d(x, 1)": ["t.adaptive_max_pool1d(x, 1)[0]"],
    "F.kl_div(x, y, reduction='sum')": ["t.kl_div(x, y, 2)"],
    "F.hinge_embedding_loss(x, y, reduction='none')": ["t.hinge_embedding_loss(x, y, 1.0, 0)"],
    "F.margin_ranking_loss(v, v, v)": ["t.margin_ranking_loss(v, v, v, 0.0, 1)"],
    "F.cosine_embedding_loss(x, y, v)": ["t.cosine_embedding_loss(x, y, v, 0.0, 1)"],
    "F.triplet_margin_loss(x, y, x)": ["t.triplet_margin_loss(x, y, x, 1.0, 2, 1e-6, False, 1)"],
    "F.poisson_nll_loss(x, y)": ["t.poisson_nll_loss(x, y, True, False, 1e-8, 1)"],
    "F.binary_cross_entropy_with_logits(x, y, pos_weight=v)": [
        "t.binary_cross_entropy_with_logits(x, y, None, v, 1)"
    ],
    "F.max_pool1d(x, 2)": ["F.max_pool1d(x, 2, stride=())"],
    "F.elu(x - 3) * 2": ["F.elu_(x - 3, 1.0, 2.0)"],
    "x": ["t.alpha_dropout(x, 0.0, train=True)", "t.feature_alpha_dropout(x, 0.5, train=False)"],
}
CALLS = [
    pytest.param(call, other, id=other)
    for table in (OLDER_ORDERS, NUMPYS_NAMES, NAMES_OF_OVERLOADS, SWITCHES)
    for call, others in table.items()
    for other in others
]


@pytest.mark.parametrize(("call", "other"), CALLS)
def test_call_means_the_same_spelt_in_another_way(lib, call, other):
    names = {
        "t": lib,
        "F": lib.nn.functional,
        "x": lib.tensor([[4.0, 1.0], [1.0, 3.0]]),
        "y": lib.tensor([[1.0, 2.0], [2.0, 1.0]]),
        "v": lib.tensor([1.0, 2.0]),
        "i": lib.tensor([1, 0]),
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch says only once that an order is deprecated
        expected, found = (eval(text, dict(names)) for text in (call, other))  # noqa: S307 - ours

    assert found.dtype == expected.dtype
    assert found.tolist() == expected.tolist()


def test_result_type_knows_the_names_of_its_overloads(lib):
    x, i = lib.ones(1), lib.tensor([1])

    assert lib.result_type(tensor=x, other=i) == lib.float32
    assert lib.result_type(scalar=1, tensor=i) == lib.int64
    assert lib.result_type(scalar1=1, scalar2=1.0) == lib.float32


def test_bounds_of_uniform_may_be_named(lib):
    drawn = lib.zeros(8).uniform_(**{"from": 2.0, "to": 3.0})

    assert bool(((drawn >= 2) & (drawn < 3)).all())


def test_older_order_is_deprecated(lib):
    x = lib.ones(2)
    with pytest.warns(UserWarning, match="This overload of addmm_ is deprecated") as caught:
        lib.eye(2).addmm_(2, 3, lib.eye(2), lib.eye(2))
    with pytest.warns(UserWarning, match="This overload of add is deprecated"):
        x.add(2, x)

    assert "addmm_(Number beta, Number alpha, Tensor mat1, Tensor mat2)" in str(caught[0].message)
