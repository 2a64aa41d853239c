"""The register of retail units that travel as messages: what each is, and how far it has come.

A *unit* is what is checked and netted as one: a package (包) of BEPS or one payment of IBPS. Units are numbered over
the run in the order of their cap check.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

import numpy as np
import pyarrow as pa

from cnaps_sim.core.records import Records
from cnaps_sim.messages.catalogue import Kind
from cnaps_sim.messages.parts import OriginalMessage
from cnaps_sim.systems.memory import PaymentIds
from cnaps_sim.words.codes import Refusal
from cnaps_sim.words.retail import RetailKind
from cnaps_sim.workload.retail_chunk import RetailStream

#: Number by which letters name unit 0: far above the sequences of HVPS, so that its messages are delivered after those.
FIRST_LETTER: Final = 1 << 40
#: What a row says of a unit to which no reply comes within the run.
NO_REPLY: Final = (Refusal.TIMED_OUT, Refusal.UNANSWERED)
#: What a row says of a unit that the other bank is asked about, unless that bank refuses it.
_BY_REPLY: Final = (Refusal.NONE, *NO_REPLY)


class Standing(IntEnum):
    """How far a unit has come at the centre."""

    UNKNOWN = 0  # no message of it has come
    ASKED = 1  # forwarded to the bank that is to answer
    CHECKED = 2  # it has come to its cap check


@dataclass(frozen=True, slots=True)
class Transaction:
    """One payment of a message: its number, UETR and end-to-end reference."""

    transaction_id: str
    uetr: str
    end_to_end_id: str


@dataclass(frozen=True, slots=True)
class Original:
    """The message that brought a unit; kept as long as something can still be told about it.

    sender, receiver: bank codes of the bank that started it and of the other one
    document:         its bytes, None for one that came before the run began
    """

    kind: Kind
    message: OriginalMessage
    sender: str
    receiver: str
    transactions: tuple[Transaction, ...]
    document: bytes | None


class RetailRegister:
    """All units of a stream, in memory.

    rows:      netting_records.RETAIL; row r is unit r
    ids, amounts: of every item; those of unit u stand from `edges[u]` to `edges[u + 1]`
    accounts:  bank code by account row; row_of: the other way round
    standing:  int8 `Standing` by unit; arrived_ms: when its message reached the centre
    acts:      int8 latest `codes.Act` of the netting server by unit
    outside:   bool by unit: sent outside the retail dates of the run, so that no message of it travels
    originals: by unit, of those that are open
    """

    def __init__(self, stream: RetailStream, accounts: Sequence[str]) -> None:
        chunks = [chunk for chunk in stream.chunks() if len(chunk.rows)]
        self.accounts = accounts
        self.row_of = {account: row for row, account in enumerate(accounts)}
        self.rows: Records = np.concatenate([chunk.rows for chunk in chunks]) if chunks else stream.chunk(0).rows
        texts = [chunk.ids().cast(pa.string()) for chunk in chunks]
        self.ids: pa.StringArray = pa.concat_arrays(texts) if texts else pa.array([], pa.string())
        self.amounts = np.concatenate([np.zeros(0, np.int64), *[chunk.amounts for chunk in chunks]])
        self.edges = np.concatenate([np.zeros(1, np.int64), np.cumsum(self.rows["items"], dtype=np.int64)])
        self.sent_ms = self.rows["time_ms"] - self.rows["lag_ms"]
        known = (self.rows["refusal"] != Refusal.NONE) & (self.rows["refusal"] <= Refusal.OUT_OF_HOURS)
        self.outside: Any = known & (self.rows["lag_ms"] != 0)
        self.standing = np.zeros(len(self.rows), np.int8)
        self.arrived_ms = self.sent_ms.copy()
        self.acts = np.zeros(len(self.rows), np.int8)
        self.originals: dict[int, Original] = {}
        self._places = PaymentIds(self.ids, np.arange(len(self.ids)))

    def __len__(self) -> int:
        return len(self.rows)

    def unit_of(self, payment_id: str) -> int:
        """The unit that an item is in; -1 if there is no such item."""
        place = self._places.get(payment_id)
        return place if place < 0 else int(np.searchsorted(self.edges, place, side="right")) - 1

    def items(self, unit: int) -> list[tuple[str, int]]:
        """Id and fen of each item of a unit."""
        first, after = int(self.edges[unit]), int(self.edges[unit + 1])
        return list(zip(self.ids[first:after].to_pylist(), self.amounts[first:after].tolist(), strict=True))

    def first_id(self, unit: int) -> str:
        """The id of a unit's first item, by which results and letters call it."""
        return str(self.ids[int(self.edges[unit])].as_py())

    def kind(self, unit: int) -> RetailKind:
        return RetailKind(int(self.rows["kind"][unit]))

    def starter(self, unit: int) -> int:
        """The account row of the bank that starts it: the payee's for a debit."""
        return int(self.rows["creditor" if self.kind(unit).is_debit else "debtor"][unit])

    def answerer(self, unit: int) -> int:
        """The account row of the other bank."""
        return int(self.rows["debtor" if self.kind(unit).is_debit else "creditor"][unit])

    def refused_by_starter(self, unit: int) -> bool:
        """Whether the payer's own bank refuses a credit of a client (PAYER_BANK), so that nothing is sent."""
        return not self.kind(unit).is_debit and int(self.rows["refusal"][unit]) == Refusal.PAYER_BANK

    def needs_reply(self, unit: int) -> bool:
        """Whether it is checked when the other bank answers, and not as soon as it comes."""
        kind, refusal = self.kind(unit), int(self.rows["refusal"][unit])
        by_other = Refusal.PAYER_BANK if kind.is_debit else Refusal.PAYEE_BANK
        own = self.rows["debtor"][unit] == self.rows["creditor"][unit]
        return kind.has_reply and not own and (refusal in _BY_REPLY or refusal == by_other)

    def unsent_or_lost(self, begins_ms: int, ends_ms: int) -> list[int]:
        """Units that were to be sent between two instants and of which nothing has come."""
        here: Any = (self.sent_ms >= begins_ms) & (self.sent_ms < ends_ms) & (self.standing == Standing.UNKNOWN)
        return [int(unit) for unit in np.flatnonzero(here)]
