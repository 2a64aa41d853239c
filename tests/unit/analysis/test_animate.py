"""Replay of small runs: what each frame says and holds, and the files that show them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import cnaps_sim as cs
from cnaps_sim.analysis import drawing
from cnaps_sim.analysis.animate_layout import name_lines
from cnaps_sim.analysis.replay import replay


@pytest.fixture(scope="module")
def ring() -> Any:
    return cs.simulate("gridlock-ring")


def test_the_ring_waits_and_goes_round_once_the_last_yuan_is_there(ring: Any) -> None:
    told = replay(ring)
    kinds = [frame.kind for frame in told.frames]
    assert kinds == ["open", *["wait"] * 4, "move", "move", *["release"] * 4, "end"]
    released = [frame for frame in told.frames if frame.kind == "release"]
    assert [frame.balances.index(10_000) for frame in released] == [1, 2, 3, 0]
    assert [len(frame.waiting) for frame in told.frames] == [0, 1, 2, 3, 4, 4, 4, 3, 2, 1, 0, 0]
    assert "released by new money" in released[0].english
    assert told.has_central_bank


def test_a_matching_looks_first_and_settles_in_one_frame() -> None:
    run = cs.simulate("gridlock-lab")
    told = replay(run)
    look, match = (next(frame for frame in told.frames if frame.kind == kind) for kind in ("look", "match"))
    assert told.frames.index(match) == told.frames.index(look) + 1
    assert look.marked == set(run.payments.loc[run.payments.status == "PR04", "payment_id"])
    assert len(look.waiting) == 20
    assert len(match.waiting) == 20 - len(look.marked)
    at_close = [frame.kind for frame in told.frames[-8:]]
    assert at_close == ["look", *["leave"] * 6, "end"]


def test_every_frame_adds_up_and_the_last_has_the_closing_balances() -> None:
    run = cs.simulate("quickstart")
    told = replay(run)
    assert {sum(frame.balances) for frame in told.frames} == {93_000}
    closing = run.accounts.set_index("account")["closing_fen"]
    assert told.frames[-1].balances == tuple(closing[list(told.accounts)])
    assert told.frames[-1].settled == (run.payments.status == "PR04").sum()
    order = [frame.english.split(":")[0].split()[0] for frame in told.frames if frame.time_ms == 36_000_000]
    assert order == ["P07", "P03", "P04", "P06"]
    cancelled, after = (next(i for i, frame in enumerate(told.frames) if word in frame.english)
                        for word in ("is cancelled", "released by cancel"))  # fmt: skip
    assert after == cancelled + 1


def test_the_page_needs_nothing_else_and_says_no_name_as_code(ring: Any, tmp_path: Path) -> None:
    page = cs.animate(ring, tmp_path / "ring.html").read_text(encoding="utf-8")
    assert not re.search(r"(?:src|href)=|@import|fetch\(", page)
    data = json.loads(re.search(r"const data = (.*);\n", page)[1])  # type: ignore[index]
    assert len(data["frames"]) == len(replay(ring).frames)
    evil = cs.simulate(
        {
            "name": "evil",
            "accounts": [{"account": "A", "balance": 1, "name": "</script><i>"}, {"account": "B", "balance": 1}],
            "workload": [{"system": "HVPS", "payments": [
                {"payment_id": "P", "time": "09:00", "debtor": "A", "creditor": "B", "amount": 1}
            ]}],
        }
    )  # fmt: skip
    shown = cs.animate(evil, tmp_path / "evil.html").read_text(encoding="utf-8")
    assert shown.count("</script>") == 1


def test_a_long_name_in_two_languages_stands_in_two_lines_and_none_is_dropped() -> None:
    with drawing.text_kept():
        assert name_lines("北京银行 / Bank of Beijing", "BOB") == ["北京银行", "Bank of Beijing"]
        assert name_lines("招商银行 / CMB", "CMB") == ["招商银行"]
        assert name_lines("The Savings Bank of Somewhere", "S") == ["The Savings Bank of…"]
        assert name_lines("某某农村商业银行股份有限公司", "R") == ["某某农村商业银行股…"]


def test_a_gif_has_a_picture_for_every_frame(ring: Any, tmp_path: Path) -> None:
    place = cs.animate(ring, tmp_path / "ring.gif")
    with Image.open(place) as picture:
        assert getattr(picture, "n_frames", 1) == len(replay(ring).frames)


def test_too_much_for_a_screen_is_an_error_of_one_line(hand_made: Any, ring: Any, tmp_path: Path) -> None:
    many = hand_made.make_run([], [hand_made.account(f"A{n}", 1, 1) for n in range(31)])
    with pytest.raises(cs.InputError, match=r"accounts: are too many to animate \(31\)"):
        replay(many)
    long = hand_made.make_run([hand_made.payment(n, "A", "B", 1, 36_000_000) for n in range(501)])
    with pytest.raises(cs.InputError, match=r"events: are too many to animate \(501\)"):
        replay(long)
    with pytest.raises(cs.InputError, match=r"allowed: \.html or \.gif"):
        cs.animate(ring, tmp_path / "ring.mp4")
