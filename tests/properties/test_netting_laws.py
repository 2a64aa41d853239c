"""Laws of netting: what holds whatever comes, and that a matching of the cap queues nets the largest set there is."""

from __future__ import annotations

import os
import runpy
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import Phase as Stage
from hypothesis import strategies as st

from cnaps_sim.core.netting_desk import Netting as CompiledNetting
from cnaps_sim.reference.netting import Netting as PlainNetting
from cnaps_sim.words.codes import MATCHING_CAUSE, Act
from cnaps_sim.words.retail import RetailKind

SLOW = os.environ.get("CNAPS_SIM_TESTS") == "slow"
STORIES = 1000 if SLOW else 100
BANKS = 4

_AGREE = runpy.run_path(str(Path(__file__).with_name("test_netting_and_twin_agree.py")))
Both: Any = _AGREE["Both"]
Story: Any = _AGREE["Story"]
ORDINARY = int(RetailKind.ORDINARY_CREDIT)

#: (debtor, creditor, fen) of a unit that is netted.
Leg = tuple[int, int, int]


class Observed(Both):  # type: ignore[misc]
    """Two netting servers of which an observer keeps its own account, from the log and the caps it is told."""

    def __init__(self, participants: list[dict[str, Any]]) -> None:
        super().__init__(participants, log_all=True)
        self.cap = [int(terms["cap"]) for terms in participants]
        self.owed = [0] * len(participants)  # −(position + unsettled)
        self.leg: dict[int, Leg] = {}

    def do(self, method: str, *arguments: Any) -> Any:
        if method == "submit":
            _, unit, debtor, creditor, amount, *_ = arguments
            self.leg[unit] = (debtor, creditor, amount)
        elif method == "advance":
            self.expect(arguments[0], arguments[3])
        elif method == "set_cap":
            _, bank, self.cap[bank] = arguments
        elif method == "net_posted":
            _, bank, net, *cap = arguments
            self.owed[bank] += net
            self.cap[bank] = cap[0] if cap else self.cap[bank]
        elif method == "nets_posted":
            for bank, net in arguments[1].items():
                self.owed[bank] += net
        return super().do(method, *arguments)

    def advance_one_by_one(self, rows: Any, first: int, until_ms: int, first_unit: int) -> int:
        self.expect(rows, first_unit)
        return int(super().advance_one_by_one(rows, first, until_ms, first_unit))

    def expect(self, rows: Any, first_unit: int) -> None:
        """Remember who pays whom in a flow."""
        for unit, row in enumerate(rows, first_unit):
            self.leg[unit] = int(row["debtor"]), int(row["creditor"]), int(row["amount"])

    def compare(self, *what: Any) -> list[tuple[int, ...]]:
        entries: list[tuple[int, ...]] = super().compare(*what)
        self.follow(entries)
        seen = self.compiled.snapshot()["positions"]
        assert sum(at["position"] for at in seen) == 0
        assert [-(at["position"] + at["unsettled"]) for at in seen] == self.owed
        for row in range(len(seen)):
            waiting = self.compiled.waiting(row)
            if waiting:
                assert self.leg[waiting[0]][2] > self.compiled.headroom(row), "what could be netted does not wait"
        return entries

    def follow(self, entries: list[tuple[int, ...]]) -> None:
        """Net what the log says; whoever sends owes no more than its cap at that instant."""
        matched = [entry for entry in entries if entry[2] <= MATCHING_CAUSE and entry[4] == Act.NETTED]
        for unit, _, cause, _, act, _, _ in entries:
            if act != Act.NETTED:
                continue
            debtor, creditor, amount = self.leg[unit]
            self.owed[debtor] += amount
            self.owed[creditor] -= amount
            is_last = not matched or unit == matched[-1][0]
            senders = [self.leg[entry[0]][0] for entry in matched] if cause <= MATCHING_CAUSE else [debtor]
            if cause > MATCHING_CAUSE or is_last:
                assert all(self.owed[sender] <= self.cap[sender] for sender in senders)


