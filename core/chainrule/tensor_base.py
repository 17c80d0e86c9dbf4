"""What a tensor is and remembers: its attributes and its history."""

from __future__ import annotations

import weakref
from math import prod
from typing import TYPE_CHECKING, Any, Final, Self

from . import differentiate, dtypes, ops
from ._warn import warn
from .backend import for_device
from .device import Device
from .dtypes import DType
from .errors import ArgumentError, AutogradError
from .grad_mode import mode
from .graph import AccumulateGrad, OpNode, leaf_hooks
from .hooks import HookDict, add_hook
from .inplace import check_shape, write
from .misspelling import Misspelling, misspellings_of
from .overlap import check_overlap
from .queries import is_nonzero
from .shapes import Size, wrap_dim
from .storage import NO_INFERENCE_LEAF, NO_VERSION, InferenceStorage
from .tensor_copies import Copyable
from .traces import trace_of
from .value import Value, new_value, storage_of
from .views import refresh

if TYPE_CHECKING:
    from collections.abc import Callable

    from .backend import DispatchKey
    from .graph import Node
    from .hooks import RemovableHandle
    from .tensor import Tensor

#: Makes a `Size` of what an array says, which needs no check.
_as_tuple: Final[Callable[[type[Size], tuple[int, ...]], Size]] = tuple.__new__
_NON_LEAF_GRAD = (
    "The .grad attribute of a Tensor that is not a leaf Tensor is being accessed. Its .grad "
    "attribute won't be populated during autograd.backward(). If you indeed want the .grad field "
    "to be populated for a non-leaf Tensor, use .retain_grad() on the non-leaf Tensor. If you "
    "access the non-leaf Tensor by mistake, make sure you access the leaf Tensor instead. See "
    "github.com/pytorch/pytorch/pull/30531 for more information."
)


def _never(_: Value) -> bool:
    return False


