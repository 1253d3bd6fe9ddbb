"""What keeps the server small and its cores free; in force once this is imported, before NumPy and torch are."""

import contextlib
import ctypes
import os
import sys
from types import ModuleType

# Readers take turns at computing, and nets this small are fastest on one core.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# torch.optim would load torch's compiler (80 MB, a second) at the first step, only to tell it not to compile. Nothing
# is compiled here: an empty module of that name will do. The code that readers take away does without it.
_compiler = ModuleType("torch._dynamo")
vars(_compiler).update(
    graph_break=lambda *_, **__: None,
    disable=lambda fn=None, *_, **__: fn if fn is not None else (lambda one: one),
)
sys.modules.setdefault("torch._dynamo", _compiler)

# A reader's page runs in a thread of its own; the C library gives threads heaps that keep what was freed in them.
M_ARENA_MAX = -8  # malloc.h
with contextlib.suppress(OSError, AttributeError):  # another system, another C library
    ctypes.CDLL("libc.so.6").mallopt(M_ARENA_MAX, 2)
