"""What an account may still get from liquidity tools at an instant: from its fund pool, and against its bonds.

Rule section "liquidity tools": a member of a pool (资金池) gives at most its own money without credit, and only while
it is open, free of debit control and nothing waits in its queue; the room of pledge financing (质押融资) is what its
bonds and its capital allow, less what it owes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
from pydantic import TypeAdapter

from cnaps_sim.analysis.explain.tables import is_label
from cnaps_sim.analysis.liquidity.tables import Ledger, Queues, read_columns
from cnaps_sim.analysis.liquidity.terms import Phases, Terms
from cnaps_sim.analysis.metrics.columns import IntArray
from cnaps_sim.run.tools import groups_of
from cnaps_sim.scenario.pools import Pool, PoolTerms
from cnaps_sim.words.codes import TransferKind
from cnaps_sim.words.errors import InputError

#: What the events of a pool say of it.
_STARTED, _STOPPED, _CANCELLED = "works again", "is stopped", "is cancelled"


class Reserve(NamedTuple):
    """Of one account: the name of its pool and what the other members could give, and its pledge room left, fen.

    None where the scenario has no such tool for it; a pool that does not work gives nothing.
    """

    pool: str | None
    pool_spare: int | None
    pledge_room: int | None


def reserves_at(
    ledger: Ledger, terms: Terms, balance: IntArray, kept: IntArray, queues: Queues, at: int
) -> list[Reserve]:
    """The reserves of every account when an instant (ms) was over.

    balance, kept: of every account, fen; kept: for a matching under way
    """
    pool: list[str | None] = [None] * len(ledger.names)
    spare: list[int | None] = [None] * len(ledger.names)
    scenario = getattr(ledger.run, "scenario", None) or {}
    if scenario.get("pools"):
        gives = _spare(terms, balance, kept, queues)
        for name, members, works in _pools(ledger, terms, scenario, at):
            total = int(gives[members].sum())
            for row in members:
                pool[row] = name
                spare[row] = total - int(gives[row]) if works else 0
    room = _rooms(ledger, at)
    return [Reserve(pool[row], spare[row], room.get(row)) for row in range(len(ledger.names))]


def _spare(terms: Terms, balance: IntArray, kept: IntArray, queues: Queues) -> IntArray:
    """What every account could give to others of its pool, fen."""
    value = terms.value
    own = balance - value["earmark"] - value["floor"] - value["reserved_high"] - value["reserved_urgent"] - kept
    free = np.array([terms.may_give(row) for row in range(len(balance))], np.bool_)
    found: IntArray = np.where(free & (queues.out_count.sum(axis=1) == 0), np.maximum(own, 0), 0)
    return found


def _pools(ledger: Ledger, terms: Terms, scenario: Mapping[str, Any], at: int) -> Iterator[tuple[str, list[int], bool]]:
    """Name and members' rows of each pool, and whether it works on the business date of an instant."""
    date = Phases(ledger).date_at(at)
    columns = zip(ledger.names, ledger.kinds, ledger.owners, terms.central.tolist(), strict=True)
    rows = [{"account": name, "kind": kind, "owner": owner} for name, kind, owner, central in columns if not central]
    reader: TypeAdapter[Pool] = TypeAdapter(PoolTerms)
    for number, entry in enumerate(scenario["pools"]):
        pool = reader.validate_python(entry)
        in_force = date is not None and pool.holds_on(date)
        for name, members in groups_of(pool, rows, ledger.row, number):
            yield name, list(members), in_force and _is_let_work(ledger, name, at)


def _is_let_work(ledger: Ledger, name: str, at: int) -> bool:
    """Whether nobody has stopped the pool without starting it again, or cancelled it."""
    orders = [event.detail for event in ledger.told.about(name) if event.time <= at]
    said = [detail for detail in orders if detail in (_STARTED, _STOPPED)]
    return _CANCELLED not in orders and (not said or said[-1] == _STARTED)


def _rooms(ledger: Ledger, at: int) -> dict[int, int]:
    """Pledge room left by account row, fen, for accounts that had any when the run began."""
    granted = ledger.run.manifest.get("granted", {}).get("pledge_room_fen", {})
    unknown = [name for name in granted if name not in ledger.row]
    if unknown:
        raise InputError("manifest.json", "granted.pledge_room_fen", "names no account of the run", unknown[0])
    if not granted:
        return {}
    owed = np.zeros(len(ledger.names), np.int64)
    count = ledger.posted_by(at)
    told = read_columns(ledger.run, "transfers", ["kind", "payment_id"])
    kind = told.codes("kind")
    amount = ledger.transfers.numbers("amount_fen")
    lent = is_label(kind, TransferKind.PLEDGE)[:count]
    moved = told.table.column("payment_id").is_null().to_numpy()[:count]  # other repayments are bookings with an id
    repaid = is_label(kind, TransferKind.REPAYMENT)[:count] & moved
    np.add.at(owed, ledger.creditor[:count][lent], amount[:count][lent])
    np.subtract.at(owed, ledger.debtor[:count][repaid], amount[:count][repaid])
    return {ledger.row[name]: max(0, int(fen) - int(owed[ledger.row[name]])) for name, fen in granted.items()}
