"""DvP: cash legs of bond trades have hours of their own, and one that is returned is a failed trade."""

from __future__ import annotations

import cnaps_sim as cs

LEG = {"debtor": "A", "creditor": "B", "type": "G102"}


def _day(payments: list[dict[str, object]], balance: int = 100) -> cs.Run:
    return cs.simulate(
        {
            "name": "dvp",
            "date": "2025-06-17",
            "accounts": [{"account": "A", "balance": balance}, {"account": "B", "balance": 0}],
            "workload": [{"system": "HVPS", "payments": payments}],
        }
    )


def test_a_leg_is_taken_from_9_to_17_only() -> None:
    times = ("08:59:59.999", "09:00", "16:59:59.999", "17:00")
    run = _day([{"payment_id": f"leg{n}", "time": time, "amount": 1, **LEG} for n, time in enumerate(times)])
    assert run.payments["status"].tolist() == ["PR09", "PR04", "PR04", "PR09"]
    assert run.payments["reason_iso"].tolist()[::3] == ["TM01", "TM01"]


def test_a_leg_queues_at_level_7_whatever_its_sender_asks_for() -> None:
    run = _day([{"payment_id": "leg", "time": "10:00", "amount": 1, "priority": "URGT", **LEG}])
    assert run.payments["level"].tolist() == [7]


def test_a_returned_leg_is_a_failed_trade() -> None:
    run = _day(
        [
            {"payment_id": "leg", "time": "10:00", "amount": 5, **LEG},
            {"payment_id": "other", "time": "10:01", "amount": 5, "debtor": "A", "creditor": "B"},
        ],
        balance=1,
    )
    failed = run.events[run.events["kind"] == "failed_trade"]
    assert failed["subject"].tolist() == ["leg"]
    assert run.payments["reason"].tolist() == ["RJ99", "RJ99"]
