"""XML and schemas: a parser that a hostile message cannot harm, and the usage-guideline schemas.

lxml judges every message; xmlschema is asked only about what lxml has refused, for the sentence that a person reads.
Schemas are compiled when they are first needed, once per thread: the error log of a compiled one is not safe to share.
"""

from __future__ import annotations

import re
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from lxml import etree

from cnaps_sim.messages.catalogue import ISO_NAMESPACE
from cnaps_sim.messages.faults import Fault, Layer, Refused
from cnaps_sim.messages.xmlread import Element
from cnaps_sim.resources import resource
from cnaps_sim.words.errors import InputError

if TYPE_CHECKING:
    from xmlschema import XMLSchema

#: The largest message that is looked at, in bytes.
MAX_BYTES: Final = 10_000_000
#: The most tags a large message may have, and the most attributes one element of it, which bounds the memory that
#: its tree and the list of its faults take.
MAX_TAGS: Final = 1_000_000
MAX_ATTRIBUTES: Final = 16
_LARGE: Final = 1_000_000
#: What xmlschema is asked to explain: it needs a square of time for more, and lxml's words must do.
_EXPLAINED_ELEMENTS: Final = 2_000
_EXPLAINED_LETTERS: Final = 100_000

_BLANKS: Final = b" \t\r\n"
#: How a document begins that has nothing before its root element.
_PLAIN: Final = b"<Document"
_ENCODING = re.compile(rb"""\s*<\?xml[^>]*?\sencoding\s*=\s*["']([^"'>]*)["']""")
_INSTANCE: Final = b"http://www.w3.org/2001/XMLSchema-instance"
_TAG_NAMESPACE = re.compile(r"\{(?:urn|http)[^}]*\}")
_ELEMENT_WORDS = re.compile(r"^Element '[^']*'(?:, attribute '[^']*')?: (?:\[facet '\w+'\] )?")
_local = threading.local()


def parse(data: bytes, name: str) -> Element:
    """The root element of a document. Refused at the XML layer if it cannot be taken as one.

    name: what the path of a fault says, `AppHdr` or `Document`
    """
    if len(data) > MAX_BYTES:
        raise refused(name, f"larger than {MAX_BYTES:,} bytes")
    if len(data) > _LARGE and data.count(b"<") > MAX_TAGS:
        raise refused(name, f"more than {MAX_TAGS:,} tags")
    is_plain = data.startswith(_PLAIN)
    if not is_plain and not data.strip(_BLANKS):
        raise refused(name, "is missing")
    try:
        data.decode()
    except UnicodeDecodeError as error:
        raise refused(name, f"is not UTF-8: byte {error.start + 1} cannot stand there") from None
    if not is_plain:
        _judge_prolog(data, name)
    try:
        root = etree.fromstring(data if is_plain else data.lstrip(_BLANKS), _parser())
    except etree.XMLSyntaxError as error:
        raise refused(name, f"is not well-formed: {_one_line(error.msg)}") from None
    if len(data) > _LARGE:
        _refuse_many_attributes(root)
    if _INSTANCE in data:
        _refuse_instance_attributes(root)
    return root


def _judge_prolog(data: bytes, name: str) -> None:
    """What stands before the root element declares no encoding but UTF-8, and no document type."""
    encoding = _ENCODING.match(data)
    if encoding is not None and encoding[1].upper() != b"UTF-8":
        raise refused(name, f"declares the encoding {encoding[1].decode()!r}, expected UTF-8")
    if b"<!DOCTYPE" in data and _prolog_has_doctype(data):
        raise refused(name, "has a document type declaration (DOCTYPE), which is not allowed")


def _refuse_many_attributes(root: Element) -> None:
    for element in root.iter():
        if len(element.attrib) > MAX_ATTRIBUTES:
            raise _fault(path_of(element), f"has more than {MAX_ATTRIBUTES} attributes")


def _parser() -> etree.XMLParser:
    try:
        return _local.parser  # type: ignore[no-any-return]
    except AttributeError:
        _local.parser = etree.XMLParser(
            encoding="utf-8",
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            huge_tree=False,
            remove_comments=True,
            remove_pis=True,
        )
        return _local.parser  # type: ignore[no-any-return]


