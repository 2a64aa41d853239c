"""Pages: HTML files that need nothing else, from the templates of this room and the look of the report."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from cnaps_sim.analysis.drawing import house_style, text_kept


def filled(template: str, **values: Any) -> str:
    """A template (`report.html.j2`) with its values; text is escaped, a value that is missing is a bug."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(_text_of(template)).render(**values)


def look_of_report() -> Markup:
    """The style sheet of the report, for the pages beside it."""
    return Markup(_text_of("report.html.j2").partition("<style>")[2].partition("</style>")[0])


@contextmanager
def drawing_for_a_page() -> Iterator[None]:
    """Inside, text in drawings stays text: the reader's machine has the glyphs that this one may lack."""
    with text_kept(), warnings.catch_warnings(), house_style():
        warnings.filterwarnings("ignore", message=r"Glyph \d+ .* missing from")
        yield


def _text_of(template: str) -> str:
    return resources.files(__package__).joinpath(template).read_text("utf-8")
