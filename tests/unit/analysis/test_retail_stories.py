"""What `explain` tells of items of BEPS and IBPS that were not netted: why, where the codes leave it open."""

from __future__ import annotations

from typing import Any

import pytest

import cnaps_sim as cs
from cnaps_sim.analysis.explain.story import explain
from cnaps_sim.analysis.metrics.payments import payments_of


def pay(payment_id: str, time: str, debtor: str, creditor: str, amount: int, **more: str) -> dict[str, Any]:
    return {
        "payment_id": payment_id, "time": time, "debtor": debtor, "creditor": creditor, "amount": amount, **more,
    }  # fmt: skip


@pytest.fixture(scope="module")
def told() -> cs.Run:
    quiet = {"refused_share": "0", "unanswered_share": "0"}
    return cs.simulate(
        {
            "name": "stories",
            "date": "2025-06-17",
            "accounts": [{"account": name, "balance": 100, "credit_line": 100} for name in "ABC"],
            "workload": [
                {
                    "system": "BEPS",
                    "payments": [
                        pay("early", "2025-06-16T10:00", "A", "B", 1),
                        pay("in-dollars", "10:00", "A", "B", 1, currency="USD"),
                        pay("away", "11:10", "B", "A", 1),
                        pay("within", "10:30", "A", "C", 50, on_behalf_of="Z"),
                        pay("over", "10:31", "A", "C", 60, on_behalf_of="Z"),
                        pay("to-the-absent", "11:00", "A", "B", 1, type="BRTC"),
                        pay("asked-late", "15:59:59", "C", "A", 1, type="BRTD"),
                        pay("asked-for-long", "11:00", "B", "C", 1, type="BDBT"),
                    ],
                }
            ],
            "beps": {
                **quiet,
                "reply_median": "30 min",
                "reply_sigma": "0",
                "realtime_median": "2 s",
                "realtime_sigma": "0",
            },
            "clients": [{"name": "Z", "direct": "A", "value": 70, "credit_line": 5}],
            "actions": [
                {"at": "11:00:00.500", "do": "log_out", "account": "B"},
                {"at": "12:00", "do": "log_in", "account": "B"},
            ],
            "record": {"BEPS": "payments"},
        }
    )


@pytest.mark.parametrize(
    ("payment_id", "sentences"),
    [
        (
            "early",
            [
                "at T-1 10:00:00, outside the retail dates of the run, from T-1 16:00:00 to 16:00:00.",
                "the system does not take such payments at that time (PR09, RJ90, TM01)",
            ],
        ),
        ("in-dollars", ["no settlement account is kept in its currency (PR09, RJ90, AM03)"]),
        ("away", ["its sender was logged out (PR09, RJ90, TM01)"]),
        (
            "over",
            [
                "its client Z may send up to CNY 75.00 in a retail date, and this would have been more "
                "(PR09, RJ92, AM04); nothing was netted"
            ],
        ),
        (
            "to-the-absent",
            [
                "B was logged out from 11:00:00.500 to 12:00:00; a bank that is logged out cannot answer.",
                "It expired at 11:01:00, 1 min after it was submitted: it was not answered in time (PR32, RJ90, AB05)",
            ],
        ),
        ("asked-late", ["When the run ended C had not answered it, and its time limit had not run out", "(PR11)"]),
        ("asked-for-long", ["B was logged out from 11:00:00.500 to 12:00:00", "it is still open (PR11)"]),
    ],
)
def test_an_item_that_was_not_netted_tells_why(told: cs.Run, payment_id: str, sentences: list[str]) -> None:
    story = str(explain(told, payment_id))
    for sentence in sentences:
        assert sentence in story
    assert "headroom" not in story
    assert "cap queue" not in story


def test_an_open_item_waited_in_no_cap_queue(told: cs.Run) -> None:
    payments = payments_of(told, {"system": "BEPS"}, None)
    assert "PR11" in payments.codes("status").labels
    assert not payments.waited.any()
