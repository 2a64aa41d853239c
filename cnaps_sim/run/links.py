"""Links: what the network of a scenario does, as the engine takes it."""

from __future__ import annotations

from cnaps_sim.engine.network import LinkTerms
from cnaps_sim.scenario.messages import NetworkTerms


def link_terms(terms: NetworkTerms) -> tuple[LinkTerms, dict[str, LinkTerms]]:
    """The network of a scenario: what every link does, and the links that differ."""
    usual = LinkTerms(
        latency_ms=terms.latency,
        latency_sigma=float(terms.latency_sigma),
        loss=float(terms.loss),
        duplicates=float(terms.duplicates),
        resend_after_ms=terms.resend_after,
        most_attempts=terms.attempts,
    )
    own = {}
    for row in terms.links:
        own[row.account] = LinkTerms(
            latency_ms=usual.latency_ms if row.latency is None else row.latency,
            latency_sigma=usual.latency_sigma if row.latency_sigma is None else float(row.latency_sigma),
            loss=usual.loss if row.loss is None else float(row.loss),
            duplicates=usual.duplicates if row.duplicates is None else float(row.duplicates),
            resend_after_ms=usual.resend_after_ms,
            most_attempts=usual.most_attempts,
        )
    return usual, own
