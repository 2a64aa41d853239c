"""The liquidity tools that a scenario asks for, in the words of the books and the systems: pools and credit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from cnaps_sim.run.opening_balances import first_day
from cnaps_sim.run.population import Population
from cnaps_sim.scenario.accounts import GeneratedAccounts
from cnaps_sim.scenario.credit import GeneratedCollateral, Mode
from cnaps_sim.scenario.load import Loaded
from cnaps_sim.scenario.pools import Pool, PoolOrder, SweepDirection
from cnaps_sim.systems.credit import CreditRules, LoanAgreement
from cnaps_sim.systems.fund_pools import PoolRules, SweepRule
from cnaps_sim.words.codes import CentralBankAccount
from cnaps_sim.words.errors import InputError
from cnaps_sim.words.streams import Streams
from cnaps_sim.words.timetable import Timetable
from cnaps_sim.workload.account_rows import AccountRow
from cnaps_sim.workload.opening import outflow

_MILLION = 1_000_000


@dataclass(frozen=True)
class LiquidityTools:
    """Pools, pledges and credit of a run.

    pledges: per account of the population: room (fen), smallest loan (fen), automatic
    """

    pools: tuple[PoolRules, ...]
    pledges: tuple[tuple[int, int, bool], ...]
    credit: CreditRules
    pledge_rate_ppm: int
    pool_seed: int

    def terms(self, accounts: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Account terms for the books, with those of pledge financing."""
        for row, (room, start, automatic) in enumerate(self.pledges):
            if room > 0:
                accounts[row] = accounts[row] | {
                    "pledge_room": room, "pledge_start": start, "pledge_automatic": automatic,
                }  # fmt: skip
        return accounts

    @property
    def are_any(self) -> bool:
        """Whether anything may move money by itself."""
        lends = bool(self.credit.agreements) or self.credit.desk_share > 0
        return bool(self.pools) or lends or any(room > 0 for room, _, _ in self.pledges)

    def of_books(self, names: Sequence[str]) -> dict[str, Any]:
        """What the books are told beside the accounts."""
        return {
            "pools": [(pool.random, list(pool.members)) for pool in self.pools],
            "pool_seed": self.pool_seed,
            "lender": names.index(CentralBankAccount.LENDING.value),
            "interest_account": names.index(CentralBankAccount.INTEREST_AND_FEES.value),
            "pledge_rate_ppm": self.pledge_rate_ppm,
        }


def liquidity_tools(
    loaded: Loaded, population: Population, timetable: Timetable, streams: Streams
) -> LiquidityTools:  # fmt: skip
    """The tools of a scenario. InputError for what contradicts its accounts."""
    pools = _pools(loaded, population.rows, population.index, timetable)
    _check_pool_actions(loaded, pools)
    terms = loaded.scenario.credit
    agreements = tuple(
        LoanAgreement(
            population.index[given.lender], population.index[given.borrower], given.lower, given.upper, given.rate,
            tuple(_holds(given.from_, given.until, day.date) for day in timetable.business_days),
        )
        for given in terms.agreements
    )  # fmt: skip
    desk = terms.lending_desk
    return LiquidityTools(
        pools=pools,
        pledges=_pledges(loaded, population, timetable),
        credit=CreditRules(
            overdue_ppm=ppm(terms.pledge.overdue_extra),
            default_days=terms.pledge.default_after,
            agreements=agreements,
            desk_share=desk.share,
            desk_after_ms=desk.after,
            desk_rate=desk.rate,
        ),
        pledge_rate_ppm=ppm(terms.pledge.rate),
        pool_seed=int(streams["pools.order"].integers(2**31 - 1)) if any(pool.random for pool in pools) else 0,
    )


def granted(loaded: Loaded, population: Population, tools: LiquidityTools) -> dict[str, dict[str, int]]:
    """What accounts were granted by a rule of the scenario, fen by account, for whoever reads the tables later:
    pledge room, and the overdraft limits of a generated population. Nothing where there is nothing."""
    accounts = [row["account"] for row in population.rows]
    rooms = {name: room for name, (room, _, _) in zip(accounts, tools.pledges, strict=True) if room}
    limits: dict[str, int] = {}
    if isinstance(loaded.scenario.accounts, GeneratedAccounts):
        limits = {row["account"]: row["overdraft_limit"] for row in population.rows if row["overdraft_limit"]}
    told = {"pledge_room_fen": rooms, "overdraft_limit_fen": limits}
    return {key: found for key, found in told.items() if found}


def ppm(rate: Decimal) -> int:
    """A rate in millionths, rounded down."""
    return int(rate * _MILLION)


def _holds(first: Any, last: Any, date: Any) -> bool:
    return (first is None or first <= date) and (last is None or date <= last)


# pools --------------------------------------------------------------------------------------------------------


