"""Run every kernel of the CuPy backend on the samples of its op, forward and backward.

``python -m cupy_standin --with record=FOLDER tests/cupy/exercise.py [DTYPE …]`` so leaves the
source of each in FOLDER. What an op makes of its samples is tested elsewhere.
"""

from __future__ import annotations

import contextlib
import sys

import chainrule as cr
from chainrule.errors import ChainruleError
from chainrule.testing.maker import Maker
from chainrule.testing.samples import all_cases


def ops_of_the_backend() -> set[str]:
    """Return the names of the ops that the backend has kernels of its own for."""
    from chainrule_cupy.kernels import kernel_sets

    names = {op.partition("::")[2] for kernels in kernel_sets for op in kernels.kernels}
    return names | {name.removesuffix("_backward") for name in names}


def exercise(case, dtype: str) -> None:
    """Run *case* on its samples of *dtype*."""
    operation = case.operation()
    for sample in case.samples(Maker(dtype, "cuda", requires_grad=case.grad)):
        result = operation(*sample.args, **sample.kwargs)
        for out in result if isinstance(result, (tuple, list)) else (result,):
            if getattr(out, "requires_grad", False):
                out.sum().abs().backward()


def main(dtypes: list[str]) -> None:
    """Run all that concerns the backend's own kernels."""
    wanted = ops_of_the_backend()
    cr.set_default_device("cuda")
    for case in all_cases():
        if case.name.rpartition(".")[2] in wanted:
            for dtype in set(dtypes) & set(case.dtypes):
                with contextlib.suppress(ChainruleError, NotImplementedError):
                    exercise(case, dtype)


if __name__ == "__main__":
    main(sys.argv[1:] or ["float32", "float64", "float16", "int64"])
