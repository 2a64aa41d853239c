"""Which banks follow which behaviour of a scenario, and payments that are told in several pieces (拆分大额)."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from cnaps_sim.participants.behaviours import POLICIES, Policy, Split
from cnaps_sim.run.columns import Array
from cnaps_sim.scenario.behaviours import BanksOfKind, Behaviour, FollowsOwnPolicy, LargestBanks
from cnaps_sim.scenario.load import Loaded
from cnaps_sim.systems.dvp import CODE as LEG
from cnaps_sim.words.codes import HVPS_LEVELS, Refusal
from cnaps_sim.words.errors import InputError
from cnaps_sim.words.units import format_fen
from cnaps_sim.workload.account_rows import AccountRow
from cnaps_sim.workload.flow import Flow
from cnaps_sim.workload.ids import first_duplicate

#: No payment is told in more pieces [P]: a small limit for a large payment would fill any machine.
MOST_PIECES = 10_000
#: Key of what the manifest tells about split payments: payments, pieces, value_fen.
NOTE = "split"


def followers(loaded: Loaded, rows: Sequence[AccountRow], flow: Flow) -> dict[int, int]:
    """The number of the entry of `behaviours` that each bank follows, by account row; the last that names it.

    InputError where an entry names no bank of the run.
    """
    found: dict[int, int] = {}
    for number, entry in enumerate(loaded.scenario.behaviours):
        chosen = _chosen(entry, rows, flow)
        if not chosen:
            place, key = loaded.place_of(("behaviours", number, "banks")), f"behaviours.{number}.banks"
            kinds = sorted({str(row["kind"]) for row in rows if row["kind"] is not None})
            problem = "the run has no such bank"
            raise InputError(place, key, problem, _kind_of(entry), ", ".join(kinds) or "accounts with a kind")
        found |= dict.fromkeys(chosen, number)
    return found


def _kind_of(entry: Behaviour) -> str:
    return entry.banks.kind.value if isinstance(entry.banks, BanksOfKind) else ""


def _chosen(entry: Behaviour, rows: Sequence[AccountRow], flow: Flow) -> list[int]:
    banks = entry.banks
    if isinstance(banks, BanksOfKind):
        return [number for number, row in enumerate(rows) if row["kind"] == banks.kind]
    if isinstance(banks, LargestBanks):
        told = np.zeros(len(rows), np.int64)
        sound = payable(flow)
        np.add.at(told, flow.rows["debtor"][sound], flow.rows["amount"][sound])
        return list(map(int, np.argsort(-told, kind="stable")[: banks.largest]))
    if isinstance(banks, tuple):
        place = {row["account"]: number for number, row in enumerate(rows)}
        return [place[account] for account in banks]
    return list(range(len(rows)))


def payable(flow: Flow) -> Array:
    """Payments of participants that are not refused for what they are: their rows in the flow."""
    rows = flow.rows
    sound = (rows["refusal"] == int(Refusal.NONE)) & (rows["debtor"] != rows["creditor"])
    return np.flatnonzero(sound & np.isin(rows["level"], [int(level) for level in HVPS_LEVELS]))


def parameters_of(entry: Behaviour, policy: type[Policy]) -> dict[str, Any]:
    """The parameters of a bundled policy, by name, as its entry tells them."""
    names = [field.name for field in dataclasses.fields(policy) if field.init]  # type: ignore[arg-type]
    return {name: getattr(entry, name) for name in names}


def bundled_policy(entry: Behaviour) -> Policy | None:
    """A new policy as an entry tells it; None for one of the researcher's own."""
    if isinstance(entry, FollowsOwnPolicy):
        return None
    kind = POLICIES[entry.policy]
    return kind(**parameters_of(entry, kind))


def split_payments(loaded: Loaded, rows: Sequence[AccountRow], flow: Flow) -> Flow:
    """The flow with the payments of banks that split in pieces `<id>/1`, `<id>/2`…, each a payment of its own.

    Pieces differ by a fen at most, the larger ones first, and stand where their payment stood. Cash legs of bond
    trades (券款对付) are left whole. InputError for a payment in too many pieces, and where an id is used already.
    """
    entries = loaded.scenario.behaviours
    policies = {number: bundled_policy(entry) for number, entry in enumerate(entries) if entry.policy == Split.name}
    if not policies:
        return flow
    counts = np.ones(len(flow), np.int64)
    entry_of = followers(loaded, rows, flow)
    splitting = {row: policies[number] for row, number in entry_of.items() if number in policies}
    debtors = flow.rows["debtor"]
    for row in _whole_ones(flow).tolist():
        policy = splitting.get(int(debtors[row]))
        if isinstance(policy, Split):
            counts[row] = policy.count(int(flow.rows["amount"][row]))
    if int(counts.max(initial=1)) == 1:
        return dataclasses.replace(flow, notes={**flow.notes, NOTE: _note(flow, counts)})
    many = np.flatnonzero(counts > MOST_PIECES)
    if len(many):
        row = int(many[0])
        number = entry_of[int(debtors[row])]
        problem = f"splits {flow.payment_ids[row].as_py()} (CNY {format_fen(int(flow.rows['amount'][row]))})"
        place, key = loaded.place_of(("behaviours", number)), f"behaviours.{number}.max_piece"
        raise InputError(place, key, problem, f"{counts[row]} pieces", f"up to {MOST_PIECES} pieces a payment")
    return _in_pieces(loaded, flow, counts)


def _whole_ones(flow: Flow) -> Array:
    sound = payable(flow)
    return sound[flow.type_index[sound] != flow.types.index(LEG)] if LEG in flow.types else sound


def _note(flow: Flow, counts: Array) -> Mapping[str, int]:
    split = counts > 1
    value = sum(flow.rows["amount"][split].tolist())
    return {"payments": int(split.sum()), "pieces": int(counts[split].sum()), "value_fen": value}


def _in_pieces(loaded: Loaded, flow: Flow, counts: Array) -> Flow:
    source = np.repeat(np.arange(len(flow)), counts)
    number = np.arange(len(source)) - np.repeat(np.cumsum(counts) - counts, counts)
    rows = flow.rows[source]
    whole, rest = np.divmod(flow.rows["amount"], counts)
    rows["amount"] = whole[source] + (number < rest[source])
    ids = flow.payment_ids.take(pa.array(source)).to_pylist()
    for piece in np.flatnonzero(counts[source] > 1).tolist():
        ids[piece] = f"{ids[piece]}/{number[piece] + 1}"
    payment_ids = pa.array(ids, pa.string())
    twice = first_duplicate(payment_ids)
    if twice is not None:
        place = loaded.place_of("workload")
        raise InputError(place, "payment_id", "is the id of a piece of a split payment, too", ids[twice[1]])
    return dataclasses.replace(
        flow,
        rows=rows,
        payment_ids=payment_ids,
        type_index=flow.type_index[source],
        due_ms=None if flow.due_ms is None else flow.due_ms[source],
        on_behalf_of=None if flow.on_behalf_of is None else flow.on_behalf_of.take(pa.array(source)),
        notes={**flow.notes, NOTE: _note(flow, counts)},
    )
