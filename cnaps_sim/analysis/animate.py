"""Animate: a small run as a page to step through, or as a GIF, for a lecture.

Accounts stand on a circle as nodes as large as their balance; an arrow is all that one account has queued for another.
Every settlement, arrival in a queue and matching is a frame. The same run gives the same bytes.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from cnaps_sim.analysis.animate_layout import (
    HEIGHT,
    MIDDLE,
    MOST_NAMED,
    WIDTH,
    arrows,
    moved_pairs,
    name_lines,
    node_radius,
    places,
)
from cnaps_sim.analysis.drawing import text_kept
from cnaps_sim.analysis.metrics.columns import Run
from cnaps_sim.analysis.pages import filled
from cnaps_sim.analysis.replay import Frame, Replay, format_money, replay
from cnaps_sim.run.store import opened
from cnaps_sim.words.errors import InputError
from cnaps_sim.words.units import format_clock

#: Kinds of file.
SUFFIXES: Final = (".html", ".gif")


def animate(run: str | Path | Run, path: str | Path) -> Path:
    """Write a small run as a self-contained page (.html) or as pictures in a row (.gif); returns the path.

    run: a Run or its folder

    InputError if the file is called otherwise or cannot be written, if the run has over 30 accounts or over 500
    events, or if it did not record payments and transfers.
    """
    place = check_animation(path)
    told = replay(opened(run))
    try:
        if place.suffix.lower() == ".html":
            place.write_text(page(told), encoding="utf-8")
        else:
            from cnaps_sim.analysis.animate_gif import write_gif  # matplotlib takes a while to load

            write_gif(told, place)
    except OSError as error:
        problem = f"cannot be written: {(error.strerror or str(error)).lower()}"
        raise InputError("to", "", problem, path, "a file that can be written") from None
    return place


def check_animation(path: str | Path) -> Path:
    """InputError unless the file is called .html or .gif, and its folder is there."""
    place = Path(path)
    if place.suffix.lower() not in SUFFIXES:
        raise InputError("to", "", "is neither a page nor a GIF", path, " or ".join(SUFFIXES))
    if not place.parent.is_dir():
        raise InputError("to", "", "no such folder", place.parent, "an existing folder")
    return place


def page(told: Replay) -> str:
    """The page as text: drawing, frames and the small script that shows them; nothing outside the file is needed."""
    with text_kept():
        names = [name_lines(name, account) for account, name in zip(told.accounts, told.names, strict=True)]
    data = {
        "nodes": [
            {"id": account, "names": lines if len(names) <= MOST_NAMED else [], "x": x, "y": y}
            for account, lines, (x, y) in zip(told.accounts, names, places(len(names)), strict=True)
        ],
        "bank": told.has_central_bank,
        "middle": MIDDLE,
        "frames": [frame_data(told, frame) for frame in told.frames],
    }
    # A name could hold `</script>`; written like this it cannot end the script.
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    return filled(
        "animate.html.j2",
        name=told.name, question=told.question, date=told.date, frames=len(told.frames), data=text,
        width=WIDTH, height=HEIGHT,
    )  # fmt: skip


def frame_data(told: Replay, frame: Frame) -> dict[str, Any]:
    """What one picture shows, in words, places and sizes."""
    largest = max((max(other.balances, default=0) for other in told.frames), default=0) or 1
    owing = {item.debtor for item in frame.waiting}
    value = sum(item.fen for item in frame.waiting)
    return {
        "time": format_clock(frame.time_ms),
        "kind": frame.kind,
        "en": frame.english,
        "zh": frame.chinese,
        "state": [len(frame.waiting), format_money(value), frame.settled],
        "nodes": [
            [format_money(fen), round(node_radius(fen, largest), 1), int(place in owing)]
            for place, fen in enumerate(frame.balances)
        ],
        "queue": arrows(told, frame),
        "moves": moved_pairs(frame.moved),
    }  # fmt: skip
