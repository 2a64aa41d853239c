"""`messages list`, `messages build`, `validate`: what they print, and their exit codes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from cnaps_sim.cli.main import execute
from cnaps_sim.messages.catalogue import CATALOGUE
from cnaps_sim.messages.schemas import profile

Capture = pytest.CaptureFixture[str]
PAIRS = sorted({f"{kind.number}/{kind.iso}" for kind in CATALOGUE if kind.is_iso})


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def files(here: Path) -> Path:
    """good.xml and bad.xml, a valid message and one with a wrong priority."""
    assert execute(["messages", "build", "hvps.111", "--out", "good.xml"]) == 0
    good = (here / "good.xml").read_bytes()
    (here / "bad.xml").write_bytes(good.replace(b"<SttlmPrty>NORM", b"<SttlmPrty>LOWW"))
    return here


def test_the_catalogue_is_listed_for_people_and_for_programs(capsys: Capture) -> None:
    assert execute(["messages", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["number", "iso", "system", "way", "title", "chinese"]
    assert lines[1].startswith("hvps.111.001.01  pacs.008.001.08")
    assert len(lines) == len(CATALOGUE) + 1
    assert execute(["messages", "list", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["messages"]
    assert told[0] == {
        "number": "hvps.111.001.01",
        "iso": "pacs.008.001.08",
        "system": "HVPS",
        "way": "B→C→B",
        "title": "customer transfer",
        "chinese": "客户发起汇兑业务报文",
    }


def test_every_iso_message_of_the_catalogue_is_built_and_valid(here: Path, capsys: Capture) -> None:
    for number, pair in enumerate(PAIRS):
        assert execute(["messages", "build", pair, "--out", f"{number}.xml"]) == 0, pair
    capsys.readouterr()
    assert execute(["validate", "--json", *[f"{number}.xml" for number in range(len(PAIRS))]]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["valid"], told["invalid"]) == (len(PAIRS), 0)
    assert [f"{row['number']}/{row['iso']}" for row in told["files"]] == PAIRS


def test_a_sample_without_out_is_written_to_standard_output(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert execute(["messages", "build", "PACS.008"]) == 0
    assert capfdbinary.readouterr().out.startswith(b"{H:02")


def test_a_sample_as_json_holds_its_text(capsys: Capture) -> None:
    assert execute(["messages", "build", "ccms.307/camt.008", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["number"], told["iso"], told["out"]) == ("ccms.307.001.01", "camt.008.001.08", None)
    assert len(told["text"].encode()) == told["bytes"]


@pytest.mark.parametrize(
    ("ident", "error"),
    [
        ("hvps.11", "ID: no such message (hvps.11); allowed: hvps.111, hvps.112\n"),
        ("HVPS.11", "ID: no such message (HVPS.11); allowed: hvps.111, hvps.112\n"),
        ("hvps.111/pacs.009", "ID: no such message (hvps.111/pacs.009); allowed: hvps.111/pacs.008.001.08\n"),
        ("pacs.008.001.09", "ID: no such message (pacs.008.001.09); allowed: pacs.008.001.08, "),
        ("ccms.805", "ID: is not ISO 20022 and has no schema here (ccms.805)"),
    ],
)
def test_a_message_that_is_not_there_is_told_with_the_nearest(ident: str, error: str, capsys: Capture) -> None:
    assert execute(["messages", "build", ident]) == 2
    assert capsys.readouterr().err.startswith(error)


def test_an_unknown_subcommand_names_the_known_ones(capsys: Capture) -> None:
    assert execute(["messages", "lst"]) == 2
    assert capsys.readouterr().err == "command: no such command (lst); allowed: list, build\n"


def test_valid_and_invalid_files_are_told_line_by_line(files: Path, capsys: Capture) -> None:
    capsys.readouterr()
    assert execute(["validate", "good.xml"]) == 0
    assert capsys.readouterr().out == "good.xml: valid (hvps.111.001.01, pacs.008.001.08, envelope)\n"
    assert execute(["validate", "good.xml", "bad.xml"]) == 1
    assert capsys.readouterr().out.splitlines()[1] == (
        "bad.xml: schema: Document/FIToFICstmrCdtTrf/CdtTrfTxInf/SttlmPrty: "
        "'LOWW' is not one of URGT, HIGH, NORM (FF01)"
    )


def test_verdicts_as_json(files: Path, capsys: Capture) -> None:
    capsys.readouterr()
    assert execute(["validate", "bad.xml", "good.xml", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["valid"], told["invalid"]) == (1, 1)
    assert told["files"][0] == {
        "file": "bad.xml",
        "valid": False,
        "form": "",
        "iso": "",
        "number": "",
        "fault": {
            "layer": "schema",
            "path": "Document/FIToFICstmrCdtTrf/CdtTrfTxInf/SttlmPrty",
            "reason": "'LOWW' is not one of URGT, HIGH, NORM",
            "code": "FF01",
        },
    }


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["validate"], "FILE...: is missing"),
        (["validate", "nowhere.xml"], "nowhere.xml: no such file"),
        (["validate", "."], ".: is not a plain file"),
        (["validate", "good.xml", "--schemas", "nowhere"], "--schemas: no such folder (nowhere)"),
        (["validate", "good.xml", "--schema", "x"], "--schema: no such option; allowed: --schemas, --json"),
        (["messages", "build"], "ID: is missing"),
    ],
)
def test_mistakes_on_the_command_line_are_one_line_and_exit_2(
    arguments: list[str], error: str, files: Path, capsys: Capture
) -> None:
    capsys.readouterr()
    assert execute(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(error)
    assert len(captured.err.splitlines()) == 1
    assert execute([*arguments, "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["error"]["place"] == error.split(":")[0]


def test_an_own_folder_of_schemas_takes_the_place_of_the_programs(files: Path, capsys: Capture) -> None:
    own = files / "own"
    own.mkdir()
    for name in ("head.001.001.02.xsd", "pacs.008.001.08.xsd"):
        text = (profile().folder / name).read_text(encoding="utf-8")
        (own / name).write_text(text.replace('value="NORM"', 'value="LOWW"'), encoding="utf-8")
    capsys.readouterr()
    assert execute(["validate", "good.xml", "bad.xml", "--schemas", "own"]) == 1
    good, bad = capsys.readouterr().out.splitlines()
    assert "'NORM' is not one of URGT, HIGH, LOWW" in good
    assert bad.startswith("bad.xml: valid")


def test_a_folder_that_lacks_a_schema_leaves_only_the_messages_of_that_schema_without_a_verdict(
    files: Path, capsys: Capture
) -> None:
    own = files / "own"
    own.mkdir()
    for name in ("head.001.001.02.xsd", "pacs.008.001.08.xsd"):
        (own / name).write_bytes((profile().folder / name).read_bytes())
    (own / "camt.053.001.08.xsd").write_text("of no message that is judged")
    assert execute(["messages", "build", "pacs.009", "--out", "bank.xml"]) == 0
    capsys.readouterr()
    assert execute(["validate", "good.xml", "--schemas", "own"]) == 0
    capsys.readouterr()
    assert execute(["validate", "bank.xml", "bad.xml", "good.xml", "--schemas", "own"]) == 2
    told = capsys.readouterr()
    lines = told.out.splitlines()
    assert lines[0] == "bank.xml: not judged: own/pacs.009.001.08.xsd: no such file"
    assert [line.split(": ")[1][:6] for line in lines[1:]] == ["schema", "valid "]
    assert told.err == "own/pacs.009.001.08.xsd: no such file; allowed: the XML schema of pacs.009.001.08\n"
    assert execute(["validate", "bank.xml", "bad.xml", "good.xml", "--schemas", "own", "--json"]) == 2
    as_json = json.loads(capsys.readouterr().out)
    assert (as_json["valid"], as_json["invalid"], as_json["not_judged"]) == (1, 1, 1)
    assert as_json["error"]["place"] == "own/pacs.009.001.08.xsd"
    assert [row["valid"] for row in as_json["files"]] == [None, False, True]
    assert as_json["files"][0]["error"] == as_json["error"]


def test_the_commands_import_nothing_heavy_before_they_run() -> None:
    code = "import sys, cnaps_sim.cli.main; print({'lxml', 'xmlschema', 'cryptography', 'numpy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
