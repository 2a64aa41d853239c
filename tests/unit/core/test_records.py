"""The records of the books can be read the same compiled and uncompiled."""

from __future__ import annotations

import numpy as np
import pytest

from cnaps_sim.core import records

KINDS = ["BOOKS", "ACCOUNT", "QUEUE", "PAYMENT", "LOG", "FLOW"]


@pytest.mark.parametrize("name", KINDS)
def test_no_field_hides_behind_a_method_of_a_record(name: str) -> None:
    fields = getattr(records, name).names
    assert not set(fields) & set(dir(np.record))


def test_a_log_entry_takes_32_bytes_and_a_flow_row_too() -> None:
    assert records.LOG.itemsize == 32
    assert records.FLOW.itemsize == 32


def test_a_waiting_payment_fits_into_one_cache_line() -> None:
    assert records.PAYMENT.itemsize <= 64
