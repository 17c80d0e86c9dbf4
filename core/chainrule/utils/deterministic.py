"""Switches of deterministic programs. Every operation is deterministic, so they change nothing."""

fill_uninitialized_memory = True
