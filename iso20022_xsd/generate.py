"""Writes the usage-guideline schemas (报文使用规范) and their index from the definitions in `profile/`.

    python iso20022_xsd/generate.py [FOLDER]

One definition, `profile/<message id>.txt`, becomes one XSD in the official namespace that stands alone, and one section
of `README.md`. A definition is a head (`key: text`) and a tree of elements, one a line, indented by two blanks a level:

    <element> <occurrence> <type> <Chinese meaning>

- occurrence: `1`, `?` (none or one), or `low..high` (`*` for no upper end);
- type: a name from `profile/types.txt`; `=A,B` for exactly these codes; `{}` for a sequence of the elements indented
  below; `|` for a choice of them.

`profile/types.txt` holds the shared simple types in columns parted by at least two blanks (name, base, limits, pattern,
meaning; `-` for none) and, below the line `structures`, shared trees whose first line names the type.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

HERE = Path(__file__).resolve().parent
NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:"
HEAD_KEYS = ("message", "chinese", "english", "numbers", "way", "sender", "when", "asks")
LIMITS = {
    "length": ("minLength", "maxLength"),
    "digits": ("totalDigits", "fractionDigits"),
    "least": ("minInclusive",),
}


class DefinitionError(ValueError):
    """A line of a definition that cannot be read; the text names file and line."""


@dataclass(frozen=True)
class Element:
    """One element of a message (元素).

    `high` is None where there is no upper end. `type` is a shared type's name, `=A,B` for codes, `{}` or `|` for a
    tree; `children` is filled for the last two.
    """

    name: str
    low: int
    high: int | None
    type: str
    meaning: str
    children: tuple[Element, ...] = ()

    @property
    def shape(self) -> object:
        """What decides the content: two elements with equal shapes may share one named type."""
        return self.type, tuple((c.name, c.low, c.high, c.meaning, c.shape) for c in self.children)


@dataclass(frozen=True)
class SimpleType:
    """A shared simple type, or an amount (`base` is then `amount`, `limits` the number's type and the currency's)."""

    name: str
    base: str
    limits: str
    pattern: str
    meaning: str

    @property
    def facets(self) -> list[tuple[str, str]]:
        """The facets in the order they are written: limits first, then codes or pattern."""
        found: list[tuple[str, str]] = []
        words = [] if self.limits == "-" else self.limits.split()
        for word, bounds in zip(words[::2], words[1::2], strict=True):
            found += zip(LIMITS[word], bounds.split(".."), strict=True)
        if self.pattern.startswith("="):
            found += [("enumeration", code) for code in self.pattern[1:].split(",")]
        elif self.pattern != "-":
            found.append(("pattern", re.sub(r"\\u([0-9a-f]{4})", lambda code: chr(int(code[1], 16)), self.pattern)))
        return found


@dataclass(frozen=True)
class Types:
    """The shared types of `profile/types.txt`."""

    simple: dict[str, SimpleType]
    structures: dict[str, Element]


@dataclass(frozen=True)
class Definition:
    """One message: the head of its definition and its root element."""

    head: dict[str, str]
    root: Element

    @property
    def message(self) -> str:
        return self.head["message"]


def parse_tree(lines: list[tuple[str, str]]) -> list[Element]:
    """Elements of an indented block; `lines` are (place, text) pairs of one level and everything below it."""
    found: list[Element] = []
    while lines:
        place, text = lines.pop(0)
        depth = len(text) - len(text.lstrip())
        below: list[tuple[str, str]] = []
        while lines and len(lines[0][1]) - len(lines[0][1].lstrip()) > depth:
            below.append(lines.pop(0))
        words = text.split(None, 3)
        if len(words) < 4:
            raise DefinitionError(f"{place}: element, occurrence, type and meaning expected in {text.strip()!r}")
        name, occurrence, type_name, meaning = words
        if bool(below) != (type_name in ("{}", "|")):
            raise DefinitionError(f"{place}: {name} must have elements below it exactly when its type is {{}} or |")
        low, high = {"1": ("1", "1"), "?": ("0", "1")}.get(occurrence) or occurrence.split("..")
        most = None if high == "*" else int(high)
        found.append(Element(name, int(low), most, type_name, meaning.strip(), tuple(parse_tree(below))))
    return found


def numbered_lines(path: Path) -> list[tuple[str, str]]:
    """Lines with content, each with its place `file:line`; lines that begin with # are remarks."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [(f"{path.name}:{n}", s.rstrip()) for n, s in enumerate(lines, 1) if s.strip() and s[0] != "#"]


