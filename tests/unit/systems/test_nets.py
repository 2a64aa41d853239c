"""NETS in a run: when rounds are held and sent, what their nets do in SAPS, and what moves the net debit cap."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

import cnaps_sim as cs

HOUR = 3_600_000
MINUTE = 60_000
DAY = 24 * HOUR
NINE, SWITCH = 9 * HOUR, 16 * HOUR
RELEASE = 8 * HOUR + 30 * MINUTE
OPENS, WINDOW_END = -12_600_000, 63_000_000
FRIDAY = {"date": "2025-06-20", "days": 2}  # the second date is Monday
QUIET = {"refused_share": "0", "unanswered_share": "0"}


def pay(payment_id: str, time: str, debtor: str, creditor: str, amount: float, **more: str) -> dict[str, Any]:
    return {
        "payment_id": payment_id, "time": time, "debtor": debtor, "creditor": creditor, "amount": str(amount), **more,
    }  # fmt: skip


def bank(account: str, balance: int = 100, cap: int = 100, **more: Any) -> dict[str, Any]:
    return {"account": account, "balance": balance, "credit_line": cap, **more}


def run(
    beps: list[dict[str, Any]],
    actions: list[dict[str, Any]] | None = None,
    ibps: list[dict[str, Any]] | None = None,
    gross: list[dict[str, Any]] | None = None,
    **changes: Any,
) -> cs.Run:
    """Three banks with 100 CNY and a cap of 100 each, unless `accounts` says otherwise; IBPS answers in a second."""
    workload = [
        {"system": system, "payments": payments}
        for system, payments in (("HVPS", gross), ("BEPS", beps), ("IBPS", ibps))
        if payments
    ]
    base: dict[str, Any] = {
        "name": "netted",
        "date": "2025-06-17",
        "accounts": [bank(name) for name in "ABC"],
        "workload": workload,
        "actions": actions or [],
        "beps": {**QUIET, "realtime_median": "1 s", "realtime_sigma": "0"},
        "ibps": {**QUIET, "reply_median": "1 s", "reply_sigma": "0"},
        "series_step": "1 min",
    }
    done = cs.simulate({**base, **changes})
    assert done.manifest["audit"]["verdict"] == "passed", done.manifest["audit"]
    return done


def ends(done: cs.Run, *names: str) -> dict[str, tuple[Any, ...]]:
    """Of each payment the columns asked for, null as None."""
    table = done.table("payments")
    columns = (table[name].to_pylist() for name in names)
    return dict(zip(table["payment_id"].to_pylist(), zip(*columns, strict=True), strict=True))


def netted_in(done: cs.Run) -> dict[str, tuple[str, int | None]]:
    return {name: row for name, row in ends(done, "status", "round").items() if not name.startswith("NETS-")}


def rounds(done: cs.Run, *names: str) -> list[tuple[Any, ...]]:
    return list(zip(*(done.table("rounds")[name].to_pylist() for name in names), strict=True))


def sent(done: cs.Run) -> dict[int, int | None]:
    """When each round that has nets was sent to SAPS."""
    return dict(rounds(done, "round", "sent_ms"))


def headroom(done: cs.Run, account: str, time_ms: int) -> int:
    """What the series says a participant's headroom was, fen."""
    series = done.series
    found = series[(series.scope == account) & (series.measure == "headroom_fen") & (series.time_ms == time_ms)]
    return int(found.value.item())


def told(done: cs.Run, kind: str) -> list[str]:
    events = done.events
    return list(events[events.kind == kind].detail)


# rounds ---------------------------------------------------------------------------------------------------------


