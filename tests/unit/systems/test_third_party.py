"""Third-party nets in a run: all debtors first, creditors when the last has paid, a cancellation undoes the whole."""

from __future__ import annotations

from typing import Any

import pytest

import cnaps_sim as cs

HOUR = 3_600_000
MINUTE = 60_000
TEN = 10 * HOUR
WINDOW_END = 63_000_000
OWN = "PBC-NETTING"


def pay(payment_id: str, time: str, debtor: str, creditor: str, amount: float, **more: str) -> dict[str, Any]:
    return {
        "payment_id": payment_id, "time": time, "debtor": debtor, "creditor": creditor, "amount": str(amount), **more,
    }  # fmt: skip


def nets(at: str, sender: str = "X", **of: int) -> dict[str, Any]:
    """A request of CNY by account, positive to receive."""
    rows = [{"account": account, "net": str(net)} for account, net in of.items()]
    return {"at": at, "do": "third_party_net", "from": sender, "nets": rows}


def cancel(at: str, sender: str = "X") -> dict[str, Any]:
    return {"at": at, "do": "cancel_third_party", "from": sender}


def run(
    actions: list[dict[str, Any]],
    gross: list[dict[str, Any]] | None = None,
    net: list[tuple[str, list[dict[str, Any]]]] | None = None,
    balances: dict[str, int] | None = None,
    **changes: Any,
) -> cs.Run:
    """Banks A to D and the clearing house X, each with 100 CNY and a cap of 100 unless `balances` says otherwise."""
    balances = {**dict.fromkeys("ABCDX", 100), **(balances or {})}
    workload = [("HVPS", gross or []), *(net or [("BEPS", [pay("ANY", "08:00", "D", "X", 1)])])]
    base: dict[str, Any] = {
        "name": "third-party",
        "accounts": [{"account": name, "balance": fen, "credit_line": 100} for name, fen in balances.items()],
        "workload": [{"system": system, "payments": payments} for system, payments in workload if payments],
        "actions": actions,
        "ibps": {"refused_share": "0", "unanswered_share": "0", "reply_median": "1 s", "reply_sigma": "0"},
        "series_step": "1 min",
    }
    done = cs.simulate({**base, **changes})
    assert done.manifest["audit"]["verdict"] == "passed", done.manifest["audit"]
    return done


