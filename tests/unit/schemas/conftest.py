"""Messages made at random from the definitions of the profile, and schemas to judge them."""

from __future__ import annotations

import importlib.util
import random
import sys
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from re import _constants as constants  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

import pytest
import xmlschema
from lxml import etree

REPO = Path(__file__).resolve().parents[3]
PROFILE = REPO / "iso20022_xsd"
OFFICIAL = REPO.parent / "shared" / "iso20022_official"
CHECKER = REPO.parent / "shared" / "tools" / "check_profile.py"


def load_file(name: str, path: Path) -> Any:
    """A Python file that is no part of a package, as a module."""
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


generate = load_file("iso20022_profile_generate", PROFILE / "generate.py")
MESSAGES = {definition.message: definition for definition in generate.read_all()}
TYPES = generate.read_types()
BLANKS = "\u00a0\u3000"
#: Characters of free text: of every length in UTF-8, and marks that XML escapes.
LETTERS = "azAZ09-_/.,:()<>&\"'+·é中国支付系统\uffee\U00020000"
START = datetime(1000, 1, 1)


def text_of_pattern(parsed: Any, chance: random.Random) -> str:
    """A text that matches a parsed pattern; `[^…]` gives letters of free text, `*` and `+` stop after five more."""
    found = ""
    for kind, what in parsed:
        if kind is constants.LITERAL:
            found += chr(what)
        elif kind is constants.IN:
            how, of_what = chance.choice(what)
            if what[0][0] is constants.NEGATE:
                found += chance.choice(LETTERS)
            else:
                found += chr(of_what if how is constants.LITERAL else chance.randint(*of_what))
        elif kind is constants.SUBPATTERN:
            found += text_of_pattern(what[-1], chance)
        elif kind is constants.BRANCH:
            found += text_of_pattern(chance.choice(what[1]), chance)
        else:
            assert kind is constants.MAX_REPEAT, kind
            low, high, repeated = what
            turns = chance.randint(low, min(int(high), low + 5) if high is constants.MAXREPEAT else high)
            found += "".join(text_of_pattern(repeated, chance) for _ in range(turns))
    return found


def text_of_type(type_name: str, chance: random.Random) -> str:
    """A text that a shared simple type allows; often at a limit."""
    simple = TYPES.simple[type_name]
    limits = dict(simple.facets)
    if simple.pattern.startswith("="):
        return chance.choice(simple.pattern[1:].split(","))
    if simple.base == "boolean":
        return chance.choice(["true", "false", "1", "0"])
    if simple.base == "decimal":
        digits, decimals = int(limits["totalDigits"]), int(limits["fractionDigits"])
        least = round(float(limits["minInclusive"]) * 10**decimals)
        number = chance.choice([least, 10**digits - 1, chance.randrange(least, 10 ** chance.randint(2, digits))])
        text = f"{number // 10**decimals}.{number % 10**decimals:0{decimals}d}"
        return chance.choice([text, text.rstrip("0").rstrip(".")]) if decimals else str(number)
    if simple.base in ("date", "dateTime", "time"):
        moment = START + timedelta(milliseconds=chance.randrange(63_000_000_000_000))
        exact = chance.choice(["seconds", "milliseconds"])
        if simple.base == "date":
            return moment.date().isoformat()
        return (moment if simple.base == "dateTime" else moment.time()).isoformat(timespec=exact) + "+08:00"
    shortest, longest = int(limits.get("minLength", 1)), int(limits.get("maxLength", 99))
    size = chance.choice([shortest, longest, chance.randint(shortest, longest)])
    if simple.pattern == "-":
        return "".join(chance.choices(LETTERS + BLANKS + " ", k=size))
    if "minLength" not in limits or shortest == longest:
        return text_of_pattern(parser.parse(limits["pattern"]), chance)
    found = text_of_pattern(parser.parse(limits["pattern"]), chance)[:size].rstrip(" " + BLANKS)
    return found + "字" * (size - len(found))


