"""The glossary beside the notebooks says what the enumerations say."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

from cnaps_sim.words import business_types, codes, participant_kinds

GLOSSARY = Path(__file__).parents[3] / "notebooks" / "glossary.md"
#: Where enumerations stand.
ROOMS = (codes, business_types, participant_kinds)
#: Enumerations of which every member has a Chinese term and a line.
WHOLE = (
    codes.System,
    codes.Priority,
    codes.Level,
    codes.Phase,
    codes.AccountStatus,
    codes.Status,
    participant_kinds.ParticipantKind,
    business_types.BusinessType,
)


def lines() -> list[list[str]]:
    rows = [line.strip("| \n").split(" | ") for line in GLOSSARY.read_text(encoding="utf-8").splitlines()]
    return [row for row in rows if len(row) == 4 and row[3].startswith("`")]


def test_every_line_names_a_member_of_the_code_with_the_chinese_term_written_there() -> None:
    for chinese, english, _, name in lines():
        kind, member = name.strip("`").split(".")
        enumeration = next(getattr(room, kind) for room in ROOMS if hasattr(room, kind))
        assert member in enumeration.__members__
        assert english
        written = re.search(rf"^    {member} = (.*)$", inspect.getsource(enumeration), re.MULTILINE)
        assert written is not None
        assert chinese in written[1], name


def test_every_member_has_one_line() -> None:
    told = [row[3].strip("`") for row in lines()]
    assert len(told) == len(set(told))
    assert {f"{kind.__name__}.{name}" for kind in WHOLE for name in kind.__members__} <= set(told)
