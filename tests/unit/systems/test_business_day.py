"""The business day of HVPS, seen from outside: phases, cut-off, clearing window, end of day, several dates."""

from __future__ import annotations

from typing import Any

import pytest

import cnaps_sim as cs


def scenario(**changes: Any) -> dict[str, Any]:
    """Two banks with 100 and 50; keys of a scenario file can be changed."""
    base: dict[str, Any] = {
        "name": "day",
        "accounts": [{"account": "A", "balance": 100}, {"account": "B", "balance": 50}],
        "workload": [],
    }
    return {**base, **changes}


def pay(payment_id: str, time: str, debtor: str, creditor: str, amount: float | str, **more: str) -> dict[str, Any]:
    """One inline payment."""
    return {
        "payment_id": payment_id,
        "time": time,
        "debtor": debtor,
        "creditor": creditor,
        "amount": str(amount),
        **more,
    }


def run(*payments: dict[str, Any], **changes: Any) -> cs.Run:
    """Simulate the two banks with these payments."""
    return cs.simulate(scenario(workload=[{"system": "HVPS", "payments": list(payments)}], **changes))


def fates(done: cs.Run) -> dict[str, tuple[str, str | None]]:
    """payment_id → (status, ISO reason)."""
    frame = done.payments
    return {
        row.payment_id: (row.status, None if not isinstance(row.reason_iso, str) else row.reason_iso)
        for row in frame.itertuples()
    }


def phases(done: cs.Run) -> list[tuple[int, str]]:
    events = done.events[done.events.kind == "phase"]
    return [(int(row.time_ms), row.detail[:2]) for row in events.itertuples()]


def test_the_day_opens_on_the_evening_before_and_ends_at_cut_off_when_nothing_waits() -> None:
    assert phases(run(pay("P", "10:00", "A", "B", 1))) == [
        (-14_400_000, "00"),
        (-12_600_000, "10"),
        (62_100_000, "20"),
        (62_100_000, "40"),
    ]


def test_a_date_before_2018_opens_at_half_past_eight_and_cuts_off_at_five() -> None:
    done = run(pay("EARLY", "08:29:59.999", "A", "B", 1), pay("LATE", "17:00", "A", "B", 1), date="2017-06-20")
    assert fates(done) == {"EARLY": ("PR09", "TM01"), "LATE": ("PR09", "TM01")}


def test_a_payment_at_the_instant_of_cut_off_is_too_late() -> None:
    done = run(pay("JUST", "17:14:59.999", "A", "B", 1), pay("LATE", "17:15", "A", "B", 1))
    assert fates(done) == {"JUST": ("PR04", None), "LATE": ("PR09", "TM01")}


def test_the_window_opens_for_a_queued_payment_and_returns_it_when_it_closes() -> None:
    done = run(pay("BIG", "10:00", "A", "B", 500))
    assert [code for _, code in phases(done)] == ["00", "10", "20", "30", "40"]
    assert fates(done) == {"BIG": ("PR09", "AM04")}
    assert done.payments.reason[0] == "RJ99"
    assert done.payments.ended_ms[0] == 63_000_000


def test_the_window_takes_a_payment_that_funds_a_short_account_and_closes_at_once() -> None:
    done = run(
        pay("BIG", "10:00", "A", "B", 120),
        pay("IDLE", "17:16", "A", "B", 1),
        pay("FUND", "17:20:30.500", "B", "A", 20),
        pay("AFTER", "17:25", "B", "A", 1),
    )
    assert fates(done) == {
        "BIG": ("PR04", None),
        "IDLE": ("PR09", "TM01"),
        "FUND": ("PR04", None),
        "AFTER": ("PR09", "TM01"),
    }
    assert done.payments.released_by[0] == "FUND"
    assert phases(done)[-1] == (62_430_500, "40")


def test_an_injection_cures_the_window_too() -> None:
    done = run(
        pay("BIG", "10:00", "A", "B", 120),
        actions=[{"at": "17:17", "do": "inject", "account": "A", "amount": "20"}],
    )
    assert phases(done)[-1] == (62_220_000, "40")