def legs(done: cs.Run) -> list[tuple[Any, ...]]:
    """Debtor, creditor, CNY and instant of every posted leg of a third party's net."""
    table = done.table("payments").to_pylist()
    ids = {row["payment_id"] for row in table if row["type"] == "H012"}
    return [
        (row["debtor"], row["creditor"], row["amount_fen"] // 100, row["time_ms"])
        for row in done.table("transfers").to_pylist()
        if row["payment_id"] in ids
    ]


def status(done: cs.Run) -> dict[str, str]:
    table = done.table("payments")
    return dict(zip(table["payment_id"].to_pylist(), table["status"].to_pylist(), strict=True))


def told(done: cs.Run, kind: str) -> list[str]:
    events = done.events
    return list(events[events.kind == kind].detail)


def test_funded_debtors_pay_first_and_creditors_are_paid_in_the_same_millisecond() -> None:
    done = run([nets("10:00", A=30, B=-50, C=-10, D=30)])
    assert legs(done) == [("B", OWN, 50, TEN), ("C", OWN, 10, TEN), (OWN, "A", 30, TEN), (OWN, "D", 30, TEN)]


def test_creditors_wait_for_the_last_debtor_whose_money_comes_with_the_flow() -> None:
    done = run([nets("10:00", A=60, B=-50, C=-10)], [pay("IN", "10:20:00.123", "D", "B", 50)], balances={"B": 0})
    freed = TEN + 20 * MINUTE + 123
    assert legs(done) == [("C", OWN, 10, TEN), ("B", OWN, 50, freed), (OWN, "A", 60, freed)]


def test_a_leg_that_waits_holds_back_the_lower_levels_of_its_account() -> None:
    gross = [pay("NORM", "10:01", "B", "D", 10), pay("IN", "10:20", "D", "B", 40)]
    done = run([nets("10:00", A=50, B=-50)], gross, balances={"B": 20})
    settled = done.payments.set_index("payment_id").settled_ms
    assert settled["NORM"] == TEN + 20 * MINUTE


def test_a_cancelled_request_gives_back_what_was_paid_and_withdraws_what_waits() -> None:
    gross = [pay("NORM", "10:01", "B", "D", 10), pay("IN", "10:40", "D", "B", 50)]
    done = run([nets("10:00", A=60, B=-50, C=-10), cancel("10:30")], gross, balances={"B": 20})
    half = TEN + 30 * MINUTE
    assert legs(done) == [("C", OWN, 10, TEN), (OWN, "C", 10, half)]
    of_legs = [row for row in done.table("payments").to_pylist() if row["type"] == "H012"]
    assert [(row["debtor"], row["status"], row["ended_ms"]) for row in of_legs if row["status"] != "PR04"] == [
        ("B", "PR08", half)
    ]
    # With the leg gone, what stood behind it goes at that instant.
    assert done.payments.set_index("payment_id").loc["NORM", ["settled_ms", "released_by"]].tolist() == [half, "cancel"]
    closing = done.accounts.set_index("account").closing_fen
    assert closing[OWN] == 0


def test_a_complete_request_and_one_that_was_never_sent_cannot_be_cancelled() -> None:
    done = run([nets("10:00", A=50, B=-50), cancel("10:01"), nets("10:02", A=60, B=-60), cancel("10:03")])
    assert [text.partition(":")[2] for text in told(done, "refusal")] == [
        " no third-party net of this sender is waiting"
    ]
    assert len(legs(done)) == 2, "the second table found B short of money"


def test_each_cancellation_takes_back_the_oldest_request_of_its_own_sender_only() -> None:
    requests = [nets("10:00", A=50, B=-50), nets("10:01", "D", A=60, C=-60), nets("10:02", A=70, B=-70)]
    gross = [pay("IN", "10:20", "D", "B", 70), pay("IN2", "10:20", "X", "C", 60)]
    done = run([*requests, cancel("10:10")], gross, balances={"B": 0, "C": 0})
    freed = TEN + 20 * MINUTE
    assert legs(done) == [("B", OWN, 70, freed), (OWN, "A", 70, freed), ("C", OWN, 60, freed), (OWN, "A", 60, freed)]


def test_what_a_debtor_lacks_at_the_end_of_the_day_is_lent_and_the_creditors_are_paid_the_same_day() -> None:
    done = run([nets("10:00", A=60, B=-50, C=-10)], balances={"B": 20})
    assert legs(done) == [("C", OWN, 10, TEN), ("B", OWN, 50, WINDOW_END), (OWN, "A", 60, WINDOW_END)]
    closing = done.accounts.set_index("account").closing_fen
    assert (closing["A"], closing["B"], closing[OWN]) == (16_000, 0, 0)
    assert set(status(done).values()) == {"PR03", "PR04"}


@pytest.mark.parametrize(
    ("action", "why"),
    [
        (nets("17:20", A=5, B=-5), "at that time"),
        (nets("10:00", A=5, Z=-5), "not open"),
    ],
)
def test_a_table_out_of_hours_or_with_a_closed_account_is_refused_whole(action: dict[str, Any], why: str) -> None:
    accounts = [{"account": name, "balance": 100, "credit_line": 100} for name in "ABCDX"]
    done = run([action], accounts=[*accounts, {"account": "Z", "status": "AS03"}])
    (refused,) = told(done, "refusal")
    assert refused.startswith("third-party nets refused")
    assert why in refused
    assert legs(done) == []


def test_a_request_that_completes_and_so_pays_a_round_net_frees_headroom_for_the_very_next_unit() -> None:
    """Money for C completes a request that pays B, whose own round net then goes: B has headroom at once."""
    beps = [pay("OWED", "08:50", "B", "A", 100)]
    ibps = [pay("ONLINE", "10:20:09.001", "B", "A", 40), pay("EARLY", "10:20:08.999", "B", "A", 40)]
    gross = [pay("IN", "10:20:10", "D", "C", 70), pay("NEXT", "10:20:30", "D", "C", 1)]
    done = run(
        [nets("10:00", B=100, C=-100)], gross, [("BEPS", beps), ("IBPS", ibps)], balances={"B": 0, "C": 30}
    )  # fmt: skip
    net_of_b = next(row for row in done.table("rounds").to_pylist() if row["participant"] == "B" and row["round"] == 1)
    assert net_of_b["settled_ms"] == TEN + 20 * MINUTE + 10_000
    assert status(done)["EARLY"] == "PR09"
    assert status(done)["ONLINE"] == "PR03"


def test_requests_drawn_on_every_date_are_the_same_for_the_same_seed() -> None:
    row = {"from": "X", "at": ["09:30", "14:00"], "value": "40", "participants": 4}
    runs = [run([], days=2, nets={"third_party": [row]}, seed=seed) for seed in (3, 3, 4)]
    assert legs(runs[0]) == legs(runs[1])
    assert legs(runs[0]) != legs(runs[2])
    for at in (9 * HOUR + 30 * MINUTE, 38 * HOUR):
        legs_then = [leg for leg in legs(runs[0]) if leg[3] == at]
        assert sum(fen for _, creditor, fen, _ in legs_then if creditor == OWN) in range(38, 41)
        assert "X" not in {name for leg in legs_then for name in leg[:2]}
