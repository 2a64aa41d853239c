"""The decorators of the compiled rules.

`_nrt=False` compiles without reference counting, hence without allocation inside a rule, and doubles the
speed; asserts still work. The option is private to Numba: should it disappear, this is the place to change.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

from numba import njit

_Function = TypeVar("_Function", bound=Callable[..., object])


def rule(function: _Function) -> _Function:
    """Compile one rule of the books; cached on disk (see `core.__init__` for where, and why)."""
    return cast("_Function", njit(cache=True, nogil=True, _nrt=False)(function))


def clause(function: _Function) -> _Function:
    """Compile a short part of a rule, always inlined: a call with many arrays costs more than the clause."""
    return cast("_Function", njit(cache=True, nogil=True, _nrt=False, forceinline=True)(function))
