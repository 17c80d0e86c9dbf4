"""Nested containers as trees: take the leaves out, work on them, put them back.

What is a node is a matter of registration; everything else, None included, is a leaf. Names,
texts and the order of leaves are PyTorch's. Function transforms accept and return any such tree.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict, deque
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

__all__ = [
    "GetAttrKey", "KeyEntry", "KeyPath", "LeafSpec", "MappingKey", "PyTree", "SequenceKey",
    "TreeSpec", "arg_tree_leaves", "key_get", "keystr", "map_only", "register_pytree_node",
    "tree_all", "tree_all_only", "tree_any", "tree_any_only", "tree_flatten",
    "tree_flatten_with_path", "tree_is_leaf", "tree_iter", "tree_leaves", "tree_leaves_with_path",
    "tree_map", "tree_map_", "tree_map_only", "tree_map_only_", "tree_map_with_path",
    "tree_structure", "tree_unflatten",
]  # fmt: skip

PyTree = Any
IsLeaf = Any  # a function of a node that says to go no deeper, or None


class SequenceKey(NamedTuple):
    """A step of a path: an index."""

    idx: int

    def __str__(self) -> str:
        return f"[{self.idx!r}]"

    def get(self, sequence: Any) -> Any:
        """Return what stands there."""
        return sequence[self.idx]


class MappingKey(NamedTuple):
    """A step of a path: a key."""

    key: Any

    def __str__(self) -> str:
        return f"[{self.key!r}]"

    def get(self, mapping: Any) -> Any:
        """Return what stands there."""
        return mapping[self.key]


class GetAttrKey(NamedTuple):
    """A step of a path: an attribute."""

    name: str

    def __str__(self) -> str:
        return f".{self.name}"

    def get(self, obj: Any) -> Any:
        """Return what stands there."""
        return getattr(obj, self.name)


KeyEntry = SequenceKey | MappingKey | GetAttrKey
KeyPath = tuple[Any, ...]


class NodeDef(NamedTuple):
    """How one type of container is taken apart and put together."""

    type: type[Any]
    flatten_fn: Callable[[Any], tuple[list[Any], Any]]
    unflatten_fn: Callable[[Iterable[Any], Any], Any]
    flatten_with_keys_fn: Callable[[Any], tuple[list[tuple[Any, Any]], Any]] | None = None


#: The registered containers.
SUPPORTED_NODES: Final[dict[type[Any], NodeDef]] = {}


def register_pytree_node(
    cls: type[Any],
    flatten_fn: Callable[[Any], tuple[list[Any], Any]],
    unflatten_fn: Callable[[Iterable[Any], Any], Any],
    *,
    serialized_type_name: str | None = None,
    to_dumpable_context: Callable[[Any], Any] | None = None,
    from_dumpable_context: Callable[[Any], Any] | None = None,
    flatten_with_keys_fn: Callable[[Any], tuple[list[tuple[Any, Any]], Any]] | None = None,
) -> None:
    """Make *cls* a node of trees.

    Args:
        cls: The exact type; subclasses are leaves.
        flatten_fn: Gives its children as a list, and what else it takes to make it again.
        unflatten_fn: Makes it again from the children and that.
        serialized_type_name: Taken and ignored, as are the two functions for dumping.
        to_dumpable_context: See *serialized_type_name*.
        from_dumpable_context: See *serialized_type_name*.
        flatten_with_keys_fn: As *flatten_fn*, each child with the step of the path to it.

    Raises:
        ValueError: *cls* is registered.

    >>> class Pair:
    ...     def __init__(self, a, b):
    ...         self.a, self.b = a, b
    >>> register_pytree_node(Pair, lambda p: ([p.a, p.b], None), lambda c, _: Pair(*c))
    >>> tree_leaves([Pair(1, 2), 3])
    [1, 2, 3]
    """
    if cls in SUPPORTED_NODES:
        msg = f"{cls} is already registered as pytree node."
        raise ValueError(msg)
    SUPPORTED_NODES[cls] = NodeDef(cls, flatten_fn, unflatten_fn, flatten_with_keys_fn)


class TreeSpec:
    """The structure of a tree without its leaves.

    Attributes:
        type: Of the node; None for a leaf.
        context: What it takes to make the node again, beside the children.
        children_specs: One per child.
    """

    __slots__ = ("children_specs", "context", "num_children", "num_leaves", "num_nodes", "type")

    num_leaves: int
    num_nodes: int

    def __init__(self, type: Any, context: Any, children_specs: list[TreeSpec]) -> None:
        self.type, self.context, self.children_specs = type, context, children_specs
        self.num_children = len(children_specs)
        self.num_leaves = sum(child.num_leaves for child in children_specs)
        self.num_nodes = 1 + sum(child.num_nodes for child in children_specs)

    def is_leaf(self) -> bool:
        """Return whether it stands for a leaf."""
        return self.type is None

    def children(self) -> list[TreeSpec]:
        """Return the specs of the children."""
        return list(self.children_specs)

    def flatten_up_to(self, tree: PyTree) -> list[Any]:
        """Return the subtrees of *tree* that stand where this structure has its leaves.

        Raises:
            ValueError: *tree* is built otherwise.
        """
        found: list[Any] = []
        self._collect(tree, found)
        return found

    def _collect(self, tree: PyTree, found: list[Any]) -> None:
        if self.is_leaf():
            found.append(tree)
            return
        kind = _type_of(tree)
        if kind is not self.type:
            msg = f"Type mismatch; expected {self.type!r}, but got {type(tree)!r}."
            raise ValueError(msg)
        children, context = SUPPORTED_NODES[kind].flatten_fn(tree)
        if len(children) != self.num_children:
            msg = f"Node arity mismatch; expected {self.num_children}, but got {len(children)}."
            raise ValueError(msg)
        if kind in _DICTS and set(_keys(kind, context)) == set(_keys(kind, self.context)):
            children = [tree[key] for key in _keys(kind, self.context)]
        elif context != self.context:
            msg = f"Node context mismatch for custom node type {kind!r}."
            raise ValueError(msg)
        for child, spec in zip(children, self.children_specs, strict=True):
            spec._collect(child, found)

    def unflatten(self, leaves: Iterable[Any]) -> PyTree:
        """Return the tree of this structure with *leaves*.

        Raises:
            ValueError: there are not as many as the structure has.
        """
        items = list(leaves)
        if len(items) != self.num_leaves:
            msg = (
                f"treespec.unflatten(leaves): `leaves` has length {len(items)} but the spec refers "
                f"to a pytree that holds {self.num_leaves} items ({self})."
            )
            raise ValueError(msg)
        return self._build(iter(items))

    def _build(self, leaves: Iterator[Any]) -> PyTree:
        if self.is_leaf():
            return next(leaves)
        children = [child._build(leaves) for child in self.children_specs]
        return SUPPORTED_NODES[self.type].unflatten_fn(children, self.context)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, TreeSpec)
            and self.type is other.type
            and self.context == other.context
            and self.children_specs == other.children_specs
        )

    def __hash__(self) -> int:
        return hash((self.type, self.num_children, self.num_leaves))

    def __repr__(self) -> str:
        return self._text(0)

    def _text(self, indent: int) -> str:
        if self.is_leaf():
            return "*"
        start = f"TreeSpec({self.type.__name__}, {self.context}, ["
        inside, parts = indent + 2, ""
        if self.num_children:
            parts = (",\n" + " " * inside).join(s._text(inside) for s in self.children_specs)
        return f"{start}{parts}])"


class LeafSpec(TreeSpec):
    """The structure of a leaf."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(None, None, [])
        self.num_leaves = 1


