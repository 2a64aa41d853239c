"""The schemas of `iso20022_xsd`: written by their generator, complete, alone, inside the official ones."""

import re

import pytest
import xmlschema
from lxml import etree

XS = "{http://www.w3.org/2001/XMLSchema}"
BASELINE = re.findall(
    r"\S+",
    """
head.001.001.02 pacs.002.001.10 pacs.003.001.08 pacs.004.001.09 pacs.008.001.08 pacs.009.001.08 pacs.010.001.03
pacs.028.001.03 pacs.029.001.01 camt.003.001.07 camt.004.001.08 camt.005.001.08 camt.006.001.08 camt.007.001.08
camt.008.001.08 camt.009.001.07 camt.010.001.08 camt.011.001.07 camt.012.001.07 camt.018.001.05 camt.019.001.07
camt.025.001.05 camt.029.001.09 camt.050.001.05 camt.051.001.05 camt.052.001.08 camt.053.001.08 camt.054.001.08
camt.056.001.08 camt.060.001.05 camt.088.001.01 camt.103.001.01 admi.002.001.01 admi.004.001.02 admi.007.001.01
admi.011.001.01
""",
)


def test_every_message_of_the_baseline_has_a_schema(profile_folder):
    assert {path.stem for path in profile_folder.glob("*.xsd")} == set(BASELINE)


def test_the_files_are_what_the_generator_writes(profile_generator, profile_folder, tmp_path):
    profile_generator.main(str(tmp_path))
    written = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    kept = {path.name: path.read_bytes() for path in profile_folder.iterdir() if path.suffix in (".xsd", ".md")}
    assert written.keys() == kept.keys()
    assert [name for name in kept if written[name] != kept[name]] == []


def test_a_schema_loads_in_lxml_and_xmlschema(message, profile_folder):
    path = profile_folder / f"{message}.xsd"
    root = etree.XMLSchema(etree.parse(path))
    assert root is not None
    assert xmlschema.XMLSchema(str(path)).target_namespace.endswith(message)


def test_a_schema_stands_alone_and_names_all_its_types(message, profile_folder):
    root = etree.parse(profile_folder / f"{message}.xsd").getroot()
    for tag in ("include", "import", "any", "anyAttribute", "redefine", "override", "group"):
        assert root.find(f".//{XS}{tag}") is None
    names = [child.get("name") for child in root]
    declared = {child.get("name") for child in root if child.tag != XS + "element"}
    assert len(names) == len(declared) + 1
    for element in root.iter(XS + "element", XS + "attribute"):
        assert element.get("type") in declared
    assert [e for e in root.iter(XS + "complexType", XS + "simpleType") if e.getparent() is not root] == []


def test_every_element_says_its_chinese_meaning(message, profile_folder):
    root = etree.parse(profile_folder / f"{message}.xsd").getroot()
    for element in root.iter(XS + "element"):
        assert re.search("[\u4e00-\u9fff]|UETR", element.findtext(f"{XS}annotation/{XS}documentation"))


def test_a_schema_is_inside_the_official_one(message, profile_folder, official_folder, check_profile, capsys):
    name = f"{message}.xsd"
    verdict = check_profile.main(str(profile_folder / name), str(official_folder / name))
    assert verdict == 0, capsys.readouterr().out


def test_the_index_tells_of_every_message(profile_folder):
    index = (profile_folder / "README.md").read_text(encoding="utf-8")
    for message in BASELINE:
        assert f"[{message}]({message}.xsd)" in index
        assert f"\n## {message} " in index


def test_the_index_and_the_catalogue_give_the_same_numbers(message, profile_generator, profile_folder):
    catalogue = pytest.importorskip("cnaps_sim.messages.catalogue")
    definition = profile_generator.read_definition(profile_folder / "profile" / f"{message}.txt")
    told = set(re.findall(r"[a-z]{4}\.[0-9]{3}", definition.head["numbers"]))
    kinds = [kind for kind in catalogue.CATALOGUE if kind.iso == message]
    assert told == {kind.number[:8] for kind in kinds if kind.number != message}


def test_the_generator_needs_no_package_of_this_program(profile_folder):
    text = (profile_folder / "generate.py").read_text(encoding="utf-8")
    imported = set(re.findall(r"^(?:from|import) (\w+)", text, re.MULTILINE))
    assert imported <= {"__future__", "collections", "dataclasses", "pathlib", "re", "sys", "xml"}


HEAD = "message: pacs.099.001.01\nchinese: 试\nenglish: t\nnumbers: –\nway: B→C\nsender: s\nwhen: w\nasks: a\n\n"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (HEAD + "Document  1  {}  报文\n  MsgId  1  Reference\n", r"\.txt:11: element, occurrence, type and mean"),
        (HEAD + "Document  1  {}  报文\n", r"\.txt:10: Document must have elements below it"),
        (HEAD + "Document  1  Reference  报文\n  MsgId  1  Reference  号\n", "Document must have elements below it"),
        (HEAD.replace("way: B→C\n", "") + "Document  1  Reference  报文\n", r"head is wrong about \['way'\]"),
        (HEAD.replace("099", "098") + "Document  1  Reference  报文\n", "is about pacs.098.001.01"),
    ],
)
def test_a_broken_definition_is_refused_with_its_place(profile_generator, tmp_path, text, complaint):
    path = tmp_path / "pacs.099.001.01.txt"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(profile_generator.DefinitionError, match=complaint):
        profile_generator.read_definition(path)


def test_an_unknown_type_is_refused_with_the_element(profile_generator, tmp_path):
    path = tmp_path / "pacs.099.001.01.txt"
    path.write_text(HEAD + "Document  1  {}  报文\n  MsgId  1  Referenze  号\n", encoding="utf-8")
    definition = profile_generator.read_definition(path)
    with pytest.raises(profile_generator.DefinitionError, match="Document/MsgId: no type Referenze"):
        profile_generator.write_schema(definition, profile_generator.read_types())
