"""Queue matching inside the books: what a matching considers, chooses, posts, and keeps for its duration.

The cases are those of the literature on gridlock (Bech and Soramäki 2001; Güntzer, Jungnickel and Leclerc 1998) and
of the rules of queue matching. The words of the tables stand in `matching_tables` and `conftest`.
"""

from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

MatchingTable = runpy.run_path(str(Path(__file__).with_name("matching_tables.py")))["MatchingTable"]
Play = Callable[[str], Any]


@pytest.fixture
def play(books_class: Any) -> Play:
    """Plays a table with matchings and answers the books as they are at its end."""
    return lambda text: MatchingTable(books_class).play(text)


def sent_fen(books: Any) -> int:
    return sum(account["sent"] for account in books.snapshot()["accounts"])


RING = """
    account A
    account B
    account C
    09:00 pay 1 A B 10 NORM = queued
    pay 2 B C 10 NORM = queued
    pay 3 C A 10 NORM = queued
"""

# gridlocks ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("banks", [3, 4, 17, 50])
def test_a_ring_of_empty_accounts_settles_as_one(play: Play, banks: int) -> None:
    """n equal payments round a ring, zero balances."""
    ring = [f"account N{bank}" for bank in range(banks)]
    ring += [f"09:00 pay {bank} N{bank} N{(bank + 1) % banks} 10 NORM = queued" for bank in range(banks)]
    every = " ".join(str(bank) for bank in range(banks))
    books = play("\n".join([*ring, f"considers {every}", f"10:00 match 1 = {every}", "waits nothing"]))
    assert sent_fen(books) == 10 * banks
    assert {account["balance"] for account in books.snapshot()["accounts"]} == {0}


@pytest.mark.parametrize(("money", "settled"), [(0, "nothing"), (3, "nothing"), (4, "1 2 3")])
def test_an_unequal_ring_needs_only_its_net(play: Play, money: int, settled: str) -> None:
    """A→B 10, B→C 8, C→A 6: 4 more at A clear all, where one by one it takes 10."""
    play(f"""
        account A balance {money}
        account B
        account C
        pay 1 A B 10 NORM = queued
        pay 2 B C 8 NORM = queued
        pay 3 C A 6 NORM = queued
        match 1 = {settled}
    """)


@pytest.mark.parametrize(("money", "settled", "value"), [(4, "nothing", 0), (5, "1 2 3 4 5 6", 120)])
def test_a_star_settles_all_or_nothing_in_order(play: Play, money: int, settled: str, value: int) -> None:
    """H owes S1 30, S2 20, S3 10 in this order and is owed 25, 25, 10: all depends on 5 at S2."""
    books = play(f"""
        account H
        account S1
        account S2 balance {money}
        account S3
        pay 1 H S1 30 NORM = queued
        pay 2 H S2 20 NORM = queued
        pay 3 H S3 10 NORM = queued
        pay 4 S1 H 25 NORM = queued
        pay 5 S2 H 25 NORM = queued
        pay 6 S3 H 10 NORM = queued
        match 1 = {settled}
    """)
    assert sent_fen(books) == value


def test_a_figure_8_settles_though_no_single_cycle_does(play: Play) -> None:
    play("""
        account A
        account B
        account C
        account D
        pay 1 A B 10 NORM = queued
        pay 2 B C 5 NORM = queued
        pay 3 B D 5 NORM = queued
        pay 4 C A 5 NORM = queued
        pay 5 D A 5 NORM = queued
        match 1 = 1 2 3 4 5
        waits nothing
    """)


def test_project_ubin_case_2_2_3(play: Play) -> None:
    """MAS (2017): in the order of the queues items 1, 2 and 4 settle, value 47."""
    play("""
        account A balance 10
        account B balance 8
        pay 1 A B 20 NORM = queued
        pay 2 B A 15 NORM = queued
        pay 3 A B 30 NORM = queued
        pay 4 B A 12 NORM = queued
        pay 5 A B 15 NORM = queued
        pay 6 B A 80 NORM = queued
        match 1 = 1 2 4
        ends A balance 17 sent 20 received 27 sent_count 1 received_count 2
        waits A NORM 3 5
        waits B NORM 6
    """)


