"""The clearing window (清算窗口): what it takes, the order in which it uses funds, and how it closes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Play = Callable[[str], Any]


def test_only_a_payment_that_funds_a_short_account_is_taken(play: Play) -> None:
    play("""
        account A balance 100
        account OVERDRAWN balance -10 overdraft_limit 50
        account QUEUED
        account FINE
        pay 1 QUEUED FINE 10 NORM = queued
        phase clearing_window
        17:20 pay 2 A FINE 5 NORM = refused out_of_hours
        pay 3 A OVERDRAWN 4 NORM = settled           # in part
        pay 4 A OVERDRAWN 6 HIGH = settled           # cured
        pay 5 A OVERDRAWN 1 NORM = refused out_of_hours
        pay 6 A QUEUED 4 URGT = settled
        pay 7 A QUEUED 6 NORM = settled, 1 settled by 7
        pay 8 A QUEUED 1 NORM = refused out_of_hours
    """)


def test_a_payment_that_cannot_settle_at_once_is_not_taken(play: Play) -> None:
    play("""
        account SHORT balance -10 overdraft_limit 50
        account POOR balance 4
        account CONTROLLED balance 100 debit_control
        account BUSY balance 4
        pay 1 BUSY POOR 9 NORM = queued
        phase clearing_window
        pay 2 POOR SHORT 5 NORM = refused out_of_hours
        pay 3 CONTROLLED SHORT 5 NORM = refused out_of_hours
        pay 4 BUSY SHORT 1 NORM = refused out_of_hours      # one waits before it
        pay 5 BUSY SHORT 1 HIGH = settled                   # above the one that waits
        pay 6 POOR SHORT 4 NORM = settled
        waits BUSY NORM 1
    """)


def test_with_bypass_a_payment_may_pass_its_own_level_to_fund_a_short_account(play: Play) -> None:
    play("""
        discipline bypass
        account SHORT balance -10 overdraft_limit 50
        account BUSY balance 4
        pay 1 BUSY SHORT 9 NORM = queued
        phase clearing_window
        pay 2 BUSY SHORT 1 NORM = settled
    """)


def test_the_window_is_judged_before_log_in_and_credit_control(play: Play) -> None:
    play("""
        account A balance 10
        account B balance 10 logged_out
        account SHORT balance -10 overdraft_limit 50 credit_control
        account FINE credit_control
        phase clearing_window
        pay 1 B FINE 5 NORM = refused out_of_hours
        pay 2 B SHORT 5 NORM = refused logged_out
        pay 3 A FINE 5 NORM = refused out_of_hours
        pay 4 A SHORT 5 NORM = refused credit_control
        pay 5 A SHORT 11 NORM = refused out_of_hours
    """)


@pytest.mark.parametrize(
    ("level", "taken"),
    [
        ("reversal", 30),
        ("URGT", 30),
        ("fees", 10),
        ("same_city", 10),
        ("net", 10),
        ("one_sided", 10),
        ("HIGH", 10),
        ("NORM", 10),
    ],
)
def test_only_levels_0_and_1_may_use_the_overdraft_limit_in_the_window(play: Play, level: str, taken: int) -> None:
    too_much = "refused out_of_hours" if level in ("URGT", "HIGH", "NORM") else "queued"
    for amount, outcome in ((taken, "settled"), (taken + 1, too_much)):
        play(f"""
            account A balance 10 overdraft_limit 20
            account SHORT balance -100 overdraft_limit 100
            phase clearing_window
            pay 1 A SHORT {amount} {level} = {outcome}
        """)


def test_a_net_in_the_window_takes_the_earmark_where_the_overdraft_no_longer_covers_it(play: Play) -> None:
    play("""
        account CB central_bank
        account A balance 10 earmark 10 overdraft_limit 50
        phase clearing_window
        pay 1 A CB 4 net = settled
        ends A earmark 6 lowest_available 50
    """)


def test_funds_go_to_reversals_and_urgent_then_the_overdraft_then_the_rest_in_order(play: Play) -> None:
    play("""
        account CB central_bank
        account RICH balance 1000
        account A overdraft_limit 30
        account B
        09:00 pay 1 A B 30 NORM = settled            # A is overdrawn by 30, to its limit
        pay 10 A B 10 NORM = queued
        pay 11 A B 10 HIGH = queued
        pay 12 A CB 10 one_sided = queued
        pay 13 A CB 10 net = queued
        pay 14 A CB 10 same_city = queued
        pay 15 A CB 10 fees = queued
        pay 16 A B 10 URGT = queued
        pay 17 A B 10 reversal = queued
        17:15 phase clearing_window
        pay 20 RICH A 9 NORM = settled
        pay 21 RICH A 11 NORM = settled, 17 settled by 21, 16 settled by 21    # on the overdraft limit
        ends A balance -30
        pay 22 RICH A 30 NORM = settled              # repays the overdraft, no more
        ends A balance 0
        pay 23 RICH A 10 NORM = settled, 15 settled by 23
        pay 24 RICH A 10 NORM = settled, 14 settled by 24
        pay 25 RICH A 10 NORM = settled, 13 settled by 25
        pay 26 RICH A 10 NORM = settled, 12 settled by 26
        pay 27 RICH A 10 NORM = settled, 11 settled by 27
        pay 28 RICH A 10 NORM = settled, 10 settled by 28
        totals waiting_count 0 overdrawn_count 0
    """)


def test_the_central_banks_bookings_still_queue_in_the_window(play: Play) -> None:
    play("""
        account CB central_bank
        account A balance 5 overdraft_limit 50
        phase clearing_window
        pay 1 A CB 10 fees = queued
        pay 2 A CB 1 net = queued
        inject 3 CB A 5 = 1 settled by injection
        inject 4 CB A 1 = 2 settled by injection
    """)


def test_the_phase_alone_releases_nothing(play: Play) -> None:
    play("""
        account A overdraft_limit 50
        account B
        phase clearing_window
        pay 1 A B 10 fees = queued
        phase daytime
        waits A fees 1
    """)


# Its close: participants' payments are sent back


def test_queued_payments_are_sent_back_by_account_then_level_then_age(play: Play) -> None:
    play("""
        account B
        account A
        pay 1 A B 1 NORM = queued
        pay 2 A B 1 NORM = queued
        pay 3 A B 1 HIGH = queued
        pay 4 A B 1 URGT = queued
        pay 5 B A 1 NORM = queued
        phase clearing_window
        17:30 return = 5 returned end_of_day, 4 returned end_of_day, 3 returned end_of_day, 1 returned end_of_day, \
