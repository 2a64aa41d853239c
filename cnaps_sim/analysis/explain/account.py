"""The debtor's account as a payment met it: control, terms, balance and what it had available."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cnaps_sim.analysis.explain.queue import Line
from cnaps_sim.analysis.explain.tables import Event, Told, day_of_payment, is_label
from cnaps_sim.analysis.metrics.columns import NONE, Columns, Run, columns_of, has_table
from cnaps_sim.analysis.metrics.liquidity import Accounts
from cnaps_sim.analysis.phrases import TERMS, cny
from cnaps_sim.words.business_types import BusinessType
from cnaps_sim.words.codes import AccountStatus, Level, Phase
from cnaps_sim.words.units import parse_fen

_CHANGE: Final = re.compile(r"(\w+) ([0-9]+\.[0-9]{2}) CNY")
_CONTROLS: Final = ("debit control", "status AS")
_NO_TERMS: Final = dict.fromkeys(TERMS, 0)


class Control(NamedTuple):
    """Which control stands on an account; None where the run does not tell."""

    debit: bool | None
    frozen: bool | None

    @property
    def held(self) -> bool | None:
        """Are its debits held, levels 0 and 3 apart?"""
        if self.debit or self.frozen:
            return True
        return None if self.debit is None or self.frozen is None else False

    @property
    def name(self) -> str:
        """What holds its debits, with an article."""
        names = ["debit control (借记控制)"] * bool(self.debit) + ["the freeze (冻结, AS06)"] * bool(self.frozen)
        return " and ".join(names) or "debit control or a freeze"

    def after(self, detail: str) -> Control:
        """The control after the action of an event (what the central bank may set, rule section "account control")."""
        if detail.startswith("debit control"):
            return Control(detail.endswith(" on"), self.frozen)
        status = detail.removeprefix("status ")
        if status == AccountStatus.AS04:
            return Control(True, self.frozen)
        if status == AccountStatus.AS05:
            return self
        lifted = False if status == AccountStatus.AS01 else self.debit
        return Control(lifted, status == AccountStatus.AS06)

    @classmethod
    def of(cls, status: str | None) -> Control:
        """The control that a status (清算账户状态) stands for."""
        if status is None:
            return cls(None, None)
        return cls(status == AccountStatus.AS04, status == AccountStatus.AS06)


class Funds(NamedTuple):
    """What an account had available, fen.

    parts: what it is made of, in words; empty if it is the balance alone
    exact: False if reservations, which are not known, would make it less
    """

    available: int
    parts: str
    exact: bool


class DebtorAccount:
    """The account that a payment debits."""

    def __init__(self, run: Run, line: Line, told: Told, row: int) -> None:
        self.run, self.line, self.told, self.row = run, line, told, row
        self.payments = line.payments
        self.name = str(self.payments.table.column("debtor")[row].as_py())
        self.date = self.payments.table.column("date")[row].as_py()
        self.acts = told.about(self.name)
        self._written = self._written_row()

    # control ------------------------------------------------------------------------------------------------

    def control(self, before: int) -> Control:
        """Debit control (借记控制) and freeze (冻结) just before the actions of an instant (ms)."""
        control = self._first_control()
        for event in self.control_events():
            if event.time < before:
                control = control.after(event.detail)
        return control

    def control_events(self) -> list[Event]:
        return [event for event in self.acts if event.detail.startswith(_CONTROLS)]

    def control_on_arrival(self) -> Control:
        """As the payment met it; not known if an action of the very instant may have come before a booking."""
        arrived = int(self.payments.submitted[self.row])
        at_once = any(event.time == arrived for event in self.control_events())
        return Control(None, None) if at_once and self._booked_by_action() else self.control(arrived)

    def _first_control(self) -> Control:
        if self._written is not None:
            return Control.of(self._written.get("status", AccountStatus.AS01))
        own = self._own_day()
        if own is None or self.control_events():
            return Control(None, None)
        return Control.of(columns_of(self.run, "accounts", Accounts).table.column("status")[own].as_py())

    def _booked_by_action(self) -> bool:
        """Is it an item of the central bank that an action made? Those come in the order of the actions."""
        kind = self.payments.table.column("type")[self.row].as_py()
        by_clock = (BusinessType.INTEREST.code, BusinessType.CENTRAL_BANK_LOAN.code)
        return not self.payments.own[self.row] and kind not in by_clock

    # terms --------------------------------------------------------------------------------------------------

    def funds(self, level: Level) -> Funds | None:
        """Available funds on arrival (rule section "available funds"); None if the run does not tell."""
        balance = self.balance()
        return None if balance is None else self.funds_at(level, int(self.payments.submitted[self.row]), balance)

    def funds_at(self, level: Level, time: int, balance: int) -> Funds | None:
        """Available funds with that balance before the actions of an instant (ms); None if the run does not tell."""
        terms = self._terms(time)
        if terms is None:
            rest = self._rest(time)
            if rest is None or level == Level.ROUND_NET:
                return None
            parts = f"balance {cny(balance)}, overdraft limit less earmark and floor {cny(rest)}" if rest else ""
            return Funds(balance + rest, parts, level <= Level.URGENT)
        if level != Level.ROUND_NET and not self._earmark_stood(terms["earmark"], time):
            return None
        return self._known_funds(balance, terms, level, self._in_window(time))

    def _known_funds(self, balance: int, terms: dict[str, int], level: Level, window: bool) -> Funds:
        credit = 0 if window and level > Level.URGENT else terms["overdraft_limit"]
        less = {"floor": terms["floor"]}
        if level != Level.ROUND_NET:
            less["earmark (圈存)"] = terms["earmark"]
            less["reservation for levels 0 and 1"] = terms["reserved_high"] if level > Level.URGENT else 0
            less["reservation for levels 0 to 6"] = terms["reserved_urgent"] if level == Level.NORMAL else 0
        parts = [f"balance {cny(balance)}"] + [f"overdraft limit {cny(credit)}"] * bool(credit)
        parts += [f"less {name} {cny(fen)}" for name, fen in less.items() if fen]
        if credit != terms["overdraft_limit"]:
            parts.append("no overdraft limit in the clearing window")
        words = ", ".join(parts) if len(parts) > 1 else ""
        return Funds(balance + credit - sum(less.values()), words, True)

    def _terms(self, arrived: int) -> dict[str, int] | None:
        """Money terms on arrival, fen: those of the scenario and what `set` made of them."""
        changes = [event for event in self.acts if event.detail.startswith(TERMS)]
        if self._written is None or (self._booked_by_action() and any(e.time == arrived for e in changes)):
            return None
        try:
            terms = {name: parse_fen(str(self._written.get(name, "0"))) for name in TERMS}
        except ValueError:
            return None
        for event in changes:
            found = _CHANGE.fullmatch(event.detail)
            if found is not None and event.time < arrived:
                terms[found[1]] = parse_fen(found[2])
        return terms

    def _earmark_stood(self, earmark: int, arrived: int) -> bool:
        """Is the earmark still what it was set to? Level 4 uses it up, and the close of a date may cut it."""
        if earmark == 0 or not has_table(self.run, "accounts"):
            return earmark == 0
        transfers = columns_of(self.run, "transfers", Columns)
        nets = is_label(transfers.codes("debtor"), self.name) & (transfers.numbers("level") == int(Level.ROUND_NET))
        accounts = columns_of(self.run, "accounts", Accounts)
        own = is_label(accounts.codes("account"), self.name)
        earlier = own & (accounts.numbers("date") < self.payments.numbers("date")[self.row])
        cut = (accounts.numbers("closing_fen")[earlier] < earmark).any()
        return not (nets & (transfers.numbers("time_ms") <= arrived)).any() and not cut

    def _rest(self, arrived: int) -> int | None:
        """Overdraft limit - earmark - floor where only the accounts table tells, fen; None if they may have changed.

        Both lowest figures belong to the same instant as long as the terms stay the same.
        """
        own = self._own_day()
        if own is None or self._in_window(arrived) or not self._earmark_stood(1, 2**62):
            return None
        accounts = columns_of(self.run, "accounts", Accounts)
        lowest = accounts.numbers("min_available_fen")[own]
        if lowest == NONE or any(event.detail.startswith(TERMS) for event in self.acts):
            return None
        return int(lowest - accounts.numbers("lowest_fen")[own])

    def _in_window(self, arrived: int) -> bool:
        day = day_of_payment(self.run, self.date)
        kind = self.payments.table.column("type")[self.row].as_py()
        if arrived == int(day["cut_off_ms"]) and kind == BusinessType.INTEREST.code:
            return False  # charged at cut-off, just before the window opens
        phase = self.told.phase(arrived)
        return arrived >= int(day["cut_off_ms"]) if phase is None else phase[0] == Phase.CLEARING_WINDOW

    def _written_row(self) -> Mapping[str, Any] | None:
        """The account as the scenario wrote it; None if it came from a file, or the scenario is not known."""
        scenario = getattr(self.run, "scenario", None)
        accounts = scenario.get("accounts") if isinstance(scenario, Mapping) else None
        if isinstance(accounts, Mapping):
            return _NO_TERMS if accounts.get("generate") is not None else None
        rows = accounts if isinstance(accounts, list) else []
        return next((row for row in rows if isinstance(row, Mapping) and row.get("account") == self.name), None)

    # balance ------------------------------------------------------------------------------------------------

    def _own_day(self) -> int | None:
        """Row of the accounts table for the payment's business date."""
        if not has_table(self.run, "accounts"):
            return None
        accounts = columns_of(self.run, "accounts", Accounts)
        today = accounts.numbers("date") == self.payments.numbers("date")[self.row]
        own = np.flatnonzero(today & is_label(accounts.codes("account"), self.name))
        return int(own[0]) if len(own) else None

    def balance(self) -> int | None:
        """Balance when the payment arrived, fen; None if the run did not keep its accounts."""
        own = self._own_day()
        if own is None:
            return None
        arrived = int(self.payments.submitted[self.row])
        transfers = columns_of(self.run, "transfers", Columns)
        time = transfers.numbers("time_ms")
        same_date = transfers.numbers("date") == self.payments.numbers("date")[self.row]
        debit, credit = (is_label(transfers.codes(side), self.name) for side in ("debtor", "creditor"))
        rows = np.flatnonzero((debit | credit) & same_date & (time <= arrived))
        at_once = rows[time[rows] == arrived]
        if self._booked_by_action() and transfers.table.column("payment_id").take(pa.array(at_once)).null_count:
            return None  # an injection of the same instant may have come before it or after it
        rows = np.concatenate((rows[time[rows] < arrived], self.posted_before(transfers, at_once)))
        amount = transfers.numbers("amount_fen")
        moved = int(amount[rows[credit[rows]]].sum()) - int(amount[rows[debit[rows]]].sum())
        return int(columns_of(self.run, "accounts", Accounts).numbers("opening_fen")[own]) + moved

    def posted_before(self, transfers: Columns, at_once: Any) -> Any:
        """Those of the transfers of the payment's instant that were posted before it arrived."""
        payments = self.payments
        ids = payments.table.column("payment_id")
        named = transfers.table.column("payment_id").take(pa.array(at_once))
        place = pc.index_in(ids, value_set=pa.array(named.to_pylist(), ids.type)).fill_null(-1).to_numpy()
        found = np.flatnonzero((place >= 0) & payments.settled)
        order = payments.arrival_order
        arrival = np.full(payments.count, -1, np.int64)
        arrival[order] = np.arange(len(order))
        moved = np.where(payments.waited[found], self.line.exit[found], arrival[found] + 1)
        earlier = found[(moved >= 0) & (moved <= self.line.entry[self.row])]
        return at_once[np.unique(place[earlier])]
