"""Transforms of vectors and matrices: simplices, triangular factors, correlations."""

from __future__ import annotations

import math
from typing import Any

from ... import ops
from ...shapes import Size
from ...typeinfo import finfo
from .. import constraints
from ..utils import tril_matrix_to_vec, vec_to_tril_matrix
from .base import Transform, check_dims


class CorrCholeskyTransform(Transform):
    """Vectors to Cholesky factors of correlation matrices.

    Source:
        Stan Reference Manual, "Cholesky factors of correlation matrices": signed stick breaking
        of each row's squares, with tanh for the pieces.
    """

    domain, codomain = constraints.real_vector, constraints.corr_cholesky
    bijective = True

    def _call(self, x: Any) -> Any:
        eps = finfo(x.dtype).eps
        pieces = vec_to_tril_matrix(x.tanh().clamp(min=-1 + eps, max=1 - eps), diag=-1)
        left = (1 - pieces**2).sqrt().cumprod(-1)
        pieces = pieces + ops.eye(pieces.shape[-1], dtype=x.dtype, device=x.device)
        return pieces * ops.pad(left[..., :-1], [1, 0], value=1)

    def _inverse(self, y: Any) -> Any:
        used = 1 - (y * y).cumsum(-1)
        shifted = ops.pad(used[..., :-1], [1, 0], value=1)
        pieces = tril_matrix_to_vec(y, diag=-1) / tril_matrix_to_vec(shifted, diag=-1).sqrt()
        return (pieces.log1p() - pieces.neg().log1p()) / 2

    def log_abs_det_jacobian(self, x: Any, y: Any, intermediates: Any = None) -> Any:
        left = 1 - (y * y).cumsum(-1)
        rows = 0.5 * tril_matrix_to_vec(left, diag=-2).log().sum(-1)
        squash = -2 * (x + ops.softplus(-2 * x) - math.log(2.0)).sum(-1)
        return rows + squash

    def forward_shape(self, shape: Any) -> Size:
        check_dims(len(shape), 1)
        n = round((0.25 + 2 * shape[-1]) ** 0.5 + 0.5)
        if n * (n - 1) // 2 != shape[-1]:
            msg = "Input is not a flattened lower-diagonal number"
            raise ValueError(msg)
        return Size((*shape[:-1], n, n))

    def inverse_shape(self, shape: Any) -> Size:
        check_dims(len(shape), 2)
        if shape[-2] != shape[-1]:
            msg = "Input is not square"
            raise ValueError(msg)
        return Size((*shape[:-2], shape[-1] * (shape[-1] - 1) // 2))


class SoftmaxTransform(Transform):
    """Vectors to the simplex by softmax; not bijective, since shifting changes nothing."""

    domain, codomain = constraints.real_vector, constraints.simplex

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SoftmaxTransform)

    __hash__ = Transform.__hash__

    def _call(self, x: Any) -> Any:
        weights = (x - x.max(-1, True)[0]).exp()
        return weights / weights.sum(-1, True)

    def _inverse(self, y: Any) -> Any:
        return y.log()

    def forward_shape(self, shape: Any) -> Size:
        check_dims(len(shape), 1)
        return Size(shape)

    inverse_shape = forward_shape


class StickBreakingTransform(Transform):
    """Vectors to the simplex of one dimension more, by breaking a stick piece by piece.

    Source:
        Stan Reference Manual, "Unit simplex".
    """

    domain, codomain = constraints.real_vector, constraints.simplex
    bijective = True

    def __eq__(self, other: object) -> bool:
        return isinstance(other, StickBreakingTransform)

    __hash__ = Transform.__hash__

    @staticmethod
    def _offset(x: Any) -> Any:
        return x.shape[-1] + 1 - x.new_ones(x.shape[-1]).cumsum(-1)

    def _call(self, x: Any) -> Any:
        z = ops.sigmoid(x - self._offset(x).log())
        left = (1 - z).cumprod(-1)
        return ops.pad(z, [0, 1], value=1) * ops.pad(left, [1, 0], value=1)

    def _inverse(self, y: Any) -> Any:
        pieces = y[..., :-1]
        left = 1 - pieces.cumsum(-1)
        left = left.clamp(min=finfo(y.dtype).tiny)
        return pieces.log() - left.log() + self._offset(pieces).log()

    def log_abs_det_jacobian(self, x: Any, y: Any) -> Any:
        x = x - self._offset(x).log()
        return (-x + ops.logsigmoid(x) + y[..., :-1].log()).sum(-1)

    def forward_shape(self, shape: Any) -> Size:
        check_dims(len(shape), 1)
        return Size((*shape[:-1], shape[-1] + 1))

    def inverse_shape(self, shape: Any) -> Size:
        check_dims(len(shape), 1)
        return Size((*shape[:-1], shape[-1] - 1))


class LowerCholeskyTransform(Transform):
    """Square matrices to lower triangular ones with a positive diagonal, by its exponential."""

    domain = constraints.independent(constraints.real, 2)
    codomain = constraints.lower_cholesky

    def __eq__(self, other: object) -> bool:
        return isinstance(other, LowerCholeskyTransform)

    __hash__ = Transform.__hash__

    def _call(self, x: Any) -> Any:
        return x.tril(-1) + x.diagonal(dim1=-2, dim2=-1).exp().diag_embed()

    def _inverse(self, y: Any) -> Any:
        return y.tril(-1) + y.diagonal(dim1=-2, dim2=-1).log().diag_embed()


class PositiveDefiniteTransform(Transform):
    """Square matrices to positive definite ones."""

    domain = constraints.independent(constraints.real, 2)
    codomain = constraints.positive_definite

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PositiveDefiniteTransform)

    __hash__ = Transform.__hash__

    def _call(self, x: Any) -> Any:
        factor = LowerCholeskyTransform()(x)
        return factor @ factor.mT

    def _inverse(self, y: Any) -> Any:
        from ... import linalg

        return LowerCholeskyTransform().inv(linalg.cholesky(y))