PAIR = """
    account A balance 50
    account B
    pay 1 A B 100 NORM = queued
    pay 2 A B 100 NORM = queued
    pay 3 B A 90 NORM = queued
"""


def test_a_pair_settles_what_its_funds_allow(play: Play) -> None:
    play(PAIR + "match 1 = 1 3")


def test_named_payments_settle_in_the_order_given(play: Play) -> None:
    """An algorithm may pass over the first payment; what it leaves keeps its place."""
    play(
        PAIR
        + """
        match 1 of 3 2 = 3 2
        waits A NORM 1
        ends A balance 40
        ends B balance 10
    """
    )


def test_a_set_that_one_account_cannot_fund_does_not_settle_at_all(play: Play) -> None:
    """Both accounts block in the second case; the lowest row is named."""
    play(PAIR + "match 1 of 1 2 3 = blocked by A")
    play(PAIR + "match 1 of 3 = blocked by B")
    play(PAIR.replace("balance 50", "balance 5") + "match 1 of 1 = blocked by A")
    play("account Z\n" + PAIR + "match 1 of 1 2 = blocked by A\nmatch 2 of 1 3 = 1 3")


def test_an_empty_set_changes_nothing(play: Play) -> None:
    play(PAIR + "match 1 of = nothing\nreserve of = nothing\nfinish 2 = nothing\nmatch 3 = 1 3")


def test_a_true_deadlock_stays(play: Play) -> None:
    play("""
        account A
        account B
        pay 1 A B 73 NORM = queued
        pay 2 B A 17 NORM = queued
        pay 3 B A 23 NORM = queued
        pay 4 B A 31 NORM = queued
        pay 5 B A 41 NORM = queued
        considers 1 2 3 4 5
        match 1 = nothing
    """)


# who takes part -------------------------------------------------------------------------------------------------

#: A ring of B and C that sheds 4 for A, which itself owes 8.
WITH_A = """
    pay 11 A B 8 NORM = queued
    pay 12 B C 4 NORM = queued
    pay 13 B A 4 NORM = queued
    pay 14 C B 6 NORM = queued
"""


def test_an_account_with_a_waiting_net_only_receives(play: Play) -> None:
    """A 5 owes a net of 10, then 8 at level 7: a matching of the others brings it 5, which pay the net."""
    play(
        """
        account A balance 5
        account B balance 2
        account C balance 3
        pay 10 A B 10 net = queued
    """
        + WITH_A.replace("A 4", "A 5").replace("C 4", "C 3")
        + """
        considers 12 13 14
        funds A 5
        match 1 = 12 13 14, 10 settled by 13
        waits A NORM 11
    """
    )


@pytest.mark.parametrize("queue", ["URGT", "fees", "net", "one_sided", "reversal", "same_city"])
def test_anything_waiting_at_levels_0_to_5_keeps_an_account_from_sending(play: Play, queue: str) -> None:
    play(f"""
        account A
        account B
        pay 1 A B 20 {queue} = queued
        pay 2 A B 10 NORM = queued
        pay 3 B A 10 NORM = queued
        considers 3
        match 1 of 2 3 = blocked by A
        match 2 = nothing
    """)


@pytest.mark.parametrize("state", ["debit_control A on", "life A frozen"])
def test_an_account_whose_debits_are_held_only_receives(play: Play, state: str) -> None:
    play(
        "account A\naccount B balance 2\naccount C balance 2\n"
        + WITH_A
        + f"""
        {state}
        considers 12 13 14
        match 1 of 11 12 13 14 = blocked by A
        match 2 = 12 13 14
        ends A balance 4
    """
    )


def test_an_account_with_negative_available_funds_only_receives(play: Play) -> None:
    play(
        "account A balance 3\naccount B balance 2\naccount C balance 2\n"
        + WITH_A
        + """
        set A floor 4
        considers 12 13 14
        funds A 0
        match 1 of 11 12 13 14 = blocked by A
        match 2 = 12 13 14
        ends A balance 7
    """
    )


def test_with_negative_funds_for_level_7_an_account_sends_at_level_6_only(play: Play) -> None:
    """UPAR keeps 6 for levels 0 to 6: available are 5 at level 6, −1 at level 7."""
    play("""
        account A balance 5 reserved_urgent 6
        account B
        pay 1 A B 8 HIGH = queued
        pay 2 A B 1 NORM = queued
        pay 3 B A 7 NORM = queued
        considers 1 3
        funds A 5 B 0
        match 1 = 1 3
        ends A balance 4
        waits A NORM 2
    """)