_LEAF_SPEC: Final = LeafSpec()


def _type_of(tree: PyTree) -> Any:
    """Return the type of node that *tree* is, None for a leaf."""
    kind = type(tree)
    if kind in SUPPORTED_NODES:
        return kind
    return _NAMED_TUPLE if _is_namedtuple(tree) else None


def _is_namedtuple(tree: PyTree) -> bool:
    fields = getattr(type(tree), "_fields", None)
    return isinstance(tree, tuple) and isinstance(fields, tuple)


class namedtuple:  # noqa: N801 - the name that structures print
    """Stands for every NamedTuple class among the nodes."""


_NAMED_TUPLE: Final = namedtuple


def tree_is_leaf(tree: PyTree, is_leaf: IsLeaf = None) -> bool:
    """Return whether *tree* is a leaf."""
    return (is_leaf is not None and is_leaf(tree)) or _type_of(tree) is None


def tree_flatten(tree: PyTree, is_leaf: IsLeaf = None) -> tuple[list[Any], TreeSpec]:
    """Return the leaves of *tree* from left to right, and its structure.

    >>> tree_flatten({"a": (1, [2]), "b": 3})[0]
    [1, 2, 3]
    """
    leaves: list[Any] = []
    return leaves, _flatten(tree, is_leaf, leaves)


