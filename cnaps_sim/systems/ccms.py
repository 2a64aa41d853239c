"""CCMS (公共控制系统): who is logged in, and what every participant is told about the state of the systems."""

from __future__ import annotations

from collections.abc import Sequence

from cnaps_sim.core import Books
from cnaps_sim.engine.recorder import Recorder
from cnaps_sim.words.codes import Phase, System
from cnaps_sim.words.units import format_clock, format_fen


class Ccms:
    """Log-in and log-out, and broadcasts of the business day.

    Every participant is logged in unless an action logs it out (no public source for the default); payments
    to a logged-out one still settle.
    """

    def __init__(self, books: Books, recorder: Recorder, names: Sequence[str]) -> None:
        self.books = books
        self.recorder = recorder
        self.names = names

    def log_in(self, time_ms: int, account: int) -> None:
        """The participant may send."""
        self.books.set_logged_in(account, True)
        self.recorder.tell(time_ms, "log_in", self.names[account], "logged in")

    def log_out(self, time_ms: int, account: int) -> None:
        """The participant may no longer send; what it has queued stays queued."""
        self.books.set_logged_in(account, False)
        self.recorder.tell(time_ms, "log_out", self.names[account], "logged out")

    def broadcast(self, time_ms: int, system: System, phase: Phase, special_session: bool, date: str) -> None:
        """Tell everybody which phase a system has entered (系统状态变更通知)."""
        session = ", special session: CIPS funding and interbank lending only" if special_session else ""
        name = phase.name.lower().replace("cut_off", "cut-off").replace("_", " ")
        words = f"{phase.value:02d} {name} ({phase.chinese}) of {date}{session}"
        self.recorder.tell(time_ms, "phase", system.value, words)

    def warn(self, time_ms: int, account: int, raised: bool) -> None:
        """Balance warning (余额预警) raised or cleared."""
        line = int(self.books.accounts["warning_line"][account])
        text = "below" if raised else "no longer below"
        self.recorder.tell(
            time_ms,
            "warning",
            self.names[account],
            f"balance {text} its warning line at {format_clock(time_ms)} ({format_fen(line)} CNY)",
        )
