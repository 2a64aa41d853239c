"""How queue matching (排队撮合) released a payment: which matching, what settled together, and why only together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from cnaps_sim.analysis.explain.account import DebtorAccount
from cnaps_sim.analysis.explain.queue import Line
from cnaps_sim.analysis.explain.tables import Told
from cnaps_sim.analysis.metrics.columns import NONE, Columns, IntArray, Run, columns_of, has_table
from cnaps_sim.analysis.metrics.liquidity import Accounts
from cnaps_sim.analysis.metrics.matching import RELEASED_BY, matchings_of
from cnaps_sim.analysis.metrics.payments import rows_with_id
from cnaps_sim.analysis.phrases import TERMS, cny, span
from cnaps_sim.words.codes import Discipline, Level
from cnaps_sim.words.units import format_clock

#: What started a matching, for each word of `trigger`; `{}` is the scenario's setting of that name.
_STARTED: Final = {
    "every": "as one is at fixed intervals{}",
    "at": "as set for that time of day",
    "queued_over": "because the number of queued payments passed its line{}",
    "value_over": "because the value queued passed its line{}",
    "phase": "because the system entered another phase",
    "action": "by an order of the scenario",
    "continuous": "as one is whenever something is left waiting",
    "close": "as the last one before the clearing window (清算窗口) closed",
}
#: Takes of each account's queue only the payments in front.
_KEEPS_ORDER: Final = "multilateral"


def matching_of(released_by: str | None) -> int | None:
    """The number of the matching that a word of `released_by` names, None if it names none."""
    number = (released_by or "").removeprefix(RELEASED_BY)
    return int(number) if number != released_by and number.isdecimal() else None


class MatchingStory:
    """What one matching did, as the tables of its run tell it."""

    def __init__(self, run: Run, line: Line, told: Told, number: int) -> None:
        self.run, self.line, self.told, self.number = run, line, told, number
        self.facts = self._facts()
        self.legs = self._legs()

    def sentences(self, debtor: str, creditor: str) -> list[str]:
        """When and why it took place, what settled together, and what it meant for the two banks of a payment."""
        words = [self._what()]
        if len(self.legs) > 1 and self._none_alone():
            why = "each was more than its account had"
            if self._in_order():
                why = "the first of each account was more than it had, and the others stood behind that"
            words.append(f"No one of them could have settled alone: {why}.")
        if len(self.legs):
            words.append(f"In that matching {self._net_words(debtor)}, and {self._net_words(creditor)}.")
        return words

    @property
    def name(self) -> str:
        return f"queue matching (排队撮合) number {self.number}"

    def _what(self) -> str:
        name = self.name[0].upper() + self.name[1:]
        if self.facts is None:
            return f"{name} released it: the net effect of what settled together was funded."
        began, posted = self.facts["time_ms"], self.facts["settled_ms"]
        words = f"{name} released it. It was started at {format_clock(began)} {self._why()} and settled "
        settled, considered = self.facts["settled"], self.facts["considered"]
        words += f"{settled:,} payments together" if settled != 1 else "1 payment"
        words += (
            f", {cny(self.facts['settled_fen'])}, of the {considered:,} ({cny(self.facts['considered_fen'])}) that "
        )
        words += f"it looked at, by the algorithm {self.facts['algorithm']}: their net effect was funded"
        if posted is not None and posted > began:
            words += f"; they were posted {span(posted - began)} after it had chosen them"
        return f"{words}."

    def _why(self) -> str:
        assert self.facts is not None
        trigger = str(self.facts["trigger"])
        setting = self._terms().get(trigger)
        number = isinstance(setting, int) and not isinstance(setting, bool)
        quoted = f" ({setting:,})" if number else f" ({setting})" if isinstance(setting, str) else ""
        return _STARTED[trigger].format(quoted) if trigger in _STARTED else f"({trigger})"

    def _net_words(self, account: str) -> str:
        net = self._net(self.legs, account)
        if net == 0:
            return f"{account} paid as much as it received"
        return f"{account} {'received' if net > 0 else 'paid'} {cny(abs(net))} net"

    # why only together --------------------------------------------------------------------------------------

    def _none_alone(self) -> bool:
        """Is it certain that each debtor lacked the funds for any of its payments, one at a time?

        Where all keep the order of their queue it is enough that the first of each account was too large.
        """
        most = 1 if self._in_order() else None
        return all(self._short(name, rows[:most]) for name, rows in self._by_debtor().items())

    def _in_order(self) -> bool:
        """Did payments of one account settle in the order of its queue, in this matching and without one?"""
        return self._discipline() == Discipline.FIFO.name.lower() and self._algorithm() == _KEEPS_ORDER

    def _by_debtor(self) -> dict[str, IntArray]:
        """Rows of the transfers that each debtor's payments became, in posting order."""
        debtor = self._transfers.codes("debtor")
        codes = debtor.codes[self.legs]
        return {debtor.labels[code]: self.legs[codes == code] for code in np.unique(codes).tolist()}

    def _short(self, name: str, rows: IntArray) -> bool:
        """Had the account less than each of these payments, before the matching was posted?"""
        ids = self._transfers.table.column("payment_id")
        paid = rows_with_id(self.line.payments.table.column("payment_id"), str(ids[int(rows[0])].as_py()), False)
        balance = self._balance_before(name)
        if not paid or balance is None:
            return False
        account = DebtorAccount(self.run, self.line, self.told, paid[0])
        time = int(self._transfers.numbers("time_ms")[rows[0]])
        if any(event.time == time and event.detail.startswith(TERMS) for event in account.acts):
            return False  # which came first is not told
        amounts, levels = self._transfers.numbers("amount_fen")[rows], self._transfers.numbers("level")[rows]
        for amount, level in zip(amounts.tolist(), levels.tolist(), strict=True):
            funds = account.funds_at(Level(level), time, balance)
            if funds is None or funds.available >= amount:
                return False
        return True

    def _balance_before(self, name: str) -> int | None:
        """Balance of an account before the first payment of the matching was posted, fen."""
        if not has_table(self.run, "accounts"):
            return None
        accounts = columns_of(self.run, "accounts", Accounts)
        transfers, date = self._transfers, self._transfers.numbers("date")
        first = int(self.legs[0])
        labels = accounts.codes("account").labels
        own = accounts.codes("account").codes == (labels.index(name) if name in labels else -2)
        today = np.flatnonzero(own & (accounts.numbers("date") == date[first]))
        if not len(today):
            return None
        sequence = transfers.numbers("sequence")
        before = np.flatnonzero((date == date[first]) & (sequence < sequence[first]))
        return int(accounts.numbers("opening_fen")[today[0]]) + self._net(before, name)

    # looking things up --------------------------------------------------------------------------------------

    @property
    def _transfers(self) -> Columns:
        return columns_of(self.run, "transfers", Columns)

    def _net(self, rows: IntArray, account: str) -> int:
        """Received - sent by an account in these transfers, fen."""
        amount, net = self._transfers.numbers("amount_fen")[rows], 0
        for side, sign in (("creditor", 1), ("debtor", -1)):
            column = self._transfers.codes(side)
            if account in column.labels:
                net += sign * int(amount[column.codes[rows] == column.labels.index(account)].sum())
        return net

    def _legs(self) -> IntArray:
        """Rows of its transfers, in posting order."""
        if not has_table(self.run, "transfers"):
            return np.zeros(0, np.int64)
        rows = np.flatnonzero(self._transfers.numbers("matching") == self.number)
        return rows[np.argsort(self._transfers.numbers("sequence")[rows], kind="stable")]

    def _facts(self) -> dict[str, Any] | None:
        """Its row of the matchings table; None if the run has none."""
        if not has_table(self.run, "matchings"):
            return None
        matchings = matchings_of(self.run)
        rows = np.flatnonzero(matchings.numbers("matching") == self.number)
        if not len(rows) or matchings.numbers("time_ms")[rows[0]] == NONE:
            return None
        row: dict[str, Any] = matchings.table.slice(int(rows[0]), 1).to_pylist()[0]
        return row

    def _terms(self) -> Mapping[str, Any]:
        terms = self._hvps().get("matching")
        return terms if isinstance(terms, Mapping) else {}

    def _hvps(self) -> Mapping[str, Any]:
        hvps = (getattr(self.run, "scenario", None) or {}).get("hvps")
        return hvps if isinstance(hvps, Mapping) else {}

    def _discipline(self) -> str:
        return str(self._hvps().get("discipline") or "")

    def _algorithm(self) -> str:
        return str(self.facts["algorithm"]) if self.facts else ""