def _flatten(tree: PyTree, is_leaf: IsLeaf, leaves: list[Any]) -> TreeSpec:
    if tree_is_leaf(tree, is_leaf):
        leaves.append(tree)
        return _LEAF_SPEC
    kind = _type_of(tree)
    children, context = SUPPORTED_NODES[kind].flatten_fn(tree)
    return TreeSpec(kind, context, [_flatten(child, is_leaf, leaves) for child in children])


def tree_unflatten(leaves: Iterable[Any], treespec: TreeSpec) -> PyTree:
    """Return the tree of structure *treespec* with *leaves*: the inverse of `tree_flatten`."""
    return treespec.unflatten(leaves)


def tree_iter(tree: PyTree, is_leaf: IsLeaf = None) -> Iterator[Any]:
    """Yield the leaves of *tree*."""
    if tree_is_leaf(tree, is_leaf):
        yield tree
        return
    for child in SUPPORTED_NODES[_type_of(tree)].flatten_fn(tree)[0]:
        yield from tree_iter(child, is_leaf)


def tree_leaves(tree: PyTree, is_leaf: IsLeaf = None) -> list[Any]:
    """Return the leaves of *tree*."""
    return list(tree_iter(tree, is_leaf))


def arg_tree_leaves(*args: PyTree, **kwargs: PyTree) -> list[Any]:
    """Return the leaves of all arguments."""
    return tree_leaves((args, kwargs))


def tree_structure(tree: PyTree, is_leaf: IsLeaf = None) -> TreeSpec:
    """Return the structure of *tree*."""
    return tree_flatten(tree, is_leaf)[1]


def tree_map(
    func: Callable[..., Any], tree: PyTree, *rests: PyTree, is_leaf: IsLeaf = None
) -> PyTree:
    """Return *tree* with every leaf replaced by what *func* makes of it, and of those of *rests*.

    >>> tree_map(lambda a, b: a + b, {"x": 1}, {"x": 2})
    {'x': 3}
    """
    leaves, spec = tree_flatten(tree, is_leaf)
    columns = [leaves, *(spec.flatten_up_to(rest) for rest in rests)]
    return spec.unflatten(map(func, *columns))


def tree_map_(
    func: Callable[..., Any], tree: PyTree, *rests: PyTree, is_leaf: IsLeaf = None
) -> PyTree:
    """Return *tree* itself after calling *func* on every leaf."""
    leaves, spec = tree_flatten(tree, is_leaf)
    columns = [leaves, *(spec.flatten_up_to(rest) for rest in rests)]
    deque(map(func, *columns), maxlen=0)
    return tree


def map_only(kinds: Any, /) -> Callable[[Callable[[Any], Any]], Callable[[Any], Any]]:
    """Return a decorator: the function is called for *kinds*, a type or a test; others pass."""
    plain = isinstance(kinds, (type, tuple)) or not callable(kinds)

    def fits(item: Any) -> bool:
        return isinstance(item, kinds) if plain else bool(kinds(item))

    return lambda func: lambda item: func(item) if fits(item) else item


