"""Pictures from files, folders and zips, one after the other, each opened only when it is needed.

>>> [source.name for source in from_paths([Path("scans"), Path("more.zip")])]     # doctest: +SKIP
['scans/a.png', 'scans/b.png', 'more.zip/c.png']

Nothing is ever unpacked onto the disk, and what would lead out of a zip is refused by name.
"""

import io
import lzma
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cnnlab.paths import printable
from cnnlab.pictures import EXTENSIONS, UnreadableImage, file_paths, is_hidden, is_picture

MOST_FILES = 10_000
MOST_BYTES = 100 << 20  # of one file in a zip, unpacked: more than any picture of 64 megapixels
MOST_TOTAL = 4 << 30  # of all files in a zip, unpacked
ENTRY = 500  # bytes that a file's entry in a zip's directory may take on average; names are mostly below 100


class SourcesError(ValueError):
    """Files that are not read at all; the message is one sentence that says why and what to do."""


@dataclass(frozen=True)
class Source:
    """A picture's name, and what fetches its bytes or path; that raises UnreadableImage with a sentence."""

    name: str
    fetch: Callable[[], bytes | Path]


class Sources(list[Source]):
    """Pictures, and how many files beside them are ``left_out``, for their names do not end as a picture's."""

    left_out = 0

    @property
    def note(self) -> str:
        """What was left out, as a sentence; empty where nothing was."""
        files = f"{self.left_out:,} file{'' if self.left_out == 1 else 's'}"
        return f"Left out {files} whose name does not end as a picture's." if self.left_out else ""


def from_paths(paths: Iterable[Path]) -> Sources:
    """The pictures that ``paths`` mean: files as they are, folders walked in order of names, zips looked into.

    What is not there is found out only when it is fetched. Raises SourcesError for more than MOST_FILES, and where the
    only path is a folder or zip without pictures; among others that is a source that cannot be read.
    """
    return _gathered([(printable(str(path)), path) for path in paths])


def from_bytes(files: Iterable[tuple[str, bytes]]) -> Sources:
    """The pictures in uploaded ``files``, each a (name, content): zips are looked into.

    Raises SourcesError as :func:`from_paths` does.
    """
    return _gathered(list(files))


def _gathered(given: Sequence[tuple[str, bytes | Path]]) -> Sources:
    found = Sources()
    for name, file in given:
        try:
            part = _of_one(name, file)
            found.left_out += part.left_out
        except SourcesError as error:
            if len(given) == 1:
                raise
            part = Sources([Source(name, _unreadable(str(error)))])
        found += part
        _check_count(len(found))
    return found


def _of_one(name: str, file: bytes | Path) -> Sources:
    if isinstance(file, Path) and file.is_dir():
        return _in_folder(file)
    if name.lower().endswith(".zip"):
        return from_zip(name, file)
    return Sources([Source(name, _given(file))])


def _unreadable(why: str) -> Callable[[], bytes | Path]:
    def fetch() -> bytes:
        raise UnreadableImage(why)

    return fetch


def _given(file: bytes | Path) -> Callable[[], bytes | Path]:
    return lambda: file


def _check_count(count: int) -> None:
    if count > MOST_FILES:
        raise SourcesError(f"There are more than {MOST_FILES:,} files, and that is the most at a time: give fewer.")


def _in_folder(folder: Path) -> Sources:
    found = Sources()
    for path in file_paths(folder):
        if is_picture(path):
            found.append(Source(printable(path), _given(Path(path))))
            _check_count(len(found))
        else:
            found.left_out += 1
    if not found:
        raise SourcesError(f"{folder} holds no image files ({', '.join(sorted(EXTENSIONS))}): choose another folder.")
    return found


# ── zips ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def from_zip(name: str, file: bytes | Path) -> Sources:
    """The pictures in a zip called ``name``; raises SourcesError where it is none, or holds no or too many files."""
    try:
        _check_directory(name, file)
        archive = zipfile.ZipFile(io.BytesIO(file) if isinstance(file, bytes) else file)
    except FileNotFoundError:
        raise SourcesError(f"There is no zip {name}: check the path.") from None
    except (OSError, zipfile.BadZipFile, struct.error, ValueError, NotImplementedError) as error:
        if isinstance(error, SourcesError):
            raise
        raise SourcesError(f"{name} cannot be read ({error}): it is damaged or no zip; make it again.") from None
    inside = [member for member in archive.infolist() if not (member.is_dir() or _is_hidden(member.filename))]
    members = [member for member in inside if _is_wanted(member.filename)]
    if sum(member.file_size for member in members) > MOST_TOTAL:
        raise SourcesError(f"{name} would unpack to more than {MOST_TOTAL >> 30} GB: split it into smaller zips.")
    if not members:
        raise SourcesError(f"{name} holds no image files ({', '.join(sorted(EXTENSIONS))}): choose another zip.")
    found = Sources(Source(f"{name}/{member.filename}", _member(archive, member)) for member in members)
    found.left_out = len(inside) - len(members)
    return found


def _is_hidden(name: str) -> bool:
    """Whether a zip's file or a folder that it is in is hidden."""
    return any(map(is_hidden, name.replace("\\", "/").split("/")))


def _is_wanted(name: str) -> bool:
    """Pictures, and zips, which are refused by name."""
    return is_picture(name) or name.lower().endswith(".zip")


def _check_directory(name: str, file: bytes | Path) -> None:
    """Raise SourcesError before Python reads the zip's directory, if that is far too long (APPNOTE 6.3.10, 4.3.16)."""
    if isinstance(file, bytes):
        tail = file[-(22 + 65535) :]
    else:
        if file.exists() and not file.is_file():
            raise zipfile.BadZipFile("it is a pipe or a device")  # to open it might never end
        with file.open("rb") as opened:
            opened.seek(max(0, file.stat().st_size - 22 - 65535))
            tail = opened.read()
    at = tail.rfind(b"PK\5\6")
    if at < 0:
        raise zipfile.BadZipFile("it has no directory")
    count, size = struct.unpack_from("<HI", tail, at + 10)
    if count > MOST_FILES or size > MOST_FILES * ENTRY:
        raise SourcesError(f"{name} holds more than {MOST_FILES:,} files, and that is the most at a time: split it.")


def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Callable[[], bytes | Path]:
    def fetch() -> bytes:
        if why := _refused(member):
            raise UnreadableImage(why)
        try:
            return archive.read(member)
        except (OSError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, RuntimeError, EOFError) as error:
            raise UnreadableImage(f"It cannot be unpacked ({error}): make the zip again.") from error

    return fetch


def _refused(member: zipfile.ZipInfo) -> str | None:
    """Why a file of a zip is not read; None if it is."""
    name = member.filename.replace("\\", "/")
    if name.startswith("/") or name[1:2] == ":" or ".." in name.split("/"):
        return "Its name leads out of the zip, so it is not read: make the zip again with names below one folder."
    if stat.S_ISLNK(member.external_attr >> 16):
        return "It is a link, and links in a zip are not followed: put the picture itself into the zip."
    if name.lower().endswith(".zip"):
        return "It is a zip in a zip, which is not opened: unpack it first."
    if member.flag_bits & 1:
        return "It is encrypted: make the zip without a password."
    if member.file_size > MOST_BYTES:
        return f"It would unpack to {member.file_size >> 20:,} MB, and at most {MOST_BYTES >> 20} are read."
    return None
