"""Move rows: the moves of a stretch of the log as columns, each with the entry by which it was posted."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from cnaps_sim.audit.entries import Entries, Flags, Ints
from cnaps_sim.audit.standing import Standing
from cnaps_sim.words.codes import Act, Cause, MoveKind
from cnaps_sim.words.units import format_clock


@dataclass(frozen=True)
class MoveRows:
    """Moves in the order of posting; arrays of equal length.

    row:          entry of the stretch
    for_sequence: the payment covered; of repayments and interest the loan; -1 if somebody asked for it
    """

    row: Ints
    sequence: Ints
    kind: Ints
    for_sequence: Ints
    debtor: Ints
    creditor: Ints
    amount: Ints

    def __len__(self) -> int:
        return len(self.row)

    def where(self, chosen: Flags | Ints | slice) -> MoveRows:
        """Some of them."""
        return MoveRows(*(getattr(self, field.name)[chosen] for field in fields(self)))

    def of(self, *kinds: MoveKind) -> MoveRows:
        """Those of some kinds."""
        return self.where(np.isin(self.kind, kinds))


def covered_rows(moves: MoveRows, last: Ints, entries: Entries) -> Ints:
    """The payment that each of these moves (places among `moves`) covers: the very next entry, or -1.

    It is the one named, is debited to the account that got the money, and settles at the same instant.
    """
    row = np.minimum(moves.row[last] + 1, len(entries) - 1)
    is_it = moves.row[last] + 1 < len(entries)
    is_it &= (entries.sequence[row] == moves.for_sequence[last]) & (entries.act[row] == Act.SETTLED)
    is_it &= (entries.debtor[row] == moves.creditor[last]) & (entries.time_ms[row] == entries.time_ms[moves.row[last]])
    return np.where(is_it, row, -1)


def is_called_so(entries: Entries, rows: Ints, cause: Cause) -> Flags:
    """Whether covered payments name what covered them, if they had waited, and nothing, if they had not."""
    waited = entries.before[rows] == Standing.WAITING
    called: Flags = entries.cause[rows] == np.where(waited, int(cause), int(Cause.NONE))
    return called


def told_at(entries: Entries, row: int) -> str:
    """When an entry was written, in words."""
    return format_clock(int(entries.time_ms[row]))
