"""Retail clients: what a direct participant lets its indirect participants (间接参与者) send in a retail date.

A unit on behalf of a client is refused by its direct participant (RJ92) where the client's value and credit line,
less what it has sent that date, are short. What has passed its bank counts as sent, whatever becomes of it [P].
Source: rule section "BEPS".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from cnaps_sim.words.codes import Refusal
from cnaps_sim.words.errors import InputError
from cnaps_sim.words.retail import RetailKind
from cnaps_sim.words.retail_days import RetailDay
from cnaps_sim.workload.retail_items import RetailItems
from cnaps_sim.workload.retail_limits import date_index
from cnaps_sim.workload.retail_terms import ClientLine
from cnaps_sim.workload.retail_units import Units

_IS_DEBIT: Final = np.array([kind.is_debit for kind in RetailKind])


def hold_to_lines(
    sources: Sequence[tuple[RetailItems, Units]], clients: Sequence[ClientLine], dates: Sequence[RetailDay]
) -> None:
    """Refuse the units (PAYER_BANK) that take a client over its line, in order of time over all sources.

    A credit is looked at when it is sent, and refused then; a debit when the payer's bank answers it. A package is
    refused whole. InputError at the first item on behalf of a client of another bank than its debtor.
    """
    lines = {client.name: client for client in clients}
    asked: list[tuple[int, int, int, dict[str, int]]] = []
    for number, (items, units) in enumerate(sources):
        for unit, sums in _sums_by_unit(items, units, lines).items():
            at_ms = units.time_ms[unit] if _IS_DEBIT[units.kind[unit]] else units.sent_ms[unit]
            asked.append((int(at_ms), number, unit, sums))
    asked.sort(key=lambda one: one[:3])
    sent: dict[tuple[str, int], int] = {}
    for at_ms, number, unit, sums in asked:
        date = int(date_index(np.array([at_ms]), dates)[0])
        if all(sent.get((name, date), 0) + fen <= _line(lines[name]) for name, fen in sums.items()):
            for name, fen in sums.items():
                sent[name, date] = sent.get((name, date), 0) + fen
            continue
        units = sources[number][1]
        units.refusal[unit] = Refusal.PAYER_BANK
        units.time_ms[unit] = at_ms


def _line(client: ClientLine) -> int:
    return client.value + client.credit_line


def _sums_by_unit(items: RetailItems, units: Units, lines: Mapping[str, ClientLine]) -> dict[int, dict[str, int]]:
    """What each unit that asks its payer's bank would send for which client, fen."""
    if items.on_behalf_of is None or not lines:
        return {}
    found: dict[int, dict[str, int]] = {}
    for item, name in enumerate(items.on_behalf_of.to_pylist()):
        client = lines.get(name or "")
        if client is None:
            continue
        if client.direct != int(items.debtor[item]):
            raise InputError(items.place(item), "on_behalf_of", "a client of another participant", name)
        unit = int(units.unit_of[item])
        if _asks(items, units, unit):
            sums = found.setdefault(unit, {})
            sums[client.name] = sums.get(client.name, 0) + int(items.amount[item])
    return found


def _asks(items: RetailItems, units: Units, unit: int) -> bool:
    """Whether the payer's bank looks at a unit at all: every credit that is sent, a debit that it has not refused."""
    first = units.first[unit]
    if items.debtor[first] == items.creditor[first]:
        return False
    refusal = int(units.refusal[unit])
    if _IS_DEBIT[units.kind[unit]]:
        return refusal == Refusal.NONE
    return refusal in (Refusal.NONE, Refusal.PAYEE_BANK, Refusal.TIMED_OUT, Refusal.UNANSWERED)
