"""The trail of a payment's messages (报文轨迹): who told whom what, when, and the XML itself."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from cnaps_sim.words.errors import InputError
from cnaps_sim.words.units import format_clock

#: Elements that say what became of a payment or of a request.
_STATUS: Final = re.compile(rb"<(?:TxSts|StsCd|Conf)>([A-Z0-9]{4})<|<StsRsnInf><Rsn><(?:Cd|Prtry)>([A-Z0-9]{4})<")
#: The national centre as messages name it, and as a person reads it.
CENTRE: Final = "0000"
_CENTRE: Final = {CENTRE: "the centre"}
_COLUMNS: Final = [
    "row", "sent_ms", "received_ms", "sender", "receiver", "number", "iso", "business_id", "verdict", "data",
]  # fmt: skip


@dataclass(frozen=True)
class Passage:
    """One message about a payment on its way from one party to another; times in ms of the run.

    received_ms: None if it was lost; verdict: `accepted`, or why it was refused; data: the bytes that travelled
    """

    sent_ms: int
    received_ms: int | None
    sender: str
    receiver: str
    number: str
    iso: str
    title: str
    business_id: str
    verdict: str
    data: bytes

    def sentence(self) -> str:
        """When, who to whom, what, and what was thought of it, on one line."""
        way = f"{_CENTRE.get(self.sender, self.sender)} -> {_CENTRE.get(self.receiver, self.receiver)}"
        missing = "lost" if self.verdict == "lost" else "not arrived"
        arrival = missing if self.received_ms is None else format_clock(self.received_ms)
        name = self.number if self.number == self.iso else f"{self.number} ({self.iso})"
        verdict = "" if self.received_ms is None and self.verdict == "lost" else f": {self.verdict}"
        said = self.says()
        content = f" says {said}" if said else ""
        return f"{format_clock(self.sent_ms)} -> {arrival}  {way}: {name} {self.title}{content}{verdict}"

    def says(self) -> str:
        """The status codes that the message carries (ACSC, RJCT AM04, QC00 …), in their order; "" if none."""
        codes = [(one or other).decode() for one, other in _STATUS.findall(self.data)]
        return " ".join(dict.fromkeys(codes))

    def document(self) -> str:
        """The document, indented for reading; the bytes as text where they are no XML."""
        from lxml import etree

        from cnaps_sim.messages import envelope
        from cnaps_sim.messages.faults import Refused

        try:
            body = envelope.read(self.data).document
            parser = etree.XMLParser(remove_blank_text=True, resolve_entities=False, no_network=True, load_dtd=False)
            root = etree.fromstring(body, parser)
        except (Refused, etree.XMLSyntaxError):
            return self.data.decode("utf-8", "replace")
        etree.indent(root)
        return etree.tostring(root, encoding="unicode")

    def as_dict(self) -> dict[str, Any]:
        """The passage for `--json`."""
        return {
            "sent_ms": self.sent_ms,
            "received_ms": self.received_ms,
            "sender": self.sender,
            "receiver": self.receiver,
            "number": self.number,
            "iso": self.iso,
            "business_id": self.business_id,
            "verdict": self.verdict,
            "document": self.document(),
        }


def trail_of(run: Any, payment_id: str) -> tuple[list[Passage], str]:
    """Every message about a payment of a run, and why there is none where the message log is missing or damaged."""
    told = getattr(run, "manifest", {}).get("messages")
    folder = getattr(run, "messages_folder", None)
    if not isinstance(told, dict):
        return trail(folder, payment_id), ""
    files = 0 if folder is None else len(list(folder.glob("part-*.parquet")))
    if files != told.get("parts"):
        problem = f"{files} of its {told.get('parts')} files are there" if files else "it is missing"
        return [], f"Its messages cannot be told, because the message log is not whole: {problem}."
    try:
        return trail(folder, payment_id), ""
    except InputError as error:
        return [], f"Its messages cannot be told, because the message log is damaged: {error.sentence()}."


def trail(folder: Path | None, payment_id: str) -> list[Passage]:
    """Every message about a payment in the order of arrival; empty if no message travelled.

    folder: the message log of a run. InputError if it cannot be read.
    """
    if folder is None:
        return []
    found: list[Passage] = []
    for path in sorted(folder.glob("part-*.parquet")):
        try:
            file = pq.ParquetFile(path)
            for group in range(file.num_row_groups):
                references = file.read_row_group(group, columns=["reference"]).column(0)
                chosen = pc.equal(references, payment_id)
                if pc.any(chosen).as_py():
                    rows = file.read_row_group(group, columns=_COLUMNS).filter(chosen).to_pylist()
                    found += [_passage(row) for row in rows]
        except (OSError, KeyError, TypeError, ValueError, pa.ArrowException) as error:
            raise InputError(str(path), "", "cannot be read", error, "the file that the run wrote") from None
    return found


def _passage(row: dict[str, Any]) -> Passage:
    from cnaps_sim.messages.catalogue import kind_of

    kind = kind_of(row["number"], row["iso"])
    title = "" if kind is None else f"{kind.title}, {kind.chinese}"
    return Passage(
        row["sent_ms"], row["received_ms"], row["sender"], row["receiver"], row["number"], row["iso"], title,
        row["business_id"], row["verdict"], row["data"],
    )  # fmt: skip
