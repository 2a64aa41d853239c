"""One fault per file, and the exact sentence a user gets for it (`expected.txt`: file | sentence)."""

from __future__ import annotations

from pathlib import Path

import pytest

import cnaps_sim as cs
from cnaps_sim.words.errors import InputError

FOLDER = Path(__file__).parent
EXPECTED = dict(line.split(" | ", 1) for line in (FOLDER / "expected.txt").read_text(encoding="utf-8").splitlines())


def test_every_file_has_its_sentence() -> None:
    assert sorted(EXPECTED) == sorted(path.name for path in FOLDER.glob("*.yaml"))
    assert len(EXPECTED) >= 60


@pytest.mark.parametrize("file", EXPECTED)
def test_a_fault_is_told_in_one_exact_sentence(file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(FOLDER)
    with pytest.raises(InputError) as caught:
        cs.simulate(file)
    assert str(caught.value) == EXPECTED[file]
    assert "\n" not in str(caught.value)
    assert set(caught.value.as_dict()) == {"place", "key", "problem", "value", "allowed"}
