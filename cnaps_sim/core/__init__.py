"""The central bank's books: records, and the compiled rules that change them. No clock, no XML, no files.

Where a rule stands:

* `funds`       what an account may spend (available, reservations, earmark, controls)
* `queue`       the eight-level settlement queue (清算排队): links only
* `posting`     debit and credit posted together; overdraft integral; balance warnings
* `release`     retrying queues after a credit: first credited, first served
* `submission`  a payment arrives: precedence of refusals, settle, queue or refuse
* `orders`      a participant moves or cancels its own queued payment
* `terms`       limits, floors, earmarks, reservations and controls change
* `outbox`      a bank holds its payments back
* `window`      the clearing window closes: returns and penalty loans
* `advance`     a whole flow, one compiled call
* `books`       the Python face of all of it

Numba's disk cache does not notice an edit in *another* file, so compiled code is cached in a directory whose
name carries a hash of every source of the package.
"""

from __future__ import annotations

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


_before = numba.config.CACHE_DIR
numba.config.CACHE_DIR = str(cache_directory(Path(__file__).resolve().parent.parent))
try:
    from cnaps_sim.core.books import Books
finally:
    numba.config.CACHE_DIR = _before

__all__ = ["Books"]
