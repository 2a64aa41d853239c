"""Messages made at random from the profile, and damaged ones: what lxml, xmlschema and the official schema say."""

import random
from copy import deepcopy

from lxml import etree

#: Texts that a type may or may not take: lengths at the limits, blanks, zones, wrong digits, other writing.
#: Not among them, because tools differ there: blanks around a date (XML Schema allows them, libxml2 only where the type
#: has a pattern, so in the profile and not in the official schema) and no-break or Chinese spaces around a date or a
#: number or between elements (xmlschema takes them for blanks, libxml2 and XML Schema do not).
TEXTS = [
    *("", " ", "A", "x" * 35, "x" * 36, "字" * 35, "字" * 36, "字" * 140, "x" * 141, " padded ", "two  blanks"),
    *("line\nbreak", "tab\there", "\u00a0x", "x\u3000", "x\u3000x", "０１２", "\U00020000", "\ufffd"),
    *("2026-03-03", "2026-03-03Z", "2026-02-29", "2026-03-03+08:00", "0000-01-01", "12026-01-01", "09:00:00+08:00"),
    *("2026-03-03T09:00:00+08:00", "2026-03-03T09:00:00Z", "2026-03-03T24:00:00+08:00", "2026-03-03T09:00:00"),
    *("2026-03-03T09:00:60+08:00", "2026-03-03T09:00:00.1234+08:00"),
    *("0", "0.00", "0.01", "1.005", "1.000", "+1.00", "-1.00", "1e5", "NaN", "INF", "01.00", ".5", "5."),
    *("9999999999999999.99", "10000000000000000", "1,000.00", " 1.00 ", "1 000", "true", "TRUE", " 1 ", "2"),
    *("102100099996", "0000", "10210009999", "1021000999960", "CNY", "cny", " CNY", "USD", "HVPS", "hvps", "NORM"),
    *("LOWW", "PR12", "RJ90", "AM04", "ACSC", "DUPL", "A100", "02102", "8a562c67-ca16-48ba-b074-65581be6f001"),
    *("8A562C67-CA16-48BA-B074-65581BE6F001", "8a562c67-ca16-18ba-b074-65581be6f001"),
]
XSI = "http://www.w3.org/2001/XMLSchema-instance"


def drop(chance, spot):
    if spot.getparent() is not None:
        spot.getparent().remove(spot)


def double(chance, spot):
    if spot.getparent() is not None:
        spot.addnext(deepcopy(spot))


def swap(chance, spot):
    if spot.getnext() is not None:
        spot.addprevious(spot.getnext())


def rename(chance, spot):
    other = chance.choice([*spot.getroottree().iter(etree.Element)])
    spot.tag = chance.choice([other.tag, spot.tag + "X", spot.tag.lower()])


def leave_namespace(chance, spot):
    name = etree.QName(spot).localname
    spot.tag = chance.choice([name, f"{{urn:other}}{name}"])


def rewrite(chance, spot):
    leaves = [e for e in spot.getroottree().iter(etree.Element) if len(e) == 0] or [spot]
    chance.choice(leaves).text = chance.choice(TEXTS)


def say_between(chance, spot):
    if spot.getparent() is not None:
        spot.tail = chance.choice(["text", " ", "\n"])


def put_below(chance, spot):
    spot.append(deepcopy(chance.choice([*spot.getroottree().iter(etree.Element)])))


def remark(chance, spot):
    spot.insert(0, chance.choice([etree.Comment("c"), etree.ProcessingInstruction("p", "i")]))


def attribute(chance, spot):
    bearers = [e for e in spot.getroottree().iter(etree.Element) if e.attrib] or [spot]
    bearer = chance.choice([spot, *bearers])
    name = chance.choice(["Ccy", "ccy", "x", f"{{{XSI}}}nil", "{urn:other}Ccy"])
    if name in bearer.attrib and chance.random() < 0.5:
        del bearer.attrib[name]
    else:
        bearer.set(name, "true" if name.endswith("nil") else chance.choice(TEXTS))


REORDERED = [drop, double, swap, put_below]
DAMAGES = [*REORDERED, rename, leave_namespace, rewrite, rewrite, rewrite, say_between, remark, attribute]


def damaged(data, seed):
    """The message with one to three random damages."""
    chance, root = random.Random(data + b"%d" % seed), etree.fromstring(data)
    for _ in range(chance.choice([1, 1, 2, 3])):
        spots = list(root.iter(etree.Element))
        chance.choice(DAMAGES)(chance, chance.choice(spots))
    return etree.tostring(root)


def test_what_a_definition_allows_is_valid(message, document, judges, profile_folder):
    for seed in range(20):
        data = document(message, seed)
        assert judges.lxml(message, data), judges.why(profile_folder, message, data)
        assert judges.xmlschema(message, data)


def test_what_a_definition_allows_the_official_schema_allows(message, document, judges, official_folder):
    for seed in range(60):
        data = document(message, seed)
        assert judges.official(message, data), judges.why(official_folder, message, data)


def test_lxml_and_xmlschema_agree_on_damaged_messages(message, document, judges):
    for seed in range(60):
        broken = damaged(document(message, seed % 12), seed)
        assert judges.lxml(message, broken) == judges.xmlschema(message, broken), broken


def test_a_damaged_message_the_profile_takes_the_official_schema_takes(message, document, judges, official_folder):
    for seed in range(200):
        broken = damaged(document(message, seed % 20), seed)
        assert judges.official(message, broken) or not judges.lxml(message, broken), broken