def tree_map_only(
    type_or_types_or_pred: Any,
    /,
    func: Callable[[Any], Any],
    tree: PyTree,
    is_leaf: IsLeaf = None,
) -> PyTree:
    """Return *tree* with *func* of the leaves of certain types.

    >>> tree_map_only(int, lambda n: n + 1, [1, "a"])
    [2, 'a']
    """
    return tree_map(map_only(type_or_types_or_pred)(func), tree, is_leaf=is_leaf)


def tree_map_only_(
    type_or_types_or_pred: Any,
    /,
    func: Callable[[Any], Any],
    tree: PyTree,
    is_leaf: IsLeaf = None,
) -> PyTree:
    """Return *tree* itself after calling *func* on the leaves of certain types."""
    return tree_map_(map_only(type_or_types_or_pred)(func), tree, is_leaf=is_leaf)


def tree_all(pred: Callable[[Any], bool], tree: PyTree, is_leaf: IsLeaf = None) -> bool:
    """Return whether *pred* holds for every leaf."""
    return all(map(pred, tree_iter(tree, is_leaf)))


def tree_any(pred: Callable[[Any], bool], tree: PyTree, is_leaf: IsLeaf = None) -> bool:
    """Return whether *pred* holds for some leaf."""
    return any(map(pred, tree_iter(tree, is_leaf)))


def tree_all_only(
    type_or_types: Any, /, pred: Callable[[Any], bool], tree: PyTree, is_leaf: IsLeaf = None
) -> bool:
    """Return whether *pred* holds for every leaf of certain types."""
    return all(pred(x) for x in tree_iter(tree, is_leaf) if isinstance(x, type_or_types))


def tree_any_only(
    type_or_types: Any, /, pred: Callable[[Any], bool], tree: PyTree, is_leaf: IsLeaf = None
) -> bool:
    """Return whether *pred* holds for some leaf of certain types."""
    return any(pred(x) for x in tree_iter(tree, is_leaf) if isinstance(x, type_or_types))


def _broadcast_to_and_flatten(
    tree: PyTree, treespec: TreeSpec, is_leaf: IsLeaf = None
) -> list[Any] | None:
    """Return *tree*, whose leaves may stand for subtrees, as leaves of *treespec*; None: no fit."""
    if tree_is_leaf(tree, is_leaf):
        return [tree] * treespec.num_leaves
    if treespec.is_leaf() or _type_of(tree) is not treespec.type:
        return None
    children, context = SUPPORTED_NODES[treespec.type].flatten_fn(tree)
    if len(children) != treespec.num_children or context != treespec.context:
        return None
    found: list[Any] = []
    for child, spec in zip(children, treespec.children_specs, strict=True):
        inside = _broadcast_to_and_flatten(child, spec, is_leaf)
        if inside is None:
            return None
        found.extend(inside)
    return found


# Paths


def tree_flatten_with_path(
    tree: PyTree, is_leaf: IsLeaf = None
) -> tuple[list[tuple[KeyPath, Any]], TreeSpec]:
    """Return the leaves of *tree*, each with the path to it, and the structure.

    >>> [(keystr(path), leaf) for path, leaf in tree_flatten_with_path({"a": [1, 2]})[0]]
    [("['a'][0]", 1), ("['a'][1]", 2)]
    """
    return list(_with_paths((), tree, is_leaf)), tree_structure(tree, is_leaf)


def _with_paths(path: KeyPath, tree: PyTree, is_leaf: IsLeaf) -> Iterator[tuple[KeyPath, Any]]:
    if tree_is_leaf(tree, is_leaf):
        yield path, tree
        return
    node = SUPPORTED_NODES[_type_of(tree)]
    if node.flatten_with_keys_fn is None:
        children: list[tuple[Any, Any]] = [
            (SequenceKey(i), child) for i, child in enumerate(node.flatten_fn(tree)[0])
        ]
    else:
        children = node.flatten_with_keys_fn(tree)[0]
    for step, child in children:
        yield from _with_paths((*path, step), child, is_leaf)


