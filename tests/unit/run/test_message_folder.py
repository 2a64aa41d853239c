"""Folders and zip files of messages: what is read of them, file by file, and what makes one unusable as a whole."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest

from cnaps_sim.run import message_folder
from cnaps_sim.run.message_folder import FoundFile, folder_sha256, read_files
from cnaps_sim.words.errors import InputError

FILES = {"b.xml": b"<b/>", "sub/c.xml": b"<c/>", "a.xml": b"<a/>"}
HIDDEN = {".hidden": b"?", "__MACOSX/._a.xml": b"?", "sub/.git/d.xml": b"?"}
FOUND = [FoundFile("a.xml", b"<a/>"), FoundFile("b.xml", b"<b/>"), FoundFile("sub/c.xml", b"<c/>")]


def folder_of(place: Path, files: dict[str, bytes]) -> Path:
    place.mkdir(exist_ok=True)
    for name, data in files.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(data)
    return place


def zip_of(path: Path, files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def error_of(path: Path) -> InputError:
    with pytest.raises(InputError) as caught:
        list(read_files(path))
    assert caught.value.place == str(path)
    return caught.value


def test_files_come_by_name_and_hidden_ones_do_not(tmp_path: Path) -> None:
    assert list(read_files(folder_of(tmp_path / "f", FILES | HIDDEN))) == FOUND
    assert list(read_files(zip_of(tmp_path / "z.zip", FILES | HIDDEN))) == FOUND


def test_the_digest_of_a_folder_is_of_names_and_contents(tmp_path: Path) -> None:
    first = folder_sha256(folder_of(tmp_path / "one", FILES))
    assert folder_sha256(folder_of(tmp_path / "two", FILES | HIDDEN)) == first
    assert folder_sha256(folder_of(tmp_path / "three", {**FILES, "a.xml": b"<A/>"})) != first
    (tmp_path / "two" / "a.xml").rename(tmp_path / "two" / "z.xml")
    assert folder_sha256(tmp_path / "two") != first


def test_what_is_no_regular_file_is_told_and_not_waited_for(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "f", {"a.xml": b"<a/>"})
    os.mkfifo(folder / "pipe")
    (folder / "link").symlink_to("nowhere")
    problems = {file.name: file.problem for file in read_files(folder)}
    assert problems == {
        "a.xml": "",
        "link": "cannot be read: no such file or directory",
        "pipe": "is not a regular file",
    }


def test_a_name_that_is_no_utf_8_is_told_in_other_letters(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "f", {})
    try:
        Path(os.fsdecode(os.fsencode(folder) + b"/\xff\xa7.xml")).write_bytes(b"<a/>")
    except OSError:
        pytest.skip("this file system takes UTF-8 names alone")
    assert [file.name for file in read_files(folder)] == ["\\xff\\xa7.xml"]


def test_members_that_cannot_be_unpacked_are_told_alone(tmp_path: Path) -> None:
    path = tmp_path / "z.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.xml", b"<a/>", zipfile.ZIP_LZMA)
        archive.writestr("b.xml", b"<b/>", zipfile.ZIP_DEFLATED)
        archive.writestr("c.xml", b"<c>damaged</c>", zipfile.ZIP_STORED)
    path.write_bytes(path.read_bytes().replace(b"damaged", b"Damaged"))
    lzma, sound, damaged = read_files(path)
    assert lzma.problem == "is packed by another method than deflate"
    assert sound == FoundFile("b.xml", b"<b/>")
    assert damaged.problem == "cannot be unpacked: bad crc-32 for file 'c.xml'"


def test_an_encrypted_member_is_told_alone(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "z.zip", {"a.xml": b"<a/>", "b.xml": b"<b/>"})
    data = bytearray(path.read_bytes())
    data[6] |= 1  # the flag in the member's own header, and in the directory
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    assert list(read_files(path)) == [FoundFile("a.xml", b"", "is encrypted"), FoundFile("b.xml", b"<b/>")]


def test_nothing_to_read_is_an_error(tmp_path: Path) -> None:
    for empty in (folder_of(tmp_path / "f", {}), folder_of(tmp_path / "h", HIDDEN), zip_of(tmp_path / "z.zip", {})):
        assert error_of(empty).problem == "there is no file in it"
    assert error_of(tmp_path / "none.zip").problem == "cannot be read: no such file or directory"


def test_a_file_that_is_no_zip_file_is_an_error(tmp_path: Path) -> None:
    whole = zip_of(tmp_path / "z.zip", {"a.xml": os.urandom(3000)}).read_bytes()
    (tmp_path / "cut.zip").write_bytes(whole[:2000])
    (tmp_path / "text.zip").write_bytes(b"payment_id,time\n")
    (tmp_path / "empty.zip").write_bytes(b"")
    for name in ("cut.zip", "text.zip", "empty.zip"):
        error = error_of(tmp_path / name)
        assert error.problem == "is not a zip file that can be read"
        assert "\n" not in error.sentence()


@pytest.mark.parametrize("name", ["../a.xml", "/a.xml", "sub/../../a.xml", "C:\\a.xml", "..\\a.xml", "../.a", "../"])
def test_a_name_that_leads_out_of_the_zip_is_an_error(tmp_path: Path, name: str) -> None:
    error = error_of(zip_of(tmp_path / "z.zip", {**FILES, name: b""}))
    assert (error.problem, error.value) == ("names a file outside itself", name)


def test_bombs_are_refused_before_they_are_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(message_folder, "MAX_TOTAL_BYTES", 1_000_000)
    files = {"a.xml": b"<a/>", "b.xml": b" " * 1_000_000}
    for path in (folder_of(tmp_path / "f", files), zip_of(tmp_path / "z.zip", files)):
        assert error_of(path).problem == "too large unpacked"
        assert (error_of(path).value, error_of(path).allowed) == ("1,000,004 bytes", "at most 1,000,000 bytes")
    monkeypatch.setattr(message_folder, "MAX_FILES", 2)
    for path in (folder_of(tmp_path / "g", FILES), zip_of(tmp_path / "y.zip", FILES)):
        assert (error_of(path).problem, error_of(path).value) == ("too many files", "3")


def test_a_member_that_is_larger_than_its_directory_says_is_not_unpacked_further(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "z.zip", {"a.xml": b" " * 5_000_000})
    data = path.read_bytes()
    size = (5_000_000).to_bytes(4, "little")
    path.write_bytes(data.replace(size, (100).to_bytes(4, "little")))
    (told,) = read_files(path)
    assert told.data == b""
    assert told.problem.startswith("cannot be unpacked")


def test_no_file_is_read_further_than_a_message_may_be_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(message_folder, "MAX_BYTES", 10)
    files = {"a.xml": b"x" * 100}
    for path in (folder_of(tmp_path / "f", files), zip_of(tmp_path / "z.zip", files)):
        assert list(read_files(path)) == [FoundFile("a.xml", b"x" * 11)]
