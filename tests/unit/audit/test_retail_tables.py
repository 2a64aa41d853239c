"""The tables of a run with retail clearing pass as they are, and each damage is found by the name of its rule."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pyarrow as pa
import pytest

from cnaps_sim.audit.retail_tables import RetailItems
from cnaps_sim.audit.tables import audit_tables

FIRST, SECOND = dt.date(2025, 6, 17), dt.date(2025, 6, 18)
NEXT, MORNING = 86_400_000, 30_600_000
OWN = "PBC-NETTING"
RULES = {
    "netted-in-round", "rounds-agree", "cap-matchings-agree", "outcomes-counted", "rounds-valid",
    "rounds-sum-to-zero", "rounds-posted", "rounds-match-transfers",
}  # fmt: skip
TIMETABLE = [
    {"date": day.isoformat(), "opens_ms": k * NEXT - 12_600_000, "cut_off_ms": k * NEXT + 62_100_000,
     "window_end_ms": k * NEXT + 63_000_000}
    for k, day in enumerate((FIRST, SECOND))
]  # fmt: skip


def item(sequence: int, system: str, move: tuple[str, str, int], times: tuple[Any, ...], end: tuple[Any, ...]) -> Any:
    submitted, netted, ended, number = times
    status, reason, iso, released = end
    return {
        "date": FIRST if ended < NEXT else SECOND, "sequence": sequence, "payment_id": f"B{sequence}",
        "system": system, "debtor": move[0], "creditor": move[1], "amount_fen": move[2], "type": "BDBT",
        "instructed_ms": submitted, "submitted_ms": submitted, "netted_ms": netted, "ended_ms": ended,
        "round": number, "status": status, "reason": reason, "reason_iso": iso, "released_by": released,
    }  # fmt: skip


NETTED = ("PR03", None, None, None)
ITEMS = [
    item(10, "BEPS", ("A", "B", 10), (20, 45, 45, 1), NETTED),
    item(11, "IBPS", ("B", "C", 30), (49, 50, 50, 1), NETTED),
    item(12, "IBPS", ("B", "C", 90), (45, None, 46, None), ("PR09", "RJ94", "AM23", None)),
    item(13, "BEPS", ("C", "A", 20), (60, 900, 900, 2), ("PR03", None, None, "matching:1")),
    item(14, "BEPS", ("C", "A", 70), (61, None, 1000, None), ("PR08", "RJ94", "AM23", None)),
    item(15, "IBPS", ("C", "A", 70), (62, None, 950, None), ("PR32", "RJ90", "AB05", None)),
    item(16, "BEPS", ("C", "A", 70), (63, None, 940, None), ("PR21", None, None, None)),
    item(19, "IBPS", ("A", "C", 5), (NEXT + 900, NEXT + 1000, NEXT + 1000, 3), NETTED),
]
#: round, time, kind, participant, net, sent, settled
NETS = [
    (1, 50, "first", "A", -10, 50, 50), (1, 50, "first", "B", -20, 50, 55), (1, 50, "first", "C", 30, 50, 50),
    (2, 1000, "last", "A", 20, MORNING, MORNING), (2, 1000, "last", "C", -20, MORNING, MORNING),
    (3, NEXT + 2000, "only", "A", -5, NEXT + MORNING, NEXT + MORNING),
    (3, NEXT + 2000, "only", "C", 5, NEXT + MORNING, NEXT + MORNING),
]  # fmt: skip
MATCHING = {
    "date": FIRST, "matching": 1, "time_ms": 900, "settled_ms": 900, "trigger": "round", "algorithm": "cap-queue",
    "considered": 1, "considered_fen": 20, "settled": 1, "settled_fen": 20, "accounts": 2,
}  # fmt: skip


def bookings() -> tuple[list[Any], list[Any]]:
    """The nets as items of the settlement queue, and as transfers."""
    payments, transfers = [], []
    for k, (_, _, _, account, net, sent, settled) in enumerate(NETS):
        debtor, creditor = (account, OWN) if net < 0 else (OWN, account)
        date = FIRST if settled < NEXT else SECOND
        common = {"date": date, "debtor": debtor, "creditor": creditor, "amount_fen": abs(net), "level": 4}
        name = f"NETS-{k + 1:06d}"
        payments.append(
            {**common, "sequence": 20 + k, "payment_id": name, "system": "SAPS", "type": "D100", "instructed_ms": sent,
             "submitted_ms": sent, "settled_ms": settled, "ended_ms": settled, "status": "PR04",
             "released_by": "limit" if settled > sent else None}
        )  # fmt: skip
        transfers.append({**common, "time_ms": settled, "kind": "net", "payment_id": name})
    return payments, transfers


EVENTS = [
    {
        "date": FIRST if time_ms < NEXT else SECOND,
        "time_ms": time_ms,
        "kind": kind,
        "subject": subject,
        "detail": detail,
    }
    for time_ms, kind, subject, detail in (
        (50, "round", "NETS", "round 1 (first) of 2025-06-17: 3 nets"),
        (55, "action", "B", "credit_line 100.00 CNY"),
        (1000, "round", "NETS", "round 2 (last) of 2025-06-17: 2 nets"),
        (NEXT + 2000, "round", "NETS", "round 3 (only) of 2025-06-18: 2 nets"),
    )
]


def with_events(retail: Any, *more: dict[str, Any]) -> Any:
    events = sorted([*retail.rows("events"), *more], key=lambda row: row["time_ms"])
    return retail.replace("events", [{**row, "sequence": number} for number, row in enumerate(events)])


@pytest.fixture
def retail(stored: Any) -> Any:
    """Two days with three rounds, the nets of two of which are held, beside HVPS payments."""
    for name in ("accounts", "series"):
        del stored.tables[name]
    payments, transfers = bookings()
    rows = [*stored.rows("payments"), *ITEMS, *payments]
    stored.replace("payments", sorted(rows, key=lambda row: (row["date"], row["sequence"])))
    posted = sorted([*stored.rows("transfers"), *transfers], key=lambda row: row["time_ms"])
    for number, row in enumerate(posted):
        row["sequence"] = number
    stored.replace("transfers", posted)
    stored.replace("matchings", [MATCHING])
    names = ("round", "time_ms", "kind", "participant", "net_fen", "sent_ms", "settled_ms")
    with_events(stored, *EVENTS)
    return stored.replace(
        "rounds", [{"date": FIRST if net[1] < NEXT else SECOND, **dict(zip(names, net, strict=True))} for net in NETS]
    )


def netted(rows: list[Any], system: str) -> dict[str, int]:
    return total([row for row in rows if row["system"] == system and row["netted_ms"] is not None])


def total(rows: list[Any]) -> dict[str, int]:
    return {"count": len(rows), "value_fen": sum(row["amount_fen"] for row in rows)}


def tell(retail: Any) -> dict[str, Any]:
    """What the manifest tells of rounds, outcomes and caps, counted in another way than the auditor's."""
    rows = [row for row in retail.rows("payments") if row["system"] in ("BEPS", "IBPS")]
    rounds = []
    table = {row["round"]: row for row in retail.rows("rounds")}
    for number, time_ms, kind in ((1, 50, "first"), (2, 1000, "last"), (3, NEXT + 2000, "only")):
        own = [row for row in rows if row["round"] == number]
        day = FIRST if time_ms < NEXT else SECOND
        there = table.get(number, {"date": day, "time_ms": time_ms, "kind": kind, "sent_ms": None})
        told = {name: there[name] for name in ("time_ms", "kind", "sent_ms")}
        sums = {system: netted(own, system) for system in ("BEPS", "IBPS")}
        rounds.append({"round": number, "date": there["date"].isoformat(), **told, "netted": sums})
    outcomes = {}
    for system in {row["system"] for row in rows}:
        own = [row for row in rows if row["system"] == system]
        ends = {
            name: total([row for row in own if row["status"] in statuses])
            for name, statuses in (("settled", ("PR03", "PR23")), ("rejected", ("PR09", "PR32")), ("returned", ()),
                                   ("cancelled", ("PR08", "PR21")), ("queued", ("PR11",)))
        }  # fmt: skip
        delays = [row["netted_ms"] - row["submitted_ms"] for row in own if row["netted_ms"] is not None]
        refusals = {}
        for name, (reason, iso) in REFUSALS.items():
            chosen = [
                row
                for row in own
                if (row["reason"], row["reason_iso"], row["status"] == "PR08")
                == (reason, iso, name == "CAP_QUEUE_CLOSED")
            ]
            refusals[name] = total([row for row in chosen if reason or row["status"] == "PR21"])
        outcomes[system] = {"submitted": total(own), **ends, "mean_delay_ms": sum(delays) / len(delays),
                            "refusals": refusals, "peak_queue": {"count": 0, "value_fen": 0}}  # fmt: skip
    caps: dict[str, dict[str, Any]] = {name: {"lowest_headroom_fen": 0} for name in "ABC"}
    for name, of_payer in caps.items():
        paid = [row for row in rows if row["debtor"] == name]
        over = [row for row in paid if row["status"] == "PR09" and row["reason"] == "RJ94"]
        held = [row for row in paid if row["status"] == "PR08" or (row["netted_ms"] and row["released_by"])]
        of_payer |= {key: total(own) for key, own in (("rejected", over), ("queued", held)) if own}
    return {"rounds": rounds, "outcomes": outcomes, "caps": caps}


