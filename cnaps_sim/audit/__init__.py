"""The auditor: re-checks what a run did, without any code of the books.

`StreamAuditor` reads the stream of outcomes while a run goes on; `tables.audit_tables` reads the stored tables. Each
gives a `Verdict`; two verdicts add up.
"""

from __future__ import annotations

from cnaps_sim.audit.stream import AccountTerms, StreamAuditor
from cnaps_sim.audit.verdict import Verdict

__all__ = ["AccountTerms", "StreamAuditor", "Verdict"]