@pytest.mark.parametrize(("level", "settled"), [("HIGH", "1 2"), ("NORM", "nothing")])
def test_what_is_kept_for_urgent_payments_must_be_left_over_at_level_7(play: Play, level: str, settled: str) -> None:
    """A matching would leave A 3 of the 5 that it keeps (UPAR): enough at level 6, not at level 7."""
    play(f"""
        account A balance 5 reserved_urgent 5
        account B
        pay 1 A B 10 {level} = queued
        pay 2 B A 8 NORM = queued
        match 1 = {settled}
    """)


def test_what_is_kept_for_urgent_payments_counts_as_soon_as_one_payment_of_level_7_is_sent(play: Play) -> None:
    """Level 7 is left out before level 6, and then the reserve no longer counts."""
    play("""
        account A balance 5 reserved_urgent 5
        account B
        pay 1 A B 7 HIGH = queued
        pay 2 A B 1 NORM = queued
        pay 3 B A 5 NORM = queued
        funds A 0
        match 1 of 1 2 3 = blocked by A
        match 2 = 1 3
        ends A balance 3
        waits A NORM 2
    """)


def test_what_is_kept_for_levels_0_and_1_is_kept_at_both_levels(play: Play) -> None:
    for kept, settled in ((3, "1 2"), (4, "nothing")):
        play(f"""
            account A balance 5 reserved_high {kept}
            account B
            pay 1 A B 10 HIGH = queued
            pay 2 B A 8 HIGH = queued
            match 1 = {settled}
        """)


def test_high_payments_come_before_normal_ones(play: Play) -> None:
    """The account's queue is level 6 before level 7, whenever they arrived."""
    play("""
        account A
        account B
        pay 1 A B 10 NORM = queued
        pay 2 A B 20 HIGH = queued
        pay 3 B A 15 NORM = queued
        pay 4 B A 5 NORM = queued
        considers 2 1 3 4
        match 1 = 2 3 4
        waits A NORM 1
    """)


@pytest.mark.parametrize("refusing", ["credit_control K on", "life K closed"])
def test_a_creditor_that_refuses_stops_the_queue_behind(play: Play, refusing: str) -> None:
    """A ring of A, B and C, and A owes K 1 besides: if first, nothing behind it is considered."""
    accounts = "account A\naccount B\naccount C\naccount K\n"
    ring = "pay 1 A B 10 NORM = queued\npay 2 B C 10 NORM = queued\npay 3 C A 10 NORM = queued\n"
    to_k = "pay 9 A K 1 NORM = queued\n"
    play(accounts + to_k + ring + f"{refusing}\nconsiders 2 3\nmatch 1 of 1 2 3 = blocked by A\nmatch 2 = nothing")
    play(accounts + ring + to_k + f"{refusing}\nconsiders 1 2 3\nmatch 1 = 1 2 3\nwaits A NORM 9")


def test_a_creditor_that_refuses_at_level_6_stops_level_7_too(play: Play) -> None:
    play("""
        account A
        account B
        account K
        pay 9 A K 1 HIGH = queued
        pay 1 A B 10 NORM = queued
        pay 2 B A 10 NORM = queued
        credit_control K on
        considers 2
        match 1 of 1 2 = blocked by A
    """)


def test_in_the_clearing_window_no_overdraft_is_used(play: Play) -> None:
    table = """
        account A overdraft_limit 10
        account B
        pay 1 A B 20 NORM = queued
        pay 2 B A 15 NORM = queued
    """
    play(table + "match 1 = 1 2\nends A balance -5\ntotals overdrawn_count 1")
    play(table + "phase clearing_window\nfunds A 0\nmatch 1 = nothing")


def test_earmarked_money_is_not_used(play: Play) -> None:
    play("""
        account A balance 10 earmark 8
        account B
        pay 1 A B 20 NORM = queued
        pay 2 B A 17 NORM = queued
        match 1 = nothing
        set A earmark 7
        match 2 = 1 2
        ends A balance 7 earmark 7
    """)


# posting --------------------------------------------------------------------------------------------------------


