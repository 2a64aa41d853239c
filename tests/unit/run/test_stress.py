"""The stress sweep: rankings worked out by hand, and agreement with whole runs that have the same stop."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd
import pytest

import cnaps_sim as cs
from cnaps_sim.run.stress import BankStress, Stress


def pay(payment_id: str, time: str, debtor: str, creditor: str, amount: int) -> dict[str, Any]:
    return {"payment_id": payment_id, "time": time, "debtor": debtor, "creditor": creditor, "amount": amount}


def account(name: str, balance: int) -> dict[str, Any]:
    return {"account": name, "balance": balance}


#: A's money goes on to B, C and D; E and F have business of their own.
CHAIN: dict[str, Any] = {
    "name": "chain",
    "accounts": [
        account("F", 0),
        account("D", 0),
        account("C", 0),
        account("B", 0),
        account("A", 100),
        account("E", 5),
    ],
    "workload": [
        {
            "system": "HVPS",
            "payments": [
                pay("AB", "09:00", "A", "B", 100),
                pay("EF", "09:30", "E", "F", 5),
                pay("BC", "10:00", "B", "C", 100),
                pay("CD", "11:00", "C", "D", 100),
            ],
        }
    ],
}
SUMS = ["unsettled_fen", "unsettled_count", "banks_affected", "own_unsettled_fen", "own_unsettled_count"]


def by_account(frame: pd.DataFrame, *names: str) -> dict[str, tuple[Any, ...]]:
    return {row[0]: tuple(row[1:]) for row in frame[["account", *names]].itertuples(index=False)}


def test_the_bank_on_which_most_depend_comes_first_and_ties_keep_the_order_of_the_accounts() -> None:
    found = cs.stress(CHAIN, stop_at="08:30")
    assert found["account"].tolist() == ["A", "B", "F", "D", "C", "E"]
    assert found["rank"].tolist() == [1, 2, 3, 4, 5, 6]
    assert by_account(found, *SUMS) == {
        "A": (200_00, 2, 2, 100_00, 1),
        "B": (100_00, 1, 1, 100_00, 1),
        "F": (0, 0, 0, 0, 0),
        "D": (0, 0, 0, 0, 0),
        "C": (0, 0, 0, 100_00, 1),
        "E": (0, 0, 0, 5_00, 1),
    }


def test_a_bank_nobody_depends_on_changes_nothing_elsewhere() -> None:
    elsewhere = [
        "unsettled_fen",
        "unsettled_count",
        "banks_affected",
        "banks_delayed",
        "delay_added_fen_h",
        "rho_added",
    ]
    assert by_account(cs.stress(CHAIN, stop_at="08:30"), *elsewhere)["E"] == (0,) * 6


def test_in_a_ring_whoever_has_to_pay_first_holds_up_all_the_others() -> None:
    found = cs.stress("gridlock-ring", stop_at="08:00")
    assert by_account(found, *SUMS[:3]) == {
        "EAST": (300_00, 3, 3), "SOUTH": (200_00, 2, 2), "WEST": (100_00, 1, 1), "NORTH": (0, 0, 0)
    }  # fmt: skip
    assert found["account"].tolist() == ["EAST", "SOUTH", "WEST", "NORTH"]


def test_what_was_sent_before_the_stop_is_not_held_back_but_what_comes_at_that_instant_is() -> None:
    found = cs.stress("gridlock-ring", stop_at="10:00")
    own = by_account(found, "unsettled_fen", "own_unsettled_fen")
    assert own == {"WEST": (100_00, 100_00), "EAST": (0, 0), "SOUTH": (0, 0), "NORTH": (0, 100_00)}


def test_a_bank_that_comes_back_in_time_only_delays_the_others() -> None:
    found = cs.stress(CHAIN, stop_at="08:30", until="10:30")
    assert by_account(found, "unsettled_fen", "own_unsettled_fen")["A"] == (0, 0)
    # BC waits from 10:00 to 10:30 in the queue of B; the delay of AB itself is A's own. CD is due at 11:00.
    assert by_account(found, "banks_affected", "banks_delayed", "delay_added_fen_h")["A"] == (0, 1, 100_00 // 2)
    assert by_account(found, "peak_queue_added_fen", "peak_queue_added_count")["A"] == (100_00, 1)
    room = 500 * 8 + 10_000 * 7.5 + 10_000 * 6.5  # EF, BC and CD could wait until 17:30
    assert by_account(found, "rho_elsewhere", "rho_added")["A"] == pytest.approx((5_000 / room, 5_000 / room))
    assert by_account(found, "banks_delayed", "delay_added_fen_h")["B"] == (0, 0)


def test_the_undisturbed_day_and_what_was_asked_stand_beside_the_table() -> None:
    found = cs.stress(CHAIN, stop_at=dt.time(8, 30), seed=3)
    assert found.attrs == {
        "scenario": "chain", "date": "2025-06-17", "seed": 3, "kind": "stop", "stop_at": "08:30:00",
        "until": None, "share": None,
        "undisturbed": {
            "submitted_fen": 305_00, "submitted_count": 4, "settled_fen": 305_00, "settled_count": 4,
            "delay_rho": 0.0, "peak_queue_fen": 0, "peak_queue_count": 0,
        },
    }  # fmt: skip


def day(**hvps: Any) -> dict[str, Any]:
    """A scarce day of 12 banks, on which the largest one is silent for an hour anyway."""
    return {
        "name": "scarce",
        "accounts": {"generate": "national", "count": 12},
        "workload": [{"system": "HVPS", "generator": "national", "count": 600, "value": 13_000_000_000}],
        "liquidity": {"share_of_outflow": ["0.05", "0.15"]},
        "hvps": hvps,
        "actions": [{"at": "11:00", "do": "stop_sending", "account": "308584000013", "until": "12:00"}],
        "series_step": "4 h",
    }


MATCHED = {"algorithm": "bilateral-then-multilateral", "every": "1 h", "continuous": False}


@pytest.mark.parametrize(
    ("scenario", "until"),
    [
        (day(), None),
        (day(), "13:00"),
        (day(discipline="reject"), None),
        (day(discipline="bypass", matching=MATCHED), None),
    ],
    ids=["fifo", "until", "reject", "matched"],
)
def test_every_figure_agrees_with_whole_runs_that_have_the_same_stop(scenario: Any, until: str | None) -> None:
    undisturbed = cs.simulate(scenario)
    base = settled(undisturbed)
    found = cs.stress(scenario, stop_at="10:30", until=until, workers=1).set_index("account")
    told = {"at": "10:30", "do": "stop_sending", **({"until": until} if until else {})}
    assert (found["unsettled_count"] + found["banks_delayed"]).sum() > 0
    for name in found.index[[0, 1, 5, 11]]:
        run = cs.simulate({**scenario, "actions": [*scenario["actions"], {**told, "account": name}]})
        row, now = found.loc[name], settled(run)
        lost = base[base.settled & ~now.settled]
        elsewhere, own = lost[lost.debtor != name], lost[lost.debtor == name]
        assert row[SUMS].tolist() == [
            elsewhere.amount_fen.sum(), len(elsewhere), elsewhere.debtor.nunique(), own.amount_fen.sum(), len(own)
        ]  # fmt: skip
        later = base[base.settled & now.settled & (now.settled_ms > base.settled_ms) & (base.debtor != name)]
        assert row["banks_delayed"] == later.debtor.nunique()
        assert row["rho_elsewhere"] == pytest.approx(rho_elsewhere(run, name), rel=1e-12)
        assert row["rho_added"] == pytest.approx(row["rho_elsewhere"] - rho_elsewhere(undisturbed, name), abs=1e-12)
        peak = run.summary["systems"]["HVPS"]["peak_queue"]
        day_before = found.attrs["undisturbed"]
        assert row["peak_queue_added_fen"] == peak["value_fen"] - day_before["peak_queue_fen"]
        assert row["peak_queue_added_count"] == peak["count"] - day_before["peak_queue_count"]


def rho_elsewhere(run: cs.Run, name: str) -> float:
    delay = cs.metrics.delay(run, where=lambda payments: payments.debtor != name)
    return float(delay.value[delay.measure == "rho"].item())


def settled(run: cs.Run) -> pd.DataFrame:
    """Payments of HVPS by id: whether and when each settled."""
    payments = run.payments[run.payments.system == "HVPS"].set_index("payment_id").sort_index()
    done = payments.status.isin(["PR04", "PR22", "PR23"])
    return payments[["debtor", "amount_fen"]].astype({"debtor": str}).assign(
        settled=done, settled_ms=payments.settled_ms.fillna(0).astype(np.int64)
    )  # fmt: skip


def test_the_ranking_is_the_same_whatever_the_number_of_workers() -> None:
    scenario = day(matching=MATCHED)
    alone = cs.stress(scenario, stop_at="09:00", workers=1)
    pd.testing.assert_frame_equal(alone, cs.stress(scenario, stop_at="09:00", workers=3), check_exact=True)
    assert alone["unsettled_fen"].nunique() > 3


def test_who_looks_on_may_end_the_sweep_before_all_banks_have_been_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    stopped: list[int] = []
    of = Stress.of

    def counted(sweep: Stress, bank: int) -> BankStress:
        stopped.append(bank)
        return of(sweep, bank)

    def look(done: int, _banks: int) -> None:
        if done:
            raise KeyboardInterrupt

    monkeypatch.setattr(Stress, "of", counted)
    with pytest.raises(KeyboardInterrupt):
        cs.stress(day(), stop_at="09:00", workers=1, progress=look)
    assert len(stopped) < 12


def test_a_stop_of_the_scenario_is_met_even_if_the_bank_is_told_nothing_meanwhile() -> None:
    # A is silent anyway from 08:30 to 10:00; stopped again at 09:30 to cut-off it does not send AB at 10:00.
    silent = {"at": "08:30", "do": "stop_sending", "account": "A", "until": "10:00"}
    found = cs.stress({**CHAIN, "actions": [silent]}, stop_at="09:30")
    assert by_account(found, *SUMS)["A"] == (200_00, 2, 2, 100_00, 1)


def test_the_nets_of_retail_payments_go_on_while_a_bank_is_silent() -> None:
    # Without A's money C cannot pay its round net of 80, which then stands before its own payment of 30.
    accounts = [account("A", 100), account("B", 0), {**account("C", 60), "credit_line": 100}]
    hvps = [pay("AC", "09:00", "A", "C", 100), pay("CB", "17:00", "C", "B", 30)]
    scenario: dict[str, Any] = {
        "accounts": accounts,
        "workload": [{"system": "HVPS", "payments": hvps}],
        "series_step": "4 h",
    }
    assert by_account(cs.stress(scenario, stop_at="08:30"), *SUMS)["A"] == (0, 0, 0, 100_00, 1)
    scenario["workload"] = [*scenario["workload"], {"system": "IBPS", "payments": [pay("I", "09:10", "C", "B", 80)]}]
    scenario["ibps"] = {"refused_share": "0", "unanswered_share": "0"}
    assert by_account(cs.stress(scenario, stop_at="08:30"), *SUMS)["A"] == (30_00, 1, 1, 100_00, 1)


def test_of_several_dates_a_bank_is_silent_to_the_cut_off_of_the_one_it_stops_on() -> None:
    payments = [pay("AB", "2025-06-17T10:00", "A", "B", 50), pay("BA", "2025-06-17T11:00", "B", "A", 50),
                pay("AB2", "2025-06-18T10:00", "A", "B", 50), pay("BA2", "2025-06-18T11:00", "B", "A", 50)]  # fmt: skip
    two = {
        "days": 2,
        "accounts": [account("A", 50), account("B", 0)],
        "workload": [{"system": "HVPS", "payments": payments}],
    }
    first = cs.stress(two, stop_at="09:00")
    assert by_account(first, *SUMS)["A"] == (50_00, 1, 1, 50_00, 1)
    assert by_account(first, *SUMS)["B"] == (0, 0, 0, 50_00, 1)
    second = cs.stress(two, stop_at="2025-06-18T10:30")
    assert by_account(second, *SUMS) == {"A": (0, 0, 0, 0, 0), "B": (0, 0, 0, 50_00, 1)}


# other kinds ------------------------------------------------------------------------------------------------------


def test_a_shock_takes_a_share_of_the_opening_balance_and_no_more_payments_are_counted() -> None:
    """Without half of its 100 A cannot pay on, nor can B and C; of E's 5 the 5 to F go if 2.50 are taken first."""
    found = cs.stress(CHAIN, kind="shock", at="08:45")
    assert by_account(found, *SUMS)["A"] == (200_00, 2, 2, 100_00, 1)
    assert by_account(found, *SUMS)["E"] == (0, 0, 0, 5_00, 1)
    assert by_account(found, *SUMS)["B"] == (0, 0, 0, 0, 0)
    assert found.attrs["share"] == "0.5"
    late = cs.stress(CHAIN, kind="shock", at="09:10")
    assert by_account(late, *SUMS)["A"] == (0, 0, 0, 0, 0)