@given(seed=st.integers(0, 2**32 - 1), caps=st.lists(st.sampled_from([0, 0, 5, 10, 30]), min_size=5, max_size=5))
@settings(
    max_examples=STORIES,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize=True,
    database=None,
    phases=[Stage.generate],
)
def test_positions_add_up_to_nothing_and_no_sender_owes_more_than_its_cap(seed: int, caps: list[int]) -> None:
    """Also: nothing waits that could be netted, and the log alone tells who owes what."""
    Story(Observed([{"cap": cap, "cap_line": 5} for cap in caps]), seed).unfold()


# the largest set ------------------------------------------------------------------------------------------------

legs = st.lists(
    st.tuples(st.integers(0, BANKS - 1), st.integers(1, BANKS - 1), st.integers(1, 9)), min_size=1, max_size=8
).map(lambda units: [(debtor, (debtor + step) % BANKS, fen) for debtor, step, fen in units])


def feasible_sets(queues: list[list[Leg]], headroom: list[int]) -> list[tuple[int, ...]]:
    """The lengths of every choice of leading runs, one per queue, that leaves nobody who sends short."""
    found = []
    for lengths in product(*(range(len(queue) + 1) for queue in queues)):
        closing = list(headroom)
        for queue, length in zip(queues, lengths, strict=True):
            for debtor, creditor, fen in queue[:length]:
                closing[debtor] -= fen
                closing[creditor] += fen
        if all(fen >= 0 or length == 0 for fen, length in zip(closing, lengths, strict=True)):
            found.append(lengths)
    return found


@pytest.mark.parametrize("netting_class", [PlainNetting, CompiledNetting], ids=["reference", "core"])
def test_a_matching_nets_the_largest_set_that_leaves_no_sender_short(netting_class: Any) -> None:
    """Against all choices of leading runs of the queues, by looking at each of them."""

    @given(
        units=legs,
        caps=st.lists(st.integers(0, 5), min_size=BANKS, max_size=BANKS),
        cuts=st.lists(st.sampled_from([0, 0, 0, 1, 4]), min_size=BANKS, max_size=BANKS),
        closed=st.one_of(st.none(), st.none(), st.integers(0, BANKS - 1)),
    )
    @example(units=[(0, 1, 6), (1, 2, 6), (2, 0, 6)], caps=[0] * 4, cuts=[0] * 4, closed=None)
    @example(units=[(0, 1, 7), (1, 0, 6), (1, 0, 9)], caps=[1, 0, 0, 0], cuts=[0, 0, 0, 0], closed=None)
    @settings(max_examples=1500 if SLOW else 250, deadline=None, derandomize=True, database=None)
    def nets_the_largest(units: list[Leg], caps: list[int], cuts: list[int], closed: int | None) -> None:
        server = netting_class([{"cap": cap} for cap in caps])
        for number, (debtor, creditor, fen) in enumerate(units):
            server.submit(0, number, debtor, creditor, fen, 1, ORDINARY)
        for bank, cut in enumerate(cuts):
            if cut:
                server.set_cap(0, bank, caps[bank] - cut)
        if closed is not None:
            server.set_closed(closed, True)
        considered = [
            [unit for unit in map(int, server.waiting(bank)) if units[unit][1] != closed] for bank in range(BANKS)
        ]
        queues = [[units[unit] for unit in queue] for queue in considered]
        sets = feasible_sets(queues, [int(server.headroom(bank)) for bank in range(BANKS)])
        largest = tuple(max(column) for column in zip(*sets, strict=True))
        assert largest in sets, "what can be netted separately can be netted together"
        expected = [unit for queue, length in zip(considered, largest, strict=True) for unit in queue[:length]]
        server.drain_log()
        answer = server.match(1, 3)
        log = [tuple(entry)[:5] for entry in server.drain_log()]
        matched = [entry[0] for entry in log if entry[2] == MATCHING_CAUSE - 3 and entry[4] == Act.NETTED]
        assert matched == expected
        every = [unit for queue in considered for unit in queue]
        assert tuple(answer) == (len(every), fen_of(units, every), len(expected), fen_of(units, expected))
        assert server.match(2, 4)[2] == 0, "a second matching finds nothing more"

    nets_the_largest()


def fen_of(units: list[Leg], numbers: list[int]) -> int:
    return sum(units[number][2] for number in numbers)
