"""Folders and zip files of messages: their files one by one, in order of name, and what makes one unusable.

A file that cannot be read is told as such and the others still come. Nothing is ever unpacked onto the disk. Hidden
files (a name that begins with a dot) and the `__MACOSX` folder that one operating system adds are passed over.
"""

from __future__ import annotations

import hashlib
import os
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NoReturn

from cnaps_sim.messages.schemas import MAX_BYTES
from cnaps_sim.words.errors import InputError

#: The most files, and the most bytes of all of them together (unpacked), that are taken in.
MAX_FILES: Final = 500_000
MAX_TOTAL_BYTES: Final = 4_000_000_000

_ALLOWED: Final = "a folder or a .zip file of messages"
_ADDED: Final = "__MACOSX"
#: Other ways of packing have no bound on what a few bytes become.
_METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_SEPARATORS = re.compile(r"[/\\]")
_ROOTED = re.compile(r"[/\\]|[A-Za-z]:")
_BROKEN: Final = (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, RuntimeError)


@dataclass(frozen=True, slots=True)
class FoundFile:
    """One file: its name from the top of the folder, with `/`, and its first `MAX_BYTES` + 1 bytes.

    problem: why it could not be read, "" if it could
    """

    name: str
    data: bytes
    problem: str = ""


def read_files(path: Path) -> Iterator[FoundFile]:
    """The files of a folder and the folders below it, or of a zip file, by name.

    InputError, placed at the folder or file, if as a whole it is no folder or zip file that can be read, has no file
    or too many, is too large unpacked, or names files outside itself.
    """
    return _folder_files(path) if path.is_dir() else _zip_files(path)


def folder_sha256(folder: Path) -> str:
    """The digest of a folder: of the names and contents of its files."""
    digest = hashlib.sha256()
    for found in read_files(folder):
        digest.update(found.name.encode() + b"\0" + hashlib.sha256(found.data).digest())
    return digest.hexdigest()


def _folder_files(folder: Path) -> Iterator[FoundFile]:
    names: list[str] = []
    total = 0
    for place, below, files in os.walk(folder, onerror=lambda error: _unreadable(folder, error)):
        below[:] = [name for name in below if not _passed_over(name)]
        for name in files:
            if not _passed_over(name):
                file = os.path.join(place, name)
                names.append(os.path.relpath(file, folder))
                total += os.lstat(file).st_size
        _check_sizes(folder, len(names), total)
    if not names:
        _refuse(folder, "there is no file in it")
    for name in sorted(names):
        yield _read(folder, name)


def _read(folder: Path, name: str) -> FoundFile:
    shown = os.fsencode(name).decode("utf-8", "backslashreplace").replace(os.sep, "/")
    file = folder / name
    if file.exists() and not file.is_file():  # a pipe would keep the reader waiting for ever
        return FoundFile(shown, b"", "is not a regular file")
    try:
        with file.open("rb") as opened:
            return FoundFile(shown, opened.read(MAX_BYTES + 1))
    except OSError as error:
        return FoundFile(shown, b"", f"cannot be read: {(error.strerror or str(error)).lower()}")


def _zip_files(path: Path) -> Iterator[FoundFile]:
    try:
        archive = zipfile.ZipFile(path)
    except _BROKEN as error:
        _unreadable(path, error)
    with archive:
        members = [member for member in archive.infolist() if not member.is_dir()]
        _check_sizes(path, len(members), sum(member.file_size for member in members))
        for member in archive.infolist():
            if _ROOTED.match(member.filename) or ".." in _SEPARATORS.split(member.filename):
                _refuse(path, "names a file outside itself", member.filename)
        members = [member for member in members if not any(map(_passed_over, _SEPARATORS.split(member.filename)))]
        if not members:
            _refuse(path, "there is no file in it")
        for member in sorted(members, key=lambda member: member.filename):
            yield _unpacked(archive, member)


def _unpacked(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> FoundFile:
    name = member.filename
    if member.flag_bits & 1:
        return FoundFile(name, b"", "is encrypted")
    if member.compress_type not in _METHODS:
        return FoundFile(name, b"", "is packed by another method than deflate")
    try:
        with archive.open(member) as opened:
            return FoundFile(name, opened.read(MAX_BYTES + 1))
    except _BROKEN as error:
        return FoundFile(name, b"", f"cannot be unpacked: {str(error).lower()}")


def _passed_over(name: str) -> bool:
    return name.startswith(".") or name == _ADDED


def _check_sizes(path: Path, count: int, total: int) -> None:
    if count > MAX_FILES:
        _refuse(path, "too many files", f"{count:,}", f"at most {MAX_FILES:,}")
    if total > MAX_TOTAL_BYTES:
        _refuse(path, "too large unpacked", f"{total:,} bytes", f"at most {MAX_TOTAL_BYTES:,} bytes")


def _unreadable(path: Path, error: Exception) -> NoReturn:
    if isinstance(error, OSError):
        _refuse(path, f"cannot be read: {(error.strerror or str(error)).lower()}")
    _refuse(path, "is not a zip file that can be read", str(error).lower())


def _refuse(path: Path, problem: str, value: str = "", allowed: str = _ALLOWED) -> NoReturn:
    raise InputError(str(path), "", problem, value, allowed) from None