#: Reason and ISO reason of refusals, each pair once.
REFUSALS = {
    "PAYER_BANK": ("RJ92", "AM04"), "PAYEE_BANK": ("RJ95", "AC06"), "ANSWERED": ("RJ91", "AM05"),
    "OUT_OF_HOURS": ("RJ90", "TM01"), "TIMED_OUT": ("RJ90", "AB05"), "CAP": ("RJ94", "AM23"),
    "CAP_QUEUE_CLOSED": ("RJ94", "AM23"), "STOPPED": (None, None),
}  # fmt: skip


def broken(retail: Any, **manifest: Any) -> set[str]:
    retail.manifest["timetable"] = TIMETABLE
    retail.manifest |= {**({} if "caps" in manifest else tell(retail)), **manifest}
    return retail.broken()  # type: ignore[no-any-return]


def row_of(retail: Any, sequence: int) -> int:
    return [row["sequence"] for row in retail.rows("payments")].index(sequence)


def damaged(retail: Any, sequence: int, **values: Any) -> set[str]:
    return broken(retail.change("payments", row_of(retail, sequence), **values))


def test_correct_tables_pass_every_rule_of_retail(retail: Any) -> None:
    assert broken(retail) == set(), retail.verdict().breaches
    assert set(retail.verdict().rules) > RULES