def test_in_between_no_balance_is_seen(play: Play) -> None:
    """A pays first and is below zero until it is paid: no warning, no lowest figure, no overdraft."""
    books = play("""
        account A balance 5 warning_line 5
        account B balance 5 warning_line 5
        account C balance 5 warning_line 5
        09:00 pay 1 A B 10 NORM = queued
        pay 2 B C 10 NORM = queued
        pay 3 C A 10 NORM = queued
        10:00 match 1 = 1 2 3
        crossings = 0
        ends A balance 5 lowest_balance 5 lowest_available 5 overdraft_fen_ms 0
        ends B balance 5 lowest_balance 5 lowest_available 5 overdraft_fen_ms 0
        ends C balance 5 lowest_balance 5 lowest_available 5 overdraft_fen_ms 0
        totals overdrawn_count 0
        11:00 charge A = 0
    """)
    assert [account["sent_count"] for account in books.snapshot()["accounts"]] == [1, 1, 1]


def test_warning_lines_are_looked_at_after_the_last_leg_in_order_of_first_touch(play: Play) -> None:
    """B sends first, to C; so B, C, then A: B falls below its line, A rises above its own."""
    play("""
        account A balance 0 warning_line 2
        account B balance 9 warning_line 5
        account C
        pay 1 B C 12 NORM = queued
        pay 2 C A 12 NORM = queued
        pay 3 A B 7 NORM = queued
        match 1 of 1 2 3 = 1 2 3, B warning_raised, A warning_cleared
        crossings = 2
        ends B balance 4 lowest_balance 4 warned 1
        ends A balance 5 warned 0
    """)


def test_an_overdraft_that_a_matching_leaves_is_charged_from_then_on(play: Play) -> None:
    play("""
        account A overdraft_limit 3
        account B
        09:00 pay 1 A B 10 NORM = queued
        pay 2 B A 7 NORM = queued
        10:00 match 1 = 1 2
        ends A balance -3 lowest_balance -3 lowest_available 0
        totals overdrawn_count 1
        10:00:01 charge A = 3000
    """)


RETRIED = """
    account A balance 6
    account B
    account C
    pay 1 A B 10 NORM = queued
    pay 2 A C 2 NORM = queued
    pay 3 B A 7 NORM = queued
    pay 4 C A 1 HIGH = queued
"""


def test_after_the_last_leg_the_queues_are_retried(play: Play) -> None:
    """A has 3 left, which pay 2; the cause is the latest payment of the set that touched the account."""
    play(RETRIED + "match 1 of 1 3 = 1 3, 2 settled by 3, 4 settled by 2\nwaits nothing")
    play(RETRIED + "match 1 of 3 1 = 3 1, 2 settled by 1, 4 settled by 2\nwaits nothing")


def test_queues_are_retried_debtor_before_creditor_in_posting_order(play: Play) -> None:
    """C pays A, and both can pay something more afterwards: the debtor C goes first, then A."""
    table = """
        account A balance 1
        account C balance 1
        account D
        pay 1 C A 5 NORM = queued
        pay 2 C D 1 NORM = queued
        pay 3 A C 5 NORM = queued
        pay 4 A D 1 NORM = queued
    """
    play(table + "match 1 of 1 3 = 1 3, 2 settled by 3, 4 settled by 3")
    play(table + "match 1 of 3 1 = 3 1, 4 settled by 1, 2 settled by 1")


def test_nothing_is_left_to_a_second_matching(play: Play) -> None:
    play(RING + "match 1 = 1 2 3\nconsiders nothing\nmatch 2 = nothing")


def test_with_bypass_a_matching_keeps_the_order_of_the_queue(play: Play) -> None:
    play("""
        discipline bypass
        account A balance 5
        account B
        pay 1 A B 100 NORM = queued
        pay 2 A B 10 NORM = queued
        pay 3 B A 20 NORM = queued
        pay 4 A B 5 NORM = settled
        match 1 = nothing
        match 2 of 2 3 = blocked by B
    """)


# a matching that takes time -------------------------------------------------------------------------------------

LASTING = """
    reprioritise on
    account A balance 6
    account B
    account C balance 9
    09:00 pay 1 A B 10 NORM = queued
    pay 2 B A 7 NORM = queued
    pay 3 A C 4 NORM = queued
    09:30 reserve of 1 2 = 1 2
    ends A balance 6 reserved_matching 3
    ends B balance 0 reserved_matching 0
    totals matching_locked 2
    waits A NORM 1 3
"""


