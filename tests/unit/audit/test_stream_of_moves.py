"""The auditor of the stream sees whatever is wrong in rescues, pledge loans and their repayment, by the name of its
rule."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from cnaps_sim.audit.told import ToolTerms
from cnaps_sim.words.codes import Act, Cause, Discipline, MoveKind

A, B, C, PBC = range(4)
MOVE = np.dtype(
    [("sequence", "i8"), ("time_ms", "i8"), ("amount", "i8"), ("debtor", "i8"), ("creditor", "i8"),
     ("for_sequence", "i8"), ("kind", "i1")],
    align=True,
)  # fmt: skip
HOUR = 3_600_000
#: By which the interest of an hour is the principal itself.
RATE = 360 * 24 * 1_000_000


def moves(*rows: tuple[int, int, int, MoveKind, int], first: int = 10, time: int = 10) -> Any:
    """(debtor, creditor, amount, kind, for_sequence) of moves numbered from `first`."""
    full = [(first + k, time, amount, d, c, of, kind) for k, (d, c, amount, kind, of) in enumerate(rows)]
    return np.array(full, MOVE)


def tools(**given: Any) -> dict[str, Any]:
    keeps = {"earmark": np.array([20, 0, 0, 0])}
    return {"tools": ToolTerms(**(keeps | given))}


def rescue(s: Any, *given: tuple[int, int, int, MoveKind, int], cause: int | None = None, **terms: Any) -> Any:
    """C, which has nothing, pays 110: A and B, which can spare 80 and 50, rescue it."""
    s.of_matching = tools(pools=[(False, [A, B, C])], **terms)
    s.flow(0, (10, 110, C, PBC, 7))
    s.tell("see_moves", moves(*(given or RESCUE)))
    s.log(*((10 + k, 10, Act.SETTLED, 5) for k in range(len(given or RESCUE))))
    return s.log((0, 10, Act.SETTLED, 7, Cause.NONE if cause is None else cause))


RESCUE = ((A, C, 80, MoveKind.POOL, 0), (B, C, 30, MoveKind.POOL, 0))


def test_an_exact_rescue_passes(empty_stream: Any) -> None:
    verdict = rescue(empty_stream).verdict()
    assert verdict.passed, verdict.breaches
    assert {"rescue-exact", "giver-keeps", "pool-first"} <= set(verdict.rules)


@pytest.mark.parametrize(
    "given",
    [
        [(A, C, 79, MoveKind.POOL, 0), (B, C, 31, MoveKind.POOL, 0)],  # A, whose turn is first, had more
        [(B, C, 50, MoveKind.POOL, 0), (A, C, 60, MoveKind.POOL, 0)],  # out of turn
        [(A, C, 80, MoveKind.POOL, 0), (B, C, 31, MoveKind.POOL, 0)],  # more than was lacking
        [(A, C, 80, MoveKind.POOL, 1), (B, C, 30, MoveKind.POOL, 0)],  # for a payment that did not follow
        [(A, C, 80, MoveKind.POOL, 0), (A, C, 30, MoveKind.POOL, 0)],  # asked twice
        [(A, C, 80, MoveKind.POOL, 0), (PBC, C, 30, MoveKind.POOL, 0)],  # not a member
    ],
)
def test_a_rescue_that_is_not_exact_or_out_of_turn_breaks_rescue_exact(empty_stream: Any, given: Any) -> None:
    assert "rescue-exact" in rescue(empty_stream, *given).broken()


def test_a_rescue_by_a_pool_not_in_force_breaks_rescue_exact(empty_stream: Any) -> None:
    assert rescue(empty_stream, active=[False]).broken() == {"rescue-exact"}


def test_a_rescue_after_its_pool_was_stopped_breaks_rescue_exact(empty_stream: Any) -> None:
    empty_stream.tell("see_pool", 5, 0, False)
    assert rescue(empty_stream).broken() == {"rescue-exact"}
    empty_stream.steps[0][1][2] = True
    assert empty_stream.broken() == set()


def test_a_rescue_without_tools_breaks_rescue_exact(empty_stream: Any) -> None:
    rescue(empty_stream).of_matching = {}
    assert "rescue-exact" in empty_stream.broken()


def test_a_payment_that_a_rescue_paid_on_arrival_names_no_cause(empty_stream: Any) -> None:
    assert rescue(empty_stream, cause=Cause.POOL).broken() == {"rescue-exact"}


def test_the_order_of_a_random_pool_is_that_of_its_generator(empty_stream: Any) -> None:
    """Whichever of A and B is asked first, only one order of the two is right."""
    found = []
    for given in (RESCUE, ((B, C, 50, MoveKind.POOL, 0), (A, C, 60, MoveKind.POOL, 0))):
        s = type(empty_stream)()
        rescue(s, *given).of_matching = tools(pools=[(True, [A, B, C])], pool_seed=7)
        found.append(s.broken())
    assert sorted(found, key=len) == [set(), {"rescue-exact"}]


@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("see_limit_change", (5, A, "earmark", 21)),
        ("see_limit_change", (5, A, "reserved_high", 1)),
        ("see_limit_change", (5, A, "reserved_urgent", 1)),
        ("see_limit_change", (5, B, "floor", 21)),
        ("see_reserved", (5, np.array([0, 21, 0, 0]))),
        ("see_control", (5, B, True)),
        ("see_life", (5, B, False)),
    ],
)
def test_a_giver_that_may_not_give_breaks_giver_keeps(empty_stream: Any, method: str, arguments: Any) -> None:
    empty_stream.tell(method, *arguments)
    assert "giver-keeps" in rescue(empty_stream).broken()


def test_a_giver_whose_own_payment_waits_breaks_giver_keeps(empty_stream: Any) -> None:
    empty_stream.flow(100, (1, 51, B, A, 7)).log((100, 1, Act.QUEUED))
    assert "giver-keeps" in rescue(empty_stream).broken(stopped=True)


def test_a_sweep_of_money_to_be_kept_breaks_giver_keeps(empty_stream: Any) -> None:
    s = empty_stream
    s.of_matching = tools()
    s.tell("see_moves", moves((A, B, 80, MoveKind.SWEEP, -1))).log((10, 10, Act.SETTLED, 5))
    assert s.broken() == set()
    s.find("see_moves")[0]["amount"] = 81
    assert s.broken() == {"giver-keeps"}


def test_what_a_round_net_took_from_the_earmark_need_not_be_kept_any_more(empty_stream: Any) -> None:
    s = empty_stream
    s.of_matching = tools()
    s.tell("see_bookings", [(1, A, PBC, 95, 4, "net")]).log((1, 5, Act.SETTLED, 4))
    s.tell("see_moves", moves((A, B, 1, MoveKind.SWEEP, -1))).log((10, 10, Act.SETTLED, 5))
    assert s.broken() == {"giver-keeps"}  # of 5 fen left all are earmarked
    s.tell("see_limit_change", 20, A, "earmark", 0)
    s.tell("see_moves", moves((A, B, 4, MoveKind.SWEEP, -1), first=11, time=20)).log((11, 20, Act.SETTLED, 5))
    assert s.verdict().rules["giver-keeps"] == 1


def test_an_overdraft_where_the_pool_could_have_paid_breaks_pool_first(empty_stream: Any) -> None:
    s = empty_stream
    s.limits[C] = 200
    s.of_matching = tools(pools=[(False, [A, B, C])])
    s.flow(0, (10, 131, C, PBC, 7)).log((0, 10, Act.SETTLED))
    assert s.broken() == set()  # A and B can spare 130
    s.find("see_flow")[0]["amount"] = 130
    assert s.broken() == {"pool-first"}
    s.discipline = Discipline.BYPASS  # then it may have stood behind another
    assert s.broken() == set()


# pledge loans -------------------------------------------------------------------------------------------------


def pledged(s: Any, amount: int = 30, kind: MoveKind = MoveKind.PLEDGE, lender: int = PBC, **terms: Any) -> Any:
    """A, with 80 fen beside its earmark, pays 110; the central bank lends what it lacks."""
    given = {"room": [60, 0, 0, 0], "start": [20, 0, 0, 0], "automatic": [True, False, False, False]} | terms
    arrays = {name: np.array(value) for name, value in given.items()}
    s.of_matching = tools(lender=PBC, interest_account=C, rate_ppm=RATE, **arrays)
    s.flow(0, (10, 110, A, B, 7)).tell("see_moves", moves((lender, A, amount, kind, 0)))
    return s.log((10, 10, Act.SETTLED, 5), (0, 10, Act.SETTLED))


def test_an_exact_loan_passes(empty_stream: Any) -> None:
    verdict = pledged(empty_stream).verdict()
    assert verdict.passed, verdict.breaches
    assert {"pledge-in-room", "pledge-exact", "loans-repaid"} <= set(verdict.rules)


def test_a_loan_beyond_the_room_breaks_pledge_in_room(empty_stream: Any) -> None:
    assert pledged(empty_stream, room=[29, 0, 0, 0]).broken() == {"pledge-in-room"}


def test_a_loan_by_anybody_else_breaks_pledge_in_room(empty_stream: Any) -> None:
    assert pledged(empty_stream, lender=C).broken() >= {"pledge-in-room"}


def test_room_that_is_taken_away_counts_from_then_on(empty_stream: Any) -> None:
    empty_stream.tell("see_pledge", 5, A, 29, 0, True)
    assert pledged(empty_stream).broken() == {"pledge-in-room"}


@pytest.mark.parametrize("change", [{"amount": 31}, {"start": [40, 0, 0, 0]}, {"automatic": [False] * 4}])
def test_a_loan_that_is_not_what_was_lacking_breaks_pledge_exact(empty_stream: Any, change: Any) -> None:
    assert pledged(empty_stream, **change).broken() == {"pledge-exact"}


def test_the_smallest_loan_is_the_starting_amount_as_far_as_there_is_room(empty_stream: Any) -> None:
    assert pledged(empty_stream, amount=55, start=[100, 0, 0, 0], room=[55, 0, 0, 0]).broken() == set()


def test_a_loan_where_the_pool_could_have_paid_breaks_pool_first(empty_stream: Any) -> None:
    pledged(empty_stream)
    terms = empty_stream.of_matching["tools"]
    empty_stream.of_matching = {"tools": terms._replace(pools=[(False, [A, B])])}
    assert empty_stream.broken() == {"pool-first"}  # B has 50


def repaid(s: Any, amount: int = 30, interest: int = 30, of: int = 10, time: int = HOUR, back: int = 90) -> Any:
    """B pays A 90, and A repays its loan, with as much interest, within the hour."""
    pledged(s).flow(1, (time, back, B, A, 7))
    rows = [(A, PBC, amount, MoveKind.REPAYMENT, of), (A, C, interest, MoveKind.INTEREST, of)]
    s.tell("see_moves", moves(*rows, first=11, time=time))
    return s.log((1, time, Act.SETTLED), (11, time, Act.SETTLED, 5), (12, time, Act.SETTLED, 5))


def test_a_repayment_with_its_interest_passes(empty_stream: Any) -> None:
    repaid(empty_stream)
    empty_stream.tell("end_of_day", HOUR, np.array([50, 70, 30, 0]), 0, np.zeros(4, np.int64))
    assert empty_stream.broken() == set()
    empty_stream.steps[-1][1][3] = np.array([1, 0, 0, 0])
    assert empty_stream.broken() == {"loans-agree"}


@pytest.mark.parametrize(
    "change",
    [
        {"amount": 29},
        {"interest": 31},
        {"interest": 29},
        {"of": 9},
        {"time": HOUR + 11},  # another hour has begun
        {"back": 59},  # one fen of the earmark
    ],
)
def test_a_wrong_repayment_breaks_loans_repaid(empty_stream: Any, change: Any) -> None:
    assert "loans-repaid" in repaid(empty_stream, **change).broken()


def test_a_repayment_while_a_payment_waits_breaks_loans_repaid(empty_stream: Any) -> None:
    pledged(empty_stream)
    empty_stream.flow(1, (20, 61, A, C, 7)).log((1, 20, Act.QUEUED))
    empty_stream.steps.extend(repaid(type(empty_stream)()).steps[3:])
    empty_stream.find("see_flow", 2)[1] = 2
    empty_stream.entries(1, Act.SETTLED)["sequence"] = 2
    assert "loans-repaid" in empty_stream.broken(stopped=True)


def test_loans_are_repaid_oldest_first(empty_stream: Any) -> None:
    pledged(empty_stream)
    s = empty_stream
    s.tell("see_moves", moves((PBC, A, 30, MoveKind.PLEDGE, -1), first=11, time=20)).log((11, 20, Act.SETTLED, 5))
    s.flow(1, (30, 100, B, A, 7)).log((1, 30, Act.SETTLED))
    rows = [(A, PBC, 30, MoveKind.REPAYMENT, 10), (A, C, 30, MoveKind.INTEREST, 10)]
    s.tell("see_moves", moves(*rows, first=12, time=30)).log((12, 30, Act.SETTLED, 5), (13, 30, Act.SETTLED, 5))
    assert s.broken() == set()
    s.find("see_moves", 2)[0]["for_sequence"] = 11
    assert s.broken() == {"loans-repaid"}


def test_overdue_loans_bear_more_and_written_off_ones_are_over(empty_stream: Any) -> None:
    pledged(empty_stream)
    s = empty_stream
    s.tell("see_overdue", HOUR, RATE).tell("see_overdue", 2 * HOUR, RATE)  # once only
    s.flow(1, (2 * HOUR, 140, B, A, 7)).log((1, 2 * HOUR, Act.SETTLED))
    rows = [(A, PBC, 30, MoveKind.REPAYMENT, 10), (A, C, 90, MoveKind.INTEREST, 10)]
    s.tell("see_moves", moves(*rows, first=11, time=2 * HOUR))
    s.log((11, 2 * HOUR, Act.SETTLED, 5), (12, 2 * HOUR, Act.SETTLED, 5))
    assert s.broken() == set()
    s.steps.insert(-3, ("see_write_off", [2 * HOUR, A]))
    assert s.broken() == {"loans-repaid"}


def test_a_rescue_that_the_stretches_of_the_log_would_cut_stays_whole(
    empty_stream: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the size of a stretch, the moves and their payment are examined together."""
    for size in range(1, 5):
        monkeypatch.setattr("cnaps_sim.audit.stream.STRETCH", size)
        s = type(empty_stream)()
        s.of_matching = tools(pools=[(False, [A, B, C])])
        s.flow(0, (10, 110, C, PBC, 7), (11, 1, PBC, A, 1)).tell("see_moves", moves(*RESCUE))
        s.log(
            (10, 10, Act.SETTLED, 5), (A, 10, Act.WARNING_RAISED, 0), (11, 10, Act.SETTLED, 5),
            (0, 10, Act.SETTLED), (1, 11, Act.SETTLED, 1),
        )  # fmt: skip
        verdict = s.verdict()
        assert verdict.passed, verdict.breaches