def test_payments_may_be_read_in_parts(retail: Any) -> None:
    """However they are cut, and retail items apart from the others."""
    payments, told = retail.tables["payments"], tell(retail)
    for size in (1, 3, 100):
        retail.tables["payments"] = iter([payments.slice(k, size) for k in range(0, len(payments), size)])
        assert broken(retail, **told) == set()
    retail.tables["payments"] = iter([payments.slice(0, 5)])
    assert {"row-counts", "digests"} <= broken(retail, **told)


def test_items_seen_elsewhere_count(retail: Any) -> None:
    payments = retail.tables["payments"]
    is_item = pa.array([row["system"] in ("BEPS", "IBPS") for row in payments.to_pylist()])
    items = RetailItems()
    items.see_part(payments.filter(is_item))
    retail.manifest |= tell(retail)
    rest = {**retail.tables, "payments": payments.filter(pa.compute.invert(is_item))}
    verdict = audit_tables(rest, retail.manifest, retail=items)
    assert verdict.passed, verdict.breaches


@pytest.mark.parametrize(
    ("sequence", "values"),
    [
        (10, {"status": "PR04"}),
        (10, {"status": "PR03", "settled_ms": 45}),
        (10, {"reason": "RJ94", "reason_iso": "AM23"}),
        (12, {"reason_iso": "AM04"}),
        (12, {"reason": "RJ99", "reason_iso": "AM04"}),
        (12, {"reason": "RJ91"}),
        (14, {"reason": "RJ90", "reason_iso": "AM04"}),
        (15, {"reason_iso": "AM04"}),
        (15, {"reason": None, "reason_iso": None}),
        (16, {"reason": "RJ90", "reason_iso": "AM04"}),
        (16, {"ended_ms": None}),
    ],
)
def test_an_impossible_outcome_breaks_outcomes(retail: Any, sequence: int, values: dict[str, Any]) -> None:
    assert "outcomes" in damaged(retail, sequence, **values)


@pytest.mark.parametrize(
    "values",
    [
        {"status": "PR11", "reason": None, "reason_iso": None, "ended_ms": None},
        {"reason": "RJ92", "reason_iso": "AM04"},
        {"reason": "RJ95", "reason_iso": "AC06"},
        {"reason": "RJ91", "reason_iso": "AM05"},
        {"reason": "RJ90", "reason_iso": "TM01"},
    ],
)
def test_other_ends_are_possible(retail: Any, values: dict[str, Any]) -> None:
    assert damaged(retail, 12, **values) == set()


