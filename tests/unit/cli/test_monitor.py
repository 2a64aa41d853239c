"""`run --monitor`: the picture on a pseudo terminal, lines elsewhere, and results that know nothing of it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cnaps_sim.cli.main import execute
from cnaps_sim.cli.widths import cut, width

pty = pytest.importorskip("pty")

SCENARIO = """
name: watched
accounts:
  - {account: A, name: 东方银行, balance: 100, credit_line: 50, warning_line: 50}
  - {account: B, balance: 10, credit_line: 100}
workload:
  - system: HVPS
    payments:
      - {payment_id: p1, time: "09:10", debtor: A, creditor: B, amount: 60}
      - {payment_id: p2, time: "09:40", debtor: A, creditor: B, amount: 70}
      - {payment_id: p3, time: "11:00", debtor: B, creditor: A, amount: 65}
  - system: IBPS
    payments:
      - {payment_id: i1, time: "09:20", debtor: A, creditor: B, amount: 45}
ibps: {refused_share: "0", unanswered_share: "0"}
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "watched.yaml").write_text(SCENARIO, encoding="utf-8")
    return tmp_path


def tables(folder: Path) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    return {key: manifest[key] for key in ("tables", "items", "summary", "audit")}


def test_without_a_terminal_each_half_hour_is_one_line(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["run", "watched.yaml", "--monitor", "--json", "--out", "seen"]) == 0
    captured = capsys.readouterr()
    json.loads(captured.out)
    lines = captured.err.splitlines()
    times = [re.match(r"(\S+ \d\d:\d\d):\d\d ", line) for line in lines]
    assert all(times)
    assert (
        "2025-06-17 09:30:00 daytime; HVPS 1 of 3 payments; queued 0; tightest cap A headroom CNY 5 of 50 (10 %); "
        "warnings 1 raised, 0 cleared"
    ) in lines
    at_ten = next(line for line in lines if line.startswith("2025-06-17 10:00:00 "))
    assert "queued 2, CNY 115; longest A 2, CNY 115; " in at_ten  # the round net of 45 behind 70
    assert "HVPS 3 of 3 payments; queued 0; " in lines[-1]
    assert 40 < len(lines) < 60
    assert len(set(lines)) == len(lines)


def test_a_run_that_is_watched_has_the_same_results(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for scenario in ("watched.yaml", "message-day", "gridlock-ring"):
        assert execute(["run", scenario, "--out", f"{scenario}-plain"]) == 0
        assert execute(["run", scenario, "--monitor", "--out", f"{scenario}-seen"]) == 0
        assert tables(here / f"{scenario}-plain") == tables(here / f"{scenario}-seen")


def on_a_terminal(here: Path, *arguments: str) -> tuple[str, str]:
    """What a command writes to a pseudo terminal as stderr, and to stdout."""
    ours, theirs = pty.openpty()
    import fcntl
    import struct
    import termios

    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 80, 0, 0))
    command = [sys.executable, "-m", "cnaps_sim", *arguments]
    process = subprocess.Popen(command, cwd=here, stderr=theirs, stdout=subprocess.PIPE, text=True)
    os.close(theirs)
    written = b""
    while True:
        try:
            piece = os.read(ours, 65536)
        except OSError:  # the other end is closed
            break
        if not piece:
            break
        written += piece
    out = process.communicate(timeout=120)[0]
    os.close(ours)
    assert process.returncode == 0
    return written.decode(), out


def test_on_a_terminal_one_picture_replaces_the_other(here: Path) -> None:
    written, out = on_a_terminal(here, "run", "watched.yaml", "--monitor", "--out", "seen")
    assert out.splitlines()[-1] == "seen"
    first, *later = re.split(r"\x1b\[\d+A", written)
    assert later, "drawn once only"
    heights = [int(up) for up in re.findall(r"\x1b\[(\d+)A", written)]
    pictures = [re.sub(r"\x1b\[[0-9]*[A-Za-z]", "", text).replace("\r", "").splitlines() for text in (first, *later)]
    assert [len(picture) for picture in pictures[:-1]] == heights
    assert all(width(line) < 80 for picture in pictures for line in picture)
    last = pictures[-1]
    assert last[0].startswith("2025-06-17 ")
    assert "HVPS 3 of 3 payments" in last[0]
    assert any(line.startswith("warnings (预警)  ") for line in last)
    assert any("phase  HVPS" in line for line in last)


def test_a_monitor_and_quiet_exclude_each_other(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["run", "watched.yaml", "--monitor", "--quiet"]) == 2
    assert capsys.readouterr().err == "--monitor: stands beside --quiet; allowed: one of the two\n"
    assert sorted(path.name for path in here.iterdir()) == ["watched.yaml"]


@pytest.mark.parametrize(
    ("text", "columns", "kept"),
    [("东方 bank", 4, "东方"), ("东方", 3, "东"), ("a\x1b[2Jb", 9, "a[2Jb"), ("abc", 0, "")],
)
def test_text_is_cut_to_the_columns_it_takes(text: str, columns: int, kept: str) -> None:
    assert cut(text, columns) == kept
