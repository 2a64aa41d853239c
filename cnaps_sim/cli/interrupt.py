"""Interrupts: Ctrl-C and a polite kill end a command at once, also while rules are being compiled.

An interrupt that arrives inside a callback of the compiler is swallowed there; Python reports it to
`sys.unraisablehook`, so it is remembered there and raised at the next safe place.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_swallowed = threading.Event()


@contextmanager
def interruptible() -> Iterator[None]:
    """Within the block SIGTERM interrupts as Ctrl-C does, and a swallowed interrupt is remembered."""
    usual = sys.unraisablehook

    def remember(unraisable: sys.UnraisableHookArgs) -> None:
        if unraisable.exc_type is not None and issubclass(unraisable.exc_type, KeyboardInterrupt):
            _swallowed.set()
        else:
            usual(unraisable)

    _swallowed.clear()
    sys.unraisablehook = remember
    in_main = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGTERM, _interrupt) if in_main else None
    try:
        yield
    finally:
        sys.unraisablehook = usual
        if in_main:
            signal.signal(signal.SIGTERM, before)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def raise_if_interrupted() -> None:
    """Raise the interrupt that a callback has swallowed, if there was one."""
    if _swallowed.is_set():
        _swallowed.clear()
        raise KeyboardInterrupt