def test_an_overdraft_left_at_the_end_becomes_a_loan_at_the_penalty_rate() -> None:
    done = run(
        pay("SPEND", "10:00", "A", "B", 150),
        accounts=[{"account": "A", "balance": 100, "overdraft_limit": 60}, {"account": "B", "balance": 50}],
    )
    accounts = done.accounts.set_index("account")
    assert accounts.closing_fen["A"] == 0
    assert accounts.penalty_loan_fen["A"] == 5_000
    assert accounts.closing_fen.sum() == accounts.opening_fen.sum()
    assert list(done.transfers.kind) == ["payment", "penalty"]


def test_overdraft_interest_is_the_integral_rounded_half_up_and_posted_at_cut_off() -> None:
    # CNY 7 200 000 overdrawn for one hour at 0.5 % a year of 360 days: 7.2 m * 0.005 / 360 / 24 = CNY 4.1666… -> 4.17
    done = run(
        pay("SPEND", "10:00", "A", "B", "7_200_000"),
        pay("BACK", "11:00", "B", "A", "7_200_001"),
        accounts=[{"account": "A", "balance": 0, "overdraft_limit": "8_000_000"}, {"account": "B", "balance": 50}],
        hvps={"overdraft_rate": "0.005"},
    )
    interest = done.payments[done.payments.type == "INTR"].iloc[0]
    assert (interest.amount_fen, interest.level, interest.submitted_ms) == (417, 2, 62_100_000)
    assert done.accounts.set_index("account").overdraft_interest_fen["A"] == 417


def test_a_penalty_loan_is_claimed_with_interest_when_the_next_date_opens() -> None:
    done = run(
        pay("SPEND", "10:00", "A", "B", 150),
        pay("FUND", "2025-06-18T09:00", "B", "A", 190),
        accounts=[{"account": "A", "balance": 100, "overdraft_limit": 60}, {"account": "B", "balance": 50}],
        days=2,
    )
    claims = done.payments[(done.payments.system == "SAPS")].set_index("type")
    assert claims.amount_fen["A115"] == 5_000
    assert claims.amount_fen["INTR"] == 3  # CNY 50 at 0.06 % for one day
    assert claims.submitted_ms["A115"] == 86_400_000 - 12_600_000
    second = done.accounts[done.accounts.date == "2025-06-18"].set_index("account")
    assert second.closing_fen["PBC-LENDING"] == 0
    assert second.closing_fen["A"] == 19_000 - 5_003


def test_closing_balances_open_the_next_date_and_a_weekend_lies_between() -> None:
    done = run(
        pay("FRI", "10:00", "A", "B", 10),
        pay("SUN", "2025-06-22T21:00", "A", "B", 10),
        pay("SAT", "2025-06-21T12:00", "A", "B", 10),
        date="2025-06-20",
        days=2,
    )
    accounts = done.accounts.set_index(["date", "account"])
    assert accounts.closing_fen[("2025-06-20", "A")] == accounts.opening_fen[("2025-06-23", "A")] == 9_000
    assert fates(done) == {"FRI": ("PR04", None), "SUN": ("PR04", None), "SAT": ("PR09", "TM01")}
    assert [str(date)[:10] for date in done.payments.sort_values("payment_id").date] == [
        "2025-06-20",
        "2025-06-23",
        "2025-06-23",
    ]


def test_a_special_session_takes_only_cips_funding_and_interbank_lending() -> None:
    done = run(
        pay("CIPS", "2025-06-20T21:00", "A", "B", 1, type="CIPS"),
        pay("LEND", "2025-06-21T08:00", "A", "B", 1, type="LEND"),
        pay("NORMAL", "2025-06-20T21:00", "A", "B", 1, type="A100"),
        pay("LATE", "2025-06-21T08:30", "A", "B", 1, type="CIPS"),
        date="2025-06-23",
    )
    assert fates(done) == {
        "CIPS": ("PR04", None),
        "LEND": ("PR04", None),
        "NORMAL": ("PR09", "TM01"),
        "LATE": ("PR09", "TM01"),
    }
    assert set(done.payments.date.astype(str).str[:10]) == {"2025-06-23"}


