"""Export of models, which chainrule does not have."""

from ._absent import absent

__getattr__ = absent(
    "onnx",
    "Save the parameters with chainrule.save(model.state_dict(), file); PyTorch reads that file.",
)
