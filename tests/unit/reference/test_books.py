"""The reference books as a program: what they import, what they answer, what they will not accept."""

from __future__ import annotations

import ast
import importlib.util
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cnaps_sim.reference import Books
from cnaps_sim.words.codes import Act, Answer, Cause, Discipline, Life, Phase, Refusal

DAYTIME, NORM, NET = Phase.DAYTIME, 7, 4


def books(*terms: dict[str, Any], **how: Any) -> Books:
    opened = Books(list(terms), **how)
    opened.set_phase(DAYTIME)
    return opened


def sources() -> list[Path]:
    spec = importlib.util.find_spec("cnaps_sim.reference")
    assert spec is not None
    assert spec.origin is not None
    return sorted(Path(spec.origin).parent.glob("*.py"))


@pytest.mark.parametrize("path", sources(), ids=lambda path: path.name)
def test_the_reference_imports_words_and_the_standard_library_only(path: Path) -> None:
    allowed = {"__future__", "bisect", "collections", "enum", "itertools", "operator", "typing"}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [str(node.module)] if isinstance(node, ast.ImportFrom) else []
        for name in names:
            inside = name.startswith(("cnaps_sim.words", "cnaps_sim.reference"))
            assert inside or name.split(".")[0] in allowed, f"{path.name} imports {name}"


def test_a_snapshot_names_only_queues_that_hold_something() -> None:
    b = books({"balance": 5}, {}, {})
    b.hold_sending(2, 100)
    b.submit(0, 10, 0, 1, 6, NORM)
    b.submit(0, 11, 0, 1, 6, NET)
    b.submit(0, 12, 2, 1, 6, NORM)
    assert b.snapshot()["queues"] == {0: {NET: [11], NORM: [10]}, 2: {8: [12]}}


def test_a_snapshot_shows_every_observable_field() -> None:
    shown = books({"balance": 5, "life": Life.FROZEN}).snapshot()
    assert shown["accounts"] == [
        {
            "balance": 5, "earmark": 0, "floor": 0, "overdraft_limit": 0, "reserved_high": 0, "reserved_urgent": 0,
            "reserved_matching": 0,
            "warning_line": -(2**63), "hold_until_ms": -(2**63), "lowest_balance": 5, "lowest_available": 5,
            "sent": 0, "received": 0, "sent_count": 0, "received_count": 0, "life": 6, "debit_control": False,
            "credit_control": False, "logged_in": True, "warned": False, "overdraft_fen_ms": 0,
            "pledge_room": 0, "pledge_start": 0, "pledge_automatic": False, "pledged": 0,
            "policy_until_ms": -(2**63), "policy_levels": 0, "policy_hold_ms": -(2**63), "policy_budget": 4 * 10**18,
            "policy_receipt_ppm": 0, "policy_reserve": -(2**62),
        }
    ]  # fmt: skip
    assert shown["queues"] == {}
    assert set(shown["books"].values()) == {0}
    assert (shown["loans"], shown["pools"], shown["next_booking"]) == ({}, [], 2**40)


def test_a_snapshot_does_not_change_with_the_books() -> None:
    b = books({"balance": 5}, {})
    before = b.snapshot()
    b.submit(0, 1, 0, 1, 5, NORM)
    b.submit(0, 2, 0, 1, 5, NORM)
    assert before["accounts"][0]["balance"] == 5
    assert before["queues"] == {}


def test_log_entries_are_tuples_in_the_order_of_the_log_records() -> None:
    b = books({}, {}, {"central_bank": True})
    b.submit(3, 1, 0, 1, 5, NORM)
    b.post_direct(4, 2, 2, 0, 5, 5, Cause.INJECTION)
    b.submit(5, 3, 0, 0, 5, NORM)
    assert b.drain_log() == [
        (1, 3, Cause.NONE, Act.QUEUED, Refusal.NONE, NORM),
        (2, 4, Cause.NONE, Act.SETTLED, Refusal.NONE, 5),
        (1, 4, Cause.INJECTION, Act.SETTLED, Refusal.NONE, NORM),
        (3, 5, Cause.NONE, Act.REFUSED, Refusal.SELF_PAYMENT, NORM),
    ]
    assert b.drain_log() == []


def test_a_flow_may_be_a_plain_list_of_rows() -> None:
    b = books({"balance": 5}, {})
    rows = [(1, 5, 0, 1, NORM, 0, False), (2, 5, 1, 0, NORM, 0, False), (3, 1, 0, 1, NORM, 1, False)]
    assert b.advance(rows, 0, 3, 70) == 2
    assert b.advance(rows, 2, 4, 70) == 3
    assert [entry[0] for entry in b.drain_log()] == [70, 71, 72]


