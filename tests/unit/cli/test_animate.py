"""`animate` from the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from cnaps_sim.cli.main import execute


def test_a_run_becomes_a_page_and_any_other_kind_of_file_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert execute(["run", "gridlock-ring", "--out", "ring", "--quiet"]) == 0
    assert execute(["animate", "ring", "--to", "ring.html"]) == 0
    assert capsys.readouterr().out.endswith("ring.html\n")
    assert "EAST" in (tmp_path / "ring.html").read_text(encoding="utf-8")
    assert execute(["animate", "ring", "--to", "ring.avi"]) == 2
    assert capsys.readouterr().err == "--to: is neither a page nor a GIF (ring.avi); allowed: .html or .gif\n"
