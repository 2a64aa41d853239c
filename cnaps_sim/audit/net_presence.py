"""Net presence: which participants of the netting server are logged in, and which were so at an earlier instant.

A unit that another bank answers is checked long after it was submitted; its initiator had to be logged in then.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

_BEFORE_ALL: Final = -(2**63)


class Presence:
    """The auditor's own record of who was logged in when.

    out:      bool by participant row: logged out now
    ever_out: bool by participant row: logged out now or at some earlier instant
    """

    def __init__(self, logged_in: Flags) -> None:
        self.out: Flags = ~logged_in
        self.ever_out: Flags = self.out.copy()
        #: Instants at which a participant logged out and in again, by turns; those never logged out have none.
        self._switches: dict[int, list[int]] = {int(row): [_BEFORE_ALL] for row in np.flatnonzero(self.out)}

    def see(self, time_ms: int, participant: int, logged_in: bool) -> None:
        """A participant logs in or out; what it was before changes nothing if it is told again."""
        if self.out[participant] == logged_in:
            self._switches.setdefault(participant, []).append(time_ms)
        self.out[participant] = not logged_in
        self.ever_out[participant] |= not logged_in

    def was_out(self, participants: Ints, instants: Ints) -> Flags:
        """Whether each participant was logged out at the instant beside it (ms).

        An absence covers the instant of the log-out, not that of the next log-in.
        """
        was_out = np.zeros(len(participants), np.bool_)
        concerned = np.flatnonzero(self.ever_out[participants])
        for participant in np.unique(participants[concerned]).tolist():
            places = concerned[participants[concerned] == participant]
            passed = np.searchsorted(self._switches[participant], instants[places], side="right")
            was_out[places] = passed % 2 == 1
        return was_out