def test_until_its_end_nothing_is_credited(play: Play) -> None:
    """What follows from the matching follows at its end: B, touched last by payment 2, has nothing; A pays C."""
    play(
        LASTING
        + """
        09:45 retry_all by limit
        ends B balance 0 received 0
        10:00 finish 1 = 1 2
        ends A balance 3 sent 10 reserved_matching 0
        ends B balance 3
        waits A NORM 3
        totals matching_locked 0
    """
    )


def test_reserved_money_is_out_of_reach_of_every_level(play: Play) -> None:
    """A has 6, of which 3 are reserved: no level can spend 4, and only level 0 to 5 can spend 3."""
    for queue in ("reversal", "URGT", "fees", "same_city", "net", "one_sided"):
        play(LASTING + f"pay 9 A C 4 {queue} = queued")
        play(LASTING + f"pay 9 A C 3 {queue} = settled\n10:00 finish 1 = 1 2\nends A balance 0")


def test_reserved_money_cannot_be_earmarked(play: Play) -> None:
    play(LASTING + "set A earmark 4 = short_of_funds\nset A earmark 3\n10:00 finish 1 = 1 2")


def test_the_queue_behind_a_locked_head_stands_still(play: Play) -> None:
    """Money for payment 3 comes, but 1 stands before it; the end releases it."""
    play(
        LASTING
        + """
        pay 4 C A 5 NORM = settled
        pay 5 A C 1 NORM = queued
        waits A NORM 1 3 5
        10:00 finish 1 = 1 2, 3 settled by 2, 5 settled by 2
    """
    )


def test_with_bypass_locked_payments_are_passed_over(play: Play) -> None:
    """A keeps 3 of 6 for the matching; 5 more pay 7 and, on arrival, 1 of the 8 that are then free."""
    play("""
        discipline bypass
        account A balance 6
        account B
        account C balance 5
        09:00 pay 1 A B 10 NORM = queued
        pay 2 B A 7 NORM = queued
        pay 3 A C 7 NORM = queued
        reserve of 1 2 = 1 2
        pay 4 C A 5 NORM = settled, 3 settled by 4
        pay 5 A C 1 NORM = settled
        pay 6 A C 1 NORM = queued
        10:00 finish 1 = 1 2
        ends A balance 0
        waits A NORM 6
    """)


def test_locked_payments_cannot_be_moved_or_cancelled(play: Play) -> None:
    """That it is locked comes after whose it is, and before whether levels may be changed at all."""
    orders = """
        head 1 by A = locked
        tail 1 by A = locked
        cancel 1 by A = locked
        level 1 HIGH by A = locked
        cancel 1 by B = not_own
        cancel 99 by B = not_waiting
        waits A NORM 1 3
        tail 3 by A
        10:00 finish 1 = 1 2
        cancel 1 by A = not_waiting
    """
    play(LASTING + orders)
    play(LASTING.replace("reprioritise on", "") + orders)


def test_a_payment_moved_before_locked_ones_may_go(play: Play) -> None:
    """Payment 3 steps before the locked 1; then 5 come in, 3 of 6 + 5 stay reserved."""
    play(
        LASTING
        + """
        head 3 by A
        waits A NORM 3 1
        pay 4 C A 5 NORM = settled, 3 settled by 4
        10:00 finish 1 = 1 2
        ends A balance 4
    """
    )


def test_what_comes_to_wait_at_higher_levels_does_not_stop_the_end(play: Play) -> None:
    play(
        LASTING
        + """
        pay 4 A C 50 URGT = queued
        pay 5 B C 50 net = queued
        10:00 finish 1 = 1 2
        waits A URGT 4
    """
    )


