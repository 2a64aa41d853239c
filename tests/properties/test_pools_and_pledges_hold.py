"""What pools and pledges promise after every action, whatever came before."""

from __future__ import annotations

import os
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from cnaps_sim.core import Books
from cnaps_sim.core.records import LEVELS, UNLIMITED
from cnaps_sim.words.codes import Discipline, Life, MoveKind, Phase

SLOW = os.environ.get("CNAPS_SIM_TESTS") == "slow"
ACCOUNTS = 6
LENDER, EARNER = ACCOUNTS, ACCOUNTS + 1
OWN = {"central_bank": True, "overdraft_limit": UNLIMITED}
RATE_PPM = 22_500

_row = st.integers(0, ACCOUNTS - 1)
_action = st.one_of(
    st.tuples(st.just("pay"), _row, _row, st.integers(1, 60), st.sampled_from([1, 4, 6, 7, 7, 7])),
    st.tuples(st.just("set"), _row, st.sampled_from(["floor", "earmark", "reserved_urgent"]), st.integers(0, 30)),
    st.tuples(st.just("control"), _row, st.booleans()),
    st.tuples(st.just("freeze"), _row, st.booleans()),
    st.tuples(st.just("pool"), st.integers(0, 1), st.booleans()),
    st.tuples(st.just("pledge"), _row, st.integers(0, 50), st.integers(0, 20), st.booleans()),
    st.tuples(st.just("borrow"), _row, st.integers(1, 30)),
    st.tuples(st.just("cancel"), _row),
    st.tuples(st.just("wait"), st.integers(1, 10_000_000)),
)


@st.composite
def stories(draw: st.DrawFn) -> tuple[list[dict[str, Any]], list[tuple[bool, list[int]]], Discipline, list[Any]]:
    accounts: list[dict[str, Any]] = []
    for _ in range(ACCOUNTS):
        terms: dict[str, Any] = {"balance": draw(st.integers(0, 50))}
        credit = draw(st.sampled_from(["none", "none", "overdraft", "pledge"]))
        if credit == "overdraft":
            terms["overdraft_limit"] = draw(st.integers(1, 30))
        if credit == "pledge":
            terms |= {"pledge_room": draw(st.integers(1, 50)), "pledge_automatic": True}
        accounts.append(terms)
    pools = [(draw(st.booleans()), [0, 1, 2]), (draw(st.booleans()), [5, 4])]
    discipline = draw(st.sampled_from([Discipline.FIFO, Discipline.BYPASS]))
    return accounts, pools, discipline, draw(st.lists(_action, max_size=30))


def _act(books: Books, now: int, sequence: int, action: tuple[Any, ...]) -> None:
    match action:
        case "pay", payer, payee, amount, level:
            books.submit(now, sequence, payer, payee, amount, level)
        case "set", account, field, value:
            books.set_field(now, account, field, value)
        case "control", account, on:
            books.set_debit_control(now, account, on)
        case "freeze", account, on:
            books.set_life(now, account, Life.FROZEN if on else Life.OPEN)
        case "pool", pool, active:
            books.set_pool(now, pool, active)
        case "pledge", account, room, start, automatic:
            books.set_pledge(now, account, room, start, automatic)
        case "borrow", account, amount:
            books.borrow(now, account, amount)
        case "cancel", account:
            for level in (1, 6, 7):
                for waiting in books.waiting(account, level)[:1]:
                    books.cancel(now, waiting, account)


def _head(books: Books, account: int) -> int | None:
    """Row of the payment that is to be settled next, if no control holds it back."""
    record = books.accounts[account]
    held = bool(record["debit_control"]) or record["life"] == Life.FROZEN
    for level in range(LEVELS):
        if books.queues["head"][account, level] >= 0 and not (held and level not in (0, 3)):
            return int(books.queues["head"][account, level])
    return None


def _assert_nobody_waits_for_what_is_there(books: Books, pools: list[tuple[bool, list[int]]]) -> None:
    for account in range(ACCOUNTS):
        at = _head(books, account)
        if at is None:
            continue
        amount, level = int(books.payments["amount"][at]), int(books.payments["level"][at])
        available = books.available(account, level)
        assert available < amount
        record = books.accounts[account]
        lacking = amount - (available - int(record["overdraft_limit"]))
        for number, (_, members) in enumerate(pools):
            if account in members and books.tools.pools["active"][number]:
                assert sum(books.spare(member) for member in members if member != account) < lacking
        if books.snapshot()["accounts"][account]["pledge_automatic"]:
            assert int(record["pledge_room"]) - int(record["pledged"]) < lacking


@given(stories())
@settings(max_examples=2_000 if SLOW else 60, deadline=None)
def test_no_head_waits_while_its_pool_or_pledge_covers_it_and_loans_are_repaid_when_they_can_be(
    story: tuple[list[dict[str, Any]], list[tuple[bool, list[int]]], Discipline, list[Any]],
) -> None:
    accounts, pools, discipline, actions = story
    books = Books(
        [*accounts, OWN, OWN], discipline=discipline, pools=pools, pool_seed=7, first_booking=1_000,
        lender=LENDER, interest_account=EARNER, pledge_rate_ppm=RATE_PPM,
    )  # fmt: skip
    books.set_phase(Phase.DAYTIME)
    total = int(books.accounts["balance"].sum())
    now = 0
    for sequence, action in enumerate(actions):
        now += action[1] if action[0] == "wait" else 0
        _act(books, now, sequence, action)
        assert int(books.accounts["balance"].sum()) == total
        _assert_nobody_waits_for_what_is_there(books, pools)
        moves = books.drain_moves()
        for move in moves[moves["kind"] == MoveKind.POOL]:
            assert any({move["debtor"], move["creditor"]} <= set(members) for _, members in pools)
        owed = books.accounts["pledged"]
        assert (owed >= 0).all()
        for account in range(ACCOUNTS):
            assert sum(loan[1] for loan in books.loans_of(account)) == int(owed[account])
