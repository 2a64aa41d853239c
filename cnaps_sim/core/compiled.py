"""The decorators of the compiled rules.

`_nrt=False` compiles without reference counting, hence without allocation inside a rule, and doubles the
speed; asserts still work. The option is private to Numba: should it disappear, this is the place to change.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

from numba import config, njit

from cnaps_sim.core.cache import rules_directory

_Function = TypeVar("_Function", bound=Callable[..., object])


def rule(function: _Function) -> _Function:
    """Compile one rule, cached on disk in a place that a change of any source changes (see `cache`)."""
    return _compile(function, forceinline=False)


def clause(function: _Function) -> _Function:
    """Compile a short part of a rule, always inlined: a call with many arrays costs more than the clause."""
    return _compile(function, forceinline=True)


def _compile(function: _Function, forceinline: bool) -> _Function:
    """Numba fixes the place of its cache when a function is decorated; the environment is read only once."""
    before = config.CACHE_DIR
    config.CACHE_DIR = rules_directory()
    try:
        return cast("_Function", njit(cache=True, nogil=True, _nrt=False, forceinline=forceinline)(function))
    finally:
        config.CACHE_DIR = before
