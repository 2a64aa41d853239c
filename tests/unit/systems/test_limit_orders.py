"""Limits towards one or all during the day: by action at once or as messages, asked about, in the log of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import cnaps_sim as cs
from cnaps_sim.analysis.metrics import headline
from cnaps_sim.analysis.simulate import read
from cnaps_sim.messages import limits, queue_orders
from cnaps_sim.messages.limits import Limit, LimitCriteria, LimitKey, LimitQuery, LimitReport, LimitSetting, NewLimit
from cnaps_sim.messages.parts import CREDIT, DEBIT, NoAnswer
from cnaps_sim.messages.validate import check
from cnaps_sim.run.actions import Actions
from cnaps_sim.run.check import verify_folder
from cnaps_sim.run.message_log import read_log
from cnaps_sim.run.world import World
from cnaps_sim.systems.mail import Letter, kind

A, B, C = "102100099996", "105100000017", "104100000004"


def day(*actions: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A pays B 30 at 09:00, 20 at 10:00 and 10 at 11:00; B pays A 5 at 12:00."""
    rows = [("P1", "09:00", A, B, 30), ("P2", "10:00", A, B, 20), ("P3", "11:00", A, B, 10), ("P4", "12:00", B, A, 5)]
    columns = ("payment_id", "time", "debtor", "creditor", "amount")
    return {
        "name": "limited",
        "accounts": [{"account": A, "balance": 100}, {"account": B, "balance": 100}, {"account": C}],
        "workload": [{"system": "HVPS", "payments": [dict(zip(columns, row, strict=True)) for row in rows]}],
        "actions": list(actions),
        **more,
    }


def set_limit(at: str, limit: Any, account: str = A, to: str | None = B) -> dict[str, Any]:
    return {"at": at, "do": "set_limit", "account": account, "to": to, "limit": limit}


def ends(run: Any) -> dict[str, tuple[str, str]]:
    """When each payment settled, and what let it go."""
    columns = (run.table("payments")[name].to_pylist() for name in ("payment_id", "settled_ms", "released_by"))
    return {
        name: (f"{ms // 3_600_000:02d}:{ms // 60_000 % 60:02d}", by or "")
        for name, ms, by in zip(*columns, strict=True)
    }


IN_THE_DAY = (set_limit("09:30", 20), set_limit("10:30", 25), set_limit("13:00", 30))


@pytest.mark.parametrize("messages", ["off", "all", {"sample": "0.5"}])
def test_a_limit_counts_from_its_setting_on_and_binds_as_changed(messages: Any) -> None:
    run = cs.simulate(day(*IN_THE_DAY, messages=messages))
    assert ends(run) == {
        "P1": ("09:00", ""), "P2": ("10:00", ""), "P3": ("12:00", "P4"), "P4": ("12:00", "")
    }  # fmt: skip
    assert run.manifest["audit"]["verdict"] == "passed"
    assert "limits-kept" in run.manifest["audit"]["rules"]
    told = [text for kind_, text in run.events[["kind", "detail"]].itertuples(index=False) if kind_ == "action"]
    assert told == [f"limit towards {B} {fen}.00 CNY" for fen in (20, 25, 30)]


def test_removing_a_limit_releases_what_it_held() -> None:
    run = cs.simulate(day(set_limit("14:00", "none"), limits=[{"account": A, "to": B, "limit": 20}]))
    assert ends(run) == {**dict.fromkeys(("P1", "P2", "P3"), ("14:00", "limit")), "P4": ("12:00", "")}


@pytest.mark.parametrize("algorithm", ["none", "multilateral"])
def test_over_perfect_links_messages_change_nothing(algorithm: str, tmp_path: Path) -> None:
    hvps = {"matching": {"algorithm": "multilateral", "every": "1 h"}} if algorithm != "none" else {}
    actions = (*IN_THE_DAY, set_limit("09:00", 25), set_limit("12:00", 0, B, A), set_limit("12:30", "none", B, A))
    without = cs.simulate(day(*actions, hvps=hvps))
    with_messages = cs.simulate(day(*actions, hvps=hvps, messages="all"), out=tmp_path / "run")
    for name in ("payments", "transfers", "accounts", "series", "matchings", "events"):
        assert with_messages.table(name).equals(without.table(name)), name
    assert verify_folder(tmp_path / "run", headline) == []
    sent = [record.iso for _, record, _ in read_log(tmp_path / "run" / "messages") if record.number[:4] == "nets"]
    assert sent.count("camt.011.001.07") == 5
    assert sent.count("camt.012.001.07") == 1


