"""The catalogue: numbers and forms, what belongs together, which way it goes."""

from __future__ import annotations

from cnaps_sim.messages.catalogue import APP_HEADER, CATALOGUE, ISO_IDS, Way, find, kind_of, of_iso
from cnaps_sim.messages.schemas import profile


def test_every_iso_message_of_the_catalogue_has_a_schema_and_every_schema_is_in_it() -> None:
    files = {file.stem for file in profile().folder.glob("*.xsd")}
    assert files == {*ISO_IDS, APP_HEADER}


def test_the_index_of_the_schemas_gives_the_same_numbers() -> None:
    index = profile().folder.joinpath("README.md").read_text(encoding="utf-8")
    rows = [line.split("|") for line in index.splitlines() if line.startswith("| [")]
    listed = {
        (number.strip(), row[1].split("]")[0].strip(" ["))
        for row in rows
        for number in row[3].split(",")
        if number.strip()[:4] in ("hvps", "beps", "ibps", "saps", "nets", "ccms")
    }
    known = {(kind.number.removesuffix(".001.01"), kind.iso) for kind in CATALOGUE if kind.is_iso}
    assert {pair for pair in known if pair[0] != pair[1] and not pair[0].startswith(("camt", "admi"))} == listed


def test_number_and_form_together_are_unique() -> None:
    assert len({(kind.number, kind.iso) for kind in CATALOGUE}) == len(CATALOGUE)


def test_a_number_and_an_iso_id_are_found_long_and_short() -> None:
    assert find("hvps.111") == find("hvps.111.001.01")
    assert [kind.iso for kind in find("ccms.307")] == ["camt.056.001.08", "camt.008.001.08"]
    assert of_iso("pacs.009") == of_iso("pacs.009.001.08")
    assert find("hvps.999") == ()
    assert of_iso("pacs.008.001.07") == ()


def test_a_pair_that_does_not_belong_together_is_no_kind() -> None:
    assert kind_of("hvps.111.001.01", "pacs.009.001.08") is None


def test_own_messages_are_not_iso() -> None:
    (log_in,) = find("ccms.805")
    assert not log_in.is_iso
    assert log_in.namespace == "urn:cnaps-sim:ccms.805.001.01"


def test_a_message_where_cnaps_has_no_number_goes_by_its_iso_id() -> None:
    assert [kind.number for kind in of_iso("camt.025")] == ["camt.025.001.05"]


def test_every_chinese_title_is_its_own() -> None:
    titles = [kind.chinese for kind in CATALOGUE]
    assert len(set(titles)) == len(titles)


def test_ways_allow_their_directions() -> None:
    assert Way.FORWARDED.allows("U")
    assert Way.FORWARDED.allows("D")
    assert not Way.TO_CENTRE.allows("D")
    assert not Way.TO_BANK.allows("U")
