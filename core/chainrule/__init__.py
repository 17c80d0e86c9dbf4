"""chainrule: PyTorch's autograd for any array library.

>>> import chainrule as cr
>>> x = cr.tensor([1.0, 2.0, 3.0], requires_grad=True)
>>> (x * x).sum().backward()
>>> x.grad
tensor([2., 4., 6.])
"""

from __future__ import annotations

from . import autograd, ops
from . import interop as _interop
from . import tensor_late as _late
from ._lazy import lazy_attributes
from .anomaly import (
    is_anomaly_check_nan_enabled,
    is_anomaly_enabled,
    set_anomaly_enabled,
)
from .backend import use, using
from .device import Device as device
from .dtypes import DType as dtype
from .dtypes import (
    bfloat16,
    complex64,
    complex128,
    float16,
    float32,
    float64,
    get_default_dtype,
    int8,
    int16,
    int32,
    int64,
    promote_types,
    set_default_dtype,
    uint8,
    uint16,
    uint32,
    uint64,
)  # fmt: skip
from .dtypes import bool_ as bool
from .grad_mode import enable_grad, is_grad_enabled, no_grad, set_grad_enabled
from .inference import inference_mode, is_inference, is_inference_mode_enabled
from .ops import *  # noqa: F403 - a family's __all__ is the list of what it offers
from .ops import return_types
from .overriding import asked_about as _asked_about
from .plugin import slots as _slots
from .printing import set_printoptions
from .queries import (
    can_cast,
    is_complex,
    is_floating_point,
    is_nonzero,
    is_tensor,
    numel,
    result_type,
)  # fmt: skip
from .shapes import Size
from .tensor import Tensor, as_tensor, tensor
from .typeinfo import finfo, iinfo

__version__ = "0.1.0"

half, float, double = float16, float32, float64  # noqa: A001 - PyTorch's names
short, int, long = int16, int32, int64  # noqa: A001 - PyTorch's names
cfloat, cdouble = complex64, complex128

__all__ = [
    "Size",
    "Tensor",
    "as_tensor",
    "autograd",
    "bfloat16",
    "bool",
    "can_cast",
    "cdouble",
    "cfloat",
    "complex64",
    "complex128",
    "device",
    "double",
    "dtype",
    "enable_grad",
    "finfo",
    "float",
    "float16",
    "float32",
    "float64",
    "get_default_dtype",
    "half",
    "iinfo",
    "inference_mode",
    "int",
    "int8",
    "int16",
    "int32",
    "int64",
    "is_anomaly_check_nan_enabled",
    "is_anomaly_enabled",
    "is_complex",
    "is_floating_point",
    "is_grad_enabled",
    "is_inference",
    "is_inference_mode_enabled",
    "is_nonzero",
    "is_tensor",
    "long",
    "no_grad",
    "numel",
    "ops",
    "promote_types",
    "result_type",
    "return_types",
    "set_anomaly_enabled",
    "set_default_dtype",
    "set_grad_enabled",
    "set_printoptions",
    "short",
    "tensor",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "use",
    "using",
]  # fmt: skip
__all__ += ops.__all__
__all__ += list(_late.WHERE)

__getattr__, __dir__ = lazy_attributes(__name__, globals(), _asked_about)
_interop.introduce()