def test_a_netted_item_may_be_returned_later(retail: Any) -> None:
    assert damaged(retail, 10, status="PR23", ended_ms=99) == set()


@pytest.mark.parametrize("values", [{"submitted_ms": 46}, {"ended_ms": 46}, {"instructed_ms": 21}])
def test_an_effect_before_its_cause_breaks_times_ordered(retail: Any, values: dict[str, Any]) -> None:
    assert damaged(retail, 10, **values) == {"times-ordered"}


@pytest.mark.parametrize("values", [{"level": 7}, {"priority": "NORM"}, {"amount_fen": 0}])
def test_a_level_of_a_retail_item_breaks_levels_and_priorities(retail: Any, values: dict[str, Any]) -> None:
    assert damaged(retail, 16, **values) == {"levels-and-priorities"}


def test_an_hvps_payment_without_a_level_breaks_levels_and_priorities(retail: Any) -> None:
    assert damaged(retail, 0, level=None, priority=None) == {"levels-and-priorities"}


def test_items_out_of_order_break_in_order(retail: Any) -> None:
    rows = retail.rows("payments")
    at = row_of(retail, 14)
    rows[at], rows[at + 1] = rows[at + 1], rows[at]
    assert broken(retail.replace("payments", rows)) == {"in-order"}


@pytest.mark.parametrize(
    ("sequence", "values"),
    [
        (10, {"round": None}),
        (12, {"round": 1}),
        (12, {"released_by": "limit"}),
        (11, {"netted_ms": 51, "ended_ms": 51}),
        (13, {"submitted_ms": 40, "instructed_ms": 40, "netted_ms": 49, "ended_ms": 49}),
        (13, {"netted_ms": 1001, "ended_ms": 1001}),
    ],
)
def test_an_item_outside_its_round_breaks_netted_in_round(retail: Any, sequence: int, values: dict[str, Any]) -> None:
    assert "netted-in-round" in damaged(retail, sequence, **values)


def test_a_round_of_another_date_breaks_netted_in_round(retail: Any) -> None:
    for row in (5, 6):
        retail.change("rounds", row, date=FIRST)
    assert broken(retail) == {"netted-in-round", "rounds-told"}


def test_a_round_without_nets_lies_between_its_neighbours(retail: Any) -> None:
    """Two items of round 2 cancel out, so that it has no rows."""
    rows = [row for row in retail.rows("rounds") if row["round"] != 2]
    retail.replace("rounds", rows)
    assert broken(retail) == {"rounds-agree"}
    payments = retail.rows("payments")
    back = {**payments[row_of(retail, 13)], "sequence": 17, "payment_id": "B17", "debtor": "A", "creditor": "C"}
    payments.insert(row_of(retail, 16) + 1, back)
    retail.replace("payments", payments)
    assert broken(retail) == set()
    assert "netted-in-round" in damaged(retail, 17, netted_ms=NEXT + 3000, ended_ms=NEXT + 3000)


def test_a_net_that_the_items_do_not_make_breaks_rounds_agree(retail: Any) -> None:
    assert "rounds-agree" in damaged(retail, 10, amount_fen=11)


def test_nets_are_not_compared_where_one_system_keeps_no_items(retail: Any) -> None:
    rows = [row for row in retail.rows("payments") if row["system"] != "IBPS"]
    items, told = retail.manifest["items"]["IBPS"], tell(retail)
    retail.replace("payments", rows)
    retail.manifest["items"]["IBPS"] = items
    assert broken(retail, **told) == set()


@pytest.mark.parametrize("key", ["count", "value_fen", "checksum"])
def test_items_that_are_not_those_of_the_manifest_break_items_agree(retail: Any, key: str) -> None:
    retail.manifest["items"]["BEPS"][key] = 5
    assert broken(retail) == {"items-agree"} | ({"outcomes-told"} if key != "checksum" else set())


def test_outcomes_other_than_in_the_summary_break_outcomes_counted(retail: Any) -> None:
    counts = {"submitted": (4, 170), "settled": (2, 30), "rejected": (0, 0), "returned": (0, 0),
              "cancelled": (2, 140), "queued": (0, 0)}  # fmt: skip
    figures = {name: {"count": count, "value_fen": fen} for name, (count, fen) in counts.items()}
    assert broken(retail, summary={"systems": {"BEPS": figures}}) == set()
    figures["cancelled"] = {"count": 2, "value_fen": 141}
    assert broken(retail, summary={"systems": {"BEPS": figures}}) == {"outcomes-counted", "outcomes-told"}


