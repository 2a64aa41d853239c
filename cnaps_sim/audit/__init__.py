"""The auditor: re-checks what a run did, without any code of the books.

`StreamAuditor` reads the stream of outcomes while a run goes on; `tables.audit_tables` reads the stored tables. Each
gives a `Verdict`; two verdicts add up.

The command `audit` and this package have one name, so in Python the package can be called: `cs.audit("runs/…")`.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import Any

from cnaps_sim.audit.stream import AccountTerms, StreamAuditor
from cnaps_sim.audit.verdict import Verdict

__all__ = ["AccountTerms", "StreamAuditor", "Verdict"]


class _Audit(ModuleType):
    def __call__(self, run: Any, *, ignore_digests: bool = False) -> Verdict:
        """Re-check the tables of a run folder: see `cnaps_sim.analysis.simulate.audit`."""
        # By name, and only when somebody asks: reading run folders is the business of rooms above this one.
        audit = import_module("cnaps_sim.analysis.simulate").audit
        verdict: Verdict = audit(run, ignore_digests=ignore_digests)
        return verdict


sys.modules[__name__].__class__ = _Audit
