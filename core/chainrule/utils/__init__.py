"""What goes with tensors: data loading, checkpointing, trees of containers."""
