"""Locks: a folder that one program writes into is left alone by any other until that one ends, however it ends."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import Final

if sys.platform == "win32":
    import msvcrt

    def _lock(file: int) -> None:
        """OSError if another program has it."""
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(file: int) -> None:
        """OSError if another program has it."""
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


#: The file that is locked; the operating system frees it when its program ends, even by force.
LOCK: Final = ".lock"


class FolderLock:
    """The lock of one folder, which exists."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / LOCK
        self._file: int | None = None

    def take(self) -> bool:
        """Take the lock; False if another program has it."""
        while self._file is None:
            file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
            try:
                _lock(file)
            except (BlockingIOError, PermissionError):
                os.close(file)
                return False
            except OSError:
                pass  # a file system that knows no locks must do without
            if self._is_there(file):
                self._file = file
            else:
                os.close(file)  # whoever had it has removed the file meanwhile
        return True

    def _is_there(self, file: int) -> bool:
        try:
            return os.path.samestat(os.fstat(file), self._path.stat())
        except FileNotFoundError:
            return False

    def free(self) -> None:
        """Give the lock back, if it was taken, and leave no file."""
        if self._file is None:
            return
        with contextlib.suppress(OSError):
            self._path.unlink()
        os.close(self._file)
        self._file = None
