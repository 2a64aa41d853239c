"""Files made of a run or study: the report for people, and the tables for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from cnaps_sim.run.export import export_table
from cnaps_sim.run.store import Run, opened
from cnaps_sim.run.sweep.folder import STUDY
from cnaps_sim.words.errors import InputError

if TYPE_CHECKING:
    from cnaps_sim.analysis.study.study import Study

REPORT: Final = "report.html"


def export(run: str | Path | Run | Study, table: str, to: str | Path) -> Path:
    """Write one table of a run or study as CSV or XLSX: the command `export`. Returns the file.

    run: a Run, a Study, or the folder of one
    table: one that the run recorded (`run.recorded`); of a study `runs` or `summary`
    to: a .csv or .xlsx file

    Money stays whole fen, time whole ms. InputError if the table, the ending or the size does not fit, or if the folder
    is none of a run or study.
    """
    if isinstance(run, Run) or (isinstance(run, str | Path) and not (Path(run) / STUDY).is_file()):
        export_table(opened(run), table, Path(to))
        return Path(to)
    from cnaps_sim.analysis.study.study import load_study  # statistics take a while to load
    from cnaps_sim.analysis.study.tables import export_study

    export_study(load_study(run) if isinstance(run, str | Path) else run, table, Path(to))
    return Path(to)


def report(run: str | Path | Run, to: str | Path | None = None) -> Path:
    """Write the report of a run, one self-contained HTML file: the command `report`. Returns the file.

    run: a Run or its folder; to: the file; if left out, report.html of the run's folder

    InputError if there is no place for it, if the folder is none of a run, or if its tables do not fit together.
    """
    found = opened(run)
    if to is None and found.folder is None:
        raise InputError("to", "", "is missing, and the run has no folder", "", "an .html file")
    place = Path(to) if to is not None else Path(str(found.folder)) / REPORT
    if place.is_dir():
        raise InputError("to", "", "is a folder", place, "an .html file")
    if not place.parent.is_dir():
        raise InputError("to", "", "no such folder", place.parent, "an existing folder")
    from cnaps_sim.analysis.report.page import write_report  # drawing packages take a while to load

    try:
        write_report(found, place)
    except (ArithmeticError, LookupError, TypeError, ValueError, AttributeError) as error:
        # Anybody may have changed the folder: each table can be read, but they do not fit to one another.
        name = str(found.folder or found.scenario.get("name"))
        raise InputError(name, "", "its tables and manifest do not fit together", error, "cnaps-sim audit") from error
    return place