def test_a_long_flow_is_read_in_pieces_without_losing_a_row() -> None:
    b = books({"balance": 5}, {})
    rows = [(t, 1, t % 2, 1 - t % 2, NORM, 0, False) for t in range(9_000)]
    assert b.advance(rows, 0, 9_000, 0) == 9_000
    assert [entry[0] for entry in b.drain_log()] == list(range(9_000))


def test_a_callers_mistake_is_an_assertion() -> None:
    b = books({"balance": 5}, {}, {"central_bank": True})
    mistakes: list[Callable[[], object]] = [
        lambda: b.submit(0, 1, 0, 1, 0, NORM),
        lambda: b.submit(0, 1, 0, 1, -5, NORM),
        lambda: b.submit(0, 1, 0, 1, 5, NORM, refusal=Refusal.OUT_OF_HOURS),
        lambda: b.set_field(0, 0, "balance", 5),
        lambda: b.set_field(0, 0, "floor", -1),
        lambda: b.set_field(0, 0, "earmark", -1),
        lambda: b.post_direct(0, 1, 0, 1, 5, NORM, Cause.INJECTION),
    ]
    for mistake in mistakes:
        with pytest.raises(AssertionError):
            mistake()
    b.submit(0, 1, 0, 1, 10, NET)
    with pytest.raises(AssertionError):
        b.lend_and_clear(0, 100, 1)


def test_a_refused_payment_may_have_any_amount() -> None:
    b = books({"balance": 5}, {})
    assert b.submit(0, 1, 0, 1, 0, NORM, refusal=Refusal.AMOUNT) == Act.REFUSED
    assert b.submit(0, 2, 0, 1, -3, NORM, refusal=Refusal.FORMAT) == Act.REFUSED


def test_changes_of_terms_answer_done() -> None:
    b = books({"balance": 5})
    assert b.set_field(0, 0, "floor", 1) is Answer.DONE
    assert b.set_debit_control(0, 0, True) is Answer.DONE
    assert b.set_credit_control(0, 0, True) is Answer.DONE
    assert b.set_life(0, 0, Life.FROZEN) is Answer.DONE


@pytest.mark.parametrize("discipline", list(Discipline))
@pytest.mark.parametrize("seed", range(5))
def test_a_random_day_keeps_the_money_and_ends_with_empty_queues(discipline: Discipline, seed: int) -> None:
    draw = random.Random(seed)
    terms: list[dict[str, Any]] = [
        {"balance": draw.randrange(100), "overdraft_limit": draw.choice([0, 50]), "earmark": draw.choice([0, 10])}
        for _ in range(5)
    ]
    b = books(*terms, {"central_bank": True}, discipline=discipline, reprioritise=True)
    money = sum(int(each.get("balance", 0)) for each in terms)
    for number in range(300):
        a_random_act(b, draw, number)
        snapshot = b.snapshot()
        assert sum(account["balance"] for account in snapshot["accounts"]) == money
        assert snapshot["books"]["waiting_count"] == sum(
            len(queue) for queues in snapshot["queues"].values() for level, queue in queues.items() if level < 8
        )
    b.set_phase(Phase.CLEARING_WINDOW)
    b.return_queued(300)
    b.lend_and_clear(300, 1_000, 5)
    closing = b.snapshot()
    assert closing["queues"] == {}
    assert closing["books"]["overdrawn_count"] == closing["books"]["waiting_count"] == 0
    assert all(account["balance"] >= 0 for account in closing["accounts"][:5])


def a_random_act(b: Books, draw: random.Random, number: int) -> None:
    """Mostly a payment, sometimes an order or a change of terms."""
    account, other, earlier = draw.randrange(5), draw.randrange(6), draw.randrange(number + 1)
    act = draw.randrange(12)
    if act == 0:
        b.cancel(number, earlier, account)
    elif act == 1:
        b.move_to_head(number, earlier, account)
    elif act == 2:
        b.change_level(number, earlier, account, draw.choice([1, 6, 7]))
    elif act == 3:
        b.set_debit_control(number, account, draw.random() < 0.5)
    elif act == 4:
        b.set_field(number, account, draw.choice(["floor", "earmark", "overdraft_limit"]), draw.randrange(40))
    else:
        b.submit(number, number, account, other, draw.randrange(1, 80), draw.randrange(8))
