"""Plugins: how backends, ops and kernels come in. pluggy runs when one is loaded, never per op."""
