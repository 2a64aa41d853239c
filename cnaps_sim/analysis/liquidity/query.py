"""The basket liquidity query (一揽子流动性实时查询): what a legal entity has and may expect at an instant of a run.

Everything is read from the result tables: balances from the transfers posted by then, queues from when payments were
submitted and ended, terms and warnings from the scenario and the events, positions from the samples of the netting
server. An answer includes everything that was posted at its instant. Source: rule section "liquidity tools".
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from cnaps_sim.analysis.liquidity.answer import (
    MEASURES,
    AccountLiquidity,
    LiquidityAnswer,
    OwnerLiquidity,
    Queued,
)
from cnaps_sim.analysis.liquidity.reserves import Reserve, reserves_at
from cnaps_sim.analysis.liquidity.tables import LEVELS, Ledger, Positions, Queues
from cnaps_sim.analysis.liquidity.terms import Phases, Terms, terms_at
from cnaps_sim.analysis.metrics.columns import NONE, Run, as_date
from cnaps_sim.analysis.metrics.payments import timetable_of
from cnaps_sim.run.store import opened
from cnaps_sim.words.codes import Phase
from cnaps_sim.words.errors import InputError, nearest
from cnaps_sim.words.units import MS_PER_DAY, day_of, parse_moment

if TYPE_CHECKING:
    import pandas as pd

_ALLOWED: Final = "HH:MM[:SS[.mmm]] on the first business date, or a full date-time"


class LiquidityQuery:
    """Answers for one run; its tables are read once, so that several instants cost little more than one."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self._ledger = Ledger(run)

    def answer(self, at: str | int | dt.datetime | dt.time, participant: str | None = None) -> LiquidityAnswer:
        """The answer at an instant for one participant, or for all.

        at: `HH:MM[:SS[.mmm]]` on the first business date, a full date-time, or ms of the run
        participant: an owner, or one of its accounts; the answer is about the whole owner
        """
        time = self._instant(at)
        ledger = self._ledger
        chosen = self._owners(participant)
        accounts = _accounts(ledger, time)
        owned = {owner: tuple(one for one in accounts.rows if one.owner == owner) for owner in chosen}
        return LiquidityAnswer(
            time,
            accounts.phase,
            None if accounts.positions is None else accounts.positions.time_ms,
            sum(one.balance for one in accounts.rows),
            tuple(OwnerLiquidity(owner, rows) for owner, rows in owned.items()),
            accounts.notes,
        )

    def _instant(self, at: str | int | dt.datetime | dt.time) -> int:
        days = timetable_of(self.run)
        first, last = (as_date(days[place]["date"]) for place in (0, -1))
        if isinstance(at, int) and not isinstance(at, bool):
            time = at
        else:
            text = at.isoformat() if isinstance(at, dt.datetime | dt.time) else str(at)
            try:
                time = parse_moment(text, first)
            except (ValueError, OverflowError) as error:
                raise InputError("at", "", str(error), at, _ALLOWED) from None
        begun = [event.time for event in self._ledger.told.beginning("", ("phase",))]
        low = day_of(min([-MS_PER_DAY, *begun])) * MS_PER_DAY
        high = ((last - first).days + 1) * MS_PER_DAY
        if not low <= time <= high:
            allowed = f"{_date_time(low, first)} to {_date_time(high, first)}"
            raise InputError("at", "", "is outside the run", at, allowed)
        return time

    def _owners(self, participant: str | None) -> list[str]:
        owners = list(dict.fromkeys(self._ledger.owners))
        if participant is None:
            return owners
        if participant in owners:
            return [participant]
        if participant in self._ledger.row:
            return [self._ledger.owners[self._ledger.row[participant]]]
        known = [*owners, *self._ledger.names]
        raise InputError("participant", "", "no such owner or account", participant, nearest(participant, known))