def test_a_bank_that_stops_sending_submits_its_outbox_when_it_resumes() -> None:
    done = run(
        pay("BEFORE", "10:59:59.999", "A", "B", 1),
        pay("AT", "11:00", "A", "B", 1),
        pay("WHILE", "13:00", "A", "B", 1),
        pay("THEN", "14:00", "A", "B", 1),
        actions=[{"at": "11:00", "do": "stop_sending", "account": "A", "until": "14:00"}],
    )
    frame = done.payments.set_index("payment_id")
    assert list(frame.submitted_ms) == [39_599_999, 50_400_000, 50_400_000, 50_400_000]
    assert list(frame.settled_ms) == [39_599_999, 50_400_000, 50_400_000, 50_400_000]
    assert list(done.transfers.payment_id) == ["BEFORE", "AT", "WHILE", "THEN"]


def test_a_bank_that_never_resumes_is_too_late_at_cut_off() -> None:
    done = run(pay("LOST", "12:00", "A", "B", 1), actions=[{"at": "11:00", "do": "stop_sending", "account": "A"}])
    assert fates(done) == {"LOST": ("PR09", "TM01")}
    assert done.payments.submitted_ms[0] == 62_100_000


def test_a_logged_out_bank_cannot_send_but_receives() -> None:
    done = run(
        pay("OUT", "10:00", "A", "B", 1),
        pay("IN", "10:01", "B", "A", 1),
        pay("BACK", "12:00", "A", "B", 1),
        actions=[
            {"at": "09:00", "do": "log_out", "account": "A"},
            {"at": "11:00", "do": "log_in", "account": "A"},
        ],
    )
    assert fates(done) == {"OUT": ("PR09", "TM01"), "IN": ("PR04", None), "BACK": ("PR04", None)}


def test_round_nets_credit_at_once_and_debit_when_the_account_can_pay() -> None:
    done = run(
        pay("SPEND", "10:00", "A", "B", 100),
        pay("RELIEF", "12:00", "B", "A", 60),
        actions=[
            {"at": "11:00", "do": "round_net", "nets": [{"account": "A", "net": "-40"}, {"account": "B", "net": "40"}]}
        ],
    )
    nets = done.payments[done.payments.type == "NETS"].set_index("debtor")
    assert nets.settled_ms["PBC-NETTING"] == 39_600_000
    assert nets.settled_ms["A"] == 43_200_000
    assert nets.released_by["A"] == "RELIEF"
    assert done.accounts.set_index("account").lowest_fen["PBC-NETTING"] == -4_000


def test_a_reversed_payment_keeps_counting_as_settled() -> None:
    done = run(pay("ERROR", "10:00", "A", "B", 30), actions=[{"at": "11:00", "do": "reverse", "payment": "ERROR"}])
    assert fates(done)["ERROR"] == ("PR22", None)
    assert done.summary["systems"]["HVPS"]["settled"]["count"] == 1
    assert done.accounts.set_index("account").closing_fen["A"] == 10_000


@pytest.mark.parametrize("times", [1, 2])
def test_a_payment_that_has_not_settled_or_is_reversed_already_is_not_reversed(times: int) -> None:
    payments = [pay("P", "10:00", "A", "B", 30 if times == 2 else 300)]
    actions = [{"at": "11:00", "do": "reverse", "payment": "P"}] * times
    done = run(*payments, actions=actions)
    refused = done.events[done.events.kind == "refusal"]
    assert len(refused) == 1


def test_obligations_with_a_time_are_counted_when_missed() -> None:
    done = run(
        pay("MET", "10:00", "A", "B", 10, due="10:00"),
        pay("MISSED", "10:30", "A", "B", 500, due="11:00"),
    )
    due = cs.metrics.due(done).set_index("measure")["value"]
    assert due["met_count"] == 1
    assert due["missed_count"] == 1


def test_the_reject_discipline_refuses_what_cannot_be_funded() -> None:
    done = run(pay("BIG", "10:00", "A", "B", 500), pay("OK", "10:01", "A", "B", 5), hvps={"discipline": "reject"})
    assert fates(done) == {"BIG": ("PR09", "AM04"), "OK": ("PR04", None)}


def test_a_payment_in_a_currency_without_a_book_is_refused_in_the_results() -> None:
    done = run(pay("USD", "10:00", "A", "B", 5, currency="USD"), pay("SELF", "10:00", "A", "A", 5))
    assert fates(done) == {"USD": ("PR09", "AM03"), "SELF": ("PR09", "RC01")}


