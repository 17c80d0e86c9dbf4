"""The parts of `DataLoader`: joining samples, fetching them, and the worker processes."""

from . import collate, fetch, worker

__all__ = ["collate", "fetch", "worker"]
