"""Write down the signatures of PyTorch's functions, methods and classes that chainrule has too.

    python tools/record_signatures.py

Needs the parity environment (PyTorch 2.13.0). The table it writes, tests/ops/signatures.txt, is
what tests/ops/test_signatures.py holds chainrule to where there is no PyTorch. Run it again after
names were added.

Python functions say their signature themselves. Those that PyTorch writes in C++ stand in the
stubs of its wheel, and those of `linalg`, `special`, `fft` and parts of `nn.functional` in the
schemas of its operators.
"""

from __future__ import annotations

import ast
import functools
import importlib
import inspect
import operator
import re
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import torch

import chainrule

if TYPE_CHECKING:
    from collections.abc import Iterator

TABLE = Path(__file__).parents[1] / "tests" / "ops" / "signatures.txt"

#: Where names are looked for.
NAMESPACES: Final = (
    "", "Tensor", "autograd", "autograd.forward_ad", "autograd.functional", "autograd.graph",
    "distributions", "distributions.transforms", "fft", "func", "linalg", "nn", "nn.functional",
    "nn.init", "nn.utils", "nn.utils.parametrizations", "nn.utils.parametrize", "nn.utils.prune",
    "nn.utils.rnn", "optim", "optim.lr_scheduler", "optim.swa_utils", "random", "special",
    "testing", "utils.checkpoint", "utils.data",
)  # fmt: skip

#: Where a stub does not say what the function takes.
CORRECTED: Final = {
    "numel": "input",
    "tensor": "data, *, dtype=None, device=None, requires_grad=False, pin_memory=False",
    "Tensor.new_tensor": "data, *, dtype=None, device=None, requires_grad=False, pin_memory=False",
    "Tensor.requires_grad_": "requires_grad=True",
    **{
        f"Tensor.{name}": "memory_format=torch.preserve_format"
        for name in (
            "bfloat16", "bool", "byte", "char", "cpu", "double", "float", "half", "int", "long",
            "short",
        )
    },
}  # fmt: skip
#: Functions that choose between two by a flag, and say nothing of their arguments.
WITH_INDICES: Final = (
    *(f"adaptive_max_pool{n}d" for n in (1, 2, 3)),
    *(f"max_pool{n}d" for n in (1, 2, 3)),
    *(f"fractional_max_pool{n}d" for n in (2, 3)),
)
#: Classes that are made by other means, and numbers that stand in for a tracer's.
MADE_OTHERWISE: Final = re.compile(r"(\w*Storage|Sym[A-Z]\w*|sym_\w+)$")
#: Factors that stood before tensors in older overloads: tests/semantics/test_calls.py.
FACTORS: Final = frozenset({"alpha", "beta", "value"})


class Param(NamedTuple):
    """One parameter: its name with stars, whether it goes by name only, its default as text."""

    name: str
    keyword_only: bool = False
    default: str | None = None


def text_of(default: Any) -> str | None:
    """Return a default as Python writes it; what is no literal as the word that shows it."""
    if default is inspect.Parameter.empty:
        return None
    if isinstance(default, (list, tuple)):
        return repr(tuple(default))
    if isinstance(default, (bool, int, float, complex, str, type(None))):
        return repr(default)
    return str(default) if isinstance(default, torch.memory_format) else "..."


def line(path: str, params: list[Param]) -> str:
    """Return one signature as ``path(a, *, b=1)``."""
    parts, named = [], False
    for name, keyword_only, default in params:
        if keyword_only and not named and not name.startswith("*"):
            parts.append("*")
        named = named or keyword_only or name.startswith("*")
        parts.append(name if default is None else f"{name}={default}")
    return f"{path}({', '.join(parts)})"


# Where signatures stand


def of_python(function: Any) -> list[Param]:
    """Return the parameters of a function that is written in Python."""
    stars = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}
    return [
        Param(
            f"{stars.get(p.kind, '')}{p.name}",
            p.kind is inspect.Parameter.KEYWORD_ONLY,
            text_of(p.default),
        )
        for p in inspect.signature(function).parameters.values()
    ]


@functools.cache
def stubs(path: str, cls: str = "") -> dict[str, list[list[Param]]]:
    """Return the overloads of every function of a stub, or of a class in it."""
    body = ast.parse(Path(torch.__file__).parent.joinpath(path).read_text("utf-8")).body
    if cls:
        body = next(n for n in body if isinstance(n, ast.ClassDef) and n.name == cls).body
    found: dict[str, list[list[Param]]] = {}
    for node in body:
        if isinstance(node, ast.FunctionDef) and not _is_out_of_scope(node):
            found.setdefault(node.name, []).append(_of_stub(node.args))
    return found


