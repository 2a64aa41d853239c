"""Layout of a replayed run, for page and GIF alike: accounts on a circle, arrows between them, names beside them."""

from __future__ import annotations

import math
from itertools import accumulate
from typing import Final

from cnaps_sim.analysis.drawing import drawable
from cnaps_sim.analysis.replay import CENTRAL_BANK, Frame, Move, Replay, Waiting, format_money

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
