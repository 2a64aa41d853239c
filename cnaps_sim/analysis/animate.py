"""Animate: a small run as a page to step through, or as a GIF, for a lecture.

Accounts stand on a circle as nodes as large as their balance; an arrow is all that one account has queued for another.
Every settlement, arrival in a queue and matching is a frame. The same run gives the same bytes.
"""

from __future__ import annotations

import json
import math
from itertools import accumulate
from pathlib import Path
from typing import Any, Final

from cnaps_sim.analysis.drawing import drawable, text_kept
from cnaps_sim.analysis.metrics.columns import Run
from cnaps_sim.analysis.pages import filled
from cnaps_sim.analysis.replay import CENTRAL_BANK, Frame, Move, Replay, Waiting, format_money, replay
from cnaps_sim.run.store import opened
from cnaps_sim.words.errors import InputError
from cnaps_sim.words.units import format_clock

#: Kinds of file.
SUFFIXES: Final = (".html", ".gif")
#: The page's drawing, in its own units: width, height, middle, radius of the circle of accounts.
WIDTH: Final = 1000
HEIGHT: Final = 640
MIDDLE: Final = (500, 316)
RADIUS: Final = 214
#: The circle is wider than high, as screens are.
STRETCH: Final = 1.3
#: Columns that a line of a name may take beside its node, and accounts among which names have room.
MOST_COLUMNS: Final = 20
MOST_NAMED: Final = 12
#: Radii of nodes, and widths of arrows.
_SMALLEST_NODE, _LARGEST_NODE = 11.0, 34.0
_THINNEST, _THICKEST = 2.0, 11.0


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
            from cnaps_sim.analysis.animate_gif import write_gif

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


def name_lines(name: str, account: str) -> list[str]:
    """What stands under an account's id: the parts of `中文 / English` that say more, cut to what fits."""
    parts = [part for part in name.split(" / ") if part != account][:2]
    return [shown for part in parts if (shown := drawable(_cut(part), "", MOST_COLUMNS))]


def _cut(text: str) -> str:
    """A text of at most `MOST_COLUMNS` columns, of which a Chinese character takes two."""
    widths = [1 + (ord(letter) >= 0x2E80) for letter in text]
    if sum(widths) <= MOST_COLUMNS:
        return text
    kept = sum(1 for total in accumulate(widths) if total < MOST_COLUMNS)
    return f"{text[:kept].rstrip()}…"


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


def node_radius(fen: int, largest: int) -> float:
    """A node's area grows with its balance."""
    return _SMALLEST_NODE + (_LARGEST_NODE - _SMALLEST_NODE) * math.sqrt(max(0, fen) / largest)


def arrows(told: Replay, frame: Frame) -> list[tuple[int, int, float, str, int]]:
    """One per pair of accounts: debtor, creditor, width, words (`2 · 45`), and whether the frame is about it."""
    widest = max((item.fen for other in told.frames for item in other.waiting), default=1)
    pairs: dict[tuple[int, int], list[Waiting]] = {}
    for item in frame.waiting:
        pairs.setdefault((item.debtor, item.creditor), []).append(item)
    found = []
    for (debtor, creditor), items in sorted(pairs.items()):
        fen = sum(item.fen for item in items)
        width = round(min(_THICKEST, _THINNEST + (_THICKEST - _THINNEST) * fen / (2 * widest)), 1)
        count = f"{len(items)} · " if len(items) > 1 else ""
        marked = int(any(item.payment_id in frame.marked for item in items))
        found.append((debtor, creditor, width, f"{count}{format_money(fen)}", marked))
    return found


def places(accounts: int) -> list[tuple[float, float]]:
    """Where the accounts stand: on a circle, the first on top, clockwise."""
    angles = [2 * math.pi * place / max(accounts, 1) for place in range(accounts)]
    return [
        (round(MIDDLE[0] + STRETCH * RADIUS * math.sin(angle), 1), round(MIDDLE[1] - RADIUS * math.cos(angle), 1))
        for angle in angles
    ]


def place_of(spots: list[tuple[float, float]], number: int) -> tuple[float, float]:
    """Where a node stands; the central bank in the middle."""
    return (float(MIDDLE[0]), float(MIDDLE[1])) if number == CENTRAL_BANK else spots[number]


def moved_pairs(moves: tuple[Move, ...]) -> list[tuple[int, int]]:
    """Pairs of accounts between which money moved, each once."""
    return sorted({(move.debtor, move.creditor) for move in moves})