def test_a_late_opening_delays_what_was_to_be_sent_before_it() -> None:
    found = cs.stress(CHAIN, kind="late-opening", until="10:30")
    same = cs.stress(CHAIN, stop_at="08:30", until="10:30")
    columns = [name for name in found.columns if name != "rank"]
    pd.testing.assert_frame_equal(found[columns], same[columns], check_exact=True)
    assert by_account(found, "banks_delayed")["A"] == (1,)


@pytest.mark.parametrize(
    "credit", [{"overdraft_limit": 100}, {"pledge": {"collateral": [{"account": "A", "bonds": 200}]}}]
)
def test_a_bank_without_its_credit_pays_what_it_has_and_no_more(credit: dict[str, Any]) -> None:
    """A has nothing of its own: BC and CD hang on its credit. Once used it may be withdrawn without harm."""
    bonds = {"credit": credit} if "pledge" in credit else {}
    a = account("A", 0) if bonds else {**account("A", 0), **credit}
    scenario = {**CHAIN, **bonds, "accounts": [*CHAIN["accounts"][:4], a, account("E", 5)]}
    found = cs.stress(scenario, kind="credit-withdrawn", at="08:45")
    assert by_account(found, *SUMS)["A"] == (200_00, 2, 2, 100_00, 1)
    assert (found[SUMS][found.account != "A"] == 0).all(axis=None)
    later = cs.stress(scenario, kind="credit-withdrawn", at="09:10")
    assert by_account(later, *SUMS)["A"] == (0, 0, 0, 0, 0)


