"""Terms of every account at one instant: as the scenario wrote them, then as actions, nets and window closes left them.

The earmark (圈存) needs more than the actions: a debit of level 4 uses it up after ordinary funds, and the close of a
clearing window with something left cuts it to the balance. Both are replayed from the transfers in posting order.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from cnaps_sim.analysis.explain.tables import Event, is_label
from cnaps_sim.analysis.liquidity.tables import Ledger, read_columns
from cnaps_sim.analysis.metrics.columns import NONE, IntArray
from cnaps_sim.analysis.metrics.payments import timetable_of
from cnaps_sim.analysis.phrases import TERMS
from cnaps_sim.words.codes import (
    AccountStatus,
    Cause,
    CentralBankAccount,
    Level,
    Life,
    Phase,
    Reason,
    System,
    TransferKind,
)
from cnaps_sim.words.errors import InputError
from cnaps_sim.words.units import parse_fen
from cnaps_sim.workload.account_rows import AccountRow, account_row, accounts_from_rows, read_accounts

#: Lines below which a warning is raised; `NONE` where an account has none.
LINES: Final = ("warning_line", "cap_warning_line")
_FIELDS: Final = (*TERMS, *LINES)
_DATE: Final = re.compile(r" of ([0-9]{4}-[0-9]{2}-[0-9]{2})")
_CHANGE: Final = re.compile(r"(\w+) (-?[0-9]+\.[0-9]{2}) CNY")
#: What releases a payment when a clearing window closes with something left.
_CLOSING_CAUSES: Final = (Cause.RETURN.word, Cause.PENALTY.word, Cause.CONTROL.word)
#: What happens first at one instant: as a rule actions before nets, but a closing window before the actions.
_ACTION, _NET, _CUT, _LATE_ACTION = range(4)


class Phases:
    """The phases of HVPS, by instant."""

    def __init__(self, ledger: Ledger) -> None:
        self.events = [
            event for event in ledger.told.about(System.HVPS, ("phase",)) if event.detail[:2].isdigit()
        ]  # fmt: skip

    def at(self, time: int) -> Phase:
        """The phase when an instant (ms) was over."""
        seen = [event for event in self.events if event.time <= time]
        return Phase(int(seen[-1].detail[:2])) if seen else Phase.PREPARATION

    def date_at(self, time: int) -> dt.date | None:
        """The business date of HVPS when an instant (ms) was over; None before the first begins."""
        found = [match[1] for event in self.events if event.time <= time if (match := _DATE.search(event.detail))]
        return dt.date.fromisoformat(found[-1]) if found else None

    def in_window(self, time: int) -> bool:
        """Whether what was posted at an instant (ms) was posted in a clearing window; its close belongs to it."""
        if not self.events:
            return False
        ends = [event.time for event in self.events[1:]] + [time]
        return any(
            event.time <= time <= end and event.detail.startswith(str(int(Phase.CLEARING_WINDOW)))
            for event, end in zip(self.events, ends, strict=True)
        )


class Terms:
    """Money terms of every account (`value[field]`, arrays of fen over accounts) and their status."""

    def __init__(self, names: list[str], written: Mapping[str, AccountRow]) -> None:
        rows = [written.get(name) or account_row(name) for name in names]
        self.value: dict[str, IntArray] = {}
        for field in _FIELDS:
            given: list[Any] = [row[field] for row in rows]  # type: ignore[literal-required]
            self.value[field] = np.array([NONE if fen is None else fen for fen in given], np.int64)
        self.central = np.array([name in set(CentralBankAccount) for name in names], np.bool_)
        self._control = [_Control.of(AccountStatus(row["status"])) for row in rows]

    def status(self, row: int) -> AccountStatus:
        """The status (清算账户状态) of an account; a control shows where its life is ordinary."""
        return self._control[row].status

    def may_give(self, row: int) -> bool:
        """Whether the account is open and free of debit control (借记控制), so that it may help others of its pool."""
        control = self._control[row]
        return control.life == Life.OPEN and not control.debit

    def grant(self, run: Any, row: Mapping[str, int]) -> None:
        """Terms that the run gave accounts by a rule, and reservations that stand apart; row: of each account."""
        for name, fen in run.manifest.get("granted", {}).get("overdraft_limit_fen", {}).items():
            self.value["overdraft_limit"][row[name]] = fen
        for given in (getattr(run, "scenario", None) or {}).get("reservations") or []:
            for field, key in (("reserved_high", "high"), ("reserved_urgent", "urgent")):
                self.value[field][row[given["account"]]] = parse_fen(str(given[key]))

    def act(self, row: int, detail: str) -> None:
        """Carry out what the event of an action tells of an account, if it is about its terms."""
        self._control[row] = self._control[row].after(detail)
        found = _CHANGE.fullmatch(detail)
        if found is not None and found[1] in _FIELDS:
            self.value[found[1]][row] = parse_fen(found[2])

    def ordinary_funds(self, balance: IntArray, window: bool, level: int, row: Any = slice(None)) -> Any:
        """Balance less earmark and floor, plus the overdraft limit as far as a level may use it, fen."""
        credit = 0 if window and level > Level.URGENT else self.value["overdraft_limit"][row]
        return balance[row] - self.value["earmark"][row] - self.value["floor"][row] + credit

    def available(self, balance: IntArray, reserved: IntArray, phase: Phase, level: int) -> IntArray:
        """What every account may spend at a level (rule section "the account"), fen; may be negative."""
        window = phase == Phase.CLEARING_WINDOW
        funds: IntArray = self.ordinary_funds(balance, window, level) - reserved
        if level == Level.ROUND_NET:
            return funds + self.value["earmark"]
        if level > Level.URGENT:
            funds = funds - self.value["reserved_high"]
        return funds - self.value["reserved_urgent"] if level == Level.NORMAL else funds


class _Control(NamedTuple):
    """Life and controls of an account."""

    life: Life
    debit: bool
    credit: bool

    @classmethod
    def of(cls, status: AccountStatus) -> _Control:
        if status in (AccountStatus.AS04, AccountStatus.AS05):
            return cls(Life.OPEN, status == AccountStatus.AS04, status == AccountStatus.AS05)
        return cls(Life(int(status.value[2:])), False, False)

    @property
    def status(self) -> AccountStatus:
        if self.life == Life.OPEN and (self.debit or self.credit):
            return AccountStatus.AS04 if self.debit else AccountStatus.AS05
        return AccountStatus(f"AS{int(self.life):02d}")

    def after(self, detail: str) -> _Control:
        """AS04 and AS05 put a control on; any other status is the account's life, and AS01 lifts both controls."""
        match detail.split():
            case ["debit", "control", switch]:
                return self._replace(debit=switch == "on")
            case ["credit", "control", switch]:
                return self._replace(credit=switch == "on")
            case ["status", AccountStatus.AS04]:
                return self._replace(debit=True)
            case ["status", AccountStatus.AS05]:
                return self._replace(credit=True)
            case ["status", AccountStatus.AS01]:
                return _Control(Life.OPEN, False, False)
            case ["status", code] if code in set(AccountStatus):
                return self._replace(life=Life(int(code[2:])))
        return self


