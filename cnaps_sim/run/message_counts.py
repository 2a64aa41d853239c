"""Counts of messages: what the records of a log add up to, beside what the manifest says of them."""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

from cnaps_sim.messages.envelope import HEADER_LENGTH
from cnaps_sim.messages.technical import ADMI_007
from cnaps_sim.run.message_log import Record
from cnaps_sim.systems.mail import LOST, NOT_REFUSED, RESENT, UNDER_WAY

#: What the manifest says and the records of the log tell.
COUNTED: Final = ("lost", "under_way", "given_up", "resent", "refused")


class Tally:
    """Counts the records of a log as they are read.

    attempts: how often a sender sends the same bytes at most
    """

    def __init__(self, attempts: int) -> None:
        self._attempts = attempts
        self._counts: Counter[str] = Counter()
        self._lost: Counter[bytes] = Counter()

    def see(self, record: Record) -> None:
        """Count one passage; the transport header says which message it is of."""
        verdict = record.verdict
        if verdict == LOST:
            self._counts["lost"] += 1
            if record.iso != ADMI_007:  # nobody waits for a receipt's receipt
                self._lost[record.data[:HEADER_LENGTH]] += 1
        elif verdict == UNDER_WAY:
            self._counts["under_way"] += 1
        elif verdict == RESENT:
            self._counts["resent"] += 1
        elif verdict not in NOT_REFUSED:
            self._counts["refused"] += 1

    def counts(self) -> dict[str, int]:
        """The figures by their names in the manifest."""
        given_up = sum(lost == self._attempts for lost in self._lost.values())
        return {**{name: self._counts[name] for name in COUNTED}, "given_up": given_up}

    def differences(self, told: dict[str, Any]) -> list[str]:
        """Where the manifest says something else than the log, one sentence each."""
        return [
            f"manifest: messages {name} {told.get(name)}, by the message log {count}"
            for name, count in self.counts().items()
            if told.get(name) != count
        ]