def read_types(path: Path = HERE / "profile" / "types.txt") -> Types:
    """The shared types."""
    lines = numbered_lines(path)
    middle = next(i for i, (_, text) in enumerate(lines) if text == "structures")
    simple = {}
    for place, text in lines[:middle]:
        columns = re.split(r"\s{2,}", text)
        if len(columns) != 5:
            raise DefinitionError(f"{place}: five columns expected, {len(columns)} found")
        simple[columns[0]] = SimpleType(*columns)
    return Types(simple, {tree.name: tree for tree in parse_tree(lines[middle + 1 :])})


def read_definition(path: Path) -> Definition:
    """One message's definition."""
    head: dict[str, str] = {}
    lines = numbered_lines(path)
    while lines and (match := re.match(r"([a-z]+): +(.*)", lines[0][1])):
        head[match[1]] = f"{head[match[1]]} {match[2]}" if match[1] in head else match[2]
        lines.pop(0)
    if missing := set(HEAD_KEYS) ^ set(head):
        raise DefinitionError(f"{path.name}: head is wrong about {sorted(missing)}")
    if head["message"] != path.stem:
        raise DefinitionError(f"{path.name}: is about {head['message']}")
    (root,) = parse_tree(lines)
    return Definition(head, root)


def read_all(folder: Path = HERE / "profile") -> list[Definition]:
    """All definitions, by message id."""
    return [read_definition(path) for path in sorted(folder.glob("*.[0-9]*.txt"))]


@dataclass
class SchemaWriter:
    """Gathers the named types one message needs, in the order they are met."""

    types: Types
    written: dict[str, list[str]] = field(default_factory=dict)
    shapes: dict[str, object] = field(default_factory=dict)

    def type_of(self, element: Element, path: tuple[str, ...]) -> str:
        """Name of the element's type; writes the type when this is its first use."""
        if element.type in self.types.simple:
            return self.write_simple(self.types.simple[element.type])
        if element.type in self.types.structures:
            tree = self.types.structures[element.type]
            return self.write_complex(tree.name, tree, (tree.name,))
        if element.type.startswith("="):
            name = self.free_name(element, (*path[:-1], path[-1] + "Code"))
            return self.write_simple(SimpleType(name, "string", "-", element.type, element.meaning))
        if element.type not in ("{}", "|"):
            raise DefinitionError(f"{'/'.join(path)}: no type {element.type}")
        return self.write_complex(self.free_name(element, path), element, path)

    def free_name(self, element: Element, path: tuple[str, ...]) -> str:
        """Shortest end of the path that no differing type uses."""
        for start in range(len(path) - 1, -1, -1):
            name = "".join(path[start:])
            if name in self.types.simple or name in self.types.structures:
                continue
            if self.shapes.setdefault(name, element.shape) == element.shape:
                return name
        raise DefinitionError(f"{'/'.join(path)}: no name left for its type")

    def write_simple(self, simple: SimpleType) -> str:
        if simple.name in self.written:
            return simple.name
        lines = self.written[simple.name] = []
        if simple.base == "amount":
            number, currency = (self.write_simple(self.types.simple[name]) for name in simple.limits.split())
            lines += [f'<xs:complexType name="{simple.name}">', *annotation(simple.meaning)]
            lines += ["  <xs:simpleContent>", f'    <xs:extension base="{number}">']
            lines += [f'      <xs:attribute name="Ccy" type="{currency}" use="required"/>']
            lines += ["    </xs:extension>", "  </xs:simpleContent>", "</xs:complexType>"]
        else:
            lines += [f'<xs:simpleType name="{simple.name}">', *annotation(simple.meaning)]
            lines += [f'  <xs:restriction base="xs:{simple.base}">']
            lines += [f"    <xs:{facet} value={attribute(value)}/>" for facet, value in simple.facets]
            lines += ["  </xs:restriction>", "</xs:simpleType>"]
        return simple.name

    def write_complex(self, name: str, tree: Element, path: tuple[str, ...]) -> str:
        if name in self.written:
            return name
        lines = self.written[name] = []
        group = "choice" if tree.type == "|" else "sequence"
        lines += [f'<xs:complexType name="{name}">', f"  <xs:{group}>"]
        for child in tree.children:
            lines += ["    " + line for line in self.element(child, (*path, child.name))]
        lines += [f"  </xs:{group}>", "</xs:complexType>"]
        return name

    def element(self, element: Element, path: tuple[str, ...]) -> Iterator[str]:
        occurrence = "" if element.low == 1 else f' minOccurs="{element.low}"'
        occurrence += "" if element.high == 1 else f' maxOccurs="{element.high or "unbounded"}"'
        yield f'<xs:element name="{element.name}" type="{self.type_of(element, path)}"{occurrence}>'
        yield from annotation(element.meaning)
        yield "</xs:element>"