@pytest.mark.parametrize(
    ("table", "row", "values"),
    [
        ("matchings", 0, {"algorithm": "multilateral"}),
        ("matchings", 0, {"settled_ms": 901}),
        ("matchings", 0, {"settled_fen": 21, "considered_fen": 21}),
    ],
)
def test_a_matching_unlike_its_items_breaks_cap_matchings_agree(
    retail: Any, table: str, row: int, values: dict[str, Any]
) -> None:
    assert "cap-matchings-agree" in broken(retail.change(table, row, **values))


def test_a_matching_that_no_item_names_breaks_cap_matchings_agree(retail: Any) -> None:
    assert damaged(retail, 13, released_by=None) == {"cap-matchings-agree"}
    assert damaged(retail, 13, released_by="matching:7") == {"cap-matchings-agree"}


def test_what_a_matching_freed_may_name_it_too(retail: Any) -> None:
    assert broken(retail.change("matchings", 0, settled_fen=15, considered_fen=15)) == set()


@pytest.mark.parametrize(
    ("row", "values"),
    [
        (0, {"kind": "second"}),
        (0, {"round": 0}),
        (1, {"kind": "intraday"}),
        (1, {"time_ms": 49}),
        (1, {"date": SECOND}),
        (1, {"participant": "A"}),
        (3, {"time_ms": 40}),
        (5, {"round": 1}),
    ],
)
def test_a_row_that_cannot_stand_breaks_rounds_valid(retail: Any, row: int, values: dict[str, Any]) -> None:
    assert "rounds-valid" in broken(retail.change("rounds", row, **values))


def test_nets_that_do_not_cancel_out_break_rounds_sum_to_zero(retail: Any) -> None:
    verdict = retail.change("rounds", 6, net_fen=6).verdict()
    assert verdict.rules["rounds-sum-to-zero"] == 1
    assert verdict.rules["rounds-match-transfers"] == 1


@pytest.mark.parametrize(
    ("row", "values"),
    [
        (0, {"sent_ms": 49}),
        (0, {"sent_ms": None}),
        (0, {"settled_ms": None}),
        (1, {"settled_ms": 49}),
        (2, {"settled_ms": 51}),
        (1, {"sent_ms": 51}),
        (4, {"sent_ms": MORNING - 1}),
    ],
)
def test_a_net_on_another_way_breaks_rounds_posted(retail: Any, row: int, values: dict[str, Any]) -> None:
    assert "rounds-posted" in broken(retail.change("rounds", row, **values))


def sent_at(retail: Any, number: int, sent_ms: int | None) -> Any:
    """Send and post the nets of a round at another instant; transfers are left out."""
    rows = retail.rows("rounds")
    for row in rows:
        if row["round"] == number:
            row.update(sent_ms=sent_ms, settled_ms=sent_ms)
    retail.tables.pop("transfers", None)
    return retail.replace("rounds", rows)


def test_held_nets_are_sent_at_a_release(retail: Any) -> None:
    assert broken(sent_at(retail, 2, MORNING + 1)) == {"rounds-posted"}
    told = {"date": FIRST, "time_ms": MORNING + 1, "kind": "action", "subject": "NETS", "detail": "the link is back"}
    assert broken(with_events(retail, told)) == set()


def test_held_nets_are_sent_oldest_first(retail: Any) -> None:
    assert broken(sent_at(retail, 2, None)) == {"rounds-posted"}
    assert broken(sent_at(retail, 2, NEXT + MORNING)) == set()
    sent_at(retail, 1, NEXT + MORNING)
    assert broken(sent_at(retail, 2, MORNING)) == {"rounds-posted"}


def test_the_last_rounds_may_be_held_beyond_the_run(retail: Any) -> None:
    assert broken(sent_at(retail, 3, None)) == set()


@pytest.mark.parametrize(
    "values", [{"amount_fen": 11}, {"debtor": "B"}, {"time_ms": 51}, {"kind": "one_sided"}, {"payment_id": None}]
)
def test_a_net_without_its_transfer_breaks_rounds_match_transfers(retail: Any, values: dict[str, Any]) -> None:
    transfers = retail.rows("transfers")
    row = next(k for k, one in enumerate(transfers) if one["payment_id"] == "NETS-000001")
    assert "rounds-match-transfers" in broken(retail.change("transfers", row, **values))
