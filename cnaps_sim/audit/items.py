"""Items: are count, value and checksum of each system's payments those of the manifest?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from cnaps_sim.audit.columns import Frame
from cnaps_sim.audit.digest import Hashes, chain, checksum_text
from cnaps_sim.audit.sums import exact_sum
from cnaps_sim.audit.verdict import Findings, UnknownColumnError, one_line

ITEMS: Final = "items-agree"


def check_items(payments: Frame, paid: Hashes | None, manifest: Any, findings: Findings) -> None:
    """`items-agree`: count, value and checksum of each system's payments are those of the manifest.

    A system of which no payment is recorded is left out: only its totals were kept.
    paid: hash of id, debtor, creditor and amount of each payment
    """
    told = manifest.get("items") if isinstance(manifest, Mapping) else None
    if not isinstance(told, Mapping):
        findings.breach(ITEMS, "the manifest does not give the items of each system")
        return
    if paid is None:
        raise UnknownColumnError("payments")
    codes, systems = payments.texts("system")
    hashes = chain(payments.field("status"), payments.ints("ended_ms"), start=paid)
    amount = payments.ints("amount_fen")
    for code, system in enumerate(systems):
        rows: Any = codes == code
        count = int(np.count_nonzero(rows))
        if not count:
            continue
        if count == len(codes):
            rows = slice(None)
        own = {
            "count": count,
            "value_fen": exact_sum(amount[rows]),
            "checksum": checksum_text(hashes[rows]),
        }
        entry = told.get(system)
        given = entry if isinstance(entry, Mapping) else {}
        for key, value in own.items():
            if given.get(key) != value:
                findings.breach(
                    ITEMS,
                    f"{key} of {one_line(system)} is {value}, the manifest says {one_line(given.get(key))}",
                )