class TensorBase(Copyable):
    """A value with PyTorch's attributes. `Tensor` adds the operations."""

    __slots__ = ()

    # What it is

    @property
    def shape(self) -> Size:
        """The sizes of the dimensions."""
        return _as_tuple(Size, self._array.shape)

    def size(self, dim: int | None = None) -> Any:
        """Return the shape, or the size of one dimension."""
        shape = self._array.shape
        if dim is None:
            return _as_tuple(Size, shape)
        return shape[wrap_dim(dim, len(shape))]

    @property
    def dtype(self) -> DType:
        """The data type of the elements."""
        return self._key.dtype

    @property
    def device(self) -> Device:
        """Where the elements are."""
        return self._key.device

    @property
    def backend(self) -> str:
        """The name of the backend whose array this is."""
        return self._key.backend.name

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return len(self._array.shape)

    def dim(self) -> int:
        """Return the number of dimensions."""
        return len(self._array.shape)

    ndimension = dim

    def numel(self) -> int:
        """Return the number of elements."""
        return prod(self._array.shape)

    nelement = numel

    @property
    def itemsize(self) -> int:
        """The size of one element in bytes."""
        return self._key.dtype.itemsize

    def element_size(self) -> int:
        """Return the size of one element in bytes."""
        return self._key.dtype.itemsize

    @property
    def nbytes(self) -> int:
        """The size of all elements in bytes."""
        return self.numel() * self._key.dtype.itemsize

    def stride(self, dim: int | None = None) -> Any:
        """Return the strides in elements, or that of one dimension."""
        strides = self._key.backend.strides(self._array)
        return strides if dim is None else strides[wrap_dim(dim, len(strides))]

    def is_contiguous(self, memory_format: object = None) -> bool:
        """Return whether the elements stand one after the other, the last dimension fastest."""
        return self._key.backend.is_contiguous(self._array)

    def data_ptr(self) -> int:
        """Return the address of the first element."""
        return self._key.backend.data_ptr(self._array)

    def is_floating_point(self) -> bool:
        """Return whether the dtype is floating."""
        return self._key.dtype.is_floating_point

    def is_complex(self) -> bool:
        """Return whether the dtype is complex."""
        return self._key.complex

    def is_signed(self) -> bool:
        """Return whether the dtype has a sign."""
        return self._key.dtype.is_signed

    @property
    def is_cuda(self) -> bool:
        """Whether the elements are on a CUDA device."""
        return self._key.device.type == "cuda"

    @property
    def is_cpu(self) -> bool:
        """Whether the elements are in host memory."""
        return self._key.device.type == "cpu"

    # What no tensor is. A property each: none can be set.
    is_sparse, is_quantized, is_meta, is_nested, is_mps, is_xpu = map(property, 6 * [_never])
    is_sparse_csr, is_mkldnn, is_vulkan, is_xla = map(property, 4 * [_never])
    is_ipu, is_mtia, is_maia = map(property, 3 * [_never])

    @property
    def layout(self) -> Any:
        """How it is stored: `strided`, always."""
        from .formats import strided

        return strided

    def is_conj(self) -> bool:
        """Return False: a conjugate is computed when it is asked for."""
        return False

    is_neg = is_distributed = is_conj

    def _repr_html_(self) -> str:
        """Return what a notebook shows: shape, dtype, device, a picture of the values, the text."""
        from .picture import html_of

        return html_of(self)

    def is_nonzero(self) -> bool:
        """Return whether the only element is not zero; RuntimeError if there is not exactly one."""
        return is_nonzero(self)  # type: ignore[arg-type]  # a Tensor, always

    def to_dense(self, dtype: Any = None, *, masked_grad: Any = None) -> Any:
        """Return the tensor, in *dtype* if one is given: every tensor is dense."""
        return self if dtype is None else self.to(dtype)

    def dequantize(self) -> Any:
        """Return the tensor in float32: no tensor is quantised."""
        return self.to(dtypes.float32)

    def sparse_dim(self) -> int:
        """Return 0: every tensor is dense."""
        return 0

    def dense_dim(self) -> int:
        """Return the number of dimensions: every tensor is dense."""
        return self.dim()

    def resolve_neg(self) -> Self:
        """Return the tensor: a negation is computed when it is asked for."""
        return self

    def share_memory_(self) -> Self:
        """Return the tensor; between processes tensors are copied."""
        return self

    def pin_memory(self, device: object = None) -> Self:
        """Return the tensor; host memory is not pinned."""
        return self

    def get_device(self) -> int:
        """Return the index of the device, -1 for the CPU."""
        return -1 if self._key.device.index is None else self._key.device.index

    # Its history

    require_grad = Misspelling("requires_grad")
    requires_grads = Misspelling("requires_grad")
    required_grad = Misspelling("requires_grad")
    requires_gradient = Misspelling("requires_grad")
    requiresgrad = Misspelling("requires_grad")

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__()} - misspellings_of(type(self)))

    @property
    def requires_grad(self) -> bool:
        """Whether operations on it are recorded.

        Raises:
            RuntimeError: set on an integer tensor, or to False on a tensor that was computed.

        >>> import chainrule as cr
        >>> x = cr.ones(2, requires_grad=True)
        >>> (x * 2).requires_grad
        True
        """
        base = self._base
        if base is None or not self._key.floating or type(self._storage) is InferenceStorage:
            return self._requires_grad
        return base._requires_grad or (self._requires_grad and self._view.own_flag_holds())

    @requires_grad.setter
    def requires_grad(self, flag: bool) -> None:
        if not isinstance(flag, bool):
            msg = "requires_grad must be a bool"
            raise AutogradError(msg)
        if flag and not self.is_leaf:
            msg = (
                "you can only change requires_grad flags of leaf variables.\n"
                "requires_grad: this tensor was computed and requires grad already."
            )
            raise AutogradError(msg)
        self._set_requires_grad(
            flag, "only Tensors of floating point and complex dtype can require gradients"
        )

    @requires_grad.deleter
    def requires_grad(self) -> None:
        msg = "requires_grad must be a bool"
        raise AutogradError(msg)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Return the tensor after setting `requires_grad`: False freezes it."""
        if not isinstance(requires_grad, bool):
            kind = type(requires_grad).__name__
            msg = (
                f"requires_grad_(): argument 'requires_grad' (position 1) must be bool, not {kind}"
            )
            raise ArgumentError(msg)
        self._set_requires_grad(
            requires_grad, "only Tensors of floating point dtype can require gradients"
        )
        return self

    def _set_requires_grad(self, flag: bool, refusal: str) -> None:
        if self._node is not None and flag:
            return
        if self._base is not None and self._node is not None:
            refresh(self, always=True)
        if self._node is not None:
            msg = (
                "you can only change requires_grad flags of leaf variables. If you want to use a "
                "computed variable in a subgraph that doesn't require differentiation use "
                "var_no_grad = var.detach()."
            )
            raise AutogradError(msg)
        if flag and type(self._storage) is InferenceStorage and not mode.inference:
            msg = f"{NO_INFERENCE_LEAF}\nrequires_grad: set it on a clone() of the tensor."
            raise AutogradError(msg)
        if flag and not self._key.floating:
            msg = (
                f"{refusal}\n"
                f"requires_grad: this tensor is {self._key.dtype}. Convert it with .float() first."
            )
            raise AutogradError(msg)
        before, self._requires_grad = self._requires_grad, flag
        if self._base is not None:
            self._view.asked = flag
            self._requires_grad = flag or self._base._requires_grad
        elif before and not flag and self._storage is not None:
            self._storage.ask_views()

    @property
    def is_leaf(self) -> bool:
        """Whether it was not computed by a recorded operation."""
        return self.grad_fn is None

    @property
    def grad_fn(self) -> Node | None:
        """The node that made it; None for a leaf.

        >>> import chainrule as cr
        >>> x = cr.ones(2, requires_grad=True)
        >>> (x * 2).grad_fn.name()
        'MulBackward0'
        """
        if self._base is not None:
            refresh(self, always=True)
        node = self._node
        return None if isinstance(node, AccumulateGrad) else node

    @property
    def output_nr(self) -> int:
        """Which of the outputs of `grad_fn` it is."""
        if self._base is not None:
            refresh(self)
        return self._output_nr

    @property
    def grad(self) -> Tensor | None:
        """The accumulated gradient; None before the first backward pass."""
        if self._grad is None and self._node is not None and not self.retains_grad:
            warn(_NON_LEAF_GRAD + _made_by(self._node), UserWarning, stacklevel=2)
        return self._grad  # type: ignore[no-any-return]  # value.py does not know the class

    @grad.setter
    def grad(self, new: Tensor | None) -> None:
        self._check_grad(new)
        self._grad = new

    @grad.deleter
    def grad(self) -> None:
        self._grad = None

    def _check_grad(self, new: Any) -> None:
        if new is None:
            return
        if not isinstance(new, Value):
            kind = type(new).__name__
            msg = f"assigned grad expected to be a Tensor or None but got grad of type {kind}"
            raise ArgumentError(msg)
        if new is self:
            msg = "can't assign Variable as its own grad"
            raise AutogradError(msg)
        wanted = self._key.dtype if self._hooks is None else self._hooks.grad_dtype(self._key.dtype)
        if new._key.dtype is not (wanted or new._key.dtype):
            kinds = _CPP_NAMES.get(new._key.dtype, str(new._key.dtype)), wanted.scalar_name
            msg = (
                f"attempting to assign a gradient with dtype '{kinds[0]}' to a tensor with "
                f"grad_dtype '{kinds[1]}'. The gradient must match the tensor's grad_dtype "
                "(defaults to the tensor's dtype). You can set the tensor's grad_dtype attribute "
                "with a specific dtype, or None to allow any dtype. Set grad_dtype with caution. "
                "Diverging the dtypes of a tensor and its gradient may break downstream systems "
                "that assume they match."
            )
            raise AutogradError(msg)
        if tuple(new._array.shape) != tuple(self._array.shape):
            msg = (
                f"attempting to assign a gradient of size '{list(new._array.shape)}' to a tensor "
                f"of size '{list(self._array.shape)}'. Please ensure that the gradient and the "
                "tensor are the same size"
            )
            raise AutogradError(msg)
        if new._key.device != self._key.device:
            msg = (
                f"attempting to assign a gradient with device type '{new._key.device.type}' to a "
                f"tensor with device type '{self._key.device.type}'. Please ensure that the "
                "gradient and the tensor are on the same device"
            )
            raise AutogradError(msg)

    @property
    def grad_dtype(self) -> DType | None:
        """The dtype of ``.grad``: by default the tensor's own; None for any.

        Raises:
            RuntimeError: the tensor is no leaf.
        """
        self._check_grad_dtype("accessed")
        own = self._key.dtype
        return own if self._hooks is None else self._hooks.grad_dtype(own)

    @grad_dtype.setter
    def grad_dtype(self, dtype: DType | None) -> None:
        if dtype is not None and not isinstance(dtype, DType):
            msg = f"grad_dtype must be a torch.dtype or None, but got {type(dtype).__name__}"
            raise AutogradError(msg)
        self._check_grad_dtype("set")
        if self._grad is not None and dtype not in {None, self._grad._key.dtype}:
            msg = (
                "Cannot set grad_dtype to a dtype that is not that of the gradient\n"
                f"grad_dtype: .grad is {self._grad._key.dtype}. Set .grad to None first."
            )
            raise AutogradError(msg)
        leaf_hooks(self).dtype = dtype

    def _check_grad_dtype(self, done: str) -> None:
        if not self.is_leaf:
            msg = f"grad_dtype can only be {done} on leaf tensors."
            raise AutogradError(msg)

    def retain_grad(self) -> None:
        """Let ``.grad`` of a computed tensor be filled too; nothing for a leaf.

        Raises:
            RuntimeError: it does not require grad.
        """
        if self._base is not None and self._node is not None:
            refresh(self, always=True)
        if not self.requires_grad:
            msg = "can't retain_grad on Tensor that has requires_grad=False"
            raise AutogradError(msg)
        if self._node is not None:
            self._node.extras.retained[self._output_nr] = weakref.ref(self)

    @property
    def retains_grad(self) -> bool:
        """Whether `retain_grad` was called on it."""
        node = self._node
        if node is None or node._extras is None:
            return False
        reference = node._extras.retained.get(self._output_nr)
        return reference is not None and reference() is self

    def backward(
        self,
        gradient: Tensor | None = None,
        retain_graph: bool | None = None,
        create_graph: bool = False,
        inputs: Any = None,
    ) -> None:
        """Add the gradient of this tensor into the ``.grad`` of every leaf that it depends on.

        Args:
            gradient: The gradient of the tensor itself; may be left out for one element.
            retain_graph: Keep what the nodes saved, for another pass.
            create_graph: Record the pass, for derivatives of higher order.
            inputs: Accumulate into these only.

        Raises:
            RuntimeError: it has no graph, no implicit gradient, or its graph was freed.

        >>> import chainrule as cr
        >>> x = cr.tensor([1.0, 2.0], requires_grad=True)
        >>> x.pow(2).sum().backward()
        >>> x.grad
        tensor([2., 4.])
        """
        if gradient is not None and not isinstance(gradient, Value):
            gradient = tuple(gradient)  # raises what PyTorch raises for a number
        differentiate.backward(self, gradient, retain_graph, create_graph, inputs=inputs)

    def register_hook(self, hook: Callable[[Any], Any]) -> RemovableHandle:
        """Call *hook* with the gradient of this tensor when it is there; its result replaces it.

        Raises:
            RuntimeError: the tensor does not require grad.
        """
        if self._base is not None:
            refresh(self, always=True)
        if not self.requires_grad:
            msg = "cannot register a hook on a tensor that doesn't require gradient"
            raise AutogradError(msg)
        if self._node is not None:
            hooks = self._node.extras.tensor_hooks.setdefault(self._output_nr, HookDict())
            return add_hook(hooks, hook)
        return add_hook(leaf_hooks(self).before, hook)

    def register_post_accumulate_grad_hook(self, hook: Callable[[Any], None]) -> RemovableHandle:
        """Call *hook* with this leaf after its ``.grad`` was updated.

        Raises:
            RuntimeError: it is no leaf, or does not require grad.
        """
        if self._base is not None:
            refresh(self, always=True)
        if not self.requires_grad:
            msg = "cannot register a hook on a tensor that doesn't require gradient"
            raise AutogradError(msg)
        if self._node is not None:
            msg = "post accumulate grad hooks cannot be registered on non-leaf tensors"
            raise AutogradError(msg)
        return add_hook(leaf_hooks(self).after, hook)

    def detach(self) -> Tensor:
        """Return the same memory without history: the way out of the graph.

        It shares the version counter too, so that writing into it is noticed.

        >>> import chainrule as cr
        >>> x = cr.ones(2, requires_grad=True)
        >>> x.detach().requires_grad
        False
        """
        if self._key.backend.level:
            return self._key.backend.detached(self)  # type: ignore[attr-defined, no-any-return]  # a transform's
        made: Any = new_value(self._array, self._key)
        made._storage = storage_of(self)
        return made  # type: ignore[no-any-return]  # the result class is Tensor

    def detach_(self) -> Self:
        """Return the tensor after cutting it from its history.

        Raises:
            RuntimeError: it is a view.
        """
        if self._is_view():
            msg = (
                "Can't detach views in-place. Use detach() instead. If you are using "
                "DistributedDataParallel (DDP) for training, and gradient_as_bucket_view is set as "
                "True, gradients are views of DDP buckets, and hence detach_() cannot be called on "
                "these gradients. To fix this error, please refer to the Optimizer.zero_grad() "
                "function in torch/optim/optimizer.py as the solution."
            )
            raise AutogradError(msg)
        before = self._requires_grad
        if self._node is not None:
            OpNode.any_detached = True
        self._node, self._requires_grad, self._output_nr = None, False, 0
        if before and self._storage is not None:
            self._storage.ask_views()
        return self

    @property
    def data(self) -> Tensor:
        """The same memory without history *and without the version counter*.

        Writing into it is not noticed, so that a later backward pass may be silently wrong. Use
        `detach` instead; ``.data`` is here because old programs use it.
        """
        if self._key.backend.level:
            return self._key.backend.data_of(self)  # type: ignore[attr-defined, no-any-return]  # a transform's
        made: Any = new_value(self._array, self._key)
        if mode.inference or type(self._storage) is InferenceStorage:  # it was made as self was
            made._storage = type(storage_of(self))()
        return made  # type: ignore[no-any-return]  # the result class is Tensor

    @data.setter
    def data(self, new: Tensor) -> None:
        if not isinstance(new, Value):
            msg = f"Variable data has to be a tensor, but got {type(new).__name__}"
            raise ArgumentError(msg)
        if self._requires_grad and not new._key.floating:
            msg = (
                "data set to a tensor that requires gradients must be floating point or complex "
                f"dtype\ndata: got {new._key.dtype}. Call requires_grad_(False) first."
            )
            raise AutogradError(msg)
        self._array, self._key = new._array, new._key
        if type(new._storage) is InferenceStorage:
            self._storage = InferenceStorage()

    @data.deleter
    def data(self) -> None:
        msg = "Deleting tensor data is not allowed. Delete tensor instead!"
        raise AutogradError(msg)

    @property
    def _version(self) -> int:
        """How often its memory was written to."""
        if type(self._storage) is InferenceStorage:
            raise AutogradError(NO_VERSION)
        return 0 if self._storage is None else self._storage.version

    @property
    def _backward_hooks(self) -> Any:
        """The hooks on its gradient, or None if there never were any."""
        node = self._node
        if node is None:
            return None if self._hooks is None else self._hooks.before
        return None if node._extras is None else node._extras.tensor_hooks.get(self._output_nr)

    @_backward_hooks.setter
    def _backward_hooks(self, hooks: Any) -> None:
        hooks = HookDict() if hooks is None else hooks
        if self._node is None:
            leaf_hooks(self).before = hooks
        else:
            self._node.extras.tensor_hooks[self._output_nr] = hooks

    @_backward_hooks.deleter
    def _backward_hooks(self) -> None:
        msg = "Deletion of _backwards_hooks not allowed!"
        raise AutogradError(msg)

    @property
    def _post_accumulate_grad_hooks(self) -> Any:
        """The hooks of a leaf that run after accumulation, or None if there never were any."""
        return None if self._hooks is None else self._hooks.after

    def _is_view(self) -> bool:
        """Return whether it looks into the memory of another tensor."""
        if self._base is None or type(self._storage) is InferenceStorage:
            return False
        return self._key.floating or not self._base._key.floating

    @property
    def volatile(self) -> bool:
        """False: a flag of old versions, with a warning."""
        warn("volatile was removed (Variable.volatile is always False)", UserWarning, stacklevel=2)
        return False

    @volatile.setter
    def volatile(self, _: Any) -> None:
        warn(
            "volatile was removed and now has no effect. Use `with torch.no_grad():` instead.",
            UserWarning,
            stacklevel=2,
        )

    name = property(lambda _: None, doc="None: PyTorch names traced variables.")

    def is_shared(self) -> bool:
        """Return whether the memory is shared with other processes."""
        return False

    def is_pinned(self, device: Any = None) -> bool:
        """Return whether the memory is pinned for transfers to a device."""
        return False

    def is_inference(self) -> bool:
        """Return whether it was made in inference mode."""
        return type(self._storage) is InferenceStorage

    # Other devices, dtypes, values

    def to(self, *args: Any, **kwargs: Any) -> Tensor:
        """Return the tensor with another dtype or on another device; itself where nothing changes.

        Takes ``to(dtype)``, ``to(device)``, ``to(device, dtype)`` and ``to(other)``, each with
        ``non_blocking`` and ``copy``. The device may name a backend: ``"cpu@numpy"``.

        Gradient:
            ``grad``, brought back to where it came from.

        >>> import chainrule as cr
        >>> cr.ones(2).to(cr.float64)
        tensor([1., 1.], dtype=torch.float64)
        """
        key, force = _target(self, args, kwargs)
        if key is self._key and not force:
            return self  # type: ignore[return-value]  # a Tensor
        return self._copied_to(key)

    def _copied_to(self, key: DispatchKey) -> Tensor:
        tensor: Any = self
        return ops._to_copy(tensor, dtype=key.dtype, device=key.device, backend=key.backend)

    def cpu(self, memory_format: object = None) -> Tensor:
        """Return the tensor in host memory; itself if it is there."""
        return self.to("cpu")

    def cuda(
        self, device: Any = None, non_blocking: bool = False, memory_format: object = None
    ) -> Tensor:
        """Return the tensor on a CUDA device.

        Raises:
            AssertionError: there is none; the message says what is missing.
        """
        return self.to(
            Device("cuda", device if isinstance(device, int) else None)
            if not isinstance(device, (str, Device))
            else device
        )

    def type(self, dtype: Any = None, non_blocking: bool = False) -> Any:
        """Return the name of the type, or the tensor as *dtype*."""
        if dtype is None:
            module = "torch.cuda" if self.is_cuda else "torch"
            return f"{module}.{self._key.dtype.scalar_name}Tensor"
        if isinstance(dtype, str):
            dtype = next(
                (d for d in dtypes.ALL if dtype in {f"torch.{d.scalar_name}Tensor", str(d)}), None
            )
            if dtype is None:
                msg = "invalid type: expected a name like 'torch.FloatTensor'"
                raise ValueError(msg)
        if isinstance(dtype, type) and issubclass(dtype, TensorBase):
            dtype = dtypes.get_default_dtype()  # the class of all tensors names no other
        wanted = dtype if isinstance(dtype, DType) else getattr(dtype, "dtype", dtype)
        if isinstance(wanted, type):
            msg = f"invalid type: {wanted.__name__!r}\ntype: expected a dtype. Or use .to(...)."
            raise ValueError(msg)  # noqa: TRY004 - as PyTorch
        return self.to(wanted)

    def type_as(self, other: Tensor) -> Tensor:
        """Return the tensor with the dtype of *other*, on its device."""
        return self.to(other)

    def float(self, memory_format: Any = None) -> Tensor:
        """Return the tensor as float32."""
        return self.to(dtypes.float32)

    def double(self, memory_format: Any = None) -> Tensor:
        """Return the tensor as float64."""
        return self.to(dtypes.float64)

    def half(self, memory_format: Any = None) -> Tensor:
        """Return the tensor as float16."""
        return self.to(dtypes.float16)

    def bfloat16(self, memory_format: Any = None) -> Tensor:
        """Return the tensor as bfloat16, where the backend has it."""
        return self.to(dtypes.bfloat16)

    def int(self, memory_format: Any = None) -> Tensor:
        """Return the tensor as int32."""
        return self.to(dtypes.int32)

    def long(self, memory_format: Any = None) -> Tensor:
        """Return the tensor as int64."""
        return self.to(dtypes.int64)

    def short(self, memory_format: Any = None) -> Tensor:
        """Return the tensor as int16."""
        return self.to(dtypes.int16)

    def char(self, memory_format: Any = None) -> Tensor:
        """Return the tensor as int8."""
        return self.to(dtypes.int8)

    def byte(self, memory_format: Any = None) -> Tensor:
        """Return the tensor as uint8."""
        return self.to(dtypes.uint8)

    def bool(self, memory_format: Any = None) -> Tensor:
        """Return the tensor as bool."""
        return self.to(dtypes.bool_)

    def cfloat(self, memory_format: Any = None) -> Tensor:
        """Return the tensor as complex64."""
        return self.to(dtypes.complex64)

    def cdouble(self, memory_format: Any = None) -> Tensor:
        """Return the tensor as complex128."""
        return self.to(dtypes.complex128)

    # Writing

    def copy_(self, other: Any, non_blocking: object = False) -> Self:
        """Return the tensor after writing the values of *other* into it, broadcast and cast.

        Gradient:
            None for what was there before, ``grad`` for *other*.
        """
        if not isinstance(other, Value):
            other = ops.as_tensor(other)
        if other._key.device != self._key.device:
            other = other.to(device=self._key.device)
        check_overlap(self, (other,), "copy_", exact=True)
        check_shape(self, other, "copy_")
        return ops.copy.in_place((self, other), {})  # type: ignore[no-any-return]  # an op's result

    def fill_(self, value: Any) -> Self:
        """Return the tensor after filling it with *value*."""
        return ops.fill.in_place((self, value), {})  # type: ignore[no-any-return]  # an op's result

    def zero_(self) -> Self:
        """Return the tensor after filling it with zeros."""
        return ops.zero.in_place((self,), {})  # type: ignore[no-any-return]  # an op's result

    def apply_(self, callable: Callable[[Any], Any]) -> Self:
        """Return the tensor after replacing each element by what *callable* gives for it: slowly.

        Raises:
            TypeError: it requires grad, or is not in host memory.
        """
        return self._mapped("apply_", callable)

    def map_(self, other: Any, callable: Callable[[Any, Any], Any]) -> Self:
        """Return the tensor after replacing each element by *callable* of it and of its partner.

        Raises:
            TypeError: as for `apply_`.
        """
        return self._mapped("map_", callable, other)

    def map2_(self, x: Any, y: Any, callable: Callable[[Any, Any, Any], Any]) -> Self:
        """Return the tensor after replacing each element by *callable* of it and of two others.

        Raises:
            TypeError: as for `apply_`.
        """
        return self._mapped("map2_", callable, x, y)

    def _mapped(self, name: str, function: Callable[..., Any], *others: Any) -> Self:
        if any(tensor.requires_grad for tensor in (self, *others)):
            msg = (
                f"Can't call {name}() on Variable that requires grad. Use var.detach().{name}() "
                "instead."
            )
            raise ArgumentError(msg)
        if self._key.device.type != "cpu":
            msg = f"{name} is only implemented on CPU tensors"
            raise ArgumentError(msg)
        shape, key = tuple(self._array.shape), self._key
        tensors: list[Any] = [self, *(ops.expand(other, shape) for other in others)]
        columns = [ops.reshape(tensor, -1).tolist() for tensor in tensors]
        values = [function(*items) for items in zip(*columns, strict=True)]
        flat = key.backend.from_list(values, (len(values),), key.dtype, key.device)
        write(self, ops.reshape(new_value(flat, key), shape), name)
        return self


def _made_by(node: Node) -> str:
    """Return how a tensor came to be no leaf, as the second line of a message."""
    trace = trace_of(node)
    place = "" if trace is None else f" at {trace.place()}"
    return (
        f"\ngrad: this tensor was made by {node.name()}{place}. "
        "chainrule.explain_grad(tensor) names the leaves behind it."
    )


#: What PyTorch's C++ half calls a dtype in messages.
_CPP_NAMES = {
    dtypes.float64: "double",
    dtypes.float32: "float",
    dtypes.float16: "c10::Half",
    dtypes.bfloat16: "c10::BFloat16",
    dtypes.int64: "long int",
    dtypes.int32: "int",
    dtypes.int16: "short int",
    dtypes.int8: "signed char",
    dtypes.uint8: "unsigned char",
    dtypes.bool_: "bool",
    dtypes.complex64: "c10::complex<float>",
    dtypes.complex128: "c10::complex<double>",
}


def _target(tensor: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[DispatchKey, bool]:
    """Return the key that the arguments of ``to`` ask for, and whether a copy is forced."""
    dtype, device = kwargs.get("dtype"), kwargs.get("device")
    other, force = kwargs.get("other"), kwargs.get("copy", False)
    flags = []
    for argument in args:
        if isinstance(argument, (DType, type)):
            dtype = argument
        elif isinstance(argument, Value):
            other = argument
        elif isinstance(argument, bool):
            flags.append(argument)
        elif isinstance(argument, (str, Device, int)):
            device = argument
        elif argument is not None:
            msg = (
                "to() received an invalid combination of arguments - got "
                f"({', '.join(type(a).__name__ for a in args)}), but expected a torch.dtype, a "
                "torch.device or a Tensor"
            )
            raise ArgumentError(msg)
    if len(flags) > 1:
        force = flags[1]
    if other is not None:
        return other._key, force
    key = tensor._key
    if device is not None:
        key = _on(device, key)
    return (key if dtype is None else key.of(dtype)), force


def _on(device: Any, key: DispatchKey) -> DispatchKey:
    """Return *key* on another device; a tensor stays with its backend if that serves the device."""
    where = Device("cuda", device) if isinstance(device, int) else Device(device)
    if where.backend is None and where.type in key.backend.spec.device_types:
        backend = key.backend
    else:
        backend = for_device(where)
    return backend.key(key.dtype, backend.canonical(where))