class _Step(NamedTuple):
    """Something that changes terms; sorted they stand in the order in which it happened."""

    time: int
    rank: int
    order: int  # of events, or place of the transfer
    row: int
    detail: str


def terms_at(ledger: Ledger, at: int) -> Terms:
    """The terms of every account when an instant (ms) was over.

    InputError if the accounts came from a file that is no longer what the run read.
    """
    terms = Terms(ledger.names, _written(ledger.run))
    terms.grant(ledger.run, ledger.row)
    ends = {int(day["window_end_ms"]) for day in timetable_of(ledger.run)}
    acts = [event for event in _acts(ledger) if event.time <= at]
    steps = [
        _Step(event.time, _LATE_ACTION if event.time in ends else _ACTION, order, ledger.row[event.subject],
              event.detail)
        for order, event in enumerate(acts) if event.subject in ledger.row
    ]  # fmt: skip
    earmarked = terms.value["earmark"] > 0
    earmarked[[step.row for step in steps if step.detail.startswith("earmark ")]] = True
    if earmarked.any():
        steps += _nets(ledger, at, earmarked & ~terms.central)
        steps += [_Step(end, _CUT, 0, -1, "") for end in _cuts(ledger) if end <= at]
    phases = Phases(ledger)
    balance, posted = ledger.opening.copy(), 0
    for step in sorted(steps):
        if step.rank == _NET:
            ledger.post(balance, posted, step.order)
            posted = step.order
            _use_earmark(ledger, terms, balance, step, phases.in_window(step.time))
        elif step.rank == _CUT:
            closing = ledger.closing(_date_ending(ledger, step.time))
            earmark = terms.value["earmark"]
            earmark[:] = np.where(terms.central, earmark, np.minimum(earmark, np.maximum(closing, 0)))
        else:
            terms.act(step.row, step.detail)
    return terms


