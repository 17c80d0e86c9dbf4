"""The conformance kit: what every backend and every op has to keep, in five suites.

``protocol``: a backend's arrays and devices; ``kernels``: values; ``grad``: derivatives and what
the graph keeps; ``opcheck``: ops against their statements; ``plugin``: loading and unloading.
"""
