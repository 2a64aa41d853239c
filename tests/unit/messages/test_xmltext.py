"""Templates: what they write, what they refuse to write."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from cnaps_sim.messages.xmltext import CHINA, Template, count, each, escape, fen_text, lines, time_text


@dataclass(frozen=True, slots=True)
class Item:
    name: str
    amount_fen: int = 0
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Parcel:
    items: tuple[Item, ...]
    notes: tuple[str, ...] = ()


ITEM = Template('<I n="{name}">[<N>{note}</N>]{amount_fen:fen}</I>', Item)


def test_values_stand_in_their_slots() -> None:
    assert ITEM.fill(Item("a", 100_050, "b")) == '<I n="a"><N>b</N>1000.50</I>'


def test_an_optional_part_goes_with_its_value() -> None:
    assert ITEM.fill(Item("a")) == '<I n="a">0.00</I>'
    assert ITEM.fill(Item("a", 0, "")) == '<I n="a">0.00</I>'


def test_records_of_records_and_lines() -> None:
    parcel = Template(
        "<P c='{items:count}'>{items:each}{notes:lines}</P>", Parcel, each=each(ITEM), count=count, lines=lines("L")
    )
    assert parcel.fill(Parcel((Item("a", 1), Item("b", 2)), ("x & y",))) == (
        '<P c=\'2\'><I n="a">0.01</I><I n="b">0.02</I><L>x &amp; y</L></P>'
    )


def test_line_ends_of_the_template_are_not_written_and_percent_signs_are() -> None:
    template = Template("\n  <A>\n    5 %{name}</A>\n", Item, unused=["amount_fen", "note"])
    assert template.build(Item("x")) == b"<A>5 %x</A>"


def test_an_agent_and_an_account_get_their_elements() -> None:
    template = Template("{name:agent}[<A>{note:account}</A>]", Item, unused=["amount_fen"])
    assert template.fill(Item("0000", note="7")) == (
        "<FinInstnId><ClrSysMmbId><ClrSysId><Cd>CNAPS</Cd></ClrSysId><MmbId>0000</MmbId></ClrSysMmbId></FinInstnId>"
        "<A><Id><Othr><Id>7</Id></Othr></Id></A>"
    )


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("<I>{nam}{amount_fen:fen}{note}</I>", "'nam'"),
        ("<I>{name}</I>", "'amount_fen'"),
        ("<I>{name}{amount_fen:fen}{note}{</I>", "not a slot"),
        ("<I>{name}{amount_fen}{note()}</I>", "no name"),
    ],
)
def test_a_slot_that_no_field_fills_and_a_field_without_a_slot_are_found_at_once(text: str, what: str) -> None:
    with pytest.raises(ValueError, match=what):
        Template(text, Item)


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Cs"])))
def test_any_text_comes_back_from_xml_or_cannot_be_carried(text: str) -> None:
    try:
        escaped = escape(text)
    except ValueError:
        with pytest.raises(etree.XMLSyntaxError):
            etree.fromstring(f"<a>{text}</a>".replace("&", "&amp;").encode())
        return
    root = etree.fromstring(f'<a b="{escaped}">{escaped}</a>'.encode())
    assert (root.text or "") == text


def test_a_lone_surrogate_cannot_be_carried() -> None:
    with pytest.raises(ValueError, match=r"U\+D800"):
        escape("\ud800")


def test_money_has_two_decimals_and_no_sign() -> None:
    assert [fen_text(fen) for fen in (0, 5, 50, 100, 100_050)] == ["0.00", "0.05", "0.50", "1.00", "1000.50"]
    with pytest.raises(ValueError, match="-1 fen"):
        fen_text(-1)


def test_a_moment_is_told_in_beijing_time() -> None:
    assert time_text(dt.datetime(2025, 6, 17, 10, 30, tzinfo=CHINA)) == "2025-06-17T10:30:00.000+08:00"
    assert time_text(dt.datetime(2025, 6, 17, 2, 30, tzinfo=dt.UTC)) == "2025-06-17T10:30:00.000+08:00"
    with pytest.raises(ValueError, match="zone"):
        time_text(dt.datetime(2025, 6, 17, 10, 30))