def towards_all(at: str, limit: Any) -> dict[str, Any]:
    return set_limit(at, limit, to=None)


@pytest.mark.parametrize("messages", ["off", "all", {"sample": "0.5"}])
def test_a_multilateral_limit_binds_as_changed(messages: Any) -> None:
    run = cs.simulate(day(towards_all("09:30", 20), towards_all("10:30", 25), messages=messages))
    assert ends(run) == {
        "P1": ("09:00", ""), "P2": ("10:00", ""), "P3": ("12:00", "P4"), "P4": ("12:00", "")
    }  # fmt: skip
    assert run.manifest["audit"]["verdict"] == "passed"
    assert "limits-kept" in run.manifest["audit"]["rules"]
    told = [text for kind_, text in run.events[["kind", "detail"]].itertuples(index=False) if kind_ == "action"]
    assert told == [f"limit towards all others {fen}.00 CNY" for fen in (20, 25)]


def test_a_multilateral_limit_travels_like_any_other(tmp_path: Path) -> None:
    actions = (towards_all("09:30", 20), towards_all("13:00", "none"))
    limited = [{"account": B, "limit": 0}, {"account": A, "to": "all", "limit": 40}]
    without = cs.simulate(day(*actions, limits=limited))
    with_messages = cs.simulate(day(*actions, limits=limited, messages="all"), out=tmp_path / "run")
    for name in ("payments", "transfers", "accounts", "events"):
        assert with_messages.table(name).equals(without.table(name)), name
    assert verify_folder(tmp_path / "run", headline) == []
    sent = [record.iso for _, record, _ in read_log(tmp_path / "run" / "messages") if record.number[:4] == "nets"]
    assert (sent.count("camt.011.001.07"), sent.count("camt.012.001.07")) == (1, 1)


class Desk:
    """A run at 12:30 whose bank A orders and asks by hand."""

    def __init__(self, *actions: dict[str, Any], **more: Any) -> None:
        self.world = World(read(day(*actions, messages="all", **more)))
        Actions(self.world).schedule()
        self.world.clock.process(self.world.hvps.business_days())
        self.world.clock.run(until=12 * 3_600_000 + 1_800_000)
        assert self.world.exchange is not None
        self.mail = self.world.exchange.mail
        self.answers: list[bytes] = []

    def send(self, number: str, iso: str, build: Any, *fields: Any) -> Any:
        """Have A send a message; what the centre answers, the receipt aside."""
        exchange, business_id = self.world.exchange, self.mail.business_id(A)
        assert exchange is not None
        bank, answers = exchange.banks[A], []
        receive = bank.receive
        bank.receive = lambda data: (answers.append(data), receive(data))[1]  # type: ignore[assignment, method-assign]
        document = build(business_id, self.mail.now, *fields)
        self.mail.send(Letter(kind(number, iso), A, "0000", business_id, document), exchange.centre.receive)
        self.world.clock.run(until=int(self.world.clock.now) + 1)
        bank.receive = receive  # type: ignore[method-assign]
        return [check(data, self.mail.expected_by_banks) for data in answers][-1]

    def answered(self, number: str, iso: str, build: Any, *fields: Any) -> str:
        told = queue_orders.read_request_answer(self.send(number, iso, build, *fields).root)
        return f"{told.code} {told.description}"

    def set(self, *new: NewLimit) -> str:
        setting = lambda *fields: limits.build_limit_setting(LimitSetting(*fields))  # noqa: E731
        return self.answered("nets.353.001.01", limits.CAMT_011, setting, new)

    def remove(self, key: LimitKey) -> str:
        deletion = lambda *fields: limits.build_limit_deletion(limits.LimitDeletion(*fields))  # noqa: E731
        return self.answered("nets.353.001.01", limits.CAMT_012, deletion, key)

    def ask(self, criteria: LimitCriteria | None = None) -> LimitReport:
        query = lambda *fields: limits.build_limit_query(LimitQuery(*fields))  # noqa: E731
        return limits.read_limit_report(self.send("nets.350.001.01", limits.CAMT_009, query, criteria).root)

    def limits(self) -> list[tuple[int, int, int]]:
        return self.world.books.limits_of(0)


BILATERAL = LimitKey(limits.BILATERAL, A, B)


def test_several_limits_are_set_by_one_message_and_removed_by_others() -> None:
    desk = Desk()
    both = NewLimit(BILATERAL, 500), NewLimit(LimitKey(limits.BILATERAL, A, C), 0)
    assert desk.set(*both) == "ACPT done"
    assert desk.limits() == [(1, 500, 0), (2, 0, 0)]
    assert desk.remove(BILATERAL) == "ACPT done"
    assert desk.limits() == [(2, 0, 0)]
    assert desk.remove(BILATERAL) == "ACPT done"


