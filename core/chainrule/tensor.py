"""`Tensor`: the value with the methods and operators that users know. Each calls an op."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import ops, overriding
from . import value as _value
from .dtypes import float32, plain_number
from .errors import ArgumentError, DTypeError
from .ops import creation_like, random_in_place
from .ops.creation import as_tensor, tensor
from .read_only import seal
from .tensor_late import TensorLate
from .value import Value, new_value

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Number", "Tensor", "as_tensor", "tensor"]

Number = int | float | bool | complex


def operator(op: Any) -> Callable[..., Any]:
    """Return *op* as a binary operator: it leaves what it does not know to the other operand."""
    fast = op.fast

    def method(self: Any, other: Any) -> Any:
        try:
            return fast(self, other)
        except ArgumentError:
            return NotImplemented

    method.__doc__ = op.__doc__
    return method


def _multiplies(other: Any) -> bool:
    """Return whether ``@`` takes *other*: a tensor, or what makes of functions what it likes."""
    return isinstance(other, Value) or overriding.wants_to_be_asked(type(other))


def _check_values(data: Any) -> None:
    """Check that ``Tensor(data)`` is asked for values that have a dimension."""
    if isinstance(data, str):
        raise ArgumentError("new(): invalid data type 'str'\nTensor: pass a list of numbers.")
    if data is None or isinstance(data, (float, complex, dict)):
        kind = type(data).__name__
        msg = f"new(): data must be a sequence (got {kind})\nTensor: for a number use tensor()."
        raise ArgumentError(msg)


def in_place(op: Any) -> Callable[..., Any]:
    """Return the in-place form of *op*: it writes the result into its first argument."""

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        return op.in_place((self, *args), kwargs)

    method.__name__, method.__wrapped__ = f"{op.__name__}_", op.function  # type: ignore[attr-defined]  # for inspect
    method.__doc__ = f"In-place form of {op.__name__}."
    return method


def _is_array(other: Any) -> bool:
    """Return whether *other* is an array of NumPy's, which lets us go first."""
    return hasattr(other, "__array_interface__")


def updating(op: Any) -> Callable[..., Any]:
    """Return *op* as an operator that writes; an array makes a new tensor, as in PyTorch."""

    def method(self: Any, other: Any) -> Any:
        try:
            return op.in_place((self, other), {})
        except ArgumentError:
            if _is_array(other):
                return NotImplemented
            raise

    method.__doc__ = f"In-place form of {op.__name__}."
    return method


def reflected(op: Any) -> Callable[..., Any]:
    """Return *op* as a binary operator from the right: ``2 ** x`` is ``pow(2, x)``."""
    fast = op.fast

    def method(self: Any, other: Any) -> Any:
        try:
            return fast(other, self)
        except ArgumentError:
            return NotImplemented

    method.__doc__ = op.__doc__
    return method


