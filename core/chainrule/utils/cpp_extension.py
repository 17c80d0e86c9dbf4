"""Extensions in C++, which chainrule does not have here."""

from .._absent import absent

__getattr__ = absent(
    "utils.cpp_extension", "Write a plugin with compiled kernels: see `chainrule plugins new`."
)
