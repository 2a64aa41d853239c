"""Interrupts: Ctrl-C, a polite kill and a closed terminal end a command at once, also while rules are being compiled.

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

#: Signals that ask a program to end; Windows has no SIGHUP.
_ENDING = [signal.Signals[name] for name in ("SIGTERM", "SIGHUP") if name in signal.Signals.__members__]
_swallowed = threading.Event()


@contextmanager
def interruptible() -> Iterator[None]:
    """Within the block SIGTERM and SIGHUP interrupt as Ctrl-C does, and a swallowed interrupt is remembered.

    A signal that is ignored, as SIGHUP is under nohup, stays ignored.
    """
    usual = sys.unraisablehook

    def remember(unraisable: sys.UnraisableHookArgs) -> None:
        if unraisable.exc_type is not None and issubclass(unraisable.exc_type, KeyboardInterrupt):
            _swallowed.set()
        else:
            usual(unraisable)

    _swallowed.clear()
    sys.unraisablehook = remember
    before = {}
    if threading.current_thread() is threading.main_thread():
        handlers = {number: signal.getsignal(number) for number in _ENDING}
        before = {number: handler for number, handler in handlers.items() if handler not in (None, signal.SIG_IGN)}
    for number in before:
        signal.signal(number, _interrupt)
    try:
        yield
    finally:
        sys.unraisablehook = usual
        for number, handler in before.items():
            signal.signal(number, handler)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def raise_if_interrupted() -> None:
    """Raise the interrupt that a callback has swallowed, if there was one."""
    if _swallowed.is_set():
        _swallowed.clear()
        raise KeyboardInterrupt