def attribute(value: str) -> str:
    """The value in quotes, what is not ASCII as a character reference: blanks are invisible otherwise."""
    return quoteattr(value).encode("ascii", "xmlcharrefreplace").decode("ascii")


def annotation(meaning: str) -> list[str]:
    text = f'<xs:documentation xml:lang="zh">{escape(meaning)}</xs:documentation>'
    return [f"  <xs:annotation>{text}</xs:annotation>"]


def write_schema(definition: Definition, types: Types) -> str:
    """The XSD of one message, as text."""
    writer = SchemaWriter(types)
    root = list(writer.element(definition.root, (definition.root.name,)))
    body = [*root, *(line for lines in writer.written.values() for line in lines)]
    namespace = NAMESPACE + definition.message
    return "\n".join(
        [
            '<?xml version="1.0" encoding="UTF-8"?>',
            f"<!-- {definition.head['english']}: written by generate.py from profile/{definition.message}.txt -->",
            f'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns="{namespace}" '
            f'targetNamespace="{namespace}" elementFormDefault="qualified">',
            *("  " + line for line in body),
            "</xs:schema>",
            "",
        ]
    )


INDEX_TOP = """\
# Usage-guideline schemas (报文使用规范)

One XML schema per message, in the official ISO 20022 namespace, each a strict subset of the official schema: a message
that is valid here is valid there. They are written by `generate.py` from the definitions in `profile/` (format: top of
`generate.py`); change a definition and run `python iso20022_xsd/generate.py`.

What all of them demand: amounts in CNY with at most two decimals; business dates without zone; times with `+08:00`
(milliseconds allowed); codes, references and names without blanks at their ends; banks as `ClrSysMmbId` with
`ClrSysId/Cd` `CNAPS` and a 12-digit bank code, `0000` for the national centre; UETR of version 4.

What a schema cannot say is left to the rules checked after it: one transaction in HVPS, control sums, one of TxId and
UETR in pacs.028, debits equal to credits in pacs.029, no blanks around dates and amounts, no `xsi:type`.

B bank, C clearing system (NPC); B→C→B is forwarded by the centre.
"""


def write_index(definitions: list[Definition]) -> str:
    """`README.md`: who sends which message when, and what the profile demands of it."""
    lines = [INDEX_TOP, "| message | title | CNAPS numbers | way |", "|---|---|---|---|"]
    for head in (definition.head for definition in definitions):
        link = f"[{head['message']}]({head['message']}.xsd)"
        lines.append(f"| {link} | {head['chinese']} {head['english']} | {head['numbers']} | {head['way']} |")
    for head in (definition.head for definition in definitions):
        lines += ["", f"## {head['message']} {head['chinese']}", "", f"Sent by {head['sender']} {head['when']}.", ""]
        lines.append(f"Beyond ISO's own mandatory elements: {head['asks']}.")
    return "\n".join(lines) + "\n"


def generate() -> dict[str, str]:
    """File name to text, for every file the generator writes."""
    types, definitions = read_types(), read_all()
    files = {f"{d.message}.xsd": write_schema(d, types) for d in definitions}
    return files | {"README.md": write_index(definitions)}


def main(folder: str | None = None) -> None:
    """Writes all files into `folder` (default: beside this file)."""
    for name, text in generate().items():
        (Path(folder) if folder else HERE).joinpath(name).write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main(*sys.argv[1:2])
