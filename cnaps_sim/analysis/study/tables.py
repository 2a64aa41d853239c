"""Tables of a study for other programs: every run, or the means with their intervals."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pyarrow as pa

from cnaps_sim.analysis.study.study import Study
from cnaps_sim.run.export import check_file, write_file
from cnaps_sim.words.errors import InputError

#: The tables that a study has.
TABLES: Final = ("runs", "summary")


def export_study(study: Study, table: str, to: Path) -> None:
    """Write `runs` (one row per run and measure) or `summary` (one row per point and measure) as CSV or XLSX.

    InputError if the study has no such table, or if the ending or the size does not fit.
    """
    if table not in TABLES:
        raise InputError("table", "", "is no table of a study", table, ", ".join(TABLES))
    check_file(to)
    write_file(study.table if table == "runs" else summary_table(study), table, to)


def summary_table(study: Study) -> pa.Table:
    """`Study.summary` as a table: point, the keys, system, measure, value, low, high, runs, unit."""
    return pa.Table.from_pandas(study.summary(), preserve_index=False).replace_schema_metadata(None)
