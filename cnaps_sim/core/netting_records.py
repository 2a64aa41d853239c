"""The records of the netting server (轧差服务器): one row per participant, per waiting unit, per log entry.

A *unit* is what is checked and netted as one: a package (包) of BEPS, or one payment of IBPS. Money is int64 fen,
time int64 ms of the run. As in `records`, no field may bear a name that `numpy.record` has.
"""

from __future__ import annotations

from typing import Final

import numpy as np

#: Before any instant of a run, and after it.
BEGINNING_MS: Final = -(2**63)
FOREVER_MS: Final = 2**63 - 1

NETTING = np.dtype(
    [
        ("units_come", np.int64),  # units of the flow that have come to their cap check
        ("log_count", np.int64),
        ("log_all", np.bool_),  # also log what a row's own terms tell: netted on arrival, refused by its row
        ("first_free", np.int64),  # head of the chain of free rows of the table of waiting units
        ("free_count", np.int64),
        ("waiting_count", np.int64),  # units in all cap queues (轧差排队)
        ("waiting_fen", np.int64),
        ("peak_waiting_count", np.int64),
        ("peak_waiting_fen", np.int64),
        ("crossings", np.int64),  # watch lines crossed since the clock last looked
        ("first_woken", np.int64),  # chain of participants whose cap queue is to be retried, first credited first
        ("last_woken", np.int64),
        ("absence_count", np.int64),
    ],
    align=True,
)

POSITION = np.dtype(
    [
        ("position", np.int64),  # 轧差净额: received less sent since the last round
        ("unsettled", np.int64),  # signed sum of its round nets that SAPS has not posted
        ("cap", np.int64),  # 净借记限额: earmark + pledged value + credit line
        ("lowest_headroom", np.int64),  # since the run began, after a netting or a change of the cap
        ("cap_line", np.int64),  # 限额预警: warned while headroom < cap_line
        ("sent", np.int64),  # netted debits since the run began
        ("received", np.int64),
        ("sent_count", np.int64),  # items
        ("received_count", np.int64),
        ("heap", np.int64),  # first waiting unit of its cap queue: the smallest
        ("waiting_count", np.int64),
        ("waiting_fen", np.int64),
        ("woken_by", np.int64),
        ("next_woken", np.int64),
        ("last_absence", np.int64),  # row of its latest absence, -1 if it was never logged out
        ("closed", np.bool_),
        ("logged_in", np.bool_),  # now; when it was before, its absences tell
        ("warned", np.bool_),
        ("woken", np.bool_),
    ],
    align=True,
)

#: A time in which a participant was logged out; each participant's form a chain, the latest first.
ABSENCE = np.dtype(
    [
        ("participant", np.int64),
        ("from_ms", np.int64),  # BEGINNING_MS: it was logged out when the run began
        ("until_ms", np.int64),  # the instant in which it was logged in again; FOREVER_MS while it lasts
        ("previous", np.int64),  # row of the participant's absence before, -1 if there was none
    ],
    align=True,
)

#: A unit that waits in the cap queue of its payer: a node of a pairing heap ordered by (amount, time, unit).
UNIT = np.dtype(
    [
        ("unit", np.int64),
        ("amount", np.int64),
        ("time_ms", np.int64),
        ("debtor", np.int32),
        ("creditor", np.int32),
        ("items", np.int32),
        ("kind", np.int8),  # retail.RetailKind
        ("waits", np.bool_),  # false: the row is free
        ("child", np.int64),  # first child of the heap's tree
        ("next", np.int64),  # next sibling, or next free row
        ("prev", np.int64),  # previous sibling, or the parent of a first child
    ],
    align=True,
)

#: What the netting server did that a row of the flow does not tell by itself (everything, if `log_all`).
NET_LOG = np.dtype(
    [
        ("unit", np.int64),  # for warnings: the participant's row
        ("time_ms", np.int64),
        ("cause", np.int64),  # codes.Cause, the unit that released this one, or a matching
        ("units_come", np.int64),  # units that had come when this was written, the present one included
        ("act", np.int8),  # codes.Act
        ("refusal", np.int8),  # codes.Refusal
        ("kind", np.int8),  # retail.RetailKind
    ],
    align=True,
)

#: Sums per kind and act: `tallies[kind, act]`.
TALLY = np.dtype([("units", np.int64), ("items", np.int64), ("fen", np.int64)], align=True)

#: A flow of retail units in order of their cap check, read-only.
RETAIL = np.dtype(
    [
        ("time_ms", np.int64),  # instant of the cap check: submission, or the reply where the kind has one
        ("amount", np.int64),  # fen, of all items
        ("lag_ms", np.int64),  # how long before its cap check it was submitted; negative only out of hours
        ("debtor", np.int32),  # the payer's participant, also of a debit
        ("creditor", np.int32),
        ("items", np.int32),
        ("kind", np.int8),  # retail.RetailKind
        ("refusal", np.int8),  # codes.Refusal that is known without the netting server, 0 if none
    ],
    align=True,
)
