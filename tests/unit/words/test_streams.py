"""Named random streams: one seed, one name, one sequence of numbers."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from cnaps_sim.words.streams import Streams


def draws(generator: np.random.Generator, count: int = 8) -> list[int]:
    return [int(number) for number in generator.integers(0, 2**63, count)]


def test_a_stream_is_the_same_in_every_process_and_version() -> None:
    # Written out, because a change here changes the results of every scenario with random elements.
    raw = Streams(1)["hvps.arrivals"].bit_generator.random_raw(3)
    assert [int(number) for number in raw] == [12085471688446997820, 5733536644482254708, 14080132483080775137]


def test_a_stream_is_pcg64() -> None:
    assert isinstance(Streams(1)["hvps.arrivals"].bit_generator, np.random.PCG64)


def test_the_same_seed_and_name_draw_the_same_numbers() -> None:
    assert draws(Streams(7)["a"]) == draws(Streams(7)["a"])


def test_adding_a_stream_never_disturbs_another() -> None:
    alone, crowded = Streams(7), Streams(7)
    first = draws(alone["hvps.arrivals"], 4) + draws(alone["hvps.arrivals"], 4)
    draws(crowded["beps.amounts"])
    second = draws(crowded["hvps.arrivals"], 4)
    draws(crowded["ibps.amounts"])
    assert first == second + draws(crowded["hvps.arrivals"], 4)


def test_asking_again_gives_the_same_generator_so_draws_go_on() -> None:
    streams = Streams(7)
    assert streams["a"] is streams["a"]
    assert draws(streams["a"], 4) + draws(streams["a"], 4) == draws(Streams(7)["a"], 8)


def test_fresh_begins_a_stream_again_and_takes_its_place() -> None:
    streams = Streams(7)
    first = draws(streams["a"])
    again = streams.fresh("a")
    assert draws(again) == first
    assert streams["a"] is again


def test_fresh_leaves_other_streams_where_they_stand() -> None:
    streams = Streams(7)
    draws(streams["b"], 4)
    streams.fresh("a")
    assert draws(streams["b"], 4) == draws(Streams(7)["b"], 8)[4:]


def test_seeds_replications_and_names_each_make_another_stream() -> None:
    made = [Streams(1)["a"], Streams(2)["a"], Streams(1, 1)["a"], Streams(2, 1)["a"], Streams(1)["b"], Streams(1)["A"]]
    assert len({tuple(draws(generator)) for generator in made}) == len(made)


def test_a_seed_and_a_replication_do_not_change_places() -> None:
    assert draws(Streams(1, 2)["a"]) != draws(Streams(2, 1)["a"])


def test_a_name_may_be_chinese() -> None:
    assert draws(Streams(1)["大额"]) == draws(Streams(1)["大额"])


@pytest.mark.parametrize(("seed", "replication"), [(-1, 0), (1, -1)])
def test_a_negative_seed_or_replication_is_an_error_in_words(seed: int, replication: int) -> None:
    with pytest.raises(ValueError, match="whole numbers of 0 or more"):
        Streams(seed, replication)


def test_streams_go_to_another_process_and_draw_on_where_they_stopped() -> None:
    streams = Streams(7)
    draws(streams["a"], 4)
    copy = pickle.loads(pickle.dumps(streams))
    assert draws(copy["a"], 4) == draws(streams["a"], 4)
    assert draws(copy["b"]) == draws(streams["b"])
