"""Which files of this folder are imported when one of their functions is first named.

Most programs name few of them, and an op costs time to define: so ``import chainrule`` stays quick.
"""

from __future__ import annotations

import importlib
from typing import Any, Final

#: By file, functions that may be methods of `Tensor` too: tensor_late.py says which are. A second
#: word is the name in the file, where that is another one.
METHODS: Final = {
    "copies": (
        "alias_copy", "as_strided_copy", "as_strided_scatter", "combinations",
        "detach_copy", "diagonal_copy", "expand_copy", "index_reduce", "is_same_size",
        "narrow_copy", "nonzero_static", "permute_copy", "range", "select_copy", "slice_copy",
        "split_copy", "split_with_sizes_copy", "squeeze_copy", "t_copy", "transpose_copy",
        "unbind_copy", "unfold_copy", "unravel_index", "unsqueeze_copy",
        "view_as_complex_copy", "view_as_real_copy", "view_copy",
    ),
    "covariances": ("cdist", "corrcoef", "cov", "renorm"),
    "finite_differences": (
        "cumulative_trapezoid", "diff", "gradient", "trapezoid", "trapz", "vander",
    ),
    "storages": (
        "dim_order", "is_set_to", "new_empty_strided", "storage", "storage_offset",
        "untyped_storage",
    ),
    "pointwise_more": (
        "deg2rad", "frexp", "gcd", "heaviside", "isreal", "lcm", "ldexp", "rad2deg", "signbit",
    ),
    "quantiles": ("histc", "histogram", "histogramdd", "nanquantile", "quantile"),
    "random_more": ("binomial", "poisson"),
    "fourier_frames": (
        "bartlett_window", "blackman_window", "hamming_window", "hann_window", "istft",
        "kaiser_window", "stft",
    ),
    "special_more": ("i0", "igamma", "igammac", "logit", "mvlgamma", "sinc"),
    "matrix_inverse": (
        "det=linalg_det", "inverse=linalg_inv", "logdet", "slogdet=linalg_slogdet",
    ),
    "matrix_triangular": ("cholesky_inverse", "cholesky_solve"),
    "matrix_functions": ("geqrf", "matrix_exp=linalg_matrix_exp", "ormqr"),
    "matrix_older": (
        "cholesky", "lu", "lu_solve", "lu_unpack", "pinverse", "qr", "svd", "triangular_solve",
    ),
}  # fmt: skip

#: By file, functions that are no methods.
FUNCTIONS: Final = {
    "activation_random": ("rrelu",),
    "activation_smooth": (
        "celu", "elu", "gelu", "glu", "logsigmoid", "mish", "selu", "silu", "softplus", "softsign",
        "tanhshrink",
    ),
    "attention": ("scaled_dot_product_attention",),
    "convolution_time": ("conv_tbc",),
    "embedding_bags": ("embedding_bag",),
    "embeddings": ("embedding", "one_hot"),
    "grids": ("affine_grid_generator", "grid_sampler"),
    "linalg_einsum": ("einsum",),
    "loss": ("huber_loss", "l1_loss", "mse_loss", "smooth_l1_loss"),
    "loss_binary": ("binary_cross_entropy", "binary_cross_entropy_with_logits"),
    "loss_classes": ("cross_entropy", "nll_loss"),
    "loss_ctc": ("ctc_loss",),
    "loss_embeddings": (
        "cosine_embedding_loss", "hinge_embedding_loss", "margin_ranking_loss",
        "triplet_margin_loss", "triplet_margin_with_distance_loss",
    ),
    "loss_likelihoods": ("gaussian_nll_loss", "kl_div", "poisson_nll_loss"),
    "loss_margins": (
        "multi_margin_loss", "multilabel_margin_loss", "multilabel_soft_margin_loss",
        "soft_margin_loss",
    ),
    "matrix_lowrank": ("lobpcg", "pca_lowrank", "svd_lowrank"),
    "normalization": ("batch_norm", "group_norm", "instance_norm", "layer_norm", "rms_norm"),
    "packing": ("_pack_padded_sequence",),
    "padding": ("constant_pad_nd", "pad"),
    "patches": (
        "channel_shuffle", "col2im", "im2col", "native_channel_shuffle", "pixel_shuffle",
        "pixel_unshuffle",
    ),
    "pooling_adaptive": (
        "adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d", "adaptive_max_pool1d",
        "adaptive_max_pool2d", "adaptive_max_pool3d", "fractional_max_pool2d",
        "fractional_max_pool3d",
    ),
    "pooling_average": ("avg_pool1d", "avg_pool2d", "avg_pool3d"),
    "pooling_max": (
        "max_pool1d", "max_pool2d", "max_pool3d", "max_unpool1d", "max_unpool2d", "max_unpool3d",
    ),
    "recurrent": (
        "gru", "gru_cell", "lstm", "lstm_cell", "rnn_relu", "rnn_relu_cell", "rnn_tanh",
        "rnn_tanh_cell",
    ),
    "resizing": ("interpolate",),
    "segments": ("segment_reduce",),
    "weight_norm": ("_weight_norm", "_weight_norm_interface"),
}  # fmt: skip

#: Name: the file, and the name there.
WHERE: Final = {
    item.partition("=")[0]: (file, item.partition("=")[2] or item)
    for file, items in (*METHODS.items(), *FUNCTIONS.items())
    for item in items
}


def find(name: str) -> Any:
    """Return the function called *name*, importing its file."""
    file, inner = WHERE[name]
    return getattr(importlib.import_module(f"{__package__}.{file}"), inner)
