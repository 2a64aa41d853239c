"""Messages (报文): how many travelled, of which kind and which way, and what became of them, from the message log."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from cnaps_sim.analysis.metrics.columns import Columns, IntArray, Run, Where
from cnaps_sim.analysis.metrics.tidy import By, Measure, group, number, tidy, total
from cnaps_sim.words.errors import InputError
from cnaps_sim.words.units import MS_PER_HOUR

#: Names by which messages are grouped.
MESSAGE_GROUPS: Final = {
    name: name for name in ("iso", "number", "way", "outcome", "layer", "reason", "sender", "receiver", "hour_ms")
}  # fmt: skip
#: Ways of a message.
UP: Final = "to the centre"
DOWN: Final = "from the centre"
#: What became of a passage.
ACCEPTED: Final = "accepted"
AGAIN: Final = "came twice"
LOST: Final = "lost"
UNDER_WAY: Final = "under way"
REFUSED: Final = "refused"

#: How the verdicts of the log begin (see `systems.mail`); every other one is a refusal and begins with its layer.
_FATES: Final = {"accepted": ACCEPTED, "resent": AGAIN, "lost": LOST, "under way": UNDER_WAY}
_CENTRE: Final = "0000"
_READ: Final = ["sent_ms", "sender", "receiver", "number", "iso", "verdict"]
_ROWS_AT_A_TIME: Final = 4_096


def messages(run: Run, *, by: By = None, where: Where = None) -> pd.DataFrame:
    """Passages of messages over the network, by what became of them.

    Grouped by iso, number (CNAPS), way (`to the centre`, `from the centre`), outcome (`accepted`, `came twice`, `lost`,
    `under way`, `refused`), layer and reason of a refusal, sender, receiver or hour_ms (the begin of the hour of
    sending, ms of the run). `passages`: how many, every time that the same bytes travelled counted; `bytes`: their
    length with header and signature; `accepted`, `came_twice` (known to the receiver, and so not acted upon again),
    `lost`, `under_way` (when the run ended), `refused` (passages). A run without a message log has none of them.
    InputError if the log cannot be read.
    """
    columns = message_columns(run).narrow(where, lambda: message_columns(run).table.to_pandas())
    groups = group(columns, by, MESSAGE_GROUPS)
    outcome = columns.codes("outcome")
    labels = np.array([*outcome.labels, None], dtype=object)[outcome.codes]
    fates = (ACCEPTED, AGAIN, LOST, UNDER_WAY, REFUSED)
    return tidy(
        groups,
        [
            Measure("passages", "messages", number(groups)),
            Measure("bytes", "bytes", total(groups, columns.numbers("bytes"))),
            *(Measure(fate.replace(" ", "_"), "messages", number(groups, labels == fate)) for fate in fates),
        ],
    )


def message_columns(run: Any) -> Columns:
    """The message log of a run without the messages themselves; a `Remembered` run reads it once."""
    kept = getattr(run, "kept_columns", None)
    if kept is None:
        return Columns("messages", _table(getattr(run, "messages_folder", None)))
    if "messages" not in kept:
        kept["messages"] = Columns("messages", _table(getattr(run, "messages_folder", None)))
    found: Columns = kept["messages"]
    return found


def _table(folder: Path | None) -> pa.Table:
    """One row per passage: the columns of the log that say little, `bytes`, and what the verdict says, in parts."""
    parts = [] if folder is None else [_part(path) for path in sorted(folder.glob("part-*.parquet"))]
    if not parts:
        text = {name: pa.array([], pa.string()) for name in MESSAGE_GROUPS if name != "hour_ms"}
        return pa.table({**text, "hour_ms": pa.array([], pa.int64()), "bytes": pa.array([], pa.int64())})
    return pa.concat_tables(parts).unify_dictionaries()


def _part(path: Path) -> pa.Table:
    try:
        file = pq.ParquetFile(path)
        table = file.read(columns=_READ)
        batches = file.iter_batches(_ROWS_AT_A_TIME, columns=["data"])  # a few of the messages in memory at a time
        lengths = pa.chunked_array([pc.binary_length(batch.column(0)) for batch in batches], pa.int32())
        return _in_words(table).append_column("bytes", lengths.cast(pa.int64()))
    except (OSError, KeyError, pa.ArrowException) as error:
        raise InputError(str(path), "", "cannot be read", error, "the file that the run wrote") from None


def _in_words(table: pa.Table) -> pa.Table:
    verdicts = _encoded(table.column("verdict"))
    told = [_told(verdict) for verdict in verdicts.dictionary.to_pylist()]
    named = dict(zip(("outcome", "layer", "reason"), zip(*told, strict=True), strict=True)) if told else {}
    for name, words in named.items():
        table = table.append_column(name, pa.array(words, pa.string()).take(verdicts.indices).dictionary_encode())
    senders = _encoded(table.column("sender"))
    ways = [DOWN if sender == _CENTRE else UP for sender in senders.dictionary.to_pylist()]
    table = table.append_column("way", pa.array(ways, pa.string()).take(senders.indices).dictionary_encode())
    sent: IntArray = table.column("sent_ms").to_numpy()
    return table.append_column("hour_ms", pa.array(sent // MS_PER_HOUR * MS_PER_HOUR)).drop_columns(["verdict"])


def _encoded(column: pa.ChunkedArray) -> pa.DictionaryArray:
    column = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    return column.unify_dictionaries().combine_chunks()


def _told(verdict: str) -> tuple[str, str | None, str | None]:
    """What a verdict of the log says: outcome, and of a refusal layer and reason."""
    for beginning, outcome in _FATES.items():
        if verdict.startswith(beginning):
            return outcome, None, None
    layer, _, reason = verdict.partition(": ")
    return REFUSED, layer, reason
