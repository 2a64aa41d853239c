"""Files that come with the program but are no Python: bundled scenarios and message schemas.

A wheel carries them inside the package; a checkout (and so an editable install) keeps them beside it.
"""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def resource(*names: str) -> Path:
    """The path of a file or folder that is part of the program, such as `resource("scenarios", "a.yaml")`.

    FileNotFoundError if this installation does not have it.
    """
    for home in (_PACKAGE, _PACKAGE.parent):
        path = home.joinpath(*names)
        if path.exists():
            return path
    raise FileNotFoundError(f"not part of this installation: {'/'.join(names)}")