def _prolog_has_doctype(data: bytes) -> bool:
    """Whether a DOCTYPE stands before the root element; inside a text the letters mean nothing."""
    place = 0
    while (place := data.find(b"<", place)) >= 0:
        if data.startswith(b"<?", place):
            end = data.find(b"?>", place)
        elif data.startswith(b"<!--", place):
            end = data.find(b"-->", place + len(b"<!--"))
        else:
            return data.startswith(b"<!DOCTYPE", place)
        if end < 0:
            return False
        place = end
    return False


def _refuse_instance_attributes(root: Element) -> None:
    """`xsi:type` names types of one schema and would mean another thing, or nothing, under another one."""
    for element in root.iter():
        for name in element.attrib:
            if str(name).startswith("{" + _INSTANCE.decode()) and not str(name).endswith("chemaLocation"):
                local = _TAG_NAMESPACE.sub("xsi:", str(name))
                raise Refused(Fault(Layer.SCHEMA, f"{path_of(element)}/@{local}", "the attribute is not allowed"))


def path_of(element: Element) -> str:
    """Where an element stands, in element names: `Document/FIToFICstmrCdtTrf/CdtTrfTxInf[2]/PmtId`."""
    steps: list[str] = []
    here: Element | None = element
    while here is not None:
        name = etree.QName(here).localname
        parent = here.getparent()
        if parent is not None:
            twins = [child for child in parent if child.tag == here.tag]
            if len(twins) > 1:
                name += f"[{twins.index(here) + 1}]"
        steps.append(name)
        here = parent
    return "/".join(reversed(steps))