2 returned end_of_day
        waits nothing
        totals waiting_count 0 waiting_fen 0 hvps_waiting_count 0 hvps_waiting_fen 0
    """)


def test_what_waited_behind_them_is_then_retried(play: Play) -> None:
    play("""
        account CB central_bank
        account A balance 10
        account B
        pay 1 A B 50 URGT = queued
        pay 2 A CB 10 fees = queued
        pay 3 A CB 10 net = queued
        phase clearing_window
        return = 1 returned end_of_day, 2 settled by return
        waits A net 3
    """)


def test_nothing_is_retried_before_all_are_out(play: Play) -> None:
    """A's booking would have funded B's payment, had it been posted before that was sent back."""
    play("""
        account A balance 10
        account B
        pay 1 A B 50 URGT = queued
        pay 2 A B 10 one_sided = queued
        pay 3 B A 10 NORM = queued
        phase clearing_window
        return = 1 returned end_of_day, 3 returned end_of_day, 2 settled by return
    """)


def test_controlled_accounts_payments_are_sent_back_too_and_outboxes_stay(play: Play) -> None:
    play("""
        account A balance 10 debit_control
        account B balance 10
        09:00 hold B until 18:00
        pay 1 A B 1 NORM = queued
        pay 2 B A 1 NORM = held
        phase clearing_window
        return = 1 returned end_of_day
        waits B outbox 2
    """)


# Its close: loans at the penalty rate (高额罚息贷款)


def test_each_item_is_lent_exactly_what_it_is_short_of(play: Play) -> None:
    play("""
        account CB central_bank
        account A balance 10
        pay 1 A CB 30 fees = queued
        pay 2 A CB 20 net = queued
        phase clearing_window
        17:30 lend from 100 of CB = A 20 A 20, 100 settled, 1 settled by penalty, 101 settled, 2 settled by penalty
        ends A balance 0
        waits nothing
        totals waiting_count 0 waiting_fen 0
    """)


def test_loans_come_for_reversals_of_all_accounts_first_then_account_by_account(play: Play) -> None:
    play("""
        account CB central_bank
        account A
        account B
        pay 1 A CB 5 one_sided = queued
        pay 2 A CB 5 net = queued
        pay 3 A CB 5 same_city = queued
        pay 4 A CB 5 fees = queued
        pay 5 B CB 5 fees = queued
        pay 6 B CB 5 reversal = queued
        pay 7 B CB 6 reversal = queued
        phase clearing_window
        lend from 100 of CB = B 5 B 6 A 5 A 5 A 5 A 5 B 5, \