def _acts(ledger: Ledger) -> list[Event]:
    """What was done to accounts, in order."""
    return ledger.told.beginning((*(f"{field} " for field in _FIELDS), "debit control", "credit control", "status AS"))


def _nets(ledger: Ledger, at: int, earmarked: Any) -> list[_Step]:
    """The debits of level 4 of accounts that have, or had, an earmark."""
    level = ledger.transfers.numbers("level")[: ledger.posted_by(at)]
    places = np.flatnonzero(level == Level.ROUND_NET)
    times = ledger.transfers.numbers("time_ms")
    return [
        _Step(int(times[place]), _NET, place, int(ledger.debtor[place]), "")
        for place in places[earmarked[ledger.debtor[places]]].tolist()
    ]


def _use_earmark(ledger: Ledger, terms: Terms, balance: IntArray, step: _Step, window: bool) -> None:
    """A debit of level 4 takes from the earmark what ordinary funds lack."""
    amount = int(ledger.transfers.numbers("amount_fen")[step.order])
    own = int(terms.ordinary_funds(balance, window, Level.ROUND_NET, step.row))
    own -= int(ledger.reserved(step.time)[step.row])
    earmark = terms.value["earmark"]
    earmark[step.row] -= min(int(earmark[step.row]), max(0, amount - max(0, own)))


def _cuts(ledger: Ledger) -> list[int]:
    """The closes of clearing windows (ms) at which something was left: sent back, lent for or posted in any case."""
    ends = np.array([int(day["window_end_ms"]) for day in timetable_of(ledger.run)], np.int64)
    told = read_columns(ledger.run, "payments", ["system", "ended_ms", "settled_ms", "reason", "released_by"])
    returned = is_label(told.codes("reason"), Reason.RJ99)
    found = set(told.numbers("ended_ms")[returned].tolist())
    for cause in _CLOSING_CAUSES:
        found |= set(told.numbers("settled_ms")[is_label(told.codes("released_by"), str(cause))].tolist())
    lent = is_label(ledger.transfers.codes("kind"), TransferKind.PENALTY)
    found |= set(ledger.transfers.numbers("time_ms")[lent].tolist())
    return [end for end in ends.tolist() if end in found]


def _date_ending(ledger: Ledger, end: int) -> int:
    """The business date whose clearing window ends at an instant, in days since 1970-01-01."""
    for day in timetable_of(ledger.run):
        if int(day["window_end_ms"]) == end:
            return int(np.datetime64(day["date"], "D").astype(np.int64))
    raise AssertionError("a window ends on a date of the run")


def _written(run: Any) -> Mapping[str, AccountRow]:
    """The accounts as the scenario wrote them; those of a generated population have the default of every term."""
    accounts = (getattr(run, "scenario", None) or {}).get("accounts")
    if isinstance(accounts, Mapping) and accounts.get("file") is not None:
        return {row["account"]: row for row in _filed(run, Path(str(accounts["file"])))}
    if isinstance(accounts, list):
        return {row["account"]: row for row in accounts_from_rows(accounts)}
    return {}


def _filed(run: Any, path: Path) -> list[AccountRow]:
    """The accounts of a file. InputError if it is no longer what the run read."""
    digest = run.manifest.get("inputs", {}).get("accounts.file")
    if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != digest:
        raise InputError(
            str(path), "accounts", "is no longer what the run read, so that the terms of its accounts are not known",
            "", "the file as it was",
        )  # fmt: skip
    return read_accounts(path)
