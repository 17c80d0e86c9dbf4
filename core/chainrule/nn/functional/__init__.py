"""Functions of neural networks, with PyTorch's names and arguments: usually imported as ``F``.

Most are ops under another roof. What stands in this folder are the forms that PyTorch has here
alone: activations with ``inplace``, and functions whose arguments mean something else than the op's.
"""

from ...ops import (
    alpha_dropout, bilinear, binary_cross_entropy, binary_cross_entropy_with_logits,
    cosine_embedding_loss, cross_entropy, dropout, dropout1d, dropout2d, dropout3d,
    feature_alpha_dropout, gaussian_nll_loss, gelu, glu, hardshrink, hinge_embedding_loss,
    huber_loss, kl_div, l1_loss, linear, logsigmoid, margin_ranking_loss, mse_loss,
    multi_margin_loss, multilabel_margin_loss, multilabel_soft_margin_loss, nll_loss, one_hot,
    poisson_nll_loss, prelu, sigmoid, smooth_l1_loss, soft_margin_loss, softplus, softshrink,
    softsign, tanh, tanhshrink, triplet_margin_loss, triplet_margin_with_distance_loss,
)  # fmt: skip
from ._activation import (
    celu, celu_, elu, elu_, gumbel_softmax, hardsigmoid, hardswish, hardtanh, hardtanh_, leaky_relu,
    leaky_relu_, log_softmax, mish, relu, relu6, relu_, selu, selu_, silu, softmax, softmin,
    threshold, threshold_,
)  # fmt: skip
from ._lookup import embedding
from ._normalization import (
    cosine_similarity, layer_norm, normalize, pairwise_distance, rms_norm,
)  # fmt: skip

__all__ = [
    "alpha_dropout", "bilinear", "binary_cross_entropy", "binary_cross_entropy_with_logits", "celu",
    "celu_", "cosine_embedding_loss", "cosine_similarity", "cross_entropy", "dropout", "dropout1d",
    "dropout2d", "dropout3d", "elu", "elu_", "embedding", "feature_alpha_dropout",
    "gaussian_nll_loss", "gelu", "glu", "gumbel_softmax", "hardshrink", "hardsigmoid", "hardswish",
    "hardtanh", "hardtanh_", "hinge_embedding_loss", "huber_loss", "kl_div", "l1_loss",
    "layer_norm", "leaky_relu", "leaky_relu_", "linear", "log_softmax", "logsigmoid",
    "margin_ranking_loss", "mish", "mse_loss", "multi_margin_loss", "multilabel_margin_loss",
    "multilabel_soft_margin_loss", "nll_loss", "normalize", "one_hot", "pairwise_distance",
    "poisson_nll_loss", "prelu", "relu", "relu6", "relu_", "rms_norm", "selu", "selu_", "sigmoid",
    "silu", "smooth_l1_loss", "soft_margin_loss", "softmax", "softmin", "softplus", "softshrink",
    "softsign", "tanh", "tanhshrink", "threshold", "threshold_", "triplet_margin_loss",
    "triplet_margin_with_distance_loss",
]  # fmt: skip