class Tensor(TensorLate):
    """An array that remembers how it was computed.

    Made by `tensor`, the creation functions and every op; ``Tensor(2, 3)`` and ``Tensor([1.0])``
    work as in PyTorch, always float32.

    >>> import chainrule as cr
    >>> x = cr.tensor([1.0, 2.0], requires_grad=True)
    >>> y = (x * x).sum()
    >>> y.backward()
    >>> x.grad
    tensor([2., 4.])
    """

    __slots__ = ()

    def __new__(cls, *data: Any, device: Any = None) -> Any:
        """Return a float32 tensor of the given sizes, or of the given values."""
        if len(data) == 1 and not isinstance(data[0], int):
            _check_values(data[0])
            made = (
                as_tensor(data[0])
                if isinstance(data[0], Value)
                else tensor(data[0], dtype=float32, device=device)
            )
        else:
            made = (
                ops.empty(*data, dtype=float32, device=device)
                if data
                else ops.empty(0, device=device)
            )
        return new_value(made._array, made._key, cls)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        overriding.adopt(cls)

    @classmethod
    def __torch_function__(
        cls, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Return ``func(*args, **kwargs)``; what is a tensor in it has the type of the subclass.

        Called for every function with an object of a subclass among its arguments, which may
        override it. See `chainrule.overrides`.
        """
        return overriding.default_torch_function(cls, func, types, args, kwargs)

    def as_subclass(self, cls: Any) -> Any:
        """Return the same memory, with the same history, as an object of class *cls*.

        >>> import chainrule as cr
        >>> class Metres(cr.Tensor):
        ...     pass
        >>> cr.ones(2).as_subclass(Metres) * 2
        Metres([2., 2.])
        """
        _check_subclass(cls)
        with overriding.DisableTorchFunctionSubclass():
            return overriding.retyped(ops.indexing._alias(self), cls)

    @staticmethod
    def _make_subclass(kind: Any, data: Any, require_grad: bool = False, **options: Any) -> Any:
        """Return a leaf of class *kind* over the memory of *data*."""
        _check_subclass(kind)
        with overriding.DisableTorchFunctionSubclass():
            return overriding.retyped(data.detach(), kind).requires_grad_(require_grad)

    def clone(self, *, memory_format: object = None) -> Tensor:
        """Return a copy with its own memory and the same history."""
        return ops.clone(self)

    # Arithmetic

    __add__: Callable[..., Any] = operator(ops.add)
    __radd__: Callable[..., Any] = operator(ops.add)
    __sub__: Callable[..., Any] = operator(ops.sub)
    __rsub__: Callable[..., Any] = operator(ops.rsub)
    __mul__: Callable[..., Any] = operator(ops.mul)
    __rmul__: Callable[..., Any] = operator(ops.mul)
    __truediv__: Callable[..., Any] = operator(ops.div)
    __div__: Callable[..., Any] = operator(ops.div)
    __floordiv__: Callable[..., Any] = operator(ops.floor_divide)
    __rfloordiv__: Callable[..., Any] = reflected(ops.floor_divide)
    __mod__: Callable[..., Any] = operator(ops.remainder)
    __rmod__: Callable[..., Any] = reflected(ops.remainder)
    __pow__: Callable[..., Any] = operator(ops.pow)
    __rpow__: Callable[..., Any] = reflected(ops.pow)
    __neg__: Callable[..., Any] = ops.neg.method
    __pos__ = positive = ops.positive
    __abs__: Callable[..., Any] = ops.abs.method
    __and__: Callable[..., Any] = operator(ops.bitwise_and)
    __rand__: Callable[..., Any] = operator(ops.bitwise_and)
    __or__: Callable[..., Any] = operator(ops.bitwise_or)
    __ror__: Callable[..., Any] = operator(ops.bitwise_or)
    __xor__: Callable[..., Any] = operator(ops.bitwise_xor)
    __rxor__: Callable[..., Any] = operator(ops.bitwise_xor)
    __lshift__: Callable[..., Any] = operator(ops.bitwise_left_shift)
    __rlshift__: Callable[..., Any] = reflected(ops.bitwise_left_shift)
    __rshift__: Callable[..., Any] = operator(ops.bitwise_right_shift)
    __rrshift__: Callable[..., Any] = reflected(ops.bitwise_right_shift)

    def __rtruediv__(self, other: Any) -> Any:
        other = plain_number(other)
        if not (isinstance(other, (Value, Number)) or _is_array(other)):
            return NotImplemented
        return ops.reciprocal(self) * other

    __rdiv__ = __rtruediv__

    def __invert__(self) -> Any:
        if self._key.floating:
            msg = (
                "~ (operator.invert) is only implemented on integer and Boolean-type tensors\n"
                f"~: got {self._key.dtype}. Compare first, or use 1 - x."
            )
            raise ArgumentError(msg)
        return ops.bitwise_not(self)

    __iadd__: Callable[..., Any] = updating(ops.add)
    __isub__: Callable[..., Any] = updating(ops.sub)
    __imul__: Callable[..., Any] = updating(ops.mul)
    __itruediv__: Callable[..., Any] = updating(ops.div)
    __idiv__: Callable[..., Any] = updating(ops.div)
    __ifloordiv__: Callable[..., Any] = updating(ops.floor_divide)
    __imod__: Callable[..., Any] = updating(ops.remainder)
    __ipow__: Callable[..., Any] = updating(ops.pow)
    __iand__: Callable[..., Any] = updating(ops.bitwise_and)
    __ior__: Callable[..., Any] = updating(ops.bitwise_or)
    __ixor__: Callable[..., Any] = updating(ops.bitwise_xor)
    __ilshift__: Callable[..., Any] = updating(ops.bitwise_left_shift)
    __irshift__: Callable[..., Any] = updating(ops.bitwise_right_shift)

    add = ops.add.method
    add_ = in_place(ops.add)
    sub = subtract = ops.sub.method
    sub_ = subtract_ = in_place(ops.sub)
    mul = multiply = ops.mul.method
    mul_ = multiply_ = in_place(ops.mul)
    div = divide = true_divide = ops.div.method
    div_ = divide_ = true_divide_ = in_place(ops.div)
    addcmul = ops.addcmul.method
    addcmul_ = in_place(ops.addcmul)
    addcdiv = ops.addcdiv.method
    addcdiv_ = in_place(ops.addcdiv)
    floor_divide = ops.floor_divide.method
    floor_divide_ = in_place(ops.floor_divide)
    remainder = ops.remainder.method
    remainder_ = in_place(ops.remainder)
    fmod = ops.fmod.method
    fmod_ = in_place(ops.fmod)
    lerp = ops.lerp.method
    lerp_ = in_place(ops.lerp)
    pow = ops.pow.method
    pow_ = in_place(ops.pow)
    float_power = ops.float_power

    def float_power_(self, exponent: Any) -> Any:
        """In-place form of float_power, for a tensor that is float64 or complex128 already."""
        dtype = ops.power.dtype_of_power(self, exponent)
        if self._key.dtype is not dtype:
            msg = (
                f"the base given to float_power_ has dtype {self._key.dtype.scalar_name} but the "
                f"operation's result requires dtype {dtype.scalar_name}\n"
                "float_power_: convert the tensor first, or use float_power()."
            )
            raise DTypeError(msg)
        return ops.pow.in_place((self, exponent), {})

    square = ops.square

    def square_(self) -> Any:
        """In-place form of square."""
        return ops.pow.in_place((self, 2), {})

    bitwise_and = ops.bitwise_and.method
    bitwise_and_ = in_place(ops.bitwise_and)
    bitwise_or = ops.bitwise_or.method
    bitwise_or_ = in_place(ops.bitwise_or)
    bitwise_xor = ops.bitwise_xor.method
    bitwise_xor_ = in_place(ops.bitwise_xor)
    bitwise_not = ops.bitwise_not.method
    bitwise_not_ = in_place(ops.bitwise_not)
    bitwise_left_shift = ops.bitwise_left_shift.method
    bitwise_left_shift_ = in_place(ops.bitwise_left_shift)
    bitwise_right_shift = ops.bitwise_right_shift.method
    bitwise_right_shift_ = in_place(ops.bitwise_right_shift)

    # Pointwise functions

    abs = absolute = ops.abs.method
    abs_ = absolute_ = in_place(ops.abs)
    neg = negative = ops.neg.method
    neg_ = negative_ = in_place(ops.neg)
    trunc = fix = ops.trunc.method
    trunc_ = fix_ = in_place(ops.trunc)
    sign = ops.sign.method
    sign_ = in_place(ops.sign)
    sgn = ops.sgn.method
    sgn_ = in_place(ops.sgn)
    floor = ops.floor.method
    floor_ = in_place(ops.floor)
    ceil = ops.ceil.method
    ceil_ = in_place(ops.ceil)
    round = ops.round.method
    round_ = in_place(ops.round)
    frac = ops.frac.method
    frac_ = in_place(ops.frac)
    nan_to_num = ops.nan_to_num.method
    nan_to_num_ = in_place(ops.nan_to_num)
    copysign = ops.copysign.method
    copysign_ = in_place(ops.copysign)
    nextafter = ops.nextafter.method
    nextafter_ = in_place(ops.nextafter)
    sqrt = ops.sqrt.method
    sqrt_ = in_place(ops.sqrt)
    rsqrt = ops.rsqrt.method
    rsqrt_ = in_place(ops.rsqrt)
    reciprocal = ops.reciprocal.method
    reciprocal_ = in_place(ops.reciprocal)
    exp = ops.exp.method
    exp_ = in_place(ops.exp)
    exp2 = ops.exp2.method
    exp2_ = in_place(ops.exp2)
    expm1 = ops.expm1.method
    expm1_ = in_place(ops.expm1)
    log = ops.log.method
    log_ = in_place(ops.log)
    log1p = ops.log1p.method
    log1p_ = in_place(ops.log1p)
    log2 = ops.log2.method
    log2_ = in_place(ops.log2)
    log10 = ops.log10.method
    log10_ = in_place(ops.log10)
    sigmoid = ops.sigmoid.method
    sigmoid_ = in_place(ops.sigmoid)
    xlogy = ops.xlogy.method
    xlogy_ = in_place(ops.xlogy)
    logaddexp = ops.logaddexp.method
    logaddexp2 = ops.logaddexp2.method
    sin = ops.sin.method
    sin_ = in_place(ops.sin)
    cos = ops.cos.method
    cos_ = in_place(ops.cos)
    tan = ops.tan.method
    tan_ = in_place(ops.tan)
    sinh = ops.sinh.method
    sinh_ = in_place(ops.sinh)
    cosh = ops.cosh.method
    cosh_ = in_place(ops.cosh)
    tanh = ops.tanh.method
    tanh_ = in_place(ops.tanh)
    hypot = ops.hypot.method
    hypot_ = in_place(ops.hypot)
    asin = arcsin = ops.asin.method
    asin_ = arcsin_ = in_place(ops.asin)
    acos = arccos = ops.acos.method
    acos_ = arccos_ = in_place(ops.acos)
    atan = arctan = ops.atan.method
    atan_ = arctan_ = in_place(ops.atan)
    asinh = arcsinh = ops.asinh.method
    asinh_ = arcsinh_ = in_place(ops.asinh)
    acosh = arccosh = ops.acosh.method
    acosh_ = arccosh_ = in_place(ops.acosh)
    atanh = arctanh = ops.atanh.method
    atanh_ = arctanh_ = in_place(ops.atanh)
    atan2 = arctan2 = ops.atan2.method
    atan2_ = arctan2_ = in_place(ops.atan2)
    erf = ops.erf.method
    erf_ = in_place(ops.erf)
    erfc = ops.erfc.method
    erfc_ = in_place(ops.erfc)
    erfinv = ops.erfinv.method
    erfinv_ = in_place(ops.erfinv)
    lgamma = ops.lgamma.method
    lgamma_ = in_place(ops.lgamma)
    digamma = ops.digamma.method
    digamma_ = in_place(ops.digamma)

    def polygamma(self, n: int) -> Tensor:
        """Return the derivative of order *n* of `digamma`."""
        return ops.polygamma(n, self)

    def polygamma_(self, n: int) -> Any:
        """In-place form of polygamma."""
        return ops.special._polygamma.in_place((self, n), {})

    maximum = ops.maximum.method
    minimum = ops.minimum.method
    fmax = ops.fmax.method
    fmin = ops.fmin.method
    clamp = clip = ops.clamp

    def clamp_(self, min: Any = None, max: Any = None) -> Any:
        """In-place form of clamp."""
        bounds = plain_number(min), plain_number(max)
        return ops.clamping.clamp_op(*bounds).in_place((self, *bounds), {})

    clip_ = clamp_
    clamp_min = ops.clamp_min.method
    clamp_min_ = in_place(ops.clamp_min)
    clamp_max = ops.clamp_max.method
    clamp_max_ = in_place(ops.clamp_max)
    masked_fill = ops.masked_fill.method
    masked_fill_ = in_place(ops.masked_fill)

    def where(self, condition: Tensor, other: Any) -> Tensor:
        """Return *self* where *condition* holds, else *other*."""
        return ops.where(condition, self, other)  # type: ignore[no-any-return]  # one tensor, since other is given

    conj = ops.conj
    conj_physical = ops.conj_physical
    conj_physical_ = in_place(ops._conj_physical)
    resolve_conj = ops.resolve_conj
    angle = ops.angle.method
    real = property(
        ops.real, ops.assignment.set_real, doc="The real part, a view; a real tensor itself."
    )
    imag = property(ops.imag, ops.assignment.set_imag, doc="The imaginary part, a view.")

    # Comparison

    def __eq__(self, other: object) -> Any:
        try:
            return ops.eq.fast(self, other)
        except ArgumentError:
            if not _is_array(other):
                return NotImplemented
        try:
            numbers = as_tensor(other)
        except TypeError:  # of strings, or of objects
            return NotImplemented
        return ops.eq(self, numbers)

    __ne__: Callable[..., Any] = operator(ops.ne)
    __lt__: Callable[..., Any] = operator(ops.lt)
    __le__: Callable[..., Any] = operator(ops.le)
    __gt__: Callable[..., Any] = operator(ops.gt)
    __ge__: Callable[..., Any] = operator(ops.ge)
    __hash__ = TensorLate.__hash__  # a class that states __eq__ would lose it

    eq = ops.eq.method
    eq_ = in_place(ops.eq)
    ne = ops.ne.method
    ne_ = in_place(ops.ne)
    lt = ops.lt.method
    lt_ = in_place(ops.lt)
    le = ops.le.method
    le_ = in_place(ops.le)
    gt = ops.gt.method
    gt_ = in_place(ops.gt)
    ge = ops.ge.method
    ge_ = in_place(ops.ge)
    not_equal, less, less_equal, greater, greater_equal = ne, lt, le, gt, ge
    not_equal_, less_, less_equal_, greater_, greater_equal_ = ne_, lt_, le_, gt_, ge_
    logical_and = ops.logical_and.method
    logical_and_ = in_place(ops.logical_and)
    logical_or = ops.logical_or.method
    logical_or_ = in_place(ops.logical_or)
    logical_xor = ops.logical_xor.method
    logical_xor_ = in_place(ops.logical_xor)
    logical_not = ops.logical_not.method
    logical_not_ = in_place(ops.logical_not)
    isnan = ops.isnan.method
    isinf = ops.isinf.method
    isfinite = ops.isfinite.method
    isposinf = ops.isposinf.method
    isneginf = ops.isneginf.method
    isclose = ops.isclose.method
    allclose = ops.allclose
    equal = ops.equal

    # Activations

    relu = ops.relu.method
    relu_ = in_place(ops.relu)
    prelu = ops.prelu
    hardshrink = ops.hardshrink.method
    softmax = ops.softmax
    log_softmax = ops.log_softmax

    # Reductions

    sum = ops.sum.method
    sum_to_size = ops.sum_to_size
    nansum = ops.nansum.method
    mean = ops.mean.method
    nanmean = ops.nanmean.method
    prod = ops.prod.method
    logsumexp = ops.logsumexp.method
    all = ops.all.method
    any = ops.any.method
    count_nonzero = ops.count_nonzero
    max = ops.max.method
    min = ops.min.method
    amax = ops.amax.method
    amin = ops.amin.method
    aminmax = ops.aminmax.method
    argmax = ops.argmax.method
    argmin = ops.argmin.method
    median = ops.median.method
    nanmedian = ops.nanmedian.method
    mode = ops.mode.method
    kthvalue = ops.kthvalue.method
    var = ops.var.method
    std = ops.std.method

    def norm(
        self, p: Any = "fro", dim: Any = None, keepdim: bool = False, dtype: Any = None
    ) -> Any:
        """Return the norm over *dim*, or of everything: see `chainrule.norm`."""
        return ops.norm(self, p, dim, keepdim, dtype=dtype)

    dist = ops.dist.method
    cumsum = ops.cumsum.method
    cumsum_ = in_place(ops.cumsum)
    cumprod = ops.cumprod.method
    cumprod_ = in_place(ops.cumprod)
    logcumsumexp = ops.logcumsumexp.method
    cummax = ops.cummax.method
    cummin = ops.cummin.method

    # Shapes and views

    view, view_as = ops.view, ops.view_as
    reshape, reshape_as = ops.reshape, ops.reshape_as
    flatten, unflatten, ravel = ops.flatten, ops.unflatten, ops.ravel
    squeeze, unsqueeze = ops.squeeze, ops.unsqueeze
    squeeze_, unsqueeze_ = ops.shape.squeeze_, ops.shape.unsqueeze_
    contiguous = ops.contiguous
    expand, expand_as, broadcast_to = ops.expand, ops.expand_as, ops.broadcast_to
    transpose, t, permute = ops.transpose, ops.t, ops.permute
    swapaxes, swapdims = ops.swapaxes, ops.swapdims
    movedim, moveaxis, adjoint = ops.movedim, ops.moveaxis, ops.adjoint
    transpose_, t_ = ops.axes.transpose_, ops.axes.t_
    swapaxes_, swapdims_ = ops.axes.swapaxes_, ops.axes.swapdims_
    T, mT = property(ops.axes.T), property(ops.axes.mT)  # noqa: N815 - PyTorch's name
    H, mH = property(ops.axes.H), property(ops.axes.mH)  # noqa: N815 - likewise
    narrow, select, unfold = ops.narrow, ops.select, ops.slicing.unfold
    select_scatter, slice_scatter = ops.select_scatter, ops.slice_scatter
    as_strided, as_strided_ = ops.as_strided, ops.striding.as_strided_
    diagonal, diagonal_scatter = ops.diagonal, ops.diagonal_scatter
    fill_diagonal_ = ops.diagonals.fill_diagonal_
    diag, diag_embed, diagflat = ops.diag, ops.diag_embed, ops.diagflat
    triu, tril = ops.triu, ops.tril
    triu_, tril_ = ops.diagonals.triu_, ops.diagonals.tril_
    repeat, tile, repeat_interleave = ops.repeat, ops.tile, ops.repeat_interleave
    flip, fliplr, flipud = ops.flip, ops.fliplr, ops.flipud
    roll, rot90 = ops.roll, ops.rot90

    # Joining and splitting

    unsafe_split, unsafe_chunk = ops.unsafe_split, ops.unsafe_chunk
    unsafe_split_with_sizes = ops.unsafe_split_with_sizes
    split, split_with_sizes, chunk = ops.split, ops.split_with_sizes, ops.chunk
    tensor_split, unbind = ops.tensor_split, ops.unbind
    hsplit, vsplit, dsplit = ops.hsplit, ops.vsplit, ops.dsplit

    # Indexing

    __getitem__, __setitem__ = ops.indexing.getitem, ops.assignment.setitem
    index_put, index_put_ = ops.index_put, ops.assignment.index_put_
    nonzero, argwhere = ops.nonzero, ops.argwhere
    gather, take, take_along_dim = ops.gather, ops.take, ops.take_along_dim
    put, put_ = ops.put, ops.gathering.put_
    scatter, scatter_ = ops.scatter, ops.scattering.scatter_
    scatter_add, scatter_add_ = ops.scatter_add, ops.scattering.scatter_add_
    scatter_reduce, scatter_reduce_ = ops.scatter_reduce, ops.scattering.scatter_reduce_
    index_select = ops.index_select
    index_add, index_add_ = ops.index_add, ops.rows.index_add_
    index_copy, index_copy_ = ops.index_copy, ops.rows.index_copy_
    index_fill, index_fill_ = ops.index_fill, ops.rows.index_fill_
    masked_select = ops.masked_select
    masked_scatter, masked_scatter_ = ops.masked_scatter, ops.masking.masked_scatter_
    sort, argsort, msort, topk = ops.sort, ops.argsort, ops.msort, ops.topk
    unique, unique_consecutive = ops.unique, ops.unique_consecutive
    bincount = ops.bincount

    # Products

    def __matmul__(self, other: Any) -> Tensor:
        return ops.matmul(self, other) if _multiplies(other) else NotImplemented

    def __rmatmul__(self, other: Any) -> Tensor:
        return ops.matmul(other, self) if _multiplies(other) else NotImplemented

    matmul = ops.matmul
    mm = ops.mm.method
    bmm = ops.bmm.method
    mv = ops.mv.method
    dot = ops.dot.method
    vdot = ops.vdot.method
    addmm = ops.addmm.method
    addmv = ops.addmv.method
    addr = ops.addr.method
    addbmm = ops.addbmm.method
    baddbmm = ops.baddbmm.method
    addmm_ = in_place(ops.addmm)
    addmv_ = in_place(ops.addmv)
    addr_ = in_place(ops.addr)
    addbmm_ = in_place(ops.addbmm)
    baddbmm_ = in_place(ops.baddbmm)
    inner = ops.inner
    outer = ops.outer
    ger = ops.ger
    kron = ops.kron
    cross = ops.cross
    trace = ops.trace.method
    matrix_power = ops.matrix_power

    # Another size, another memory

    resize_, resize_as_ = ops.memory.resize_, ops.memory.resize_as_
    set_ = ops.memory.set_

    # Random values in place

    normal_ = random_in_place.normal_
    uniform_ = random_in_place.uniform_
    random_ = random_in_place.random_
    bernoulli_ = random_in_place.bernoulli_
    exponential_ = random_in_place.exponential_
    geometric_ = random_in_place.geometric_
    cauchy_ = random_in_place.cauchy_
    log_normal_ = random_in_place.log_normal_
    bernoulli = ops.bernoulli
    multinomial = ops.multinomial

    # New tensors of the same kind

    new = creation_like.new
    new_empty = creation_like.new_empty
    new_full = creation_like.new_full
    new_ones = creation_like.new_ones
    new_tensor = creation_like.new_tensor
    new_zeros = creation_like.new_zeros


def _check_subclass(cls: Any) -> None:
    if not isinstance(cls, type):
        msg = f"cls must be a type (got {type(cls).__name__})"
        raise ArgumentError(msg)
    if not issubclass(cls, Tensor):
        msg = (
            "Creating a Tensor subclass from a class that does not inherit from Tensor is not "
            "possible. Make sure your class inherits from Tensor."
        )
        raise ArgumentError(msg)


for _part in Tensor.__mro__:
    if issubclass(_part, _value.Value):
        seal(_part)
_value.tensor_class = _value.result_class = Tensor