def _date_time(time: int, first: dt.date) -> str:
    return (dt.datetime.combine(first, dt.time()) + dt.timedelta(milliseconds=time)).isoformat(timespec="minutes")


class _Accounts(NamedTuple):
    rows: list[AccountLiquidity]
    phase: Phase
    positions: Positions | None
    notes: tuple[str, ...]


def _accounts(ledger: Ledger, at: int) -> _Accounts:
    """Every account at an instant."""
    terms, queues = terms_at(ledger, at), ledger.queues(at)
    balance, kept = ledger.balances(at), ledger.reserved(at)
    phase = Phases(ledger).at(at)
    available = [terms.available(balance, kept, phase, level) for level in range(LEVELS)]
    positions = ledger.positions(at)
    cap_warned = _cap_warned(ledger, terms, at)
    reserves = reserves_at(ledger, terms, balance, kept, queues, at)
    rows = [
        _account(ledger, terms, row, balance, kept, np.array([funds[row] for funds in available]), queues, positions,
                 cap_warned, reserves[row])
        for row in range(len(ledger.names))
    ]  # fmt: skip
    return _Accounts(rows, phase, positions, _notes(ledger, queues, at))


def _account(
    ledger: Ledger,
    terms: Terms,
    row: int,
    balance: Any,
    kept: Any,
    available: Any,
    queues: Queues,
    positions: Positions | None,
    cap_warned: set[str],
    reserve: Reserve,
) -> AccountLiquidity:
    name, central = ledger.names[row], bool(terms.central[row])
    value = {field: int(fen[row]) for field, fen in terms.value.items()}
    line, cap_line = value["warning_line"], value["cap_warning_line"]
    netted = positions if positions is not None and positions.known[row] else None
    return AccountLiquidity(
        account=name,
        owner=ledger.owners[row],
        name=ledger.titles[row] or name,
        kind=ledger.kinds[row],
        status=terms.status(row).value,
        balance=int(balance[row]),
        available=None if central else tuple(available.tolist()),
        queued_out=Queued(tuple(queues.out_count[row].tolist()), tuple(queues.out_fen[row].tolist())),
        queued_in=Queued(tuple(queues.in_count[row].tolist()), tuple(queues.in_fen[row].tolist())),
        overdraft_limit=None if central else value["overdraft_limit"],
        floor=value["floor"],
        earmark=value["earmark"],
        reserved=value["reserved_high"] + value["reserved_urgent"] + int(kept[row]),
        position=None if netted is None else int(netted.position[row]),
        unsettled=None if netted is None else int(netted.unsettled[row]),
        headroom=None if netted is None else int(netted.headroom[row]),
        warning_line=None if line == NONE else line,
        balance_warning=line != NONE and bool(balance[row] < line),
        cap_warning_line=None if cap_line == NONE else cap_line,
        cap_warning=name in cap_warned,
        pool=reserve.pool,
        pool_spare=reserve.pool_spare,
        pledge_room=reserve.pledge_room,
    )


def _cap_warned(ledger: Ledger, terms: Terms, at: int) -> set[str]:
    """Accounts with a cap warning (限额预警) in force: the latest event tells, or else the cap at the beginning."""
    warned: dict[str, bool] = {}
    for event in ledger.told.beginning("headroom under the net debit cap", ("warning",)):
        if event.time <= at:
            warned[event.subject] = "no longer below" not in event.detail
    line = terms.value["cap_warning_line"]
    silent = [row for row in np.flatnonzero(line != NONE).tolist() if ledger.names[row] not in warned]
    first = ledger.positions(None) if silent else None
    if first is not None:
        cap = first.headroom - first.position - first.unsettled
        warned |= {ledger.names[row]: bool(first.known[row] and cap[row] < line[row]) for row in silent}
    return {name for name, raised in warned.items() if raised}


