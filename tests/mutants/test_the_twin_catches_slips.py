"""The comparisons with the twins are tested: each one-line slip in the compiled books or netting server must fail.

A copy of the package gets one slip and runs the comparison uncompiled. The fast tier tries a few of the slips,
the slow tier all of them.
"""

from __future__ import annotations

import os
import resource
import runpy
import shutil
import signal
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from cnaps_sim.core import queue

EDITS: tuple[tuple[str, str, str], ...] = runpy.run_path(str(Path(__file__).with_name("edits.py")))["EDITS"]
CORE = Path(queue.__file__).parent
COMPARISONS = Path(__file__).parents[1] / "properties"
#: A comparison takes less than a minute of a processor; one that takes this much goes round in circles.
ENDLESS_S = 150
SLOW = os.environ.get("CNAPS_SIM_TESTS") == "slow"
TRIED = EDITS if SLOW else EDITS[5::12]


@pytest.mark.parametrize("edit", EDITS, ids=[f"{file}:{number}" for number, (file, _, _) in enumerate(EDITS)])
def test_each_slip_still_has_its_place(edit: tuple[str, str, str]) -> None:
    file, line, slip = edit
    assert (CORE / file).read_text(encoding="utf-8").count(line) == 1
    assert line != slip


#: From this entry on slips are in the liquidity tools, or in what only they use.
TOOLS = next(number for number, (file, line, _) in enumerate(EDITS) if "movable_levels(debtor) & ((2" in line)


def comparison_of(edit: tuple[str, str, str]) -> Path:
    """Which comparison a slip must fail: that of the netting servers, the books, or books with tools."""
    subject = "netting" if edit[0].startswith("netting") else "books"
    subject = "tools" if edit in EDITS[TOOLS:] else subject
    return COMPARISONS / f"test_{subject}_and_twin_agree.py"


def compare_with(comparison: Path, edit: tuple[str, str, str] | None, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the comparison against a copy of the package with one slip in it."""
    spec = find_spec("cnaps_sim")
    assert spec is not None
    assert spec.origin is not None
    shutil.copytree(Path(spec.origin).parent, folder / "cnaps_sim", ignore=shutil.ignore_patterns("__pycache__"))
    if edit is not None:
        place = folder / "cnaps_sim" / "core" / edit[0]
        place.write_text(place.read_text(encoding="utf-8").replace(edit[1], edit[2]), encoding="utf-8")
    shutil.copy(comparison, folder)
    environment = {
        **os.environ,
        "NUMBA_DISABLE_JIT": "1",
        "PYTHONPATH": str(folder),
        "XDG_CACHE_HOME": str(folder),
        "CNAPS_SIM_STORIES": "600",
    }
    environment.pop("CNAPS_SIM_TESTS", None)
    command = [sys.executable, "-m", "pytest", "-x", "-q", "--rootdir", str(folder), "-p", "no:cacheprovider"]
    command.append(str(folder / comparison.name))
    return subprocess.run(
        command, env=environment, cwd=folder, capture_output=True, text=True, preexec_fn=_stop_what_is_endless
    )


def _stop_what_is_endless() -> None:
    """Time of the processor, not of the clock: a busy machine must not pass off a slow comparison as an endless one."""
    resource.setrlimit(resource.RLIMIT_CPU, (ENDLESS_S, ENDLESS_S + 5))


@pytest.mark.parametrize("subject", ["books", "netting", "tools"])
def test_the_comparison_passes_without_a_slip(subject: str, tmp_path: Path) -> None:
    done = compare_with(COMPARISONS / f"test_{subject}_and_twin_agree.py", None, tmp_path)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


@pytest.mark.parametrize("edit", TRIED, ids=[f"{file}-{line[:40]}" for file, line, _ in TRIED])
def test_the_comparison_fails_with_a_slip(edit: tuple[str, str, str], tmp_path: Path) -> None:
    done = compare_with(comparison_of(edit), edit, tmp_path)
    if done.returncode == -signal.SIGXCPU:
        return  # the slip made a queue or a chain endless: it cannot go unseen
    assert done.returncode == 1, done.stdout[-2000:] + done.stderr[-2000:]
    assert "AssertionError" in done.stdout