def tree_leaves_with_path(tree: PyTree, is_leaf: IsLeaf = None) -> list[tuple[KeyPath, Any]]:
    """Return the leaves of *tree*, each with the path to it."""
    return list(_with_paths((), tree, is_leaf))


def tree_map_with_path(
    func: Callable[..., Any], tree: PyTree, *rests: PyTree, is_leaf: IsLeaf = None
) -> PyTree:
    """Return *tree* with *func* of every leaf's path and the leaf in place of the leaf."""
    pairs, spec = tree_flatten_with_path(tree, is_leaf)
    columns = [*zip(*pairs, strict=True), *(spec.flatten_up_to(rest) for rest in rests)]
    return spec.unflatten(map(func, *columns) if pairs else ())


def keystr(kp: KeyPath) -> str:
    """Return a path as it is written in Python."""
    return "".join(map(str, kp))


def key_get(obj: Any, kp: KeyPath) -> Any:
    """Return what stands in *obj* at the end of a path."""
    for step in kp:
        obj = step.get(obj)
    return obj


# The containers of Python


def _keys(kind: Any, context: Any) -> Any:
    return context[1] if kind is defaultdict else context


def _with_indices(flatten: Any) -> Any:
    def keyed(tree: Any) -> tuple[list[tuple[Any, Any]], Any]:
        children, context = flatten(tree)
        return [(SequenceKey(i), child) for i, child in enumerate(children)], context

    return keyed


def _with_keys(flatten: Any, kind: Any) -> Any:
    def keyed(tree: Any) -> tuple[list[tuple[Any, Any]], Any]:
        children, context = flatten(tree)
        keys = _keys(kind, context)
        return [(MappingKey(k), child) for k, child in zip(keys, children, strict=True)], context

    return keyed


def _flatten_dict(tree: Any) -> tuple[list[Any], Any]:
    return list(tree.values()), list(tree)


def _flatten_defaultdict(tree: Any) -> tuple[list[Any], Any]:
    return list(tree.values()), [tree.default_factory, list(tree)]


_DICTS: Final = (dict, OrderedDict, defaultdict)
_SEQUENCES: Final = (
    (tuple, lambda tree: (list(tree), None), lambda children, _: tuple(children)),
    (list, lambda tree: (list(tree), None), lambda children, _: list(children)),
    (deque, lambda tree: (list(tree), tree.maxlen), lambda c, size: deque(c, maxlen=size)),
)
for _kind, _take_apart, _put_together in _SEQUENCES:
    register_pytree_node(
        _kind, _take_apart, _put_together, flatten_with_keys_fn=_with_indices(_take_apart)
    )
register_pytree_node(
    dict,
    _flatten_dict,
    lambda children, keys: dict(zip(keys, children, strict=True)),
    flatten_with_keys_fn=_with_keys(_flatten_dict, dict),
)
register_pytree_node(
    OrderedDict,
    _flatten_dict,
    lambda children, keys: OrderedDict(zip(keys, children, strict=True)),
    flatten_with_keys_fn=_with_keys(_flatten_dict, OrderedDict),
)
register_pytree_node(
    defaultdict,
    _flatten_defaultdict,
    lambda children, rest: defaultdict(rest[0], zip(rest[1], children, strict=True)),
    flatten_with_keys_fn=_with_keys(_flatten_defaultdict, defaultdict),
)
register_pytree_node(
    _NAMED_TUPLE,
    lambda tree: (list(tree), type(tree)),
    lambda children, kind: kind._make(children),
    flatten_with_keys_fn=lambda tree: (
        [(GetAttrKey(n), v) for n, v in zip(tree._fields, tree, strict=True)],
        type(tree),
    ),
)