def test_no_moves_however_wrong_raise(empty_stream: Any) -> None:
    chance = np.random.default_rng(3)
    for _ in range(300):
        s = type(empty_stream)()
        s.of_matching = tools(
            pools=[(bool(chance.integers(2)), [A, B, C])], lender=PBC, interest_account=C, rate_ppm=RATE,
            room=np.array([60, 60, 0, 0]), automatic=np.ones(4, np.bool_),
        )  # fmt: skip
        count = int(chance.integers(1, 9))
        rows = [
            (*chance.integers(0, 4, 2).tolist(), int(chance.integers(-1, 99)), int(chance.integers(0, 8)),
             int(chance.integers(-1, 16)))
            for _ in range(count)
        ]  # fmt: skip
        s.flow(0, *((k, 30, k % 3, (k + 1) % 3, 7) for k in range(4))).tell("see_moves", moves(*rows))
        for _ in range(2):
            s.log(*((int(chance.integers(-1, 16)), 10, Act.SETTLED, 5, int(chance.integers(-12, 3))) for _ in range(6)))
            s.tell("see_overdue", 10, 5).tell("see_write_off", 10, A)
        s.verdict(stopped=True)


def test_an_earmark_that_the_close_has_cut_need_not_be_kept(empty_stream: Any) -> None:
    s = empty_stream
    s.of_matching = tools()
    s.tell("end_of_day", 5, np.array([100, 50, 0, 0]), 0, np.zeros(4, np.int64), np.array([10, 0, 0, 0]))
    s.tell("see_moves", moves((A, B, 90, MoveKind.SWEEP, -1))).log((10, 10, Act.SETTLED, 5))
    assert s.broken() == set()
    s.steps[0][1][4] = np.array([11, 0, 0, 0])
    assert s.broken() == {"giver-keeps"}
