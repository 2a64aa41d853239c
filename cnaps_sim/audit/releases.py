"""Releases told by a word: did what `released_by` names happen at the instant at which the payment was settled?

`outcomes.check_released` sees to payments that other payments and matchings released, `retail_releases` to those of
retail.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np

from cnaps_sim.audit.columns import Flags, Frame
from cnaps_sim.audit.digest import NULL
from cnaps_sim.audit.pool_tables import PoolsTold
from cnaps_sim.audit.verdict import Findings
from cnaps_sim.words.codes import Cause, Status, System, TransferKind
from cnaps_sim.words.units import format_clock

RELEASED: Final = "released-by"
#: Words that name a transfer to the payer of what they release, and its kind.
_GIVEN: Final = {str(Cause.PENALTY.word): TransferKind.PENALTY, str(Cause.INJECTION.word): TransferKind.INJECTION}
#: Words that name a tool of a bank's own, which moves money to or from the payer, or is set up by an order.
_TOOLS: Final = {
    str(Cause.POOL.word): (TransferKind.POOL, TransferKind.SWEEP),
    str(Cause.PLEDGE.word): (TransferKind.PLEDGE, TransferKind.REPAYMENT),
    str(Cause.LOAN.word): (TransferKind.LOAN, TransferKind.REPAYMENT),
}
_CANCEL, _RETURN, _MOVE = (str(cause.word) for cause in (Cause.CANCEL, Cause.RETURN, Cause.MOVE))
_LIMIT, _CONTROL, _ROUND = (str(cause.word) for cause in (Cause.LIMIT, Cause.CONTROL, Cause.ROUND))


class Happened:
    """What events and other tables tell that may release a payment, by account and instant.

    A table that is None tells nothing, so nothing is asked of it. Orders that came as messages are told when they are
    answered, which is later; where payments travel as messages they are not asked after.
    """

    def __init__(self, events: Frame | None, matchings: Frame | None, manifest: Any) -> None:
        by_message = isinstance(manifest, Mapping) and bool(manifest.get("messages"))
        self.has_orders = events is not None and not by_message
        self.has_phases = events is not None
        self._actions: set[tuple[str, int]] = set()
        self._phases: set[int] = set()
        self._matched: set[int] = set()
        if events is not None:
            codes, subjects = events.texts("subject")
            time_ms = events.ints("time_ms")
            for row in np.flatnonzero(events.is_one_of("kind", "action")).tolist():
                self._actions.add((subjects[codes[row]], int(time_ms[row])))
            hvps = events.is_one_of("subject", System.HVPS)
            is_phase = events.is_one_of("kind", "phase")
            self._phases = set(time_ms[hvps & is_phase].tolist())
            self._matched = set(time_ms[hvps & ~is_phase].tolist())
        if matchings is not None:
            for name in ("time_ms", "settled_ms"):
                self._matched |= set(matchings.ints(name).tolist())
        self._instants = {time_ms for _, time_ms in self._actions}

    def phase(self, _: str, time_ms: int) -> bool:
        """A phase of HVPS began or ended."""
        return not self.has_phases or time_ms in self._phases

    def order(self, _: str, time_ms: int) -> bool:
        """Some order was carried out."""
        return not self.has_orders or time_ms in self._instants

    def limit(self, account: str, time_ms: int) -> bool:
        """A term of the account was changed, or a matching that had reserved its money ended."""
        return self.cap(account, time_ms) or time_ms in self._matched

    def control(self, account: str, time_ms: int) -> bool:
        """A control on the account was lifted, or made no difference any more."""
        return self.cap(account, time_ms) or time_ms in self._phases

    def cap(self, account: str, time_ms: int) -> bool:
        """Something was done to the account by an action."""
        return not self.has_orders or (account, time_ms) in self._actions


def check_words(
    payments: Frame, transfers: Frame | None, happened: Happened, pools: PoolsTold, findings: Findings
) -> None:
    """`released-by`, of words: `cancel` names a payment of the same payer that was cancelled at that instant,
    `penalty` and `injection` a transfer to the payer, `pool`, `pledge` and `loan` a transfer of theirs or an order,
    `return` and `control` the end of a phase, `limit`, `control` and `move` an order; nothing in the settlement queue
    is released by a round. What is done to a member of the payer's pool (资金池) may release its payments, too."""
    codes, texts = payments.texts("released_by")
    settled_ms = payments.ints("settled_ms")
    debtors, names = payments.texts("debtor")
    ended_ms = payments.ints("ended_ms")
    tests: dict[str, Callable[[str, int], bool]] = {
        _RETURN: happened.phase,
        _CONTROL: happened.control,
        _LIMIT: happened.limit,
        _MOVE: happened.order,
        _ROUND: lambda *_: False,
    }
    if _CANCEL in texts:
        cancelled = payments.is_one_of("status", Status.PR08)
        tests[_CANCEL] = _among(zip((names[k] for k in debtors[cancelled]), ended_ms[cancelled].tolist(), strict=True))
    if transfers is not None:
        for word in _GIVEN.keys() & set(texts):
            tests[word] = _moved(transfers, (_GIVEN[word],), ("creditor",))
        for word in _TOOLS.keys() & set(texts):
            moved = _moved(transfers, _TOOLS[word], ("creditor", "debtor"))
            tests[word] = _either(moved, happened.order)
    wrong: Flags = np.zeros(payments.rows, np.bool_)
    for word in tests.keys() & set(texts):
        rows = np.flatnonzero((codes == texts.index(word)) & (settled_ms != NULL))
        happens = tests[word]
        wrong[rows] = [
            not any(happens(account, time_ms) for account in pools.fellows(names[k]))
            for k, time_ms in zip(debtors[rows], settled_ms[rows].tolist(), strict=True)
        ]
    findings.where(
        RELEASED,
        wrong,
        lambda row: (
            f"payment {payments.text('payment_id', row)} was released by {payments.text('released_by', row)}, of which "
            f"nothing is told at {format_clock(int(settled_ms[row]))}"
        ),
    )


def _among(pairs: Any) -> Callable[[str, int], bool]:
    known = set(pairs)
    return lambda account, time_ms: (account, time_ms) in known


def _either(one: Callable[[str, int], bool], other: Callable[[str, int], bool]) -> Callable[[str, int], bool]:
    return lambda account, time_ms: one(account, time_ms) or other(account, time_ms)


def _moved(transfers: Frame, kinds: Sequence[str], sides: Sequence[str]) -> Callable[[str, int], bool]:
    """Whether a transfer of one of these kinds had an account on one of these sides at an instant."""
    rows = np.flatnonzero(transfers.is_one_of("kind", *kinds))
    pairs: list[tuple[str, int]] = []
    for side in sides:
        codes, names = transfers.texts(side)
        pairs += zip((names[k] for k in codes[rows]), transfers.ints("time_ms")[rows].tolist(), strict=True)
    return _among(pairs)
