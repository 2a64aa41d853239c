"""The page of a comparison as a file: where it goes, and which of the two pages it is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from cnaps_sim.words.errors import InputError

if TYPE_CHECKING:
    from cnaps_sim.analysis.compare.runs import Comparison
    from cnaps_sim.analysis.compare.studies import StudyComparison

PAGE: Final = "compare.html"
_ALLOWED: Final = "a folder, or a .html file"


def page_place(out: str | Path) -> Path:
    """The file of the page: `out` if it is called .html, else compare.html in that folder. InputError if neither."""
    given = Path(out)
    place = given if given.suffix.lower() == ".html" and not given.is_dir() else given / PAGE
    if given.is_file() and place != given:
        raise InputError("out", "", "is a file of another kind", given, _ALLOWED)
    return place


def write_comparison(found: Comparison | StudyComparison, place: Path) -> None:
    """Write the page of two runs, or of two studies; its folder is made. InputError if that cannot be."""
    from cnaps_sim.analysis.compare.page import write_page  # drawing packages take a while to load
    from cnaps_sim.analysis.compare.studies import StudyComparison
    from cnaps_sim.analysis.compare.studies_page import write_study_page

    try:
        place.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        problem = f"cannot be made ({(error.strerror or str(error)).lower()})"
        raise InputError("out", "", problem, place.parent, _ALLOWED) from None
    if isinstance(found, StudyComparison):
        write_study_page(found, place)
    else:
        write_page(found, place)
