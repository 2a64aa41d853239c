"""Draws the pictures of the README from bundled scenarios: `python notebooks/pictures/draw.py`.

system.svg is drawn by hand; the others are what the named command or function gives.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import cnaps_sim as cs

#: Dots per inch of the pictures that a browser shows.
DPI = 110


def draw(folder: Path, terms: Mapping[str, Any] = MappingProxyType({})) -> list[Path]:
    """Write the pictures into a folder. terms: changes to the scenarios of the two national days, such as a scale."""
    cs.animate(cs.simulate("gridlock-ring"), folder / "gridlock-ring.gif")

    study = cs.sweep("liquidity-frontier", set=dict(terms))
    axes = cs.plots.frontier(study)
    axes.figure.savefig(folder / "frontier.png", dpi=DPI, bbox_inches="tight")

    run = cs.simulate("hvps-day-2025-scarce", set=dict(terms))
    axes = cs.plots.queue(run)
    axes.figure.savefig(folder / "queue.png", dpi=DPI, bbox_inches="tight")
    return [folder / name for name in ("gridlock-ring.gif", "frontier.png", "queue.png")]


if __name__ == "__main__":
    for path in draw(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent):
        print(path)
