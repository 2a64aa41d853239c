"""Tables: there is room for everything that one compiled call may write."""

from __future__ import annotations

import numpy as np

from cnaps_sim.core import Books
from cnaps_sim.core.records import FLOW
from cnaps_sim.words.codes import Act, Phase

#: As many payments as may wait before the log grows by itself.
WAITING = 3000


def test_the_log_has_room_for_two_warnings_with_every_queued_payment_that_settles() -> None:
    """Two banks without money owe each other; the last payment sets off all, and each crosses both watch lines."""
    rows = np.zeros(WAITING + 1, FLOW)
    rows["amount"], rows["level"] = 10, 7
    rows["debtor"][:WAITING] = np.arange(WAITING) % 2
    rows["creditor"][:WAITING] = 1 - np.arange(WAITING) % 2
    rows[-1] = (1, 10, 2, 0, 7, 0, False)
    books = Books([{"warning_line": 5}, {"warning_line": 5}, {"balance": 100}])
    books.set_phase(Phase.DAYTIME)
    assert books.advance(rows, 0, 10) == len(rows)
    log = books.drain_log()
    assert (log["act"] == Act.SETTLED).sum() == len(rows)
    assert len(log) > 3 * WAITING