def test_a_bank_silent_over_cut_off_stays_silent_on_the_next_date() -> None:
    done = run(
        pay("LOST", "10:00", "A", "B", 1),
        pay("LATE", "2025-06-18T09:00", "A", "B", 1),
        days=2,
        actions=[{"at": "09:00", "do": "stop_sending", "account": "A", "until": "2025-06-18T12:00"}],
    )
    assert fates(done) == {"LOST": ("PR09", "TM01"), "LATE": ("PR04", None)}
    assert done.payments.set_index("payment_id").submitted_ms["LATE"] == 86_400_000 + 43_200_000


@pytest.mark.parametrize(("second", "resumes"), [("12:00", 50_400_000), ("16:00", 57_600_000)])
def test_the_longer_of_two_stops_counts(second: str, resumes: int) -> None:
    done = run(
        pay("P", "11:30", "A", "B", 1),
        actions=[
            {"at": "09:00", "do": "stop_sending", "account": "A", "until": "14:00"},
            {"at": "11:00", "do": "stop_sending", "account": "A", "until": second},
        ],
    )
    assert done.payments.submitted_ms[0] == resumes
    assert list(done.events.detail).count("sends again") == 1


def test_an_injection_out_of_hours_or_into_a_closed_account_is_refused() -> None:
    done = run(
        accounts=[{"account": "A", "balance": 100}, {"account": "B", "balance": 0, "status": "AS03"}],
        days=2,
        actions=[
            {"at": "18:00", "do": "inject", "account": "A", "amount": 3},
            {"at": "10:00", "do": "inject", "account": "B", "amount": 3},
        ],
    )
    assert list(done.events[done.events.kind == "refusal"].subject) == ["B", "A"]
    assert done.table("transfers").num_rows == 0


def test_an_action_after_an_early_close_is_refused_and_told() -> None:
    done = run(actions=[{"at": "17:20", "do": "central_bank_debit", "account": "A", "amount": 5}])
    assert fates(done) == {"UNIL-000001": ("PR09", "TM01")}
    assert len(done.events[done.events.kind == "refusal"]) == 1


def test_a_table_of_nets_with_a_closed_account_is_refused_whole() -> None:
    done = run(
        accounts=[{"account": "A", "balance": 100}, {"account": "B", "balance": 0, "status": "AS03"}],
        actions=[{"at": "10:00", "do": "round_net", "nets": [{"account": "A", "net": 5}, {"account": "B", "net": -5}]}],
    )
    assert done.table("payments").num_rows == 0
    assert "table of nets refused" in done.events[done.events.kind == "refusal"].detail.iloc[0]


def test_a_held_booking_is_posted_in_spite_of_the_control_when_the_window_closes() -> None:
    done = run(
        actions=[
            {"at": "10:00", "do": "debit_control", "account": "A", "on": True},
            {"at": "10:01", "do": "fee", "account": "A", "amount": 5},
        ]
    )
    assert list(done.payments.released_by) == ["control"]
    assert done.payments.settled_ms[0] == 63_000_000


def test_bookings_never_take_the_id_of_a_payment() -> None:
    done = run(
        pay("FEES-000001", "10:00", "A", "B", 1),
        actions=[{"at": "11:00", "do": "fee", "account": "A", "amount": 5}],
    )
    assert sorted(done.payments.payment_id) == ["FEES-000001", "FEES-000002"]


def test_a_payment_may_not_be_called_by_a_word_of_the_results() -> None:
    with pytest.raises(cs.InputError, match="is a word of its own in results"):
        run(pay("limit", "10:00", "A", "B", 1))


def test_events_of_the_closing_act_carry_the_date_that_ends() -> None:
    done = run(
        pay("SPEND", "10:00", "A", "B", 150),
        accounts=[{"account": "A", "balance": 100, "overdraft_limit": 60}, {"account": "B", "balance": 50}],
        days=2,
    )
    loan = done.events[done.events.kind == "loan"].iloc[0]
    assert str(loan.date)[:10] == "2025-06-17"


def test_no_nets_are_sent_in_a_special_session() -> None:
    done = run(
        date="2025-06-23",
        actions=[
            {
                "at": "2025-06-20T21:00",
                "do": "round_net",
                "nets": [{"account": "A", "net": 5}, {"account": "B", "net": -5}],
            }
        ],
    )
    assert done.table("payments").num_rows == 0
