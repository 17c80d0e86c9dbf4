"""TensorBoard, which chainrule does not have here."""

from .._absent import absent

__getattr__ = absent("utils.tensorboard", "Use the package tensorboardX, which takes NumPy arrays.")
