"""What `run --monitor` shows on stderr (运行监控): a picture that is drawn over itself, or a line per half hour.

A terminal gets the picture, at most ten times a second of real time; anything else gets one line per half hour of
simulated time. Nothing shown is part of a result.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from cnaps_sim.cli.interrupt import raise_if_interrupted
from cnaps_sim.cli.widths import cut, width
from cnaps_sim.words.units import MS_PER_MINUTE, format_clock

if TYPE_CHECKING:
    from cnaps_sim.run.monitor import Glance, Line, Monitor
    from cnaps_sim.run.runner import Watch
    from cnaps_sim.run.world import World

#: Simulated time between two lines where there is no terminal.
LINE_STEP_MS: Final = 30 * MS_PER_MINUTE
#: Real time between two pictures.
PICTURE_STEP_S: Final = 0.1
#: Columns of a terminal that does not say how many it has.
_USUAL_COLUMNS: Final = 100
_UP: Final = "\x1b[{}A"
_CLEAR_LINE: Final = "\x1b[2K"
_CLEAR_BELOW: Final = "\x1b[J"
_BOLD, _PLAIN = "\x1b[1m", "\x1b[0m"


def watching(on_terminal: bool) -> Watch:
    """What looks on while a world is played: see `runner.simulate`."""

    def watch(world: World) -> Callable[[], None]:
        from cnaps_sim.run.monitor import Monitor

        screen = Picture() if on_terminal else Lines()
        monitor = Monitor(world, screen.show)
        return lambda: screen.end(monitor)

    return watch


class Lines:
    """One line per half hour of simulated time, at the first stop of the run at or after it."""

    def __init__(self) -> None:
        self._next_ms = -(2**62)
        self._last = ""

    def show(self, monitor: Monitor, time_ms: int) -> None:
        """The run has come to a stop."""
        raise_if_interrupted()
        if time_ms < self._next_ms:
            return
        self._next_ms = (time_ms // LINE_STEP_MS + 1) * LINE_STEP_MS
        self._print(line_of(monitor.glance()))

    def end(self, monitor: Monitor) -> None:
        """The run is over: how it stands then, unless the last line has told it."""
        line = line_of(monitor.glance())
        if line != self._last:
            self._print(line)

    def _print(self, line: str) -> None:
        self._last = line
        print(line, file=sys.stderr, flush=True)


class Picture:
    """A picture on the terminal that replaces the one before."""

    def __init__(self) -> None:
        self._drawn_s = -PICTURE_STEP_S
        self._height = 0

    def show(self, monitor: Monitor, _time_ms: int) -> None:
        """The run has come to a stop."""
        now_s = time.monotonic()
        if now_s - self._drawn_s < PICTURE_STEP_S:
            return
        raise_if_interrupted()
        self._drawn_s = now_s
        self._draw(list(picture_of(monitor.glance())))

    def end(self, monitor: Monitor) -> None:
        """The run is over: how it stands then stays on the terminal."""
        self._draw(list(picture_of(monitor.glance())))

    def _draw(self, lines: Sequence[str]) -> None:
        """Draw over the picture before, cut to the terminal so that no line is wrapped and none scrolls away."""
        columns, rows = _size()
        shown = [cut(line, columns - 1) for line in lines[: rows - 1]]
        shown[0] = f"{_BOLD}{shown[0]}{_PLAIN}"
        up = _UP.format(self._height) if self._height else ""
        self._height = len(shown)
        sys.stderr.write(up + "".join(f"\r{_CLEAR_LINE}{line}\n" for line in shown) + _CLEAR_BELOW)
        sys.stderr.flush()


def _size() -> tuple[int, int]:
    """Columns and rows of the terminal."""
    try:
        size = os.get_terminal_size(sys.stderr.fileno())
    except (OSError, ValueError):
        return _USUAL_COLUMNS, 40
    return size.columns or _USUAL_COLUMNS, size.lines or 40


def line_of(seen: Glance) -> str:
    """A glance in one line."""
    parts = [f"{_when(seen)} {_phase(seen)}", _come(seen), f"queued {_queue(seen.queued_count, seen.queued_fen)}"]
    if seen.longest:
        parts.append(f"longest {seen.longest[0].account} {_queue(seen.longest[0].first, seen.longest[0].second)}")
    if seen.cap_queued_count:
        parts.append(f"cap queues {_queue(seen.cap_queued_count, seen.cap_queued_fen)}")
    if seen.tightest:
        parts.append(f"tightest cap {seen.tightest[0].account} {_headroom(seen.tightest[0])}")
    parts.append(f"warnings {seen.raised:,} raised, {seen.cleared:,} cleared")
    return "; ".join(parts)


def picture_of(seen: Glance) -> Iterator[str]:
    """A glance as the lines of a picture."""
    yield f"{_when(seen)}  {_phase(seen)} {seen.phase.chinese}  {_come(seen)}"
    yield f"settlement queues (清算排队)  {_queue(seen.queued_count, seen.queued_fen)}"
    yield from _table(seen.longest, lambda line: _queue(line.first, line.second))
    if seen.tightest:
        yield f"cap queues (轧差排队)  {_queue(seen.cap_queued_count, seen.cap_queued_fen)}"
        yield "caps with the least headroom (净借记限额)"
        yield from _table(seen.tightest, _headroom)
    yield f"warnings (预警)  {seen.raised:,} raised, {seen.cleared:,} cleared"
    if seen.events:
        yield "last events"
        for event in seen.events:
            yield f"  {format_clock(event.time_ms)}  {event.kind}  {event.subject}  {event.detail}"


def _table(lines: Sequence[Line], told: Callable[[Any], str]) -> Iterator[str]:
    """Accounts below each other, their names in one column."""
    heads = [f"{line.account} {line.name}".rstrip() for line in lines]
    widest = max((width(head) for head in heads), default=0)
    for head, line in zip(heads, lines, strict=True):
        yield f"  {head}{' ' * (widest - width(head))}  {told(line)}"


def _when(seen: Glance) -> str:
    return f"{seen.date.isoformat()} {format_clock(seen.clock_ms)[:8]}"


def _phase(seen: Glance) -> str:
    words = seen.phase.name.lower().replace("cut_off", "cut-off").replace("_", " ")
    return f"{words}, special session" if seen.special else words


def _come(seen: Glance) -> str:
    return f"HVPS {seen.payments:,} of {seen.payments_in_all:,} payments"


def _queue(count: int, fen: int) -> str:
    return f"{count:,}, CNY {_yuan(fen)}" if count else "0"


def _headroom(line: Line) -> str:
    return f"headroom CNY {_yuan(line.first)} of {_yuan(line.second)} ({line.first * 100 // line.second} %)"


def _yuan(fen: int) -> str:
    """Whole yuan, cut off towards 0."""
    yuan = abs(fen) // 100
    return f"-{yuan:,}" if fen < 0 and yuan else f"{yuan:,}"
