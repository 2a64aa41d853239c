"""Net entries: a stretch of the netting server's (轧差服务器) log, each entry beside the terms of its unit.

A *unit* is what is netted as one: a package (包) of BEPS, or one payment of IBPS. The server logs only what a row of
the flow does not tell by itself, so what has no entry ended as its row says: see `DEFAULT_ACT`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cnaps_sim.audit.net_presence import Presence
from cnaps_sim.audit.net_rows import FROM_NOTHING, IN_TIME_ORDER
from cnaps_sim.audit.open_payments import Rows
from cnaps_sim.audit.verdict import Findings
from cnaps_sim.words.codes import MATCHING_CAUSE, Act, Refusal
from cnaps_sim.words.retail import RetailKind
from cnaps_sim.words.units import format_clock

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

REFUSALS_HOLD: Final = "retail-refusals-hold"
ONE_FINAL: Final = "one-final-state-retail"

ACTS: Final = len(Act)
#: By kind: does it wait when its payer is short; is it netted when the other bank answers; is it a debit?
QUEUES: Final = np.array([kind.queues for kind in RetailKind])
_HAS_REPLY: Final = np.array([kind.has_reply for kind in RetailKind])
_IS_DEBIT: Final = np.array([kind.is_debit for kind in RetailKind])
#: By refusal of a row: how a unit ends of which the log says nothing.
DEFAULT_ACT: Final = np.full(128, Act.REFUSED, np.int8)
DEFAULT_ACT[[Refusal.NONE, Refusal.STOPPED]] = Act.NETTED, Act.STOPPED
DEFAULT_ACT[[Refusal.TIMED_OUT, Refusal.UNANSWERED]] = Act.EXPIRED, Act.OPEN

_WARNINGS: Final = (Act.CAP_WARNING_RAISED, Act.CAP_WARNING_CLEARED)
_ON_ARRIVAL: Final = (Act.NETTED, Act.QUEUED, Act.REFUSED, Act.STOPPED, Act.EXPIRED, Act.OPEN)


@dataclass
class NetEntries:
    """The entries about units in one stretch of the log, in its order; arrays of equal length.

    order:   sorts entries among the rows of the flow: the row of unit u stands at 2u + 2
    arrival: the entry says how a unit came out of its cap check; the others are about units that waited
    row:     of a unit that arrives, among the rows of the stretch; -1 for others
    sound:   the entry can be true; the terms (debtor to kind) of others mean nothing
    """

    unit: Ints
    time_ms: Ints
    cause: Ints
    order: Ints
    act: NDArray[np.int8]
    refusal: NDArray[np.int8]
    said_kind: NDArray[np.int8]
    arrival: Flags
    row: Ints
    debtor: Ints
    creditor: Ints
    amount: Ints
    items: Ints
    kind: Ints
    sound: Flags

    def __len__(self) -> int:
        return len(self.unit)

    def netted(self) -> Flags:
        netted: Flags = self.sound & (self.act == Act.NETTED)
        return netted

    def matching(self) -> Ints:
        """One more than the number of the matching (撮合) that names itself as the cause, 0 for any other cause."""
        return np.where(self.cause <= MATCHING_CAUSE, MATCHING_CAUSE - self.cause + 1, 0)

    def over_cap(self) -> Flags:
        """Units that arrived and found their payer short of headroom: they wait, or are rejected (RJ94)."""
        short: Flags = self.sound & self.arrival
        short &= (self.act == Act.QUEUED) | ((self.act == Act.REFUSED) & (self.refusal == Refusal.CAP))
        return short

    def name(self, k: int) -> str:
        return f"unit {self.unit[k]} at {format_clock(int(self.time_ms[k]))}"


def read_entries(
    log: Rows, rows: Rows, first_unit: int, expected: Flags, by_place: bool, participants: int, findings: Findings
) -> NetEntries:
    """Read a stretch of the log (fields unit, time_ms, cause, units_come, act, refusal, kind).

    rows: terms of the units from `first_unit` on; expected: which of these have not come to their cap check yet
    by_place: entries alone tell the order of things (all is logged); else `units_come` does
    Units that waited have no terms yet: whoever knows the queues fills them in.
    """
    is_warning = np.isin(log["act"], _WARNINGS)
    findings.where(
        FROM_NOTHING,
        is_warning & ((log["unit"] < 0) | (log["unit"] >= participants)),
        lambda k: f"a cap warning at {format_clock(int(log['time_ms'][k]))} names participant row {log['unit'][k]}",
    )
    log = log[~is_warning]
    unit, come = np.ascontiguousarray(log["unit"]), log["units_come"].astype(np.int64)
    size = len(unit)
    row = unit - first_unit
    arrival = (row >= 0) & (row < len(rows))
    arrival[arrival] = expected[row[arrival]]
    if not by_place:
        arrival &= come == unit + 1
    is_first = np.zeros(size, np.bool_)
    is_first[np.unique(unit, return_index=True)[1]] = True
    arrival &= is_first
    row = np.where(arrival, row, -1)
    terms = {name: np.zeros(size, np.int64) for name in ("debtor", "creditor", "amount", "items", "kind")}
    for name, column in terms.items():
        column[arrival] = rows[name][row[arrival]]
    return NetEntries(
        unit=unit,
        time_ms=np.ascontiguousarray(log["time_ms"]),
        cause=np.ascontiguousarray(log["cause"]),
        order=np.arange(size) if by_place else 2 * come + 1,
        act=np.ascontiguousarray(log["act"]),
        refusal=np.ascontiguousarray(log["refusal"]),
        said_kind=np.ascontiguousarray(log["kind"]),
        arrival=arrival,
        row=row,
        **terms,
        sound=arrival & np.isin(log["act"], _ON_ARRIVAL),
    )


def check_arrivals(
    entries: NetEntries, rows: Rows, closed: Flags, presence: Presence, at_once: bool, findings: Findings
) -> None:
    """Check what the log says of units that come to their cap check.

    `retail-refusals-hold`: what its terms bar is refused, stopped or expired, for the first reason that applies, and
    nothing else is, but for want of headroom where the kind does not queue.
    `cap-queue-order`: only kinds that queue wait. `retail-in-time-order`: it happens at the instant of the row
    (`at_once`: there is no way in between).
    """
    findings.made(REFUSALS_HOLD, "cap-queue-order", IN_TIME_ORDER, ONE_FINAL)
    places = np.flatnonzero(entries.arrival)
    if not len(places):
        return
    findings.breaches(
        ONE_FINAL,
        int((~entries.sound[places]).sum()),
        lambda k: f"{entries.name(int(places[~entries.sound[places]][k]))} was acted on before its cap check",
    )
    places = places[entries.sound[places]]
    came = rows[entries.row[places]]
    act, refusal = entries.act[places], entries.refusal[places]
    due_act, due_refusal = due(came, closed, presence)
    passes = due_act == Act.NETTED
    queues = QUEUES[entries.kind[places]]
    right = np.where(act == Act.REFUSED, ~queues & (refusal == Refusal.CAP), refusal == Refusal.NONE)
    right &= (act == Act.NETTED) | (act == Act.QUEUED) | (act == Act.REFUSED)
    right = np.where(passes, right, (act == due_act) & (refusal == due_refusal))
    _where(
        REFUSALS_HOLD,
        places,
        ~right,
        entries,
        findings,
        lambda k: (
            f"was {_word(act[k])} with refusal {refusal[k]}, its terms ask for {_word(due_act[k])}, {due_refusal[k]}"
        ),
    )
    barred = (act == Act.QUEUED) & ~queues
    _where("cap-queue-order", places, barred, entries, findings, lambda _: "waits although its kind never does")
    if at_once:
        late = entries.time_ms[places] != came["time_ms"]
        _where(IN_TIME_ORDER, places, late, entries, findings, lambda k: f"was {_word(act[k])} not when it came")


def _where(rule: str, places: Ints, wrong: Flags, entries: NetEntries, findings: Findings, tell: Any) -> None:
    findings.where(rule, wrong, lambda k: f"{entries.name(int(places[k]))} {tell(k)}")


def check_kinds(entries: NetEntries, findings: Findings) -> None:
    """`nothing-from-nothing`: an entry bears the kind of its unit."""
    findings.where(
        FROM_NOTHING,
        entries.sound & (entries.said_kind != entries.kind),
        lambda k: (
            f"{entries.name(k)} is logged as of kind {entries.said_kind[k]}, its row is of kind {entries.kind[k]}"
        ),
    )


def due(rows: Rows, closed: Flags, presence: Presence) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
    """Act and refusal that the terms of units ask for, headroom apart; NETTED where nothing stands against it.

    closed: participants by row. In order: stopped, which is final; format, duplicate, currency; closed account;
    self-payment; amount and hours; the bank that starts it logged out when it submitted it; the bank that would say yes
    or no logged out now, so that no answer came; expired, unanswered or refused by a bank.
    """
    refusal, debtor, creditor = rows["refusal"], rows["debtor"], rows["creditor"]
    debit, has_reply = _IS_DEBIT[rows["kind"]], _HAS_REPLY[rows["kind"]]
    starts, answers = np.where(debit, creditor, debtor), np.where(debit, debtor, creditor)
    known = (refusal == Refusal.STOPPED) | ((refusal >= Refusal.FORMAT) & (refusal <= Refusal.NO_BOOK))
    says_no = np.where(debit, Refusal.PAYER_BANK, Refusal.PAYEE_BANK)
    conditions = [
        known,
        closed[debtor] | closed[creditor],
        debtor == creditor,
        (refusal == Refusal.AMOUNT) | (refusal == Refusal.OUT_OF_HOURS),
        presence.was_out(starts, rows["time_ms"] - rows["lag_ms"]),
        has_reply & presence.out[answers] & ((refusal == Refusal.NONE) | (refusal == says_no)),
        refusal != Refusal.NONE,
    ]
    own_act = DEFAULT_ACT[refusal]
    refused, expired = np.int8(Act.REFUSED), np.int8(Act.EXPIRED)
    act = np.select(conditions, [own_act, refused, refused, own_act, refused, expired, own_act], np.int8(Act.NETTED))
    reasons = [Refusal.CLOSED_ACCOUNT, Refusal.SELF_PAYMENT, Refusal.LOGGED_OUT, Refusal.TIMED_OUT]
    shut, self_paid, out, unanswered = (np.int8(reason) for reason in reasons)
    why = np.select(conditions, [refusal, shut, self_paid, refusal, out, unanswered, refusal], np.int8(0))
    return act.astype(np.int8), why.astype(np.int8)


def _word(act: Any) -> str:
    return Act(int(act)).name.lower().replace("_", " ")