100 settled, 6 settled by penalty, 101 settled, 7 settled by penalty, \
102 settled, 4 settled by penalty, 103 settled, 3 settled by penalty, 104 settled, 2 settled by penalty, \
105 settled, 1 settled by penalty, 106 settled, 5 settled by penalty
    """)


def test_a_reversal_is_lent_what_a_positive_balance_leaves_open_then_the_overdraft_is_lent(play: Play) -> None:
    play("""
        account CB central_bank
        account A balance -20 overdraft_limit 50
        account B balance 30
        pay 1 A CB 40 reversal = queued
        pay 2 B CB 100 reversal = queued
        phase clearing_window
        lend from 100 of CB = A 40 B 70 A 20, 100 settled, 1 settled by penalty, 101 settled, 2 settled by penalty, \
102 settled
        ends A balance 0
        ends B balance 0
        totals overdrawn_count 0
    """)


def test_an_overdraft_is_lent_away_and_the_items_behind_it_are_lent_in_full(play: Play) -> None:
    play("""
        account CB central_bank
        account A balance -50 overdraft_limit 50
        pay 1 A CB 7 fees = queued
        phase clearing_window
        lend from 100 of CB = A 50 A 7, 100 settled, 101 settled, 1 settled by penalty
        ends A balance 0
        ends CB balance -50
    """)


def test_without_a_shortage_nothing_is_lent(play: Play) -> None:
    """Held items of the central bank's levels are posted in spite of the control."""
    play("""
        account CB central_bank
        account A balance 100 debit_control
        account B balance 10
        pay 1 A CB 30 fees = queued
        pay 2 A CB 30 net = queued
        phase clearing_window
        lend from 100 of CB = nobody, 1 settled by control, 2 settled by control
        ends A balance 40
    """)


def test_floor_and_reservations_do_not_raise_a_loan(play: Play) -> None:
    play("""
        account CB central_bank
        account A balance 40 floor 20 reserved_high 20
        pay 1 A CB 30 fees = queued
        phase clearing_window
        lend from 100 of CB = nobody, 1 settled by return
        ends A balance 10
    """)


def test_an_earmark_is_cut_to_what_is_left(play: Play) -> None:
    play("""
        account CB central_bank
        account A balance 40 earmark 40
        account B balance 40 earmark 15
        pay 1 A CB 30 fees = queued
        pay 2 B CB 30 fees = queued
        phase clearing_window
        lend from 100 of CB = nobody, 1 settled by return, 2 settled by return
        ends A balance 10 earmark 10
        ends B balance 10 earmark 10
    """)


def test_an_earmark_is_spent_on_a_net_before_anything_is_lent(play: Play) -> None:
    play("""
        account CB central_bank
        account A balance 40 earmark 30
        pay 1 A CB 50 net = queued
        phase clearing_window
        lend from 100 of CB = A 10, 100 settled, 1 settled by penalty
        ends A balance 0 earmark 0
    """)


def test_a_later_accounts_item_may_credit_an_earlier_one_but_nobody_is_retried(play: Play) -> None:
    play("""
        account CB central_bank
        account A
        account B
        pay 1 A B 10 one_sided = queued
        pay 2 B A 25 one_sided = queued
        phase clearing_window
        lend from 100 of CB = A 10 B 15, 100 settled, 1 settled by penalty, 101 settled, 2 settled by penalty
        ends A balance 25
        ends B balance 0
        waits nothing
    """)


def test_the_whole_close_leaves_no_queue_and_nobody_below_zero(play: Play) -> None:
    play("""
        account CB central_bank
        account A balance -30 overdraft_limit 30
        account B balance 5
        pay 1 A B 10 URGT = queued
        pay 2 A CB 10 net = queued
        pay 3 B A 50 NORM = queued
        pay 4 B CB 6 fees = queued
        phase clearing_window
        17:30 return = 1 returned end_of_day, 3 returned end_of_day
        lend from 100 of CB = A 30 A 10 B 1, 100 settled, 101 settled, 2 settled by penalty, \
102 settled, 4 settled by penalty
        waits nothing
        totals waiting_count 0 overdrawn_count 0
        ends A balance 0
        ends B balance 0
    """)


def test_a_loan_counts_as_a_credit_and_crosses_warning_lines(play: Play) -> None:
    play("""
        account CB central_bank
        account A balance 10 warning_line 0
        account B
        pay 1 A CB 30 fees = queued
        phase clearing_window
        lend from 100 of CB = A 20, 100 settled, 1 settled by penalty
        ends A received 20 received_count 1 sent 30 sent_count 1 lowest_balance 0
        ends CB sent 20 received 30
    """)