@pytest.mark.parametrize(
    ("key", "why"),
    [
        (LimitKey(limits.MULTILATERAL, B), "the account belongs to another participant"),
        (LimitKey(limits.MULTILATERAL, A, B), "there is no such other participant"),
        (LimitKey(limits.NET_DEBIT_CAP, A), "the scenario does not allow it"),
        (LimitKey(limits.BILATERAL, B, A), "the account belongs to another participant"),
        (LimitKey(limits.BILATERAL, A, A), "there is no such other participant"),
        (LimitKey(limits.BILATERAL, A), "there is no such other participant"),
        (LimitKey(limits.BILATERAL, A, "103100000026"), "there is no such other participant"),
    ],
)
def test_other_limits_are_refused_and_none_of_the_message_is_set(key: LimitKey, why: str) -> None:
    desk = Desk()
    assert desk.set(NewLimit(BILATERAL, 500), NewLimit(key, 500)) == f"RJCT {why}"
    assert desk.remove(key) == f"RJCT {why}"
    assert len(desk.world.books.limits) == 0


def test_a_bank_is_told_its_own_limits_in_force() -> None:
    desk = Desk(
        set_limit("09:30", 40), set_limit("09:30", 50, B, A), set_limit("09:30", 7, A, C), set_limit("11:30", 30, A, C)
    )
    report = desk.ask()
    assert report.query.number == "nets.350.001.01"
    towards_b = Limit(BILATERAL, 4000, "ENAB", None, 2500, DEBIT, 1500)
    towards_c = Limit(LimitKey(limits.BILATERAL, A, C), 3000, "ENAB", None, 0, DEBIT, 3000)
    assert report.answer == (towards_b, towards_c)
    one = desk.ask(LimitCriteria((limits.BILATERAL, limits.MULTILATERAL), (C,), A))
    assert one.answer == (towards_c,)
    desk.remove(BILATERAL)
    assert desk.ask().answer == (towards_c,)


def test_a_bank_sets_asks_about_and_removes_its_multilateral_limit() -> None:
    desk, key = Desk(set_limit("11:30", 10)), LimitKey(limits.MULTILATERAL, A)
    assert desk.set(NewLimit(key, 500)) == "ACPT done"
    towards_all_others = Limit(key, 500, "ENAB", None, 0, DEBIT, 500)
    assert desk.ask().answer[1:] == (towards_all_others,)
    assert desk.ask(LimitCriteria((limits.MULTILATERAL,))).answer == (towards_all_others,)
    assert [limit.key for limit in desk.ask(LimitCriteria((limits.BILATERAL,))).answer] == [BILATERAL]
    assert desk.remove(key) == "ACPT done"
    assert isinstance(desk.ask(LimitCriteria((limits.MULTILATERAL,))).answer, NoAnswer)


def test_what_is_received_in_advance_is_more_than_what_may_be_sent() -> None:
    desk = Desk(set_limit("11:30", 10))
    (limit,) = desk.ask().answer
    assert isinstance(limit, Limit)
    assert (limit.used_fen, limit.used_direction, limit.remaining_fen) == (500, CREDIT, 1500)


@pytest.mark.parametrize(
    ("criteria", "code"),
    [
        (None, "NONE"),
        (LimitCriteria((limits.MULTILATERAL, limits.NET_DEBIT_CAP)), "NONE"),
        (LimitCriteria((limits.BILATERAL,), (), B), "AC01"),
    ],
)
def test_where_there_is_nothing_to_tell_the_centre_says_why(criteria: LimitCriteria | None, code: str) -> None:
    desk = Desk(set_limit("09:30", 50, B, A))
    answer = desk.ask(criteria).answer
    assert isinstance(answer, NoAnswer)
    assert answer.code == code


def test_an_action_asks_about_limits(tmp_path: Path) -> None:
    ask = {"at": "12:30", "do": "ask", "account": A, "about": "limits"}
    run = cs.simulate(day(set_limit("09:30", 40), ask, messages="all"), out=tmp_path / "run")
    assert run.manifest["messages"]["refused"] == 0
    reports = [record for _, record, _ in read_log(tmp_path / "run" / "messages") if record.iso == limits.CAMT_010]
    assert [(report.sender, report.receiver, report.verdict) for report in reports] == [("0000", A, "accepted")]
    assert verify_folder(tmp_path / "run", headline) == []
