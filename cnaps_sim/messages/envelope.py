"""The envelope: how a message travels (报文头、签名域、报文体).

    {H:02…}CRLF      transport header, 132 characters with its line end, fields left-justified and blank-padded
    {S:…}CRLF        signature block: base64 of a signature over all bytes after this line, empty where unsigned
    <AppHdr…/>       business application header
    <Document…/>     the document

Reading and writing are byte-exact: `write` of what `read` gave returns the same bytes.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NoReturn

from cnaps_sim.messages.faults import Code, Fault, Layer, Refused
from cnaps_sim.words.codes import System

#: Characters of the transport header, its line end included.
HEADER_LENGTH: Final = 132
#: The national centre (国家处理中心) as a party.
CENTRE: Final = "0000"
TO_CENTRE, FROM_CENTRE = "U", "D"
URGENT, HIGH, NORMAL = "1", "2", "3"
#: The longest signature block in characters of base64.
MAX_SIGNATURE_LENGTH: Final = 4096


@dataclass(slots=True)
class Header:
    """The transport header (报文头), one field per field.

    sender, receiver:   bank code, 0000 for the national centre (at most 14 characters)
    sender_system, receiver_system: HVPS, BEPS, IBPS, NETS, SAPS or CCMS
    date, time:         working date of the message, time of day of its sending
    message_type:       CNAPS number, such as hvps.111.001.01 (at most 20)
    message_id:         communication id, date (8) and sequence (8), unique per sender and day (at most 20)
    reference_id:       communication id of the message that this one answers, "" if none
    priority:           1 特急, 2 紧急, 3 普通
    direction:          U to the centre, D from it
    """

    sender: str
    sender_system: str
    receiver: str
    receiver_system: str
    date: dt.date
    time: dt.time
    message_type: str
    message_id: str
    reference_id: str = ""
    priority: str = NORMAL
    direction: str = TO_CENTRE
    version: str = "02"
    reserved: str = ""


@dataclass(slots=True)
class Envelope:
    """A message taken apart. signature: base64 text, "" if unsigned; the two XML texts as bytes."""

    header: Header
    signature: str
    app_header: bytes
    document: bytes

    @property
    def signed_bytes(self) -> bytes:
        """What the signature is over: everything after the signature block."""
        return self.app_header + self.document


_SYSTEMS = "|".join(System)
_MEMBER = "[0-9]{12} {2}|0000 {10}"
#: Name, width, form with its blanks, and the form in words, of every field in order.
_FIELDS: Final = (
    ("version", 2, "02", "02"),
    ("sender", 14, _MEMBER, "a bank code of twelve digits or 0000"),
    ("sender_system", 4, _SYSTEMS, f"one of {', '.join(System)}"),
    ("receiver", 14, _MEMBER, "a bank code of twelve digits or 0000"),
    ("receiver_system", 4, _SYSTEMS, f"one of {', '.join(System)}"),
    ("date", 8, "[0-9]{8}", "a date, YYYYMMDD"),
    ("time", 6, "(?:[01][0-9]|2[0-3])[0-5][0-9][0-5][0-9]", "a time of day, HHMMSS"),
    ("format", 3, "XML", "XML"),
    ("message_type", 20, r"[a-z]{4}\.[0-9]{3}\.[0-9]{3}\.[0-9]{2} {5}", "a CNAPS number such as hvps.111.001.01"),
    ("message_id", 20, "[0-9]{16} {4}", "sixteen digits, date and sequence"),
    ("reference_id", 20, "[0-9]{16} {4}| {20}", "sixteen digits, or blank"),
    ("priority", 1, "[123]", "1, 2 or 3"),
    ("direction", 1, "[UD]", "U or D"),
    ("reserved", 9, "[!-~ ]{9}", "printable letters"),
)


def _place(name: str, length: int) -> slice:
    """Where the first characters of a field stand in a message."""
    names = [field[0] for field in _FIELDS]
    start = len("{H:") + sum(width for _, width, _, _ in _FIELDS[: names.index(name)])
    return slice(start, start + length)


#: Where the CNAPS number, the communication id and the id of the message answered stand in a message.
MESSAGE_TYPE: Final = _place("message_type", len("hvps.111.001.01"))
MESSAGE_ID: Final = _place("message_id", 16)
REFERENCE_ID: Final = _place("reference_id", 16)
_HEADER = re.compile(r"\{H:" + "".join(f"({form})" for _, _, form, _ in _FIELDS) + r"\}\r\n")
_BLANK_ID: Final = " " * 20
_SIGNATURE = re.compile(rb"\{S:([A-Za-z0-9+/]*={0,2})\}\r\n")
_END_OF_APP_HEADER = re.compile(rb"</(?:[A-Za-z_][\w.-]*:)?AppHdr\s*>")


@lru_cache(maxsize=1024)
def compact_date(date: dt.date) -> str:
    """A date as the envelope and the ids write it, 20250617."""
    return f"{date.year:04d}{date.month:02d}{date.day:02d}"


def write(header: Header, signature: str, app_header: bytes, document: bytes) -> bytes:
    """The bytes that travel. ValueError if a field does not fit its place in the header."""
    h = header
    clock = h.time.isoformat("seconds").replace(":", "")
    text = (
        f"{{H:{h.version}{h.sender:<14}{h.sender_system:<4}{h.receiver:<14}{h.receiver_system:<4}"
        f"{compact_date(h.date)}{clock}XML{h.message_type:<20}{h.message_id:<20}{h.reference_id:<20}"
        f"{h.priority}{h.direction}{h.reserved:<9}}}\r\n"
    )
    if len(text) != HEADER_LENGTH:
        _too_long(header)
    return b"".join((text.encode("ascii"), b"{S:", signature.encode("ascii"), b"}\r\n", app_header, document))


def _too_long(header: Header) -> NoReturn:
    for name, width, _, _ in _FIELDS:
        value = getattr(header, name, "")
        if isinstance(value, str) and len(value) > width:
            raise ValueError(f"{name} {value!r} is longer than its {width} characters in the transport header")
    raise ValueError("version, priority or direction is missing from the transport header")


def read(data: bytes) -> Envelope:
    """Take a message apart. Refused at the transport layer if the header or the signature block has another form.

    Header and document are told apart, not judged; a message without an application header gives an empty one.
    """
    header = read_header(data)
    signature = _SIGNATURE.match(data, HEADER_LENGTH, HEADER_LENGTH + MAX_SIGNATURE_LENGTH + len("{S:}\r\n"))
    if signature is None or len(signature[1]) % 4:
        raise _fault("signature", "the signature block is not {S:base64} with its line end")
    return Envelope(header, signature[1].decode("ascii"), *split(data, signature.end()))


def split(data: bytes, start: int = 0) -> tuple[bytes, bytes]:
    """The application header and the document that follow one another from `start`; the header empty if none ends."""
    end = _END_OF_APP_HEADER.search(data, start)
    middle = start if end is None else end.end()
    return data[start:middle], data[middle:]


def read_header(data: bytes) -> Header:
    """The transport header alone, from the first 132 bytes. Refused at the transport layer if it is broken."""
    text = data[:HEADER_LENGTH].decode("latin-1")
    found = _HEADER.fullmatch(text)
    if found is None:
        raise _broken(text)
    version, sender, system, receiver, to, date, time, _, kind, number, reference, *rest = found.groups()
    return Header(
        sender=sender.rstrip(),
        sender_system=system,
        receiver=receiver.rstrip(),
        receiver_system=to,
        date=_date(date),
        time=_time(time),
        message_type=kind[:15],
        message_id=number[:16],
        reference_id="" if reference == _BLANK_ID else reference[:16],
        priority=rest[0],
        direction=rest[1],
        version=version,
        reserved=rest[2].rstrip(),
    )


@lru_cache(maxsize=1024)
def _time(text: str) -> dt.time:
    return dt.time(int(text[:2]), int(text[2:4]), int(text[4:]))


@lru_cache(maxsize=1024)
def _date(text: str) -> dt.date:
    try:
        return dt.date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        raise _fault("header/date", f"{text} is not a date of the calendar", Code.DATE) from None


def _broken(text: str) -> Refused:
    """What is wrong with a header: its frame, else the first field of another form."""
    if not text.startswith("{H:"):
        return _fault("header", "the message does not begin with {H:")
    if len(text) < HEADER_LENGTH:
        return _fault("header", f"the transport header ends after {len(text)} of its {HEADER_LENGTH} characters")
    if not text.endswith("}\r\n"):
        return _fault("header", f"the transport header does not end with }} and CRLF after {HEADER_LENGTH} characters")
    start = len("{H:")
    for name, width, form, words in _FIELDS:
        value = text[start : start + width]
        if re.fullmatch(form, value) is None:
            return _fault(f"header/{name}", f"{_shown(value)} is not {words}")
        start += width
    raise AssertionError("a transport header of the right form was called broken")


def _shown(value: str) -> str:
    return ascii(value)


def _fault(path: str, reason: str, code: str = Code.FORMAT) -> Refused:
    return Refused(Fault(Layer.TRANSPORT, path, reason, code))