def test_a_cut_cap_counts_what_others_no_longer_net() -> None:
    """A's cap is 100, B's nothing: what A sends B lets B send C. Cut to a half, A's 80 are refused, and then B's 60."""
    items = [pay("AB", "09:10", "A", "B", 80), pay("BC", "09:20", "B", "C", 60), pay("CA", "09:30", "C", "A", 5)]
    lines = [{**account(name, 1000), "credit_line": line} for name, line in (("A", 100), ("B", 0), ("C", 50))]
    scenario = {
        "accounts": lines,
        "workload": [
            {"system": "HVPS", "payments": [pay("H", "12:00", "A", "B", 1)]},
            {"system": "IBPS", "payments": items},
        ],
        "ibps": {"refused_share": "0", "unanswered_share": "0"},
        "series_step": "4 h",
    }
    found = cs.stress(scenario, kind="cap-cut", at="09:00")
    assert by_account(found, *SUMS) == {
        "A": (60_00, 1, 1, 80_00, 1), "B": (0, 0, 0, 0, 0), "C": (0, 0, 0, 0, 0)
    }  # fmt: skip
    assert by_account(cs.stress(scenario, kind="cap-cut", at="09:15"), *SUMS)["A"] == (0, 0, 0, 0, 0)
    assert by_account(cs.stress(scenario, kind="cap-cut", at="09:00", share="0.8"), *SUMS)["A"] == (0, 0, 0, 0, 0)