def _is_out_of_scope(node: ast.FunctionDef) -> bool:
    """Return whether an overload takes names of dimensions, or is for CUDA alone."""
    text = ast.unparse(node.args)
    words = ("Dimname", "EllipsisType", "names:", "str | None]", "out_dtype")
    return any(word in text for word in words)


def _of_stub(args: ast.arguments) -> list[Param]:
    positional = [*args.posonlyargs, *args.args]
    defaults = [None] * (len(positional) - len(args.defaults)) + list(args.defaults)
    params = [Param(a.arg, False, _literal(d)) for a, d in zip(positional, defaults, strict=True)]
    if args.vararg:
        params.append(Param(f"*{args.vararg.arg}"))
    pairs = zip(args.kwonlyargs, args.kw_defaults, strict=True)
    return [*params, *(Param(a.arg, True, _literal(d)) for a, d in pairs)]


def _literal(node: ast.expr | None) -> str | None:
    if node is None:
        return None
    try:
        return text_of(ast.literal_eval(node))
    except ValueError:
        return ast.unparse(node)


def of_operator(name: str) -> list[list[Param]]:
    """Return the overloads of an operator, from their schemas."""
    packet = getattr(torch.ops.aten, name, None)
    schemas = [getattr(packet, o)._schema for o in packet.overloads()] if packet else []
    return [
        [
            Param(
                "input" if a.name == "self" else a.name,
                a.kwarg_only,
                text_of(a.default_value) if a.has_default_value() else None,
            )
            for a in schema.arguments
        ]
        for schema in schemas
        if "Dimname" not in str(schema) and not any(a.is_out for a in schema.arguments)
    ]


def overloads(path: str) -> list[list[Param]]:
    """Return the signatures of what PyTorch has at *path*; without *self*, where it is bound."""
    space, _, name = path.rpartition(".")
    found = operator.attrgetter(path)(torch)
    if space == "Tensor":
        own = torch.Tensor.__dict__.get(name)
        python = inspect.isfunction(own)
        table = [of_python(inspect.unwrap(own))] if python else _native(path, name)
        return [params[1:] for params in table]
    if inspect.isclass(found):
        return [of_python(found.__init__)[1:]] if hasattr(found.__init__, "__code__") else []
    if space == "nn.functional" and name in WITH_INDICES:
        found = getattr(torch.nn.functional, f"{name}_with_indices")
    if inspect.isfunction(found):
        return [of_python(inspect.unwrap(found))]
    return _native(path, name)


def _native(path: str, name: str) -> list[list[Param]]:
    space = path.rpartition(".")[0]
    if space == "Tensor":
        return current(stubs("_C/__init__.pyi", "TensorBase").get(name, []))
    if space in {"linalg", "special", "fft"}:
        prefix = f"{space}_"
        return of_operator(f"{prefix}{name.removeprefix(prefix)}") or of_operator(name)
    functions = stubs("_C/_VariableFunctions.pyi").get(name)
    if functions or space == "":
        return current(functions or [])
    return of_operator({"logsigmoid": "log_sigmoid"}.get(name, name))


def current(table: list[list[Param]]) -> list[list[Param]]:
    """Return the overloads in which no factor stands before a tensor that it scales."""
    factors = {p.name for params in table for p in params if p.keyword_only} & FACTORS
    return [
        params
        for params in table
        if not any(p.name in factors and not p.keyword_only for p in params)
    ]


# What is recorded


def paths() -> Iterator[str]:
    """Yield the public names that can be called in PyTorch and in chainrule."""
    for space in NAMESPACES:
        theirs, ours = _root(torch, space), _root(chainrule, space)
        for name in sorted(set(dir(theirs))):
            their = getattr(theirs, name, None)
            module = getattr(their, "__module__", None) or "torch"
            if name.startswith("_") or not callable(their) or not module.startswith("torch"):
                continue
            our = getattr(ours, name, None)
            absent = getattr(our, "is_absent", False) or MADE_OTHERWISE.match(name)
            if callable(our) and not absent:
                yield f"{space}.{name}".lstrip(".")


def _root(library: Any, space: str) -> Any:
    if space not in {"", "Tensor"}:
        importlib.import_module(f"{library.__name__}.{space}")
    return operator.attrgetter(space)(library) if space else library


def lines() -> list[str]:
    """Return the table, one overload a line."""
    found: dict[str, None] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of names that are deprecated
        for path in paths():
            if path in CORRECTED:
                found[f"{path}({CORRECTED[path]})"] = None
            else:
                found |= dict.fromkeys(line(path, params) for params in overloads(path))
    return [text for text in found if not text.endswith("(*args, **kwargs)")]  # says nothing


def main() -> None:
    table = lines()
    TABLE.write_text("\n".join(table) + "\n", encoding="utf-8")
    print(f"{TABLE}: {len(table)} signatures of {len({t.partition('(')[0] for t in table})} names")


if __name__ == "__main__":
    main()
