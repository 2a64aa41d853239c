"""The cache of compiled rules: a directory on disk whose name carries a hash of every source of the package.

Numba's own disk cache does not notice an edit in *another* file, nor a changed global constant: a rule that spans
several modules could run stale code after an edit or an upgrade. A new source means a new directory.
"""

from __future__ import annotations

import functools
import hashlib
import os
import shutil
import tempfile
import time
from pathlib import Path

import numba

_KEPT_CACHES = 3
#: A directory that a process has opened this recently may still be written to: it is left alone.
_IN_USE_S = 6 * 3600


def source_digest(package: Path) -> str:
    """A hash over the text of every Python source below `package`, and over the compiler's version."""
    digest = hashlib.blake2b(numba.__version__.encode(), digest_size=10)
    for path in sorted(package.rglob("*.py")):
        digest.update(path.relative_to(package).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def cache_directory(package: Path) -> Path:
    """Where the compiled rules of exactly this source are kept; made, writable, at most three of them.

    One that was opened in the last hours is kept in any case: a running process may still write to it.
    """
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "cnaps-sim"
    place = base / f"rules-{source_digest(package)}"
    try:
        place.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=place):
            pass  # only a trial: some machines let a folder be made but not written into
        os.utime(place)
        others = sorted(base.glob("rules-*"), key=lambda folder: folder.stat().st_mtime, reverse=True)
        for old in others[_KEPT_CACHES:]:
            if time.time() - old.stat().st_mtime > _IN_USE_S:
                shutil.rmtree(old, ignore_errors=True)
    except (OSError, RuntimeError):
        place = Path(tempfile.gettempdir()) / f"cnaps-sim-{os.getuid() if hasattr(os, 'getuid') else 0}" / place.name
        place.mkdir(parents=True, exist_ok=True)
    return place


@functools.cache
def rules_directory() -> str:
    """The directory of this package's rules, found once per process."""
    return str(cache_directory(Path(__file__).resolve().parent.parent))
