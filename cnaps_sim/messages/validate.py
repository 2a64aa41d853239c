"""Judging what arrives: transport, XML, schema and profile, in this order, each only if the one before is content.

`check` is for messages in an envelope, as systems and banks receive them. `judge_file` is for files of any origin,
with or without an envelope. Business rules come after both, in the systems.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lxml import etree

from cnaps_sim.messages import envelope as travel
from cnaps_sim.messages import rules
from cnaps_sim.messages.app_header import NAMESPACE, AppHeader, read_app_header, read_usual
from cnaps_sim.messages.catalogue import APP_HEADER, ISO_IDS, ISO_NAMESPACE, Kind
from cnaps_sim.messages.envelope import Envelope, Header
from cnaps_sim.messages.faults import Fault, Layer, Refused
from cnaps_sim.messages.rules import Expected
from cnaps_sim.messages.schemas import MAX_BYTES, Schemas, parse, profile, refused
from cnaps_sim.messages.sign import check_signature
from cnaps_sim.messages.xmlread import Element
from cnaps_sim.words.errors import InputError

#: What reading a document raises that has another shape than the profile's.
_UNEXPECTED: Final = (LookupError, ValueError, ArithmeticError)
_ANYTHING: Final = Expected()
_PROFILE_ROOTS: Final = {f"{{{ISO_NAMESPACE}{iso}}}Document": iso for iso in ISO_IDS}
_DOCUMENT: Final = "}Document"
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
#: The name of the first element, after an XML declaration and comments.
_FIRST_TAG = re.compile(rb"\s*(?:<\?[^>]*\?>\s*)*(?:<!--(?:[^-]|-[^-])*-->\s*)*<([^\s/>!?]+)")


@dataclass(slots=True)
class Checked:
    """A message that all four layers have passed.

    envelope:   header, signature and the bytes of both parts
    app_header: the business application header, read
    root:       the root element of the document, for the reader of its kind
    kind:       its row in the catalogue
    business_id, instructing: the document's own id and who instructs, which with `kind.number` is the replay key
    """

    envelope: Envelope
    app_header: AppHeader
    root: Element
    kind: Kind
    business_id: str
    instructing: str


def check(data: bytes, expected: Expected | None = None, schemas: Schemas | None = None) -> Checked:
    """Judge a message in its envelope. Refused, with layer, path, reason and code, if it is not in order.

    data:     all bytes of the message
    expected: what the receiver knows; without it nothing but the message itself is asked
    schemas:  the folder of the schema layer; the profile if None

    InputError, placed at the file, if the folder has no schema of the application header or of the document.
    """
    expected = expected or _ANYTHING
    schemas = schemas or profile()
    if len(data) > MAX_BYTES:
        travel.read_header(data)
        raise refused("", f"the message is larger than {MAX_BYTES:,} bytes")
    envelope = travel.read(data)
    if expected.verifier is not None:
        check_signature(expected.verifier, envelope)
    app_header = read_usual(envelope.app_header) if schemas is profile() else None
    head = None if app_header is not None else parse(envelope.app_header, "AppHdr")
    root = parse(envelope.document, "Document")
    if head is not None:
        app_header = _header_of(head, schemas)
    assert app_header is not None
    iso = _judged(root, schemas)
    kind = _ruled(iso, root, envelope.header, app_header, expected, schemas)
    assert kind is not None
    return Checked(envelope, app_header, root, kind, app_header.business_id, app_header.from_member)


def _header_of(head: Element, schemas: Schemas) -> AppHeader:
    if head.tag != f"{{{NAMESPACE}}}AppHdr":
        raise Refused(Fault(Layer.SCHEMA, "AppHdr", f"{_shown(head)} is not AppHdr of {APP_HEADER}"))
    schemas.judge(APP_HEADER, head)
    try:
        return read_app_header(head)
    except _UNEXPECTED:
        raise _not_of_the_profile("AppHdr", schemas) from None


def _ruled(
    iso: str, root: Element, header: Header | None, app_header: AppHeader | None, expected: Expected, schemas: Schemas
) -> Kind | None:
    """The kind of a message that the rules of the profile pass."""
    try:
        return rules.judge(rules.subject(iso, root, header, app_header), expected)
    except _UNEXPECTED:
        raise _not_of_the_profile("Document", schemas) from None


def _not_of_the_profile(path: str, schemas: Schemas) -> Refused:
    """What another folder's schema allows may have a shape that no rule of the profile can look at."""
    assert schemas is not profile(), f"{path}: the schema passed what cannot be read"
    return Refused(Fault(Layer.PROFILE, path, "is not built as the profile builds it"))


def _judged(root: Element, schemas: Schemas) -> str:
    """The ISO id of a document that its schema passes."""
    iso = _iso_of(root, schemas)
    schemas.judge(iso, root)
    return iso


def _iso_of(root: Element, schemas: Schemas) -> str:
    tag: str = root.tag
    if tag in _PROFILE_ROOTS:
        return _PROFILE_ROOTS[tag]
    namespace = tag[1 : -len(_DOCUMENT)] if tag.startswith("{") and tag.endswith(_DOCUMENT) else ""
    iso = namespace.removeprefix(ISO_NAMESPACE)
    if not namespace:
        raise Refused(Fault(Layer.SCHEMA, etree.QName(root).localname, f"{_shown(root)} is not an ISO 20022 Document"))
    if iso == namespace:
        raise Refused(Fault(Layer.SCHEMA, "Document", f"the namespace {namespace[:80]!r} is not of ISO 20022"))
    if not (_is_id(iso) and schemas.knows(iso)):
        family = [known for known in ISO_IDS if known[:8] == iso[:8]]
        known = f"; of {iso[:8]} it has {family[0]}" if family else ""
        raise Refused(Fault(Layer.SCHEMA, "Document", f"the message {iso[:80]!r} is not in the profile{known}"))
    return iso


