"""Delay and waiting."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from cnaps_sim.analysis.metrics import delay, queue_value_time, waited
from cnaps_sim.words.errors import InputError

END = 63_000_000  # 17:30


def values(frame: Any) -> dict[str, Any]:
    return dict(zip(frame["measure"], frame["value"], strict=True))


def test_nothing_waits_on_the_toy_day(toy_day: Any) -> None:
    found = values(delay(toy_day))
    assert found["rho"] == 0
    assert (found["mean_delay"], found["delay_p99"], found["delay_max"]) == (0, 0, 0)


def test_the_indicator_weighs_waiting_by_value_against_the_scheduled_end(hand_made: Any) -> None:
    """10 waits one hour of 8.5 possible, 30 waits none: rho = 10 x 1 / (10 x 8.5 + 30 x 7.5)."""
    run = hand_made.make_run(
        [
            hand_made.payment(0, "A", "B", 10, "09:00", **hand_made.waiting("10:00", "P1")),
            hand_made.payment(1, "B", "A", 30, "10:00"),
        ]
    )
    assert values(delay(run))["rho"] == pytest.approx(10 / (85 + 225))


def test_a_returned_payment_waited_until_the_scheduled_end(hand_made: Any) -> None:
    run = hand_made.make_run([hand_made.payment(0, "A", "B", 10, "09:00", **hand_made.ended("17:30", "PR09", "RJ99"))])
    found = values(delay(run))
    assert found["rho"] == 1
    assert pd.isna(found["mean_delay"])


def test_a_payment_open_when_the_run_stops_counts_like_a_returned_one(hand_made: Any) -> None:
    run = hand_made.make_run(
        [hand_made.payment(0, "A", "B", 10, "09:00", settled_ms=None, ended_ms=None, status="PR12")]
    )
    assert values(delay(run))["rho"] == 1


def test_a_cancelled_payment_waited_until_it_was_cancelled(hand_made: Any) -> None:
    run = hand_made.make_run([hand_made.payment(0, "A", "B", 10, "09:00", **hand_made.ended("13:15", "PR08"))])
    assert values(delay(run))["rho"] == pytest.approx(0.5)


def test_a_refusal_on_arrival_is_left_out_and_one_when_its_turn_came_is_not(hand_made: Any) -> None:
    on_arrival = hand_made.payment(0, "A", "B", 10, "09:00", **hand_made.ended("09:00", "PR09", "RJ90", "AC04"))
    in_turn = hand_made.payment(1, "A", "B", 10, "09:00", **hand_made.ended("13:15", "PR09", "RJ90", "AC04"))
    assert values(delay(hand_made.make_run([on_arrival])))["rho"] == 0
    assert values(delay(hand_made.make_run([on_arrival, in_turn])))["rho"] == pytest.approx(0.5)


def test_an_instruction_at_or_after_the_scheduled_end_is_left_out(hand_made: Any) -> None:
    late = hand_made.payment(0, "A", "B", 10, END, **hand_made.waiting(END + 5, "limit"))
    assert values(delay(hand_made.make_run([late])))["rho"] == 0


def test_the_indicator_splits_into_outbox_and_queue(queueing_day: Any) -> None:
    found = values(delay(queueing_day))
    assert found["rho_outbox"] == pytest.approx(30 * 3600 / denominator())
    assert found["rho"] == pytest.approx(found["rho_outbox"] + found["rho_queue"])


def denominator() -> float:
    """CNY x seconds until 17:30 of all payments but the refused one of the queueing day."""
    to_the_end = {100: 8.5, 40: 8, 140: 7.5, 500: 7, 10: 7 - 1 / 60, 30: 6, 5: 4.5, 1: 0.25}
    return sum(yuan * hours * 3600 for yuan, hours in to_the_end.items())


def test_percentiles_are_delays_that_occurred(hand_made: Any) -> None:
    """Of ten settled payments nine settle at once and one after a minute: the 90th is 0, the 99th a minute."""
    rows = [hand_made.payment(n, "A", "B", 1, "09:00") for n in range(9)]
    rows.append(hand_made.payment(9, "A", "B", 1, "09:00", **hand_made.waiting("09:01", "limit")))
    found = values(delay(hand_made.make_run(rows)))
    assert [found[f"delay_p{percent}"] for percent in (50, 90, 99)] == [0, 0, 60_000]
    assert found["mean_delay"] == 6_000


def test_delay_can_be_grouped_by_several_names(queueing_day: Any) -> None:
    frame = delay(queueing_day, by=["system", "level"])
    assert list(frame.columns) == ["system", "level", "measure", "value", "unit"]
    rho = frame[frame["measure"] == "rho"].set_index(["system", "level"])["value"]
    assert list(rho.index) == [("HVPS", 1), ("HVPS", 6), ("HVPS", 7), ("SAPS", 2)]
    assert rho["SAPS", 2] == 1


def test_an_unknown_group_names_what_is_allowed(queueing_day: Any) -> None:
    with pytest.raises(InputError, match=r"by: bank: cannot be grouped by; allowed: .*account"):
        delay(queueing_day, by="bank")


def test_where_narrows_by_column_or_by_function(queueing_day: Any) -> None:
    by_column = delay(queueing_day, where={"account": "A", "level": [6, 7]})
    by_function = delay(queueing_day, where=lambda frame: (frame["debtor"] == "A") & frame["level"].isin([6, 7]))
    assert by_column.equals(by_function)
    assert values(by_column)["delay_max"] == 3_600_000


def test_where_with_an_unknown_column_names_the_nearest(queueing_day: Any) -> None:
    with pytest.raises(InputError, match="debtor"):
        delay(queueing_day, where={"debitor": "A"})


def test_where_must_answer_for_every_row(queueing_day: Any) -> None:
    with pytest.raises(InputError, match="one True or False per row"):
        delay(queueing_day, where=lambda frame: frame["level"])


def test_an_instant_in_the_queue_counts_as_waiting(hand_made: Any) -> None:
    """Queued and released within one millisecond: it waited, for no time."""
    run = hand_made.make_run(
        [
            hand_made.payment(0, "A", "B", 10, "09:00", **hand_made.waiting("09:00", "P1")),
            hand_made.payment(1, "B", "A", 10, "09:00"),
        ]
    )
    found = values(waited(run))
    assert (found["waited_count"], found["waited_share"]) == (1, 0.5)


def test_queue_value_time_is_exact_beyond_63_bits(hand_made: Any) -> None:
    fen = 91_999_999_999_999_999
    row = hand_made.payment(0, "A", "B", 0, -12_600_000, amount_fen=fen, **hand_made.ended(END, "PR09", "RJ99"))
    run = hand_made.make_run([row, {**row, "sequence": 1, "payment_id": "P1"}])
    assert values(queue_value_time(run))["queue_value_time"] == 2 * fen * (END + 12_600_000)


def test_time_in_the_outbox_is_no_time_in_the_queue(queueing_day: Any) -> None:
    assert values(queue_value_time(queueing_day, where={"account": "B"}))["queue_value_time"] == 0
