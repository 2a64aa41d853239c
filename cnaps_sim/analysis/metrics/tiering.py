"""Tiering (间接参与): how much of what direct participants send is on behalf of others, and how it is spread."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cnaps_sim.analysis.metrics.columns import Codes, Run, Where
from cnaps_sim.analysis.metrics.liquidity import herfindahl
from cnaps_sim.analysis.metrics.payments import Payments, payments_of
from cnaps_sim.analysis.metrics.tidy import By, Groups, Measure, group, ratios, tidy, total


def tiering(run: Run, *, by: By = None, where: Where = None) -> pd.DataFrame:
    """Settled value that direct participants (直接参与者) sent on behalf of indirect ones (间接参与者).

    Grouped as payments are; `by="account"` is the direct participant. `clients`: indirect participants with a settled
    payment; `indirect_count` (payments), `indirect` (fen): on behalf of them; `indirect_share`: its part of all settled
    value of participants; `client_herfindahl`: sum of squared shares of the clients in it; `direct_herfindahl`: the
    same of the direct participants through whom it went (1 for a single one). Ratios from 0 to 1, null without
    denominator. Payments of HVPS; of BEPS and IBPS where `where` names the system or `by` asks for it, if recorded.
    Source: CPMI-IOSCO, Principles for financial market infrastructures (2012), principle 19.
    """
    payments = payments_of(run, where, by)
    groups = group(payments, by)
    client, direct = payments.codes("on_behalf_of"), payments.codes("debtor")
    settled = payments.settled & payments.own
    indirect = settled & (client.codes >= 0)
    value, whole = total(groups, payments.amount, indirect), total(groups, payments.amount, settled)
    of_clients = _per_label(groups, client, payments, indirect)
    of_direct = _per_label(groups, direct, payments, indirect)
    return tidy(
        groups,
        [
            Measure("clients", "participants", [len(part) for part in of_clients]),
            Measure("indirect_count", "payments", np.bincount(groups.group[indirect], minlength=groups.size)),
            Measure("indirect", "fen", value),
            Measure("indirect_share", "ratio", ratios(value.tolist(), whole.tolist())),
            Measure("client_herfindahl", "ratio", [herfindahl(part) for part in of_clients]),
            Measure("direct_herfindahl", "ratio", [herfindahl(part) for part in of_direct]),
        ],
    )


def _per_label(groups: Groups, column: Codes, payments: Payments, mask: np.ndarray) -> list[np.ndarray]:  # type: ignore[type-arg]
    """Per group the sums of value (fen) of each label that has some."""
    width = len(column.labels) or 1
    rows = np.flatnonzero(mask)
    sums = np.zeros(groups.size * width, np.int64)
    np.add.at(sums, groups.group[rows] * width + column.codes[rows], payments.amount[rows])
    return [part[part > 0] for part in sums.reshape(groups.size, width)]
