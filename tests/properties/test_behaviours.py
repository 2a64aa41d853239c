"""Laws of behaviours: who sends at once changes nothing, whatever the policy nothing is lost, and runs repeat."""

from __future__ import annotations

import os
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

import cnaps_sim as cs
from cnaps_sim.audit.digest import table_digest
from cnaps_sim.participants.behaviours.view import View
from cnaps_sim.words.tables import TABLES

EXAMPLES = 200 if os.environ.get("CNAPS_SIM_TESTS") == "slow" else 25
BANKS = ("A", "B", "C", "D")


class AnyOfIt:
    """A policy that sends some of its outbox in any order, whenever it is asked."""

    every = "47 min"
    on_receipt = True

    def decide(self, view: View) -> list[int]:
        """Some places, in any order."""
        count = len(view.outbox)
        return view.rng.permutation(count)[: view.rng.integers(0, count + 1)].tolist() if count else []


UNTIL = st.sampled_from(["never", "09:30", "12:00", "16:59"])
SHARE = st.sampled_from(["0", "0.3", "1", "3"])
POLICIES = st.one_of(
    st.just({"policy": "send-at-once"}),
    st.fixed_dictionaries({"policy": st.just("hold-until"), "until": UNTIL, "levels": st.sampled_from([[7], [1, 6]])}),
    st.fixed_dictionaries(
        {
            "policy": st.just("receipt-reactive"),
            "until": UNTIL,
            "share_of_opening": SHARE,
            "receipt_share": st.sampled_from(["0", "0.5", "1"]),
        }
    ),
    st.fixed_dictionaries({"policy": st.just("keep-reserve"), "until": UNTIL, "share_of_opening": SHARE}),
    st.fixed_dictionaries({"policy": st.just("throughput"), "until": UNTIL}),
    st.fixed_dictionaries({"policy": st.just("split"), "above": st.just(20), "pieces": st.sampled_from([2, 7])}),
    st.fixed_dictionaries({"policy": st.just("urgent-first"), "until": UNTIL}),
    st.fixed_dictionaries({"policy": st.just("free-rider"), "until": UNTIL}),
    st.just({"policy": "adaptive"}),
    st.fixed_dictionaries({"policy": st.just(f"{__name__}:AnyOfIt"), "until": UNTIL}),
)
ENTRIES = st.lists(
    st.tuples(st.sampled_from(["all", ["A"], ["B", "C"], {"largest": 2}]), POLICIES).map(
        lambda pair: {"banks": pair[0], **pair[1]}
    ),
    min_size=1,
    max_size=4,
)
PAYMENTS = st.lists(
    st.tuples(
        st.sampled_from(["2025-06-17T", "2025-06-18T"]),
        st.integers(8 * 60, 17 * 60 + 20),
        st.sampled_from(BANKS),
        st.sampled_from(BANKS),
        st.integers(1, 60),
        st.sampled_from(["NORM", "HIGH", "URGT"]),
    ),
    min_size=1,
    max_size=30,
)
BALANCES = st.lists(st.integers(0, 80), min_size=4, max_size=4)


def scenario(payments: list[tuple[Any, ...]], balances: list[int], behaviours: list[dict[str, Any]]) -> dict[str, Any]:
    rows = [
        {
            "payment_id": f"P{number}",
            "time": f"{date}{minute // 60:02d}:{minute % 60:02d}",
            "debtor": debtor,
            "creditor": creditor,
            "amount": amount,
            "priority": priority,
        }
        for number, (date, minute, debtor, creditor, amount, priority) in enumerate(payments)
    ]
    return {
        "days": 2,
        "series_step": "1 h",
        "accounts": [{"account": name, "balance": fen} for name, fen in zip(BANKS, balances, strict=True)],
        "workload": [{"system": "HVPS", "payments": rows}],
        "behaviours": behaviours,
    }


def digests(run: cs.Run) -> dict[str, str]:
    return {name: table_digest(run.table(name)) for name in TABLES}


@given(PAYMENTS, BALANCES)
@settings(max_examples=EXAMPLES, deadline=None)
def test_banks_that_send_at_once_change_no_byte_of_any_table(
    payments: list[tuple[Any, ...]], balances: list[int]
) -> None:
    without = cs.simulate(scenario(payments, balances, []))
    with_it = cs.simulate(scenario(payments, balances, [{"banks": "all", "policy": "send-at-once"}]))
    assert digests(with_it) == digests(without)


@given(PAYMENTS, BALANCES, ENTRIES)
@settings(max_examples=EXAMPLES, deadline=None)
def test_whatever_the_policies_nothing_is_lost_and_the_run_repeats(
    payments: list[tuple[Any, ...]], balances: list[int], behaviours: list[dict[str, Any]]
) -> None:
    run = cs.simulate(scenario(payments, balances, behaviours))  # raises if its audit fails
    told = {(f"P{number}", amount * 100) for number, (_, _, _, _, amount, _) in enumerate(payments)}
    own = run.payments[run.payments.system == "HVPS"]
    whole = own.groupby(own.payment_id.str.partition("/")[0])["amount_fen"].sum()
    assert set(whole.items()) == told
    assert set(own.status) <= {"PR04", "PR09"}  # each settled, sent back or refused, none still open
    assert own.ended_ms.notna().all()
    assert digests(cs.simulate(scenario(payments, balances, behaviours))) == digests(run)
