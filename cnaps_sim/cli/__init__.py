"""The command line: `cnaps-sim COMMAND`, also `python -m cnaps_sim`.

Errors are one line on stderr (with `--json` one object on stdout) and an exit code: 0 done, 1 the thing examined
is bad, 2 the input is wrong, 3 internal error, 130 interrupted. Heavy packages are imported inside commands.
"""

from __future__ import annotations

from cnaps_sim.cli.main import main

__all__ = ["main"]