def _is_id(iso: str) -> bool:
    """Whether a name can be an ISO id, and so the name of a schema file: nothing that leads out of its folder."""
    return len(iso) == len("pacs.008.001.08") and iso.replace(".", "").isalnum() and iso.isascii()


def _shown(root: Element) -> str:
    name = etree.QName(root)
    return f"{name.localname[:60]} of {(name.namespace or 'no namespace')[:80]}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one file.

    fault:  why it is refused; None if it is valid or was not judged
    iso:    ISO id of its document, "" if it got not so far
    number: CNAPS number, "" where the file has no transport header
    form:   envelope, app header and document, document; "" if it got not so far
    error:  why it was not judged: what is wrong with the folder of schemas, which says nothing about the file
    """

    file: str
    fault: Fault | None
    iso: str = ""
    number: str = ""
    form: str = ""
    error: InputError | None = None

    @property
    def valid(self) -> bool | None:
        """Whether all layers pass the file; None if it was not judged."""
        return None if self.error is not None else self.fault is None

    def as_dict(self) -> dict[str, object]:
        """The verdict for `--json`; `error` is there only where a file was not judged."""
        told: dict[str, object] = {
            "file": self.file,
            "valid": self.valid,
            "form": self.form,
            "iso": self.iso,
            "number": self.number,
            "fault": None if self.fault is None else self.fault.as_dict(),
        }
        return told if self.error is None else {**told, "error": self.error.as_dict()}


@dataclass(frozen=True, slots=True)
class Opened:
    """A file that all layers have passed: `root` is the root element of its document; what it has beside that."""

    iso: str
    root: Element
    header: Header | None = None
    app_header: AppHeader | None = None


def open_bytes(data: bytes, expected: Expected | None = None, schemas: Schemas | None = None) -> Opened:
    """Judge a message in any of three forms: an envelope; an application header and a document; a document.

    Header and document may follow one another or stand together in one element of any name. Refused, and InputError,
    as in `check`.
    """
    expected, schemas = expected or _ANYTHING, schemas or profile()
    data = data.removeprefix(_BYTE_ORDER_MARK)
    if data.startswith(b"{"):
        checked = check(data, expected, schemas)
        return Opened(checked.kind.iso, checked.root, checked.envelope.header, checked.app_header)
    head, root = _pair(data)
    app_header = None if head is None else _header_of(head, schemas)
    iso = _judged(root, schemas)
    _ruled(iso, root, None, app_header, expected, schemas)
    return Opened(iso, root, None, app_header)


def _pair(data: bytes) -> tuple[Element | None, Element]:
    """The root elements of application header and document, None for a header that is not there."""
    first = _FIRST_TAG.match(data)
    if first is not None and first[1].rpartition(b":")[2] == b"AppHdr":
        app_header, document = travel.split(data)
        return parse(app_header or document, "AppHdr"), parse(document if app_header else b"", "Document")
    root = parse(data, "Document")
    names = [etree.QName(child).localname for child in root]
    if names != ["AppHdr", "Document"]:
        return None, root
    head, document_root = root
    root.remove(head)
    root.remove(document_root)
    return head, document_root


def judge_file(path: Path, schemas: Schemas | None = None, expected: Expected | None = None) -> Verdict:
    """Judge one file, in any of the three forms. OSError if it cannot be read.

    A file whose schema the folder does not have is not judged, and the verdict says why.
    """
    with path.open("rb") as file:
        data = file.read(MAX_BYTES + 1)
    try:
        opened = open_bytes(data, expected, schemas)
    except Refused as error:
        return Verdict(str(path), error.fault)
    except InputError as error:
        return Verdict(str(path), None, error=error)
    header = opened.header
    form = "envelope" if header else "application header and document" if opened.app_header else "document"
    return Verdict(str(path), None, opened.iso, header.message_type if header else "", form)


def judge_files(paths: Iterable[Path], schemas: Schemas | None = None) -> Iterator[Verdict]:
    """Judge files one after the other. InputError before the first verdict if one of them is no plain file."""
    paths = list(paths)
    for path in paths:
        if not path.is_file():
            problem = "is not a plain file" if path.exists() else "no such file"
            raise InputError(str(path), "", problem, "", "a file with one message")
    for path in paths:
        yield judge_file(path, schemas)


def validate(files: str | Path | Iterable[str | Path], *, schemas: str | Path | None = None) -> list[Verdict]:
    """Judge message files, one `Verdict` each, in order: the command `validate`.

    files:   a file, or several
    schemas: a folder of `<ISO id>.xsd` files to judge by, in place of the program's own

    Signatures are not checked. InputError if there is no such folder or file. Where the folder lacks the schema that
    a file needs, the file has no verdict: `valid` is None and `error` names what is wrong with the folder.
    """
    paths = [files] if isinstance(files, str | Path) else files
    folder = None if schemas is None else Path(schemas)
    if folder is not None and not folder.is_dir():
        raise InputError("schemas", "", "no such folder", folder, "a folder of <message id>.xsd files")
    return list(judge_files(map(Path, paths), Schemas(folder)))
