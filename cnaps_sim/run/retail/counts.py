"""Retail counts: what metrics ask of BEPS and IBPS where no item is recorded, counted while totals are made.

Times from submission to netting, what each round netted, why items were refused, and whose items the cap held up.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from cnaps_sim.core.compiled import rule
from cnaps_sim.core.records import Records
from cnaps_sim.engine.netting_recorder import Round
from cnaps_sim.run.columns import NEVER, Array
from cnaps_sim.run.retail.columns import SYSTEMS, ItemColumns
from cnaps_sim.run.retail.fates import LATE
from cnaps_sim.words.codes import Act, Cause, Refusal
from cnaps_sim.workload.retail_chunk import RetailChunk

#: A sum of amounts is kept in two halves, since a long run's passes 2^63 fen.
_HALF: Final = 32
_LOW_HALF: Final = (1 << _HALF) - 1
_CAP: Final = int(Refusal.CAP)
_NEVER: Final = int(NEVER)


class ItemCounts:
    """Counts of the items of a run, added up chunk by chunk; every sum is of items and fen.

    accounts: names of the account rows
    """

    def __init__(self, accounts: Sequence[str]) -> None:
        self._accounts = accounts
        self._delays = np.zeros((len(SYSTEMS), 2), np.int64)  # netted items, and the sum of their delays in ms
        self._rounds = np.zeros((0, len(SYSTEMS), 3), np.int64)
        self._refusals = np.zeros((len(SYSTEMS), len(Refusal), 3), np.int64)
        self._over_cap = np.zeros((len(accounts), 3), np.int64)
        self._queued = np.zeros((len(accounts), 3), np.int64)
        self._late: list[Records] = []

    def add(self, items: ItemColumns) -> None:
        """Add the items of one chunk."""
        more = int(items.net_round.max(initial=0)) + 1 - len(self._rounds)
        if more > 0:
            self._rounds = np.concatenate([self._rounds, np.zeros((more, *self._rounds.shape[1:]), np.int64)])
        count_items(
            items.submitted_ms, items.netted_ms, items.net_round, items.debtor, items.systems, items.refusal,
            items.amounts, self._delays, self._rounds, self._refusals, self._over_cap,
        )  # fmt: skip

    def add_queued(self, chunk: RetailChunk, fates: Records) -> None:
        """Add the units of a chunk that stood in a cap queue, by what the log says of them."""
        fates = fates[fates["unit"] < chunk.first_unit + len(chunk.rows)]
        waited = (fates["cause"] != int(Cause.NONE)) | np.isin(fates["act"], (int(Act.QUEUED), int(Act.CANCELLED)))
        units = chunk.rows[fates["unit"][waited] - chunk.first_unit]
        for place, values in enumerate((units["items"], units["amount"] >> _HALF, units["amount"] & _LOW_HALF)):
            np.add.at(self._queued[:, place], units["debtor"], values)

    def add_late(self, late: Records) -> None:
        """Add the units of a chunk that expire after the netting server has decided so (`retail.fates.LATE`)."""
        if len(late):
            self._late.append(late)

    @property
    def late(self) -> Records:
        """All of those."""
        return np.concatenate([np.zeros(0, LATE), *self._late])

    def mean_delays(self) -> dict[str, float | None]:
        """Of each system the exact mean time from submission to netting of its netted items, ms; null if none was."""
        told = zip(SYSTEMS, self._delays.tolist(), strict=True)
        return {system.value: total / count if count else None for system, (count, total) in told}

    def refusals(self) -> dict[str, dict[str, dict[str, int]]]:
        """Of each system the items that were not netted, by the name of the refusal."""
        told = {}
        for system, sums in zip(SYSTEMS, self._refusals, strict=True):
            told[system.value] = {
                refusal.name: _sum(sums[refusal]) for refusal in Refusal if refusal and sums[refusal, 0]
            }
        return told

    def rounds(self, rounds: Sequence[Round], dates: Sequence[dt.date]) -> list[dict[str, Any]]:
        """The rounds in order, each with the items that it netted, by system."""
        nothing = np.zeros(self._rounds.shape[1:], np.int64)
        return [
            {
                "round": each.number,
                "date": dates[each.date_index].isoformat(),
                "time_ms": each.time_ms,
                "kind": each.kind.value,
                "sent_ms": each.sent_ms,
                "netted": {
                    system.value: _sum(sums)
                    for system, sums in zip(
                        SYSTEMS, self._rounds[each.number] if each.number < len(self._rounds) else nothing, strict=True
                    )
                },
            }
            for each in rounds
        ]

    def caps(self, lowest_headroom: Array) -> dict[str, dict[str, Any]]:
        """Of each participant the lowest headroom of the run (fen), and its items that the cap refused or held up.

        lowest_headroom: by account row, of the participants alone
        """
        told: dict[str, dict[str, Any]] = {}
        for row, lowest in enumerate(lowest_headroom.tolist()):
            of_row: dict[str, Any] = {"lowest_headroom_fen": lowest}
            for name, sums in (("rejected", self._over_cap[row]), ("queued", self._queued[row])):
                if sums[0]:
                    of_row[name] = _sum(sums)
            told[self._accounts[row]] = of_row
        return told


def _sum(sums: Array) -> dict[str, int]:
    count, high, low = sums.tolist()
    return {"count": count, "value_fen": (high << _HALF) + low}


@rule
def count_items(
    submitted: Array,
    netted: Array,
    net_round: Array,
    debtor: Array,
    systems: Array,
    refusal: Array,
    amounts: Array,
    delays: Array,
    rounds: Array,
    refusals: Array,
    over_cap: Array,
) -> None:
    """Add each item to the counts of its system, its round, its refusal and its payer."""
    for item in range(amounts.shape[0]):
        system = systems[item]
        high = amounts[item] >> _HALF
        low = amounts[item] & _LOW_HALF
        if netted[item] != _NEVER:
            delays[system, 0] += 1
            delays[system, 1] += netted[item] - submitted[item]
            of_round = rounds[net_round[item], system]
            of_round[0] += 1
            of_round[1] += high
            of_round[2] += low
        elif refusal[item] != 0:
            of_refusal = refusals[system, refusal[item]]
            of_refusal[0] += 1
            of_refusal[1] += high
            of_refusal[2] += low
            if refusal[item] == _CAP:
                of_payer = over_cap[debtor[item]]
                of_payer[0] += 1
                of_payer[1] += high
                of_payer[2] += low
