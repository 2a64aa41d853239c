"""What the message log says: counts by form, way and fate, and the part of a report that shows them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from cnaps_sim.analysis import metrics, plots
from cnaps_sim.analysis.report.messages import FEWEST_DRAWN, MOST_REASONS, message_section
from cnaps_sim.analysis.report.page import render
from cnaps_sim.run.message_log import MessageLog, Record
from cnaps_sim.words.errors import InputError

HOUR = 3_600_000


def passage(**given: Any) -> Record:
    usual = {
        "sent_ms": 10 * HOUR, "received_ms": 10 * HOUR + 40, "sender": "102100099996", "receiver": "0000",
        "number": "hvps.111.001.01", "iso": "pacs.008.001.08", "business_id": "1", "reference": "P1", "payment": 0,
        "verdict": "accepted", "data": b"x" * 1_000,
    }  # fmt: skip
    return Record(**{**usual, **given})


STATUS = {"sender": "0000", "receiver": "102100099996", "number": "ccms.900.001.01", "iso": "pacs.002.001.10"}
PASSAGES = [
    passage(),
    passage(sent_ms=-HOUR, received_ms=None, verdict="lost"),
    passage(sent_ms=11 * HOUR - 1, verdict="resent, answered from memory"),
    passage(verdict="business: Document/FICdtTrf: the amount is 0 (AM01)"),
    passage(**STATUS, data=b"x" * 500),
    passage(**STATUS, data=b"x" * 501, verdict="resent, read before"),
    passage(**STATUS, received_ms=None, verdict="under way when the run ended"),
]


def logged(folder: Path, passages: list[Record]) -> Path:
    log = MessageLog(folder)
    for each in passages:
        log.add(each)
    log.close()
    return folder


@pytest.fixture
def day(toy_day: Any, tmp_path: Path) -> Any:
    toy_day.messages_folder = logged(tmp_path, PASSAGES)
    toy_day.manifest["messages"] = {"payments": 3, "given_up": 1}
    return toy_day


def values(frame: pd.DataFrame) -> dict[str, int]:
    return dict(zip(frame["measure"], frame["value"], strict=True))


def section(run: Any) -> str:
    html = render(run)
    part = html[html.index('<section id="messages">') :]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", part[: part.index("</section>")]))


def test_a_passage_is_counted_once_by_what_became_of_it(day: Any) -> None:
    found = values(metrics.messages(day))
    assert found.pop("bytes") == 4 * 1_000 + 500 + 501 + 1_000
    assert found.pop("passages") == sum(found.values()) == 7
    assert found == {"accepted": 2, "came_twice": 2, "lost": 1, "under_way": 1, "refused": 1}
    ways = metrics.messages(day, by=["iso", "way"], where={"outcome": ["lost", "refused", "came twice"]})
    ways = ways[ways["measure"] == "passages"].set_index(["iso", "way"])["value"]
    assert ways.to_dict() == {("pacs.008.001.08", "to the centre"): 3, ("pacs.002.001.10", "from the centre"): 1}
    hours = metrics.messages(day, by="hour_ms")
    assert hours["hour_ms"].unique().tolist() == [-HOUR, 10 * HOUR]


def test_the_report_tells_what_travelled_and_why_something_was_refused(day: Any) -> None:
    words = section(day)
    for told in (
        "payments that travelled as messages 3",
        "passages logged 7",
        "bytes that travelled 6.0 kB",
        "given up by their sender 1",
        "pacs.002.001.10 from the centre ccms.900 payment status 3 667 0 1 0",
        "pacs.008.001.08 to the centre hvps.111 customer transfer 4 1,000 1 1 1",
        "business: Document/FICdtTrf: the amount is 0 (AM01): 1",
    ):
        assert told in words
    assert "more refusal" not in words
    assert "<figure" not in words


def test_every_system_is_told_with_all_that_became_of_its_payments(day: Any) -> None:
    def figures(**counts: int) -> dict[str, Any]:
        names = ("settled", "rejected", "returned", "cancelled", "queued")
        told = {"submitted": sum(counts.values()), **dict.fromkeys(names, 0), **counts}
        return {name: {"count": count, "value_fen": 100 * count} for name, count in told.items()}

    beps = [passage(number="beps.121.001.01"), passage(number="beps.121.001.01", sender="0000", receiver="1")]
    more = day.messages_folder / "more"
    more.mkdir()
    day.messages_folder = logged(more, [*PASSAGES, *beps])
    day.manifest["summary"] = {"systems": {"HVPS": figures(settled=58, returned=42), "BEPS": figures(settled=3)}}
    kinds = {"BCRD": {"settled": {"packages": 1, "count": 3, "value_fen": 300}}}
    day.manifest["outcomes"] = {"BEPS": {"kinds": kinds}}
    section = message_section(day)
    assert section is not None
    hvps, beps_row, ccms = section["systems"]
    assert (hvps["ends"], hvps["up"], hvps["down"]) == ("58 settled, 42 returned", "4", "0")
    assert hvps["units"].startswith("100 payments, one message each")
    assert beps_row["units"].startswith("1 package with 3 items")
    assert (beps_row["ends"], beps_row["up"], beps_row["down"]) == ("3 settled", "1", "1")
    assert (ccms["system"], ccms["ends"], ccms["down"]) == ("CCMS", "", "3")


def test_many_messages_are_drawn_by_the_hour_and_many_reasons_counted(toy_day: Any, tmp_path: Path) -> None:
    reasons = [passage(verdict=f"schema: Document/A{n:02d}: is wrong (FF01)") for n in range(MOST_REASONS + 2)]
    toy_day.messages_folder = logged(tmp_path, reasons + [passage()] * FEWEST_DRAWN)
    assert "2 more refusals for other reasons." in section(toy_day)
    assert 'aria-label="messages"' in render(toy_day)
    forms = {patch.get_height() for patch in plots.messages(toy_day).patches}
    assert max(forms) == len(reasons) + FEWEST_DRAWN


def test_a_run_without_messages_has_no_such_part(toy_day: Any, tmp_path: Path) -> None:
    assert 'id="messages"' not in render(toy_day)
    assert values(metrics.messages(toy_day))["passages"] == 0
    toy_day.messages_folder = tmp_path
    assert 'id="messages"' not in render(toy_day)


def test_a_damaged_log_is_told_with_its_file(toy_day: Any, tmp_path: Path) -> None:
    (tmp_path / "part-00000.parquet").write_bytes(b"not Parquet")
    toy_day.messages_folder = tmp_path
    with pytest.raises(InputError, match=r"part-00000\.parquet: cannot be read"):
        metrics.messages(toy_day)


@pytest.mark.parametrize(("messages", "told"), [("off", False), ("all", True)])
def test_the_network_is_among_the_settings_where_messages_travel(toy_day: Any, messages: str, told: bool) -> None:
    toy_day.scenario |= {"messages": messages, "network": {"latency": "40 ms"}}
    assert ("network.latency" in render(toy_day)) == told