def test_a_working_day_has_a_round_every_hour_and_a_day_off_one_at_the_date_switch() -> None:
    done = run([pay("P", "09:30", "A", "B", 1)], **FRIDAY)
    kinds: dict[str, list[str]] = {}
    for each in done.manifest["rounds"]:
        kinds.setdefault(each["date"], []).append(each["kind"])
    working = ["first", *["intraday"] * 6, "last"]
    assert list(kinds.values()) == [working, ["only"], ["only"], working]
    hours = [each["time_ms"] % DAY // HOUR for each in done.manifest["rounds"]]
    assert hours == [*range(9, 17), 16, 16, *range(9, 17)]


def test_what_comes_in_a_rounds_own_millisecond_is_in_it_but_for_the_one_at_the_date_switch() -> None:
    times = ["09:00", "09:00:00.001", "10:00", "16:00", "2025-06-18T16:00"]
    done = run([pay(f"P{i}", time, "A", "B", 1) for i, time in enumerate(times)], days=2)
    # The second date's rounds are 9 to 16; what is sent as the retail dates end is refused.
    assert netted_in(done) == {
        "P0": ("PR03", 1), "P1": ("PR03", 2), "P2": ("PR03", 2), "P3": ("PR03", 9), "P4": ("PR09", None),
    }  # fmt: skip


def test_a_round_whose_positions_cancel_out_sends_nothing_and_is_still_a_round() -> None:
    done = run([pay("AB", "09:10", "A", "B", 5), pay("BA", "09:20", "B", "A", 5)])
    assert done.table("rounds").num_rows == 0
    assert netted_in(done) == {"AB": ("PR03", 2), "BA": ("PR03", 2)}
    assert [each["sent_ms"] for each in done.manifest["rounds"]] == [None] * 8


def test_nets_of_a_working_day_go_to_saps_in_the_millisecond_of_their_round() -> None:
    done = run([pay("P1", "08:59", "A", "B", 1), pay("P2", "15:59", "A", "B", 2)])
    assert rounds(done, "round", "participant", "net_fen", "sent_ms", "settled_ms") == [
        (1, "A", -100, NINE, NINE), (1, "B", 100, NINE, NINE),
        (8, "A", -200, SWITCH, SWITCH), (8, "B", 200, SWITCH, SWITCH),
    ]  # fmt: skip


# the way to SAPS ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("release", "sent_ms"), [("08:30", 3 * DAY + RELEASE), ("opening", 3 * DAY + OPENS)])
def test_nets_of_a_weekend_are_sent_oldest_first_when_saps_takes_them_again(release: str, sent_ms: int) -> None:
    payments = [pay("FRI", "17:00", "A", "B", 1), pay("SAT", "2025-06-21T20:00", "A", "C", 2)]
    done = run(payments, nets={"release": release}, **FRIDAY)
    assert sent(done) == {9: sent_ms, 10: sent_ms}
    transfers = done.table("transfers")
    assert transfers["time_ms"].to_pylist() == [sent_ms] * 4
    assert transfers["amount_fen"].to_pylist() == [100, 100, 200, 200]


@pytest.mark.parametrize("release", ["08:30", "opening"])
def test_nets_wait_for_the_first_working_day_after_a_long_holiday_and_the_cap_bounds_them(release: str) -> None:
    """The Spring Festival of 2025: from 28 January to 4 February, with retail rounds on every day of it."""
    payments = [pay(f"D{day}", f"2025-{day}T12:00", "A", "B", 30) for day in ("01-28", "01-30", "02-01", "02-03")]
    done = run(payments, date="2025-01-27", days=2, nets={"release": release})
    first_day = 9 * DAY  # 5 February
    due_ms = first_day + (RELEASE if release == "08:30" else OPENS)
    assert set(sent(done).values()) == {due_ms}
    # 30 a round: the fourth takes A over its cap of 100, although all positions were closed meanwhile.
    assert [status for status, _ in netted_in(done).values()] == ["PR03", "PR03", "PR03", "PR08"]
    assert headroom(done, "A", due_ms - MINUTE) == 1000
    assert headroom(done, "A", due_ms) == 10_000


@pytest.mark.parametrize(("release", "sent_ms"), [("08:30", RELEASE), ("opening", 8 * HOUR)])
def test_a_round_before_the_release_is_held_until_then(release: str, sent_ms: int) -> None:
    nets = {"release": release, "rounds": {"working": ["08:00", "16:00"]}}
    assert sent(run([pay("P", "07:00", "A", "B", 1)], nets=nets)) == {1: sent_ms}


def test_the_special_session_of_a_weekend_takes_no_nets() -> None:
    nets = {"release": "opening", "rounds": {"other": ["08:00", "16:00"]}}
    loss = {"at": "2025-06-21T06:00", "do": "link_loss", "until": "2025-06-21T08:15"}
    done = run([pay("P", "2025-06-20T22:00", "A", "B", 1)], [loss], nets=nets, **FRIDAY)
    events = done.events
    opened = events[(events.subject == "HVPS") & events.detail.str.startswith("10 daytime")]
    assert len(opened) == 3, "Saturday has a special session"
    assert sent(done) == {9: 3 * DAY + OPENS}


def test_rounds_go_on_without_a_link_and_their_nets_follow_in_order_when_it_is_back() -> None:
    loss = {"at": "09:30", "do": "link_loss", "until": "11:15"}
    payments = [pay(f"P{hour}", f"{hour}:30", "A", "B", 20) for hour in ("08", "09", "10", "11")]
    done = run(payments, [loss])
    back = 11 * HOUR + 15 * MINUTE
    assert sent(done) == {1: NINE, 2: back, 3: back, 4: 12 * HOUR}
    assert told(done, "action") == ["no link to SAPS until 11:15:00: nets are held", "the link to SAPS is back"]
    assert headroom(done, "A", back - MINUTE) == 6000
    assert headroom(done, "A", back) == 10_000


def test_a_link_lost_again_meanwhile_is_back_when_the_later_loss_ends() -> None:
    losses = [
        {"at": "09:30", "do": "link_loss", "until": "10:30"},
        {"at": "09:45", "do": "link_loss", "until": "11:30"},
    ]
    done = run([pay("P", "09:40", "A", "B", 20)], losses)
    assert sent(done) == {2: 11 * HOUR + 30 * MINUTE}
    assert told(done, "action").count("the link to SAPS is back") == 1


@pytest.mark.parametrize(("days", "sent_ms"), [(1, None), (2, DAY + RELEASE)])
def test_nets_without_a_link_until_the_window_has_closed_wait_for_the_next_date(days: int, sent_ms: int | None) -> None:
    loss = {"at": "15:30", "do": "link_loss", "until": "17:29"}
    done = run([pay("P", "15:40", "A", "B", 20)], [loss], days=days)
    assert sent(done) == {8: sent_ms}
    assert netted_in(done)["P"] == ("PR03", 8)


def test_a_link_lost_over_the_release_holds_the_nets_of_the_night_until_it_is_back() -> None:
    loss = {"at": "2025-06-23T08:00", "do": "link_loss", "until": "2025-06-23T08:45"}
    done = run([pay("P", "2025-06-21T10:00", "A", "B", 20)], [loss], **FRIDAY)
    assert sent(done) == {9: 3 * DAY + RELEASE + 15 * MINUTE}


# nets in SAPS ---------------------------------------------------------------------------------------------------


def test_creditors_are_posted_at_once_and_an_unpaid_debtor_waits_alone() -> None:
    accounts = [bank("A", 10), bank("B", 0), bank("C", 100)]
    payments = [pay("P1", "08:50", "A", "B", 50), pay("P2", "09:50", "C", "B", 20), pay("P3", "10:50", "A", "C", 5)]
    done = run(payments, accounts=accounts, gross=[pay("IN", "12:10", "C", "A", 50)])
    ten, eleven, paid = 10 * HOUR, 11 * HOUR, 12 * HOUR + 10 * MINUTE
    # The second round's debtor is posted past A's first net; A's second, small net stays behind its first.
    assert rounds(done, "round", "participant", "net_fen", "settled_ms") == [
        (1, "A", -5000, paid), (1, "B", 5000, NINE),
        (2, "B", 2000, ten), (2, "C", -2000, ten),
        (3, "A", -500, paid), (3, "C", 500, eleven),
    ]  # fmt: skip
    assert ends(done, "level", "status", "released_by")["NETS-000002"] == (4, "PR04", "IN")


def test_a_round_that_pays_a_bank_releases_its_own_earlier_net() -> None:
    accounts = [bank("A", 0), bank("B", 100), bank("C", 0)]
    done = run([pay("P1", "08:50", "A", "B", 30), pay("P2", "09:50", "B", "A", 40)], accounts=accounts)
    settled = {(number, who): time for number, who, time in rounds(done, "round", "participant", "settled_ms")}
    assert settled[1, "A"] == settled[2, "A"] == 10 * HOUR
    assert headroom(done, "A", 10 * HOUR) == 10_000


def test_a_net_that_nobody_can_pay_is_completed_by_the_central_bank_at_the_end_of_the_day() -> None:
    done = run([pay("P1", "08:50", "A", "B", 50)], accounts=[bank("A", 10), bank("B", 0), bank("C", 0)])
    assert rounds(done, "participant", "settled_ms") == [("A", WINDOW_END), ("B", NINE)]
    assert ends(done, "status", "released_by")["NETS-000002"] == ("PR04", "penalty")
    assert headroom(done, "A", SWITCH) == 5000


def test_debit_control_holds_a_net_until_the_end_of_the_day() -> None:
    control = {"at": "08:40", "do": "debit_control", "account": "A", "on": True}
    done = run([pay("P1", "08:50", "A", "B", 50)], [control])
    assert rounds(done, "participant", "settled_ms") == [("A", WINDOW_END), ("B", NINE)]


# headroom -------------------------------------------------------------------------------------------------------


def test_a_net_paid_in_the_middle_of_the_flow_frees_headroom_at_that_very_millisecond() -> None:
    """A owes all that its cap allows; 09:20:00.123 brings the money for its net, and with it headroom."""
    accounts = [bank("A", 0), bank("B", 0), bank("C", 500)]
    beps = [
        pay("OWED", "08:45", "A", "B", 100),
        pay("BIG", "09:10", "A", "B", 60),
        pay("BIGGER", "09:11", "A", "B", 70),
        pay("PACK", "09:12", "A", "B", 5, package="one"),
        pay("MORE", "09:12", "A", "B", 6, package="one"),
    ]
    ibps = [
        pay("TOO-SOON", "09:19:59.122", "A", "B", 20),
        pay("IN-TIME", "09:19:59.123", "A", "B", 20),
        pay("SHORT", "09:19:59.124", "A", "B", 10),
    ]
    gross = [pay("IN", "09:20:00.123", "C", "A", 100), pay("ON", "09:20:00.123", "C", "A", 1)]
    done = run(beps, ibps=ibps, gross=gross, accounts=accounts)
    freed = 9 * HOUR + 20 * MINUTE + 123
    found = ends(done, "status", "reason", "netted_ms", "released_by", "round")
    assert found["PACK"] == found["MORE"] == found["BIG"] == ("PR03", None, freed, "round", 2)
    assert found["BIGGER"] == ("PR08", "RJ94", None, None, None)
    assert found["TOO-SOON"] == ("PR09", "RJ94", None, None, None)
    assert found["IN-TIME"] == ("PR03", None, freed, None, 2)
    assert found["SHORT"] == ("PR09", "RJ94", None, None, None)


def test_a_net_that_uses_the_earmark_takes_it_off_the_earmark_and_the_cap() -> None:
    accounts = [bank("A", 100, 0, earmark=100), bank("B"), bank("C")]
    payments = [
        pay("OWED", "08:45", "A", "B", 70),
        pay("FITS", "09:10", "A", "B", 30),
        pay("NOT", "09:11", "A", "B", 1),
    ]
    done = run(payments, accounts=accounts)
    assert headroom(done, "A", NINE - MINUTE) == 3000
    assert headroom(done, "A", NINE) == 3000, "the net is posted, and as much of the cap is gone"
    assert netted_in(done) == {"OWED": ("PR03", 1), "FITS": ("PR03", 2), "NOT": ("PR08", None)}
    # All of the earmark has been spent on nets; nothing of A's is left.
    assert done.accounts.set_index("account").closing_fen["A"] == 0
    assert headroom(done, "A", 11 * HOUR) == 0


def test_own_funds_pay_a_net_before_the_earmark_does() -> None:
    accounts = [bank("A", 150, 0, earmark=100), bank("B"), bank("C")]
    done = run([pay("OWED", "08:45", "A", "B", 70)], accounts=accounts)
    assert headroom(done, "A", NINE) == 8000


def test_an_earmark_can_be_lowered_as_far_as_headroom_goes_and_raised_as_far_as_funds_go() -> None:
    accounts = [bank("A", 100, 10, earmark=50), bank("B"), bank("C")]

    def set_to(at: str, value: int) -> dict[str, Any]:
        return {"at": at, "do": "set", "account": "A", "field": "earmark", "value": str(value)}

    orders = [set_to("09:10", 29), set_to("09:20", 30), set_to("09:30", 101), set_to("09:40", 100)]
    payments = [pay("P", "09:05", "A", "B", 40), pay("Q", "09:25", "A", "B", 60)]
    done = run(payments, orders, accounts=accounts)
    refused = told(done, "refusal")
    assert len(refused) == 2
    assert "cap is used for more" in refused[0]
    assert "not enough available funds" in refused[1]
    assert headroom(done, "A", NINE + 20 * MINUTE) == 0
    # A raised earmark is a raised cap: what waited is released.
    assert ends(done, "netted_ms", "released_by")["Q"] == (NINE + 40 * MINUTE, "limit")


@pytest.mark.parametrize("part", ["pledged", "credit_line"])
def test_a_forced_cut_of_the_cap_touches_nothing_netted_and_stops_new_debits(part: str) -> None:
    accounts = [{"account": "A", "balance": 100, part: 100}, bank("B"), bank("C")]
    cut = {"at": "09:30", "do": "set", "account": "A", "field": part, "value": "10"}
    beps = [pay("BEFORE", "09:29", "A", "B", 50), pay("AFTER", "09:31", "A", "B", 1), pay("IN", "09:40", "B", "A", 41)]
    ibps = [pay("NOW", "09:30:59", "A", "B", 1)]
    done = run(beps, [cut], ibps=ibps, accounts=accounts)
    assert headroom(done, "A", NINE + 30 * MINUTE) == -4000
    assert done.manifest["caps"]["A"]["lowest_headroom_fen"] == -4000
    found = ends(done, "status", "reason", "netted_ms", "released_by")
    assert found["BEFORE"] == ("PR03", None, NINE + 29 * MINUTE, None)
    assert found["NOW"] == ("PR09", "RJ94", None, None)
    assert found["AFTER"] == ("PR03", None, NINE + 40 * MINUTE, "IN")


def test_a_warning_tells_that_headroom_falls_below_a_banks_line_and_that_it_is_back() -> None:
    accounts = [bank("A", cap_warning_line=40), bank("B"), bank("C")]
    line = {"at": "11:30", "do": "set", "account": "A", "field": "cap_warning_line", "value": "99"}
    payments = [pay("P", "09:10", "A", "B", 61), pay("Q", "11:20", "A", "B", 2)]
    done = run(payments, [line], accounts=accounts)
    assert [text.partition(" at ")[2] for text in told(done, "warning")] == [
        "09:10:00 (40.00 CNY)", "10:00:00 (40.00 CNY)", "11:30:00 (99.00 CNY)", "12:00:00 (99.00 CNY)",
    ]  # fmt: skip


# the life of an account, and log-in -----------------------------------------------------------------------------


def test_an_account_with_a_position_or_a_net_on_its_way_is_not_closed() -> None:
    def close(at: str) -> dict[str, Any]:
        return {"at": at, "do": "set", "account": "C", "field": "status", "value": "AS03"}

    accounts = [bank("A"), bank("B"), bank("C", 0)]
    loss = {"at": "09:30", "do": "link_loss", "until": "12:00"}
    payments = [pay("IN", "09:10", "A", "C", 5), pay("OUT", "10:10", "C", "A", 5), pay("LATE", "12:10", "A", "C", 1)]
    done = run(payments, [loss, close("09:20"), close("10:20"), close("11:20"), close("12:05")], accounts=accounts)
    assert len(told(done, "refusal")) == 3
    assert ends(done, "status", "reason")["LATE"] == ("PR09", "RJ90")


def test_what_waits_to_pay_an_account_that_has_been_closed_is_refused_when_its_turn_comes() -> None:
    accounts = [bank("A", 100, 0), bank("B"), bank("C", 0)]
    orders = [
        {"at": "09:20", "do": "set", "account": "C", "field": "status", "value": "AS03"},
        {"at": "09:30", "do": "set", "account": "A", "field": "credit_line", "value": "100"},
    ]
    done = run([pay("C1", "09:10", "A", "C", 5), pay("B1", "09:11", "A", "B", 6)], orders, accounts=accounts)
    found = ends(done, "status", "reason", "ended_ms")
    assert found["C1"] == ("PR09", "RJ90", NINE + 30 * MINUTE)
    assert found["B1"] == ("PR03", None, NINE + 30 * MINUTE)


def test_a_bank_that_is_logged_out_neither_sends_nor_answers_and_is_still_paid() -> None:
    orders = [{"at": "09:20", "do": "log_out", "account": "A"}, {"at": "09:40", "do": "log_in", "account": "A"}]
    beps = [
        pay("OUT", "09:30", "A", "B", 1),
        pay("IN", "09:30", "B", "A", 2),
        pay("NO-ANSWER", "09:31", "B", "A", 3, type="BRTC"),
        pay("NO-DEBIT", "09:32", "A", "B", 4, type="BRTD"),
        pay("AGAIN", "09:50", "A", "B", 5),
    ]
    done = run(beps, orders, ibps=[pay("ONLINE", "09:33", "B", "A", 6)])
    found = ends(done, "status", "reason", "reason_iso")
    assert found["OUT"] == ("PR09", "RJ90", "TM01")
    assert found["NO-ANSWER"] == found["NO-DEBIT"] == found["ONLINE"] == ("PR32", "RJ90", "AB05")
    assert found["IN"] == found["AGAIN"] == ("PR03", None, None)


def test_what_a_bank_sent_before_it_logged_out_is_answered_and_what_it_sent_while_it_was_out_is_refused() -> None:
    """A is out for a second from half past a second on, and every answer takes a second."""
    orders = [
        {"at": f"09:20:{at}", "do": f"log_{way}", "account": "A"} for at, way in (("00.5", "out"), ("01.5", "in"))
    ]
    sent = [("BEFORE", "09:20:00.400"), ("OUT", "09:20:00.600"), ("AFTER", "09:20:01.500")]
    credits = [pay(name, at, "A", "B", 1, type="BRTC") for name, at in sent]
    debits = [pay(f"D-{name}", at, "B", "A", 1, type="BRTD") for name, at in sent]
    found = ends(run(credits + debits, orders), "status", "reason_iso", "ended_ms")
    moment = NINE + 20 * MINUTE
    for start in ("", "D-"):
        assert found[f"{start}BEFORE"] == ("PR03", None, moment + 1400)
        assert found[f"{start}OUT"] == ("PR09", "TM01", moment + 1600)
        assert found[f"{start}AFTER"] == ("PR03", None, moment + 2500)


# the cap queue --------------------------------------------------------------------------------------------------


def test_the_date_switch_cancels_what_still_waits_although_its_round_would_have_freed_it() -> None:
    accounts = [bank("A", 100, 10), bank("B"), bank("C")]
    payments = [pay("P", "15:10", "A", "B", 10), pay("Q", "15:20", "A", "B", 5), pay("R", "16:00", "A", "B", 5)]
    done = run(payments, accounts=accounts, days=2)
    found = ends(done, "status", "reason", "ended_ms", "round")
    assert found["Q"] == ("PR08", "RJ94", SWITCH, None)
    assert rounds(done, "round", "settled_ms")[0] == (8, SWITCH), "the net was posted in the same millisecond"
    assert found["R"] == ("PR03", None, SWITCH, 9)
    assert told(done, "cancelled") == ["1 left in cap queues at the date switch"]


def test_a_gridlock_of_cap_queues_is_matched_before_the_round_and_is_in_it() -> None:
    accounts = [bank(name, 100, 0) for name in "ABC"]
    ring = [pay("AB", "09:10", "A", "B", 30), pay("BC", "09:11", "B", "C", 30), pay("CA", "10:00", "C", "A", 30)]
    done = run([*ring, pay("ALONE", "09:12", "A", "B", 31)], accounts=accounts)
    found = ends(done, "status", "netted_ms", "round", "released_by")
    # At 10:00 the ring closes with the arrival of that very millisecond; at 11:00 nothing is left but ALONE.
    assert {found[name] for name in ("AB", "BC", "CA")} == {("PR03", 10 * HOUR, 2, "matching:1")}
    assert found["ALONE"][0] == "PR08"
    rows = done.matchings[["matching", "time_ms", "trigger", "algorithm", "considered", "settled", "accounts"]]
    assert rows.iloc[0].tolist() == [1, 10 * HOUR, "round", "cap-queue", 4, 3, 3]
    assert rows.settled.tolist() == [3] + [0] * 6


def test_matchings_of_cap_queues_run_at_intervals_too_or_not_at_all() -> None:
    accounts = [bank(name, 100, 0) for name in "ABC"]
    pair = [pay("AB", "09:10", "A", "B", 30), pay("BA", "09:11", "B", "A", 30)]
    often = run(pair, accounts=accounts, nets={"matching": {"on_round": False, "every": "15 min"}})
    assert ends(often, "netted_ms", "released_by")["AB"] == (9 * HOUR + 15 * MINUTE, "matching:1")
    never = run(pair, accounts=accounts, nets={"matching": {"on_round": False}})
    assert never.table("matchings").num_rows == 0
    assert Counter(status for status, _ in netted_in(never).values()) == {"PR08": 2}


def test_matchings_of_both_queues_share_one_numbering() -> None:
    accounts = [bank(name, 0, 0) for name in "ABC"]
    beps = [pay("B1", "09:10", "A", "B", 30), pay("B2", "09:11", "B", "A", 30)]
    gross = [pay(f"{way}{hour}", f"{hour}:10", *way, 7) for hour in ("09", "10") for way in ("AB", "BA")]
    hvps = {"matching": {"algorithm": "multilateral", "at": ["09:30", "10:30"], "saving": True}}
    done = run(beps, gross=gross, accounts=accounts, hvps=hvps)
    rows = done.matchings
    assert list(zip(rows.matching, rows.algorithm, rows.settled, strict=True)) == [
        (1, "multilateral", 2), (2, "cap-queue", 2), (3, "multilateral", 2),
    ]  # fmt: skip
    released = ends(done, "released_by")
    assert [released[name] for name in ("AB09", "B1", "AB10")] == [("matching:1",), ("matching:2",), ("matching:3",)]


def test_the_rounds_of_one_release_are_taken_off_together() -> None:
    """What C received in the second held round covers what it owed in the first: neither frees headroom by itself."""
    done = cs.simulate(
        {
            "name": "two-rounds-held",
            "date": "2025-06-17",
            "accounts": [bank("B", 1000, 1000), bank("C", 1000, 10)],
            "workload": [
                {
                    "system": "BEPS",
                    "payments": [
                        pay("x1", "09:30", "C", "B", 8),
                        pay("x2", "10:30", "B", "C", 8),
                        pay("x3", "11:10", "C", "B", 15),
                    ],
                }
            ],
            "actions": [{"at": "09:20", "do": "link_loss", "until": "11:20"}],
        }
    )
    assert done.payments.set_index("payment_id").loc["x3", "status"] == "PR08"
    headroom = done.series[(done.series["scope"] == "C") & (done.series["measure"] == "headroom_fen")]
    assert headroom["value"].min() >= 0
