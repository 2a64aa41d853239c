"""Checks of pools and credit that need more than one key: who is named, and what contradicts what."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import TYPE_CHECKING

from cnaps_sim.scenario.credit import GeneratedCollateral, Mode
from cnaps_sim.scenario.faults import fault
from cnaps_sim.scenario.places import KeyPath
from cnaps_sim.words.timetable import Timetable
from cnaps_sim.words.units import format_clock

if TYPE_CHECKING:
    from cnaps_sim.scenario.model import Scenario


def named_by_tools(scenario: Scenario) -> Iterator[tuple[KeyPath, str]]:
    """Every account that pools, pledges and agreements name, with the path of the key that does."""
    for number, pool in enumerate(scenario.pools):
        for place, account in enumerate(pool.accounts or ()):
            yield ("pools", number, "accounts", place), account
    for number, reservation in enumerate(scenario.reservations):
        yield ("reservations", number, "account"), reservation.account
    credit = scenario.credit
    rows = credit.pledge.collateral
    for number, row in enumerate(() if isinstance(rows, GeneratedCollateral) else rows):
        yield ("credit", "pledge", "collateral", number, "account"), row.account
    for number, agreement in enumerate(credit.agreements):
        yield ("credit", "agreements", number, "lender"), agreement.lender
        yield ("credit", "agreements", number, "borrower"), agreement.borrower


def check_tools(scenario: Scenario, timetable: Timetable) -> None:
    """Raises the first fault of pools and credit."""
    _check_pools(scenario, timetable)
    _check_collateral(scenario)
    for number, agreement in enumerate(scenario.credit.agreements):
        _check_dates(agreement.from_, agreement.until, timetable, ("credit", "agreements", number))
    seen: set[str] = set()
    for number, reservation in enumerate(scenario.reservations):
        if reservation.account in seen:
            path = ("reservations", number, "account")
            raise fault("given twice", "each account once", value=reservation.account, path=path)
        seen.add(reservation.account)


def _check_pools(scenario: Scenario, timetable: Timetable) -> None:
    pool_of: dict[str, int] = {}
    for number, pool in enumerate(scenario.pools):
        for place, account in enumerate(pool.accounts or ()):
            if account in pool_of:
                problem = f"belongs to pools.{pool_of[account]} already"
                raise fault(
                    problem, "one pool for each account", value=account, path=("pools", number, "accounts", place)
                )  # fmt: skip
            pool_of[account] = number
        _check_dates(pool.from_, pool.until, timetable, ("pools", number))
        for place, sweep in enumerate(pool.sweeps):
            for day in timetable.business_days:
                at_ms = day.midnight_ms + sweep.at
                if not day.opens_ms <= at_ms < day.cut_off_ms:
                    first = max(0, day.opens_ms - day.midnight_ms)
                    allowed = f"from {format_clock(first)} to before {format_clock(day.cut_off_ms - day.midnight_ms)}"
                    path = ("pools", number, "sweeps", place, "at")
                    raise fault("outside the hours of a date", allowed, path=path)


def _check_dates(first: dt.date | None, last: dt.date | None, timetable: Timetable, here: KeyPath) -> None:
    """What has dates is in force on a business date of the run; else it would do nothing, and nobody would be told."""
    dates = [day.date for day in timetable.business_days]
    if any((first is None or first <= date) and (last is None or date <= last) for date in dates):
        return
    problem = "is in force on no business date of the run"
    if first is not None and first > dates[-1]:
        raise fault(problem, f"dates up to {dates[-1]}, the last of the run", path=(*here, "from"))
    next_date = next((date for date in dates if last is not None and date > last), dates[0])
    raise fault(problem, f"dates from {next_date}, a business date of the run", path=(*here, "until"))


def _check_collateral(scenario: Scenario) -> None:
    """Each account once; and either an overdraft limit or automatic pledge financing, where both can be seen."""
    rows = scenario.credit.pledge.collateral
    if isinstance(rows, GeneratedCollateral):
        return
    limits = {}
    if isinstance(scenario.accounts, tuple):
        limits = {row.account: row.overdraft_limit for row in scenario.accounts}
    seen: set[str] = set()
    for number, row in enumerate(rows):
        path = ("credit", "pledge", "collateral", number)
        if row.account in seen:
            raise fault("given twice", "each account once", value=row.account, path=(*path, "account"))
        seen.add(row.account)
        if row.mode is Mode.AUTOMATIC and limits.get(row.account, 0) > 0:
            problem = "has an overdraft limit, and automatic pledge financing too"
            raise fault(problem, "one of the two", value=row.account, path=(*path, "account"))