def element_of(definition: Any, namespace: str, chance: random.Random, filled: float) -> Any:
    """An element that the definition allows, optional parts with the probability `filled`."""
    element = etree.Element(f"{{{namespace}}}{definition.name}", nsmap={None: namespace})
    type_name = definition.type
    simple = TYPES.simple.get(type_name)
    tree = TYPES.structures.get(type_name, definition)
    if simple is not None and simple.base == "amount":
        number, currency = simple.limits.split()
        element.text = text_of_type(number, chance)
        element.set("Ccy", text_of_type(currency, chance))
    elif simple is not None:
        element.text = text_of_type(type_name, chance)
    elif type_name.startswith("="):
        element.text = chance.choice(type_name[1:].split(","))
    elif tree.type == "|":
        child = chance.choice(tree.children)
        for _ in range(max(1, how_often(child, chance, filled))):
            element.append(element_of(child, namespace, chance, filled))
    else:
        for child in tree.children:
            for _ in range(how_often(child, chance, filled)):
                element.append(element_of(child, namespace, chance, filled))
    return element


def how_often(definition: Any, chance: random.Random, filled: float) -> int:
    high = definition.low + 2 if definition.high is None else min(definition.high, definition.low + 2)
    return chance.randint(definition.low, high) if chance.random() < filled else definition.low


def document_of(message: str, seed: int) -> bytes:
    """A random message that its definition allows: seed 0 the barest, seed 1 the fullest."""
    chance = random.Random(f"{message} {seed}")
    filled = {0: 0.0, 1: 1.0}.get(seed, chance.random())
    root = element_of(MESSAGES[message].root, generate.NAMESPACE + message, chance, filled)
    return bytes(etree.tostring(root, encoding="UTF-8"))


def parse(data: bytes) -> Any:
    """The root; without remarks, because xmlschema reads a value only up to the first remark inside it."""
    return etree.fromstring(data, etree.XMLParser(remove_comments=True, remove_pis=True))


class Judges:
    """Verdicts on a message's bytes: lxml and xmlschema on the profile, lxml on the official schema."""

    @staticmethod
    @cache
    def by_lxml(folder: Path, message: str) -> etree.XMLSchema:
        return etree.XMLSchema(etree.parse(folder / f"{message}.xsd"))

    @staticmethod
    @cache
    def by_xmlschema(message: str) -> xmlschema.XMLSchema:
        return xmlschema.XMLSchema(str(PROFILE / f"{message}.xsd"))

    def lxml(self, message: str, data: bytes) -> bool:
        return bool(self.by_lxml(PROFILE, message).validate(parse(data)))

    def xmlschema(self, message: str, data: bytes) -> bool:
        return bool(self.by_xmlschema(message).is_valid(parse(data)))

    def official(self, message: str, data: bytes) -> bool:
        return bool(self.by_lxml(OFFICIAL, message).validate(parse(data)))

    def why(self, folder: Path, message: str, data: bytes) -> str:
        schema = self.by_lxml(folder, message)
        schema.validate(parse(data))
        return str(schema.error_log)


@pytest.fixture(scope="session")
def judges() -> Judges:
    return Judges()


@pytest.fixture(scope="session")
def document() -> Any:
    """Function from a message id and a seed to the bytes of a random document."""
    return document_of


@pytest.fixture(scope="session")
def profile_generator() -> Any:
    """The module `iso20022_xsd/generate.py`."""
    return generate


@pytest.fixture(scope="session")
def profile_folder() -> Path:
    return PROFILE


@pytest.fixture(scope="session")
def official_folder() -> Path:
    if not OFFICIAL.is_dir():
        pytest.skip("the official schemas are not on this machine (../shared)")
    return OFFICIAL


@pytest.fixture(scope="session")
def check_profile() -> Any:
    """The checker that compares a profile schema with the official one."""
    if not CHECKER.is_file():
        pytest.skip("the schema checker is not on this machine (../shared)")
    return load_file("check_profile", CHECKER)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that asks for `message` runs once for every message of the profile."""
    if "message" in metafunc.fixturenames:
        metafunc.parametrize("message", list(MESSAGES))