def _notes(ledger: Ledger, queues: Queues, at: int) -> tuple[str, ...]:
    notes = []
    if queues.unsure:
        notes.append(
            f"{queues.unsure} queued payments were moved to another level later, and their level at that instant is "
            "not known: they are counted at the later one"
        )
    if ledger.failed_matching(at):
        notes.append(
            "a matching was under way that settled nothing in the end: what it kept until then is not known, and less "
            "may have been available"
        )
    return tuple(notes)


def liquidity(
    run: str | Path | Run,
    *,
    at: str | int | dt.datetime | dt.time,
    participant: str | None = None,
    by: str | None = None,
) -> pd.DataFrame:
    """The basket liquidity query (一揽子流动性实时查询) as a DataFrame; everything posted at the instant is included.

    run: a Run that recorded payments, or its folder; at: `HH:MM[:SS[.mmm]]` on the first business date, a full
    date-time, or ms of the run; participant: an owner or one of its accounts (all owners if None)

    One row per owner, `account` null, followed by one per account. Money in fen, Int64, null where it does not apply
    (funds and limits of the central bank's own accounts, netting without retail payments):
    `balance_fen`; `available_fen`: what an ordinary payment (level 7) may spend; `expected_fen` = available + queued in
    − queued out; `balance_if_settled_fen`: the balance if all that is queued settled; `queued_out_*`, `queued_in_*`;
    `overdraft_limit_fen`, `floor_fen`, `earmark_fen`, `reserved_fen` (out of reach of level 7); `position_fen`,
    `unsettled_fen`, `headroom_fen` at `netted_ms`, the last sample of the netting server; `balance_warning`,
    `cap_warning`: in force; `pledge_room_fen`: what may still be borrowed against bonds (质押融资); per account `pool`,
    its fund pool (资金池), and `pool_spare_fen`, what the other members could give, null where there is none. Neither
    is part of `expected_fen`. Terms that travelled as messages count from when their answer was told.
    With `by="level"`: one row per account and level with `available_fen` at that level and what is queued there.

    InputError if the instant is none of the run's, nobody bears that id, or the run did not record a table needed.
    """
    if by not in (None, "level"):
        raise InputError("by", "", "cannot be grouped by", by, "level")
    answer = LiquidityQuery(opened(run)).answer(at, participant)
    return _frame(answer) if by is None else _frame_by_level(answer)


def _frame(answer: LiquidityAnswer) -> pd.DataFrame:
    import pandas as pd

    rows: list[dict[str, Any]] = []
    for owner in answer.owners:
        lines = [owner.accounts, *((one,) for one in owner.accounts)]
        for place, accounts in enumerate(lines):
            one = accounts[0] if place else None
            rows.append(
                {
                    "owner": owner.owner,
                    "account": one.account if one else None,
                    "name": one.name if one else owner.name,
                    "status": one.status if one else None,
                    **(one.measures if one else owner.measures),
                    "netted_ms": answer.netted_ms,
                    "balance_warning": any(account.balance_warning for account in accounts),
                    "cap_warning": any(account.cap_warning for account in accounts),
                    "pool": one.pool if one else None,
                    "pool_spare_fen": one.pool_spare if one else None,
                }
            )
    frame = pd.DataFrame(rows)
    return frame.astype(dict.fromkeys((*MEASURES, "netted_ms", "pool_spare_fen"), "Int64"))


def _frame_by_level(answer: LiquidityAnswer) -> pd.DataFrame:
    import pandas as pd

    rows = [
        {
            "owner": owner.owner,
            "account": one.account,
            "level": level,
            "available_fen": None if one.available is None else one.available[level],
            "queued_out_count": one.queued_out.counts[level],
            "queued_out_fen": one.queued_out.sums[level],
            "queued_in_count": one.queued_in.counts[level],
            "queued_in_fen": one.queued_in.sums[level],
        }
        for owner in answer.owners
        for one in owner.accounts
        for level in range(LEVELS)
    ]
    return pd.DataFrame(rows).astype({"available_fen": "Int64"})
