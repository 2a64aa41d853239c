"""What the network does where a scenario says nothing of it."""

from __future__ import annotations

from typing import Final

from cnaps_sim.words.units import MS_PER_SECOND

#: How long a sender waits for a receipt before it sends the same bytes again, ms; no public source.
RESEND_AFTER_MS: Final = 10 * MS_PER_SECOND
#: How often a sender sends the same bytes at most; no public source.
MOST_ATTEMPTS: Final = 5