@pytest.mark.parametrize(
    ("change", "blocking"),
    [
        ("debit_control A on", "A"),
        ("life B frozen", "B"),
        ("credit_control A on", "B"),  # the payment of B has nowhere to go
        ("set A floor 4", "A"),
        ("set A floor 7", "A"),  # not even 0 is available
        ("set A reserved_high 4", "A"),
        ("set A reserved_urgent 4", "A"),
        ("set B floor 4", "B"),
        ("set B floor 2", "B"),  # the matching would bring 3, but who has less than nothing sends nothing
        ("set B reserved_urgent 2", "B"),
    ],
)
def test_a_set_that_no_longer_holds_settles_nothing_at_the_end(play: Play, change: str, blocking: str) -> None:
    play(
        LASTING
        + f"""
        {change}
        10:00 finish 1 = blocked by {blocking}
        ends A balance 6 sent 0
        waits A NORM 1 3
        waits B NORM 2
        totals matching_locked 0
    """
    )


def test_after_a_failed_end_the_queues_are_retried(play: Play) -> None:
    """C's 5 stand ready for payment 1 of A, which is free again."""
    play(
        LASTING
        + """
        life B frozen
        pay 4 C A 5 NORM = settled
        10:00 finish 1 = blocked by B, 1 settled by limit
        waits A NORM 3
        match 2 = nothing
        life B open = done, 2 settled by control, 3 settled by 2
        waits nothing
    """
    )


def test_a_set_that_cannot_settle_is_not_reserved(play: Play) -> None:
    play(PAIR + "reserve of 1 2 3 = blocked by A\ntotals matching_locked 0\nreserve = 1 3\nfinish 1 = 1 3")


def test_while_a_matching_is_under_way_no_other_is_chosen_and_nothing_returned(books_class: Any, play: Play) -> None:
    books = play(LASTING)
    assert isinstance(books, books_class)
    for act in (books.matchable, books.choose_multilateral, lambda: books.return_queued(36_000_000)):
        with pytest.raises(AssertionError):
            act()


# what stops the clock -------------------------------------------------------------------------------------------


def test_a_queue_that_grows_above_a_line_stops_the_clock_once(play: Play) -> None:
    """Above 1 payment: the second that waits; again after the queue has been at the line."""
    play("""
        account A
        account B balance 3
        lines 1 4611686018427387904
        pay 1 A B 10 NORM = queued
        crossings = 0
        pay 2 A B 10 NORM = queued
        crossings = 1
        pay 3 A B 10 URGT = queued
        pay 4 B A 3 NORM = settled
        crossings = 0
        cancel 3 by A
        cancel 2 by A
        pay 5 A B 10 HIGH = queued
        crossings = 1
    """)


def test_a_queue_that_grows_above_a_value_stops_the_clock_once(play: Play) -> None:
    """Both lines count on their own; bookings of the central bank do not."""
    play("""
        account A
        account B
        lines 2 20
        pay 1 A B 20 NORM = queued
        pay 2 A B 20 net = queued
        crossings = 0
        pay 3 A B 1 NORM = queued
        crossings = 1
        pay 4 A B 1 NORM = queued
        crossings = 1
        pay 5 A B 1 NORM = queued
        crossings = 0
    """)


def test_a_line_drawn_below_what_waits_is_not_crossed_before_the_queue_has_been_there(play: Play) -> None:
    play("""
        account A
        account B
        pay 1 A B 10 NORM = queued
        pay 2 A B 10 NORM = queued
        lines 1 5
        pay 3 A B 10 NORM = queued
        pay 4 A B 10 net = queued
        crossings = 0
        lines 3 4611686018427387904
        pay 5 A B 10 NORM = queued
        crossings = 1
    """)


def test_an_order_that_leaves_the_queue_as_long_is_no_growth(play: Play) -> None:
    play("""
        account A
        account B
        lines 1 15
        pay 1 A B 10 NORM = queued
        pay 2 A B 10 NORM = queued
        crossings = 2
        head 2 by A
        pay 3 A B 10 NORM = queued
        crossings = 0
    """)


def test_for_continuous_matching_the_clock_stops_while_anything_waits(play: Play) -> None:
    """Every submission that leaves something at levels 6 and 7, itself queued or not."""
    play("""
        account A
        account B balance 30
        stop_when_queued on
        pay 1 B A 1 NORM = settled
        pay 2 A B 10 URGT = queued
        crossings = 0
        pay 3 A B 10 NORM = queued
        crossings = 1
        pay 4 B A 1 NORM = settled
        crossings = 1
        pay 5 B A 10 NORM = settled, 2 settled by 5
        crossings = 1
        stop_when_queued off
        pay 6 A B 10 NORM = queued
        crossings = 0
    """)
