"""What is told of a run event by event has the order in which the books did it, as far as the tables can tell.

The books keep a log of every act in its order; the stored tables keep instants. Days are drawn with few instants and
many payments at each, so that nearly all of the order lies within milliseconds.
"""

from __future__ import annotations

import random
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cnaps_sim.analysis.happenings import Kind, happenings
from cnaps_sim.analysis.metrics import headline
from cnaps_sim.analysis.metrics.payments import payments_of
from cnaps_sim.run import runner
from cnaps_sim.scenario.load import from_dict
from cnaps_sim.words.codes import Act

CLOCKS = ["09:00", "09:05", "10:00", "11:30", "17:00", "17:20"]
KINDS = {
    Act.SETTLED: Kind.POSTING, Act.QUEUED: Kind.ARRIVAL, Act.REFUSED: Kind.DEPARTURE, Act.CANCELLED: Kind.DEPARTURE,
    Act.RETURNED: Kind.DEPARTURE,
}  # fmt: skip


def drawn_day(seed: int) -> dict[str, Any]:
    """Payments, cancellations, fresh money and matchings, most of them at the same instants."""
    chance = random.Random(seed)
    banks = [f"B{number}" for number in range(chance.randint(3, 6))]
    payments = []
    for number in range(chance.randint(8, 40)):
        debtor, creditor = chance.sample(banks, 2)
        payments.append(
            {"payment_id": f"P{number}", "time": chance.choice(CLOCKS), "debtor": debtor, "creditor": creditor,
             "amount": chance.randint(1, 30), "priority": chance.choice(["NORM", "HIGH", "URGT"])}
        )  # fmt: skip
    actions: list[dict[str, Any]] = [
        {"at": "10:00", "do": "cancel", "payment": f"P{chance.randint(0, 7)}"},
        {"at": chance.choice(["09:05", "11:30"]), "do": "inject", "account": chance.choice(banks), "amount": 20},
    ]
    trigger: dict[str, Any] = chance.choice([{"at": ["10:00", "16:00"]}, {"continuous": True}, {"queued_over": 2}, {}])
    hvps: dict[str, Any] = {"discipline": chance.choice(["fifo", "bypass"])}
    if trigger:
        hvps["matching"] = {"algorithm": "multilateral", **trigger}
    return {
        "accounts": [{"account": bank, "balance": chance.randint(0, 20)} for bank in banks],
        "workload": [{"system": "HVPS", "payments": payments}],
        "actions": actions,
        "hvps": hvps,
    }


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**31))
def test_the_order_is_that_of_the_books_log(seed: int) -> None:
    logs: list[Any] = []
    loaded = from_dict(drawn_day(seed))
    run = runner.simulate(
        loaded, headline, 0, None, watch=lambda world: lambda: logs.append(world.recorder.whole_log().copy())
    )
    payments = payments_of(run)
    ids = payments.table.column("payment_id").to_pylist()
    posted = run.table("transfers").column("payment_id").to_pylist()
    done = [
        (int(entry["time_ms"]), KINDS[Act(int(entry["act"]))], ids[int(entry["sequence"])])
        for entry in logs[0]
        if int(entry["act"]) in KINDS and int(entry["sequence"]) < len(ids)
    ]
    told = [
        (one.time_ms, one.kind, posted[one.row] if one.kind is Kind.POSTING else ids[one.row])
        for one in happenings(run, payments)
        if one.kind in KINDS.values()
    ]
    assert [each for each in told if each[2] is not None] == done
