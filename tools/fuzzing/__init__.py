"""Random programs, run on chainrule and on PyTorch side by side.

`vocabulary` says what a program may consist of: every op that has samples, views, writes, grad
modes. `programs` draws and runs one, `comparison` says where two runs differ, `campaign` runs many
and gathers the differences. The command is tools/fuzz.py; a fixed slice runs in the parity tests.
"""
