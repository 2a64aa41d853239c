"""Flow: a stream of payments sorted by time, held as columns.

The books read `rows`; ids, types and what else a result table tells about a payment stand in columns beside them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from cnaps_sim.core.records import FLOW, Records
from cnaps_sim.words.codes import System
from cnaps_sim.words.errors import InputError
from cnaps_sim.workload.ids import first_duplicate

#: `due_ms` of a payment that is due at no particular time.
NO_DUE_TIME: Final = -(2**63)
#: `type_index` of a payment whose type is not told.
NO_TYPE: Final = -1


@dataclass(frozen=True, eq=False)
class Flow:
    """Payments of one system in order of time; of equal times the earlier row came first. Row r has sequence r.

    system:       the system they are sent to
    rows:         FLOW records (`core.records`): time in ms of the run, amount in fen, account rows, level
    payment_ids:  the senders' ids, each once (pyarrow string array)
    types:        the business types (业务类型) that occur
    type_index:   int16, the place in `types`, NO_TYPE where it is not told
    due_ms:       int64, the instant each must be settled by, NO_DUE_TIME where there is none; None if none has one
    on_behalf_of: the indirect participant behind the debtor (dictionary-encoded text, null if none); None if none
                  has one
    notes:        what the manifest tells about how the flow was made
    """

    system: System
    rows: Records
    payment_ids: pa.StringArray
    types: tuple[str, ...]
    type_index: npt.NDArray[np.int16]
    due_ms: npt.NDArray[np.int64] | None = None
    on_behalf_of: pa.Array | None = None
    notes: dict[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        count = len(self.rows)
        assert self.rows.dtype.names == FLOW.names
        assert len(self.payment_ids) == len(self.type_index) == count
        assert self.due_ms is None or len(self.due_ms) == count
        assert self.on_behalf_of is None or len(self.on_behalf_of) == count
        times = self.rows["time_ms"]
        assert bool(np.all(times[1:] >= times[:-1])), "a flow is sorted by time"

    def __len__(self) -> int:
        return len(self.rows)


def merge(flows: Sequence[Flow]) -> Flow:
    """One flow of several of the same system: by time, of equal times in the order of the list.

    `notes` of several flows under the same key become a list. InputError naming the first payment id that stands
    in the flows twice. ValueError if there is no flow, or if their systems differ.
    """
    if not flows:
        raise ValueError("there is no flow to merge")
    if len({flow.system for flow in flows}) > 1:
        raise ValueError("flows of different systems cannot be merged")
    if len(flows) == 1:
        return flows[0]
    payment_ids = pa.concat_arrays([flow.payment_ids for flow in flows])
    twice = first_duplicate(payment_ids)
    if twice is not None:
        raise InputError("workload", "payment_id", "used by two payments", payment_ids[twice[1]].as_py())
    types = tuple(dict.fromkeys(kind for flow in flows for kind in flow.types))
    return sorted_flow(
        rows=np.concatenate([flow.rows for flow in flows]).view(type(flows[0].rows)),
        payment_ids=payment_ids,
        system=flows[0].system,
        types=types,
        type_index=np.concatenate([_type_index_in(types, flow) for flow in flows]),
        due_ms=_joined_due(flows),
        on_behalf_of=_joined_principals(flows),
        notes=_joined_notes(flows),
    )


def sorted_flow(rows: Records, payment_ids: pa.StringArray, **columns: Any) -> Flow:
    """A flow of columns that need not be sorted yet; equal times keep their order. Arguments as in `Flow`."""
    times = rows["time_ms"]
    if bool(np.all(times[1:] >= times[:-1])):
        return Flow(rows=rows, payment_ids=payment_ids, **columns)
    order = np.argsort(times, kind="stable")
    for name in ("type_index", "due_ms"):
        if columns.get(name) is not None:
            columns[name] = columns[name][order]
    if columns.get("on_behalf_of") is not None:
        columns["on_behalf_of"] = columns["on_behalf_of"].take(pa.array(order))
    return Flow(rows=rows[order], payment_ids=payment_ids.take(pa.array(order)), **columns)


def _type_index_in(types: tuple[str, ...], flow: Flow) -> npt.NDArray[np.int16]:
    """The flow's type numbers as places in `types`."""
    place = {kind: i for i, kind in enumerate(types)}
    # The last entry answers for NO_TYPE, which is -1.
    places = np.array([*(place[kind] for kind in flow.types), NO_TYPE], dtype=np.int16)
    return places[flow.type_index]


def _joined_due(flows: Sequence[Flow]) -> npt.NDArray[np.int64] | None:
    if all(flow.due_ms is None for flow in flows):
        return None
    return np.concatenate(
        [np.full(len(flow), NO_DUE_TIME) if flow.due_ms is None else flow.due_ms for flow in flows], dtype=np.int64
    )


def _joined_principals(flows: Sequence[Flow]) -> pa.Array | None:
    if all(flow.on_behalf_of is None for flow in flows):
        return None
    texts = [
        pa.nulls(len(flow), pa.string()) if flow.on_behalf_of is None else flow.on_behalf_of.cast(pa.string())
        for flow in flows
    ]
    return pc.dictionary_encode(pa.concat_arrays(texts))


def _joined_notes(flows: Sequence[Flow]) -> dict[str, object]:
    told: dict[str, list[object]] = {}
    for flow in flows:
        for key, note in flow.notes.items():
            told.setdefault(key, []).append(note)
    return {key: notes[0] if len(notes) == 1 else notes for key, notes in told.items()}
