"""Rounds: is every net of a netting round (轧差场次) handed to SAPS and posted exactly once?"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from cnaps_sim.audit.net_entries import Flags, Ints
from cnaps_sim.audit.verdict import Findings
from cnaps_sim.words.units import format_clock, format_fen

SUM_TO_ZERO: Final = "nets-sum-to-zero"
AGREE: Final = "nets-agree"
POSTED_ONCE: Final = "nets-posted-once"

#: Kinds of the round that ends a date.
LAST_KINDS: Final = ("last", "only")


@dataclass
class _Round:
    time_ms: int
    nets: Ints  # fen by participant row
    due: Flags  # participants whose net has not been posted
    sent_ms: int | None = None


class Rounds:
    """Every round of a run; times in ms, nets in fen, positive: to receive."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names
        self._rounds: dict[int, _Round] = {}
        self._latest: tuple[int, str] | None = None
        self._ends: set[int] = set()
        self._latest_sent = 0

    def close(self, number: int, time_ms: int, kind: str, nets: Ints, own: Ints, findings: Findings) -> None:
        """A round: `nets` as told, `own` as the auditor's positions make them.

        `nets-sum-to-zero`; `nets-agree`: nets are what was netted since the round before, rounds are numbered from 1
        and do not go back in time.
        """
        findings.made(SUM_TO_ZERO, AGREE, POSTED_ONCE)
        clock = format_clock(time_ms)
        total = sum(nets.tolist())
        if total:
            findings.breach(SUM_TO_ZERO, f"the nets of round {number} at {clock} make {format_fen(total)} CNY")
        findings.where(
            AGREE,
            nets != own,
            lambda row: (
                f"round {number} at {clock} tells a net of {format_fen(int(nets[row]))} CNY for {self._names[row]}, "
                f"what was netted makes {format_fen(int(own[row]))}"
            ),
        )
        if number != len(self._rounds) + 1:
            findings.breach(AGREE, f"the round at {clock} is number {number}, after {len(self._rounds)} others")
        if self._latest is not None and time_ms < self._latest[0]:
            findings.breach(AGREE, f"round {number} at {clock} is earlier than the round before it")
        self._latest = (time_ms, kind)
        self._rounds[number] = _Round(time_ms, nets, nets != 0)

    def send(self, number: int, time_ms: int, findings: Findings) -> None:
        """`nets-posted-once`: a round is handed over once, oldest first, not before it takes place."""
        one, what = self._rounds.get(number), f"round {number} was sent at {format_clock(time_ms)}"
        if one is None:
            findings.breach(POSTED_ONCE, f"{what}, which has not taken place")
            return
        if one.sent_ms is not None:
            findings.breach(POSTED_ONCE, f"{what} for a second time")
        elif time_ms < one.time_ms:
            findings.breach(POSTED_ONCE, f"{what}, before it took place")
        if number < self._latest_sent:
            findings.breach(POSTED_ONCE, f"{what}, after round {self._latest_sent}, which is later")
        self._latest_sent = max(self._latest_sent, number)
        one.sent_ms = time_ms

    def post(self, number: int, participant: int, net_fen: int, time_ms: int, findings: Findings) -> None:
        """`nets-posted-once`: what SAPS posts is a net of a round that was sent, in its amount, for the first time."""
        findings.made(POSTED_ONCE)
        one = self._rounds.get(number)
        name = self._names[participant]
        what = f"a net of {format_fen(net_fen)} CNY of round {number} for {name} at {format_clock(time_ms)}"
        if one is None or one.sent_ms is None or time_ms < one.sent_ms:
            findings.breach(POSTED_ONCE, f"{what} was posted, but the round had not been sent")
        if one is None:
            return
        if net_fen != one.nets[participant] or not net_fen:
            told = format_fen(int(one.nets[participant]))
            findings.breach(POSTED_ONCE, f"{what} was posted, its net is {told}")
        elif not one.due[participant]:
            findings.breach(POSTED_ONCE, f"{what} was posted a second time")
        one.due[participant] = False

    def end_date(self, date: object, positions: Ints, findings: Findings) -> int:
        """`nets-agree`: a date ends with its last round, after which nothing is netted. Returns when that was, ms."""
        time_ms, kind = self._latest if self._latest is not None else (0, "")
        if kind not in LAST_KINDS:
            findings.breach(AGREE, f"retail date {date} ended without its last round")
        elif time_ms in self._ends:
            findings.breach(AGREE, f"retail date {date} ended without a round of its own")
        self._ends.add(time_ms)
        findings.where(
            AGREE,
            positions != 0,
            lambda row: (
                f"{self._names[row]} has a position of {format_fen(int(positions[row]))} CNY at the end of {date}, "
                "after the last round"
            ),
        )
        return time_ms

    def finish(self, stopped: bool, held: Collection[int], findings: Findings) -> None:
        """`nets-posted-once`: no net is missing, unless the run stopped or its round is held beyond the end."""
        findings.made(SUM_TO_ZERO, AGREE, POSTED_ONCE)
        for number, one in self._rounds.items():
            missing = np.flatnonzero(one.due)
            if not stopped and (one.sent_ms is not None or number not in held):
                state = "was never sent" if one.sent_ms is None else "was sent but not posted"
                findings.breaches(
                    POSTED_ONCE,
                    len(missing),
                    lambda k, n=number, m=missing, s=state: f"the net of round {n} for {self._names[m[k]]} {s}",  # type: ignore[misc]
                )
