"""Compiled rules are cached on disk, and never outlive an edit of any source they depend on."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import cnaps_sim
from cnaps_sim.core.cache import cache_directory, source_digest

PROGRAM = """
from cnaps_sim.core import Books
from cnaps_sim.words.codes import Phase
books = Books([{"balance": 10}, {}])
books.set_phase(Phase.DAYTIME)
print(books.submit(0, 0, 0, 1, 5, 5).name)
"""


def settled_by(folder: Path) -> str:
    """What a fresh process answers, with its own cache directory below `folder`."""
    environment = {**os.environ, "PYTHONPATH": str(folder), "XDG_CACHE_HOME": str(folder / "cache")}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment, cwd=folder, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_an_edit_in_another_module_reaches_the_compiled_rules(tmp_path: Path) -> None:
    package = tmp_path / "cnaps_sim"
    shutil.copytree(Path(cnaps_sim.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    assert settled_by(tmp_path) == "SETTLED"
    funds = package / "core" / "funds.py"
    text = funds.read_text(encoding="utf-8")
    before = "return own_funds(account, level) + usable_credit"
    assert before in text
    funds.write_text(text.replace(before, "return 4 - account.floor + usable_credit"), encoding="utf-8")
    assert settled_by(tmp_path) == "QUEUED"


def test_the_digest_covers_every_source(tmp_path: Path) -> None:
    (tmp_path / "room").mkdir()
    (tmp_path / "room" / "rule.py").write_text("LIMIT = 1\n")
    first = source_digest(tmp_path)
    (tmp_path / "room" / "rule.py").write_text("LIMIT = 2\n")
    assert source_digest(tmp_path) != first


def test_at_most_three_caches_are_kept(tmp_path: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    package = tmp_path / "package"
    package.mkdir()
    for number in range(5):
        (package / "rule.py").write_text(f"LIMIT = {number}\n")
        place = cache_directory(package)
        os.utime(place, (number, number))
    assert len(list((tmp_path / "cache" / "cnaps-sim").iterdir())) == 3


def test_a_home_that_cannot_be_written_is_replaced_by_a_temporary_place(tmp_path: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(blocked))
    package = tmp_path / "package"
    package.mkdir()
    assert cache_directory(package).is_dir()