def _pools(
    loaded: Loaded, rows: Sequence[AccountRow], index: Mapping[str, int], timetable: Timetable
) -> tuple[PoolRules, ...]:
    """The pools in the order of the scenario; each account belongs to one, each pool has a name of its own."""
    found: list[PoolRules] = []
    member_of: dict[int, str] = {}
    for number, pool in enumerate(loaded.scenario.pools):
        key = f"pools.{number}"
        place = loaded.place_of(("pools", number))
        groups = groups_of(pool, rows, index, number)
        if not groups:
            raise InputError(place, key, "has no group of two members or more", str(pool.kind or "owners"), "")
        for name, members in groups:
            if name in {other.name for other in found}:
                raise InputError(place, f"{key}.name", "is the name of another pool", name, "a name used once")
            for member in members:
                if member in member_of:
                    problem = f"belongs to the pool {member_of[member]} already"
                    account = rows[member]["account"]
                    raise InputError(place, key, problem, account, "one pool for each account")
                member_of[member] = name
            found.append(
                PoolRules(
                    name=name,
                    random=pool.order is PoolOrder.RANDOM,
                    members=members,
                    on_day=tuple(pool.holds_on(day.date) for day in timetable.business_days),
                    sweeps=tuple(
                        SweepRule(sweep.at, sweep.direction is SweepDirection.UP, sweep.keep) for sweep in pool.sweeps
                    ),
                )
            )
    return tuple(found)


def groups_of(
    pool: Pool, rows: Sequence[Mapping[str, Any]], index: Mapping[str, int], number: int
) -> list[tuple[str, tuple[int, ...]]]:
    """The pools that one entry of `pools`, the one of this number, stands for: name and members' rows of each.

    rows: accounts in the order of the run, with `kind` and `owner`; index: the row of each account
    """
    if pool.accounts is not None:
        return [(pool.name or f"pool-{number + 1}", tuple(index[account] for account in pool.accounts))]
    if pool.kind is not None:
        of_kind = [row for row, account in enumerate(rows) if account["kind"] == pool.kind.value]
        parts = [tuple(of_kind[first : first + pool.size]) for first in range(0, len(of_kind), pool.size)]
        name = pool.name or pool.kind.value
        return [(f"{name}-{place + 1}", part) for place, part in enumerate(parts) if len(part) > 1]
    owners: dict[str, list[int]] = {}
    for row, account in enumerate(rows):
        owners.setdefault(account["owner"], []).append(row)
    return [(owner, tuple(members)) for owner, members in owners.items() if len(members) > 1]


def _check_pool_actions(loaded: Loaded, pools: Sequence[PoolRules]) -> None:
    """Actions name pools that there are."""
    from cnaps_sim.scenario.tool_actions import OnPool
    from cnaps_sim.words.errors import nearest

    names = [pool.name for pool in pools]
    for number, action in enumerate(loaded.scenario.actions):
        if isinstance(action, OnPool) and action.pool not in names:
            place = loaded.place_of(("actions", number, "pool"))
            raise InputError(
                place, f"actions.{number}.pool", "no such pool", action.pool, nearest(action.pool, names)
            )  # fmt: skip


# pledges ------------------------------------------------------------------------------------------------------


def _pledges(loaded: Loaded, population: Population, timetable: Timetable) -> tuple[tuple[int, int, bool], ...]:
    """Room, smallest loan and whether automatic, of each account."""
    terms = loaded.scenario.credit.pledge
    rows = population.rows
    found = [(0, 0, False)] * len(rows)
    if isinstance(terms.collateral, GeneratedCollateral):
        kinds = {kind.value for kind in terms.collateral.kinds}
        sent = outflow(first_day(population.flow, timetable), len(rows))
        share = ppm(terms.collateral.share_of_outflow * terms.collateral_share)
        for row, account in enumerate(rows):
            if not kinds or account["kind"] in kinds:
                found[row] = (int(sent[row]) * share // _MILLION, terms.start, True)
    else:
        for given in terms.collateral:
            row = population.index[given.account]
            room = given.bonds * ppm(terms.collateral_share) // _MILLION
            if given.capital is not None:
                room = min(room, given.capital * ppm(terms.capital_share.of_kind(rows[row]["kind"])) // _MILLION)
            found[row] = (0 if given.mode is Mode.NONE else room, terms.start, given.mode is Mode.AUTOMATIC)
    for row, account in enumerate(rows):
        if found[row][0] > 0 and found[row][2] and account["overdraft_limit"] > 0:
            problem = "has an overdraft limit, and automatic pledge financing too"
            place, allowed = loaded.place_of("credit.pledge.collateral"), "one of the two"
            raise InputError(place, "credit.pledge.collateral", problem, account["account"], allowed)
    return tuple(found)
