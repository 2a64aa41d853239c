"""Interrupts: a command that is asked to end takes its temporary files with it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

#: Runs a command whose work is to write a message log and be signalled.
_COMMAND = """
import importlib, os, signal, sys
main = importlib.import_module("cnaps_sim.cli.main")
from cnaps_sim.run.message_log import LogOfRun
if sys.argv[2] == "ignored":
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
@main.commands.command()
def stricken():
    log = LogOfRun()
    assert log.folder.is_dir()
    os.kill(os.getpid(), int(sys.argv[1]))
main.main(["stricken"])
"""


def struck(place: Path, number: int, more: str = "") -> int:
    environment = {**os.environ, "TMPDIR": str(place)}
    command = [sys.executable, "-c", _COMMAND, str(number), more]
    return subprocess.run(command, env=environment, capture_output=True, timeout=120, check=False).returncode


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="this system has no SIGHUP")
def test_a_kill_or_a_closed_terminal_leaves_no_message_log_behind(tmp_path: Path) -> None:
    for name in ("SIGTERM", "SIGHUP", "SIGINT"):
        assert struck(tmp_path, signal.Signals[name]) == 130
        assert list(tmp_path.glob("cnaps-sim-messages-*")) == []


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="this system has no SIGHUP")
def test_under_nohup_a_closed_terminal_stops_nothing(tmp_path: Path) -> None:
    assert struck(tmp_path, signal.Signals["SIGHUP"], "ignored") == 0
