"""How many bytes a value holds: its arrays and tensors, also those inside a generator that stands still."""

import functools
import gc
import sys
from collections.abc import Iterable
from types import BuiltinFunctionType, CodeType, FrameType, FunctionType, ModuleType
from typing import Any

import numpy as np

SHARED = type, ModuleType, CodeType, BuiltinFunctionType, FrameType, functools._lru_cache_wrapper  # nobody's own
MOST = 20_000  # objects that are looked at, some 10 ms


def weigh(value: Any, without: Iterable[Any] = ()) -> int:
    """Bytes of everything that can be reached from `value` and belongs to it, each object once.

    Left out: classes, modules and what functions see of them; `without` and what is reached through it; what only
    compiled code can reach, such as an autograd graph.
    """
    seen = {id(one) for one in without}
    todo, total = [value], 0
    while todo and len(seen) < MOST:
        one = todo.pop()
        if id(one) in seen or isinstance(one, SHARED):
            continue
        seen.add(id(one))
        if isinstance(one, np.ndarray):
            if isinstance(one.base, np.ndarray):
                todo.append(one.base)  # a view holds all of what it looks at
            else:
                total += one.nbytes
                if one.dtype.hasobject:
                    todo.extend(one.flat)
        elif isinstance(one, FunctionType):
            todo += [one.__closure__, one.__defaults__, one.__kwdefaults__]
        elif hasattr(one, "untyped_storage"):
            todo.append(one.grad if one.is_leaf else None)
            where = -1 - one.untyped_storage().data_ptr()  # below 0: no object has such an id
            total += 0 if where in seen else one.untyped_storage().nbytes()
            seen.add(where)
        else:
            total += sys.getsizeof(one)
            todo.extend(gc.get_referents(one))
    return total
