"""A valid sample of every ISO message of the catalogue, and readers that take whatever the profile allows."""

import runpy
from pathlib import Path
from types import SimpleNamespace

import pytest

from cnaps_sim.messages import codec, envelope
from cnaps_sim.messages.catalogue import CATALOGUE, ISO_IDS, find, kind_of, of_iso
from cnaps_sim.messages.nets import RoundNets
from cnaps_sim.messages.rules import Expected
from cnaps_sim.messages.samples import document_of, record_of, sample, sample_document, sample_of
from cnaps_sim.messages.schemas import parse, profile
from cnaps_sim.messages.validate import check
from cnaps_sim.words.errors import InputError

its = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("records.py"))))
allowed = runpy.run_path(str(Path(__file__).parents[1] / "schemas" / "conftest.py"))["document_of"]

KINDS = [kind for kind in CATALOGUE if kind.is_iso]


def ids(kind):
    return f"{kind.number[:8]}-{kind.iso[:8]}"


@pytest.mark.parametrize("kind", KINDS, ids=ids)
def test_every_layer_passes_the_sample(kind):
    checked = check(sample_of(kind), Expected(working_date=its.AT.date()))
    assert checked.kind == kind
    assert codec.read(kind.iso, checked.root) == record_of(kind)


@pytest.mark.parametrize("kind", KINDS, ids=ids)
def test_the_official_schemas_pass_the_sample(kind):
    if its.official(kind.iso) is None:
        pytest.skip("the official schemas are not on this machine (../shared)")
    travelled = envelope.read(sample_of(kind))
    for iso, data in ((kind.iso, travelled.document), ("head.001.001.02", travelled.app_header)):
        schema = its.official(iso)
        assert schema.validate(parse(data, "sample")), schema.error_log


@pytest.mark.parametrize("iso", ISO_IDS)
def test_xmlschema_agrees_that_the_sample_is_valid(iso):
    assert list(profile().errors(iso, parse(sample_document(iso), "Document"))) == []


def test_a_sample_is_found_by_number_and_by_iso_id_in_full_or_short():
    names = ("hvps.111.001.01", "hvps.111", "HVPS.111", "pacs.008.001.08", "Pacs.008", "hvps.111/PACS.008")
    assert {sample(name) for name in names} == {sample_of(find("hvps.111")[0])}


def test_samples_have_ids_of_their_own_and_tell_of_the_payment_of_the_first():
    headers = [envelope.read(sample_of(kind)).header for kind in KINDS]
    assert len({header.message_id for header in headers}) == len(KINDS)
    made = [record_of(kind) for kind in KINDS if kind.iso.startswith(("pacs.008", "pacs.009", "pacs.003"))]
    paid = [record.transactions[0] for record in made]
    assert len({each.transaction_id for each in paid}) == len({each.uetr for each in paid}) == len(paid)
    told = record_of(find("ccms.900")[0]).transactions[0]
    assert (told.transaction_id, told.uetr) == (paid[0].transaction_id, paid[0].uetr)


def test_one_number_with_two_forms_has_a_sample_of_each():
    recall, cancellation = find("ccms.307")
    assert sample_document("ccms.307") == document_of(recall)
    assert b"<CclTx>" in document_of(cancellation)


def test_stop_payment_and_reversal_give_their_reasons():
    reasons = {number: record_of(kind_of(f"{number}.001.01", "camt.056.001.08")) for number in ("beps.411", "beps.413")}
    assert {number: record.payments[0].reason.code for number, record in reasons.items()} == {
        "beps.411": "SP00",
        "beps.413": "RV00",
    }


@pytest.mark.parametrize(
    ("name", "complaint"),
    [("hvps.999", "no such message"), ("", "no such message"), ("ccms.805", "is not ISO 20022")],
)
def test_what_is_no_iso_message_has_no_sample(name, complaint):
    with pytest.raises(InputError, match=complaint):
        sample(name)


def test_every_iso_message_of_the_catalogue_has_a_form():
    assert set(codec.FORMS) == set(ISO_IDS)
    for form in codec.FORMS.values():
        record = record_of(of_iso(form.iso)[0])
        assert type(record) is form.record
        assert codec.build(record) == form.build(record)


@pytest.mark.parametrize("iso", ISO_IDS)
def test_whatever_the_profile_allows_is_read_and_stays_the_same_when_built_again(iso):
    for seed in range(20):
        root = parse(allowed(iso, seed), "Document")
        profile().judge(iso, root)
        record = codec.read(iso, root)
        if isinstance(record, RoundNets) and record.debits_fen != record.credits_fen:
            continue  # no schema can say that they must be equal, so it is a rule's to refuse
        built = parse(codec.build(record), "Document")
        profile().judge(iso, built)
        assert codec.read(iso, built) == record
