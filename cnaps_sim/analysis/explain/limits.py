"""Limits of the debtor (双边限额, 多边限额) that stood in a payment's way: which, how high, and what they had counted.

Source: rule section "liquidity tools". What a limit counts is what settled at levels 6 and 7 on the business date, or
since it was first set, sent less received.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import numpy as np

from cnaps_sim.analysis.explain.account import DebtorAccount
from cnaps_sim.analysis.explain.tables import day_of_payment, is_label
from cnaps_sim.analysis.metrics.columns import Run, has_table
from cnaps_sim.analysis.metrics.sources import transfers_of
from cnaps_sim.analysis.phrases import cny
from cnaps_sim.words.codes import Level
from cnaps_sim.words.units import format_clock, parse_fen

_SET: Final = re.compile(r"limit towards (all others|\S+) ([0-9]+\.[0-9]{2}) CNY|no limit towards (all others|\S+)")
_ALL_OTHERS: Final = "all others"
#: Limits of the scenario hold from before anything happens, ms.
_ALWAYS: Final = -(2**62)


class _Change(NamedTuple):
    """A limit is set to `most` fen, or removed (None), at an instant; `to` is None for all others together."""

    time: int
    to: str | None
    most: int | None


class SenderLimits:
    """The limits of a payment's debtor, as the scenario, the fork and the events tell them."""

    def __init__(self, run: Run, account: DebtorAccount) -> None:
        self.run, self.account = run, account
        self.payments, self.row = account.payments, account.row
        self.creditor = str(self.payments.table.column("creditor")[self.row].as_py())
        self.amount = int(self.payments.amount[self.row])
        self._changes = self._read_changes() if has_table(run, "transfers") else []

    def in_the_way(self, level: int, time: int, *, on_arrival: bool = False) -> list[str]:
        """What stood in the payment's way just before the actions of an instant (ms), a clause for each limit.

        on_arrival: it is the instant of the payment's arrival, and what settled in it before the payment counts
        """
        if level < Level.HIGH:
            return []
        found = []
        for to in dict.fromkeys(change.to for change in self._changes if change.to in (None, self.creditor)):
            past = [change for change in self._changes if change.to == to and change.time < time]
            most = past[-1].most if past else None
            if most is None:
                continue
            net = self._net(to, past[0].time, time, on_arrival)
            if net + self.amount > most:
                found.append(self._clause(to, most, net, past[0].time))
        return found

    def _clause(self, to: str | None, most: int, net: int, since: int) -> str:
        opened = int(day_of_payment(self.run, self.account.date)["opens_ms"])
        when = f"since {format_clock(since)}" if since > opened else "that day"
        own, whom = self.account.name, to or _ALL_OTHERS
        kind = "多边限额" if to is None else "双边限额"
        them = "them" if to is None else whom
        flow = f"had paid {them} {cny(net)} more than it had received from {them} {when}"
        if net <= 0:
            more = f"{cny(-net)} more" if net else "no less"
            flow = f"had received {more} from {them} than it had paid {them} {when}"
        room = f"left room for {cny(most - net)}" if most > net else "left no room"
        return f"{own}'s limit of {cny(most)} towards {whom} ({kind}) stood in its way: {own} {flow}, which {room}"

    def _net(self, to: str | None, since: int, before: int, on_arrival: bool) -> int:
        """Sent less received, fen: of the payment's business date, after `since` and before an instant."""
        transfers = transfers_of(self.run)
        time = transfers.numbers("time_ms")
        sent, received = (is_label(transfers.codes(side), self.account.name) for side in ("debtor", "creditor"))
        if to is not None:
            sent = sent & is_label(transfers.codes("creditor"), to)
            received = received & is_label(transfers.codes("debtor"), to)
        counted = (sent | received) & (transfers.numbers("level") >= int(Level.HIGH)) & transfers.is_item
        counted &= (transfers.numbers("date") == self.payments.numbers("date")[self.row]) & (time > since)
        rows = np.flatnonzero(counted & (time < before))
        if on_arrival:
            at_once = self.account.posted_before(transfers, np.flatnonzero(counted & (time == before)))
            rows = np.concatenate((rows, at_once))
        amount = transfers.amount[rows]
        return int(amount[sent[rows]].sum()) - int(amount[received[rows]].sum())

    def _read_changes(self) -> list[_Change]:
        """All changes of the debtor's limits in order of time. Empty where orders travel as messages: then the
        events tell when the answer came, not when the limit was set."""
        scenario: Any = getattr(self.run, "scenario", None) or {}
        told = [found for event in self.account.acts if (found := _SET.fullmatch(event.detail))]
        if told and scenario.get("messages", "off") not in ("off", 0):
            return []
        fork = self.run.manifest.get("fork")
        changes = self._written(fork["base"] if fork else scenario, _ALWAYS)
        if fork and "limits" in fork["changed"]:
            later = self._written(scenario, int(fork["at_ms"]))
            kept = {change.to for change in later}
            changes += [_Change(int(fork["at_ms"]), change.to, None) for change in changes if change.to not in kept]
            changes += later
        for event in self.account.acts:
            found = _SET.fullmatch(event.detail)
            if found is not None:
                whom = found[1] or found[3]
                most = None if found[2] is None else parse_fen(found[2])
                changes.append(_Change(event.time, None if whom == _ALL_OTHERS else whom, most))
        return sorted(changes, key=lambda change: change.time)

    def _written(self, scenario: Mapping[str, Any], time: int) -> list[_Change]:
        """The limits that a scenario gives the debtor from an instant on."""
        rows = [row for row in scenario.get("limits") or () if row.get("account") == self.account.name]
        return [_Change(time, row.get("to"), parse_fen(str(row["limit"]))) for row in rows]
