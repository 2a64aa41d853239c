"""Earmarked funds: camt.050, camt.051."""

import runpy
from pathlib import Path
from types import SimpleNamespace

from hypothesis import given

from cnaps_sim.messages.liquidity import EarmarkDecrease, EarmarkIncrease

its = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("records.py"))))


@its.few
@given(its.records(EarmarkIncrease))
def test_an_increase_is_read_as_it_was_built(change):
    its.there_and_back(change)


@its.few
@given(its.records(EarmarkDecrease))
def test_a_decrease_is_read_as_it_was_built(change):
    its.there_and_back(change)
