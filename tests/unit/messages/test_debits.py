"""Direct debits: pacs.003 and pacs.010."""

import runpy
from pathlib import Path
from types import SimpleNamespace

from hypothesis import given

from cnaps_sim.messages.debits import CentralBankDebit, CustomerCollection, CustomerDebit

its = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("records.py"))))

collections = its.records(CustomerCollection)


@its.few
@given(its.records(CustomerDebit, transactions=its.some(collections)))
def test_a_customer_debit_is_read_as_it_was_built(debit):
    its.there_and_back(debit)


@its.few
@given(its.records(CentralBankDebit))
def test_a_central_bank_debit_is_read_as_it_was_built(debit):
    its.there_and_back(debit)