class Schemas:
    """The schemas of one folder, one file `<ISO id>.xsd` each.

    folder: the profile that comes with the program if None
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = resource("iso20022_xsd") if folder is None else folder
        self._compiled = threading.local()
        self._explaining: dict[str, XMLSchema] = {}

    def file(self, iso: str) -> Path:
        return self.folder / f"{iso}.xsd"

    def knows(self, iso: str) -> bool:
        """Whether the folder has a file for a message."""
        return self.file(iso).is_file()

    def judge(self, iso: str, root: Element) -> None:
        """Nothing if the schema of `iso` passes the document. Refused at the schema layer if it does not.

        InputError naming the file if the folder has no schema of this message: that is no fault of the document.
        """
        schema = self._get(iso)
        if not schema.validate(root):
            raise Refused(self._explain(iso, root, schema))

    def _get(self, iso: str) -> etree.XMLSchema:
        known: dict[str, etree.XMLSchema | InputError] = self._compiled.__dict__
        found = known.get(iso)
        if found is None:
            try:
                found = self._compile(iso)
            except InputError as error:
                found = error
            known[iso] = found
        if isinstance(found, InputError):
            raise found
        return found

    def _compile(self, iso: str) -> etree.XMLSchema:
        """The schema of one message. InputError, placed at its file, if that is missing or something else."""
        file = self.file(iso)
        allowed = f"the XML schema of {iso}"
        if not file.is_file():
            raise InputError(str(file), "", "no such file", "", allowed)
        try:
            tree = etree.parse(str(file), etree.XMLParser(no_network=True))
            schema = etree.XMLSchema(tree)
        except (etree.XMLSchemaParseError, etree.XMLSyntaxError) as error:
            raise InputError(str(file), "", f"is no XML schema: {_one_line(str(error))}", "", allowed) from None
        except OSError as error:
            reason = error.strerror.lower() if error.strerror else _one_line(str(error))
            raise InputError(str(file), "", "cannot be read", reason, allowed) from None
        namespace = tree.getroot().get("targetNamespace", "")
        if namespace != ISO_NAMESPACE + iso:
            told = namespace.removeprefix(ISO_NAMESPACE) or "no target namespace"
            raise InputError(str(file), "", "is the schema of something else", told, allowed)
        return schema

    def _explain(self, iso: str, root: Element, schema: etree.XMLSchema) -> Fault:
        """The first error as xmlschema tells it; as lxml tells it where xmlschema is not asked or says nothing."""
        error = self._first_error(iso, root) if _is_ordinary(root) else None
        if error is not None:
            return _told(error, root)
        log: Any = schema.error_log
        entry = log[0]
        place = root.xpath(entry.path) if entry.path else []
        element = place[0] if isinstance(place, list) and place else root
        assert isinstance(element, etree._Element)
        words = _ELEMENT_WORDS.sub("", _TAG_NAMESPACE.sub("", entry.message[:2000]))
        return Fault(Layer.SCHEMA, path_of(element), _one_line(words[:1].lower() + words[1:]))

    def _first_error(self, iso: str, root: Element) -> Any:
        """The first error that xmlschema finds; None if it finds none, or cannot read a schema that lxml can."""
        import xmlschema

        try:
            return next(self.errors(iso, root), None)
        except xmlschema.XMLSchemaException:
            return None

    def errors(self, iso: str, root: Element) -> Any:
        """The errors that xmlschema finds in a document, one after the other: the second opinion."""
        import xmlschema

        schema = self._explaining.get(iso)
        if schema is None:
            schema = self._explaining[iso] = xmlschema.XMLSchema(str(self.file(iso)), allow="local")
        return schema.iter_errors(root)


def _is_ordinary(root: Element) -> bool:
    """Whether a document is small enough for xmlschema to explain it at once."""
    letters = 0
    for elements, element in enumerate(root.iter(), 1):
        letters += len(element.text or "") + len(element.tail or "")
        if elements > _EXPLAINED_ELEMENTS or letters > _EXPLAINED_LETTERS or len(element.attrib) > MAX_ATTRIBUTES:
            return False
    return True


_profile: list[Schemas] = []


def profile() -> Schemas:
    """The schemas that come with the program."""
    if not _profile:
        _profile.append(Schemas())
    return _profile[0]


def _told(error: Any, root: Element) -> Fault:
    """An error of xmlschema as a fault: the place in element names, the reason in words."""
    element = error.elem if error.elem is not None else root
    child = getattr(error, "invalid_child", None)
    if getattr(error, "invalid_tag", None) and child is not None:
        return Fault(Layer.SCHEMA, path_of(child), "is not expected here" + _expected(error, child))
    if getattr(error, "expected", None) is not None and child is None:
        return Fault(Layer.SCHEMA, path_of(element), "is not complete" + _expected(error, element))
    return _told_value(error, element)


def _expected(error: Any, near: Element) -> str:
    names = [str(item.name) for item in error.expected or () if getattr(item, "name", None)]
    if not names:
        return ""
    if etree.QName(near).namespace != etree.QName(names[0]).namespace:
        return f" in the namespace {etree.QName(near).namespace!r}; expected {_local_names(names)}"
    return f"; expected {_local_names(names)}"


def _local_names(names: list[str]) -> str:
    return " or ".join(etree.QName(name).localname for name in names)


def _told_value(error: Any, element: Element) -> Fault:
    """Why a value, an attribute or a text is refused: the value first where it is a short one."""
    reason = _one_line(_TAG_NAMESPACE.sub("", str(error.reason or "is not valid")))
    path = path_of(element)
    attribute = re.match(r"attribute (\w+)=.*?: (.*)", reason)
    if attribute is not None:
        path, reason = f"{path}/@{attribute[1]}", attribute[2]
    words = _facet_words(error.validator, error.obj)
    if not isinstance(error.obj, str):
        return Fault(Layer.SCHEMA, path, words or reason)
    value = error.obj if len(error.obj) <= 60 else error.obj[:57] + "..."
    return Fault(Layer.SCHEMA, path, f"{value!r} {words or reason}")


def _facet_words(facet: Any, value: object) -> str:
    """What a facet asks for, in words; "" for what speaks for itself."""
    kind = type(facet).__name__
    if kind == "XsdEnumerationFacets":
        return "is not one of " + ", ".join(map(str, facet.enumeration))
    if kind == "XsdPatternFacets":
        return "does not have the form " + " or ".join(map(str, facet.regexps))
    if kind in _LENGTHS:
        have = len(value) if isinstance(value, str) else 0
        return f"has {have} characters, {_LENGTHS[kind]} {facet.value} allowed"
    if kind == "XsdMinInclusiveFacet":
        return f"{value} is less than {facet.value}"
    return ""


_LENGTHS: Final = {
    "XsdMaxLengthFacet": "at most",
    "XsdMinLengthFacet": "at least",
    "XsdLengthFacet": "exactly",
}


def refused(path: str, reason: str) -> Refused:
    """A refusal of the XML layer."""
    return Refused(Fault(Layer.XML, path, reason))


def _fault(path: str, reason: str) -> Refused:
    return Refused(Fault(Layer.SCHEMA, path, reason))


def _one_line(text: str | None) -> str:
    words = " ".join((text or "")[:2000].split())
    return words if len(words) <= 300 else words[:297] + "..."