def test_a_kind_agrees_with_a_whole_run_that_has_the_same_debit() -> None:
    scenario = day()
    base = settled(cs.simulate(scenario))
    found = cs.stress(scenario, kind="shock", at="09:00", share="0.9", workers=1).set_index("account")
    opening = cs.simulate(scenario).accounts.set_index("account").opening_fen
    assert found["unsettled_count"].sum() > 0
    for name in found.index[[0, 5]]:
        fen = int(opening[name]) * 9 // 10
        debit = {"at": "09:00", "do": "central_bank_debit", "account": name, "amount": f"{fen // 100}.{fen % 100:02d}"}
        now = settled(cs.simulate({**scenario, "actions": [*scenario["actions"], debit]}))
        lost = base[base.settled & ~now.settled]
        elsewhere = lost[lost.debtor != name]
        assert found.loc[name, SUMS[:3]].tolist() == [
            elsewhere.amount_fen.sum(), len(elsewhere), elsewhere.debtor.nunique()
        ]  # fmt: skip


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"stop_at": "noon"}, "stop_at: neither HH:MM[:SS[.mmm]] nor an ISO 8601 date-time (noon); allowed: 08:30, "),
    ({"stop_at": 830}, "stop_at: neither HH:MM[:SS[.mmm]] nor an ISO 8601 date-time (830); allowed: 08:30, "),
    (
        {"stop_at": "17:15"},
        "stop_at: after cut-off nobody sends (17:15:00); allowed: from T-1 20:00:00 to before the cut-off at 17:15:00",
    ),
    ({"stop_at": "2025-06-15T10:00"}, "stop_at: before the day begins nobody sends (2025-06-15T10:00:00); allowed: "),
    ({"stop_at": "2025-06-19T10:00"}, "stop_at: after cut-off nobody sends (2025-06-19T10:00:00); allowed: from T-1 "),
    ({"until": "09:00"}, "until: is not after the moment it begins (09:00:00); allowed: after 10:00:00"),
    ({"kind": "flood"}, "kind: is no kind of stress (flood); allowed: stop, shock, cap-cut, credit-withdrawn, late-"),
    ({"kind": "shock"}, "stop_at: stands beside shock (10:00); allowed: at alone"),
    ({"share": "0.5"}, "share: stands beside stop, which is whole (0.5)"),
    (
        {"stop_at": None, "kind": "shock", "at": "10:00", "share": 0.5},
        "share: is no share (0.5); allowed: text such as ",
    ),
    (
        {"stop_at": None, "kind": "shock", "at": "10:00", "until": "11:00"},
        "until: stands beside shock, which does not end",
    ),
    (
        {"stop_at": None, "kind": "shock", "at": "2025-06-17T20:00"},
        "at: after cut-off nobody sends (2025-06-17T20:00:00)",
    ),
    (
        {"stop_at": None, "kind": "late-opening", "until": "17:15"},
        "until: is no instant of a day (17:15:00); allowed: after ",
    ),
    (
        {"stop_at": None, "kind": "late-opening", "at": "10:00"},
        "at: stands beside late-opening, which begins with the date",
    ),
    ({"workers": 0}, "workers: is no number of threads (0); allowed: from 1"),
    (
        {"scenario": "message-trail"},
        "message-trail.yaml:18:11: messages: payments travel as messages, which this sweep does not play; "
        "allowed: off, such as --set messages=off",
    ),
]


@pytest.mark.parametrize(("changes", "sentence"), WRONG, ids=[str(changes) for changes, _ in WRONG])
def test_what_cannot_be_played_is_an_input_error(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(cs.InputError) as error:
        cs.stress(**{"scenario": CHAIN, "stop_at": "10:00", **changes})
    assert error.value.sentence().startswith(sentence)
