"""A log file as text: packed or not, in whatever encoding, read piece by piece and not for ever."""

import codecs
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from whisper_bench.parcel.frames import NoResultsError

MOST_LOG_BYTES = 2**28
"""Of one log, both as it lies there and unpacked. A node keeps 5 files of 10 MiB for a container
as a rule; the frames of the largest run are 16 MiB."""
_PIECE = 2**20
"""Bytes read, and at most unpacked, at a time."""
_PACKED_PIECE = 2**14
"""Bytes of gzip read at a time: where a gzip ends the rest is copied, and thousands may follow one
another."""
_GZIP = b"\x1f\x8b"
_GZIP_WINDOW = 31
"""For zlib: a gzip header and trailer around the data, of any window."""
_PACKERS = {
    b"\x28\xb5\x2f\xfd": ("zstd", "zstd -dc"),
    b"\xfd7zXZ\0": ("xz", "xz -dc"),
    b"BZh": ("bzip2", "bzip2 -dc"),
    b"\x04\x22\x4d\x18": ("lz4", "lz4 -dc"),
    b"PK\x03\x04": ("zip", "unzip -p"),
    b"7z\xbc\xaf\x27\x1c": ("7z", "7z x -so"),
}
"""How files begin that others pack, and what unpacks them."""
_ENCODINGS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",  # what PowerShell's > writes
    codecs.BOM_UTF16_BE: "utf-16",
    codecs.BOM_UTF8: "utf-8-sig",
}
_WIDE = {"utf-16-le": re.compile(rb"[^\0]\0[^\0]\0"), "utf-16-be": re.compile(rb"\0[^\0]\0[^\0]")}
"""UTF-16 without a mark at its beginning."""
_BEGINNING_BYTES = 4
_ROTATED = re.compile(r"\.\d{8}-\d{6}(\.gz)?$")
"""What the kubelet adds to the name of a log that it has turned over: 0.log.20261124-101500.gz."""


class LogError(NoResultsError):
    """A log that cannot be read to its end."""


def log_pieces(file: BinaryIO) -> Iterator[str]:
    """Yield the text of a log; gzip is told by its bytes, and more than one in a row is as one.

    Raises:
        LogError: it is packed by something else, damaged, or too long; what could be read came
            before.

    """
    yield from _decoded(_bounded(_joined(_unpacked(_bounded_read(file.read)))))


def grouped(sources: Sequence[str]) -> list[list[str]]:
    """Put the files that one log was turned over to together, the oldest first."""
    groups: dict[Path, list[str]] = {}
    for source in sources:
        path = Path(source)
        groups.setdefault(path.with_name(_ROTATED.sub("", path.name)), []).append(source)
    # the newest has no time behind its name
    return [
        sorted(dict.fromkeys(names), key=lambda name: (Path(name) == log, name))
        for log, names in groups.items()
    ]


def _unpacked(read: Callable[[int], bytes]) -> Iterator[bytes]:
    content = read(_PACKED_PIECE)
    _refuse_other_packers(content)
    while content.startswith(_GZIP):
        expander = zlib.decompressobj(_GZIP_WINDOW)
        while not expander.eof:
            content = content or read(_PACKED_PIECE)
            yield _expanded(expander, content)
            if not content:
                raise LogError("its gzip is cut short; what comes before the cut was read")
            content = expander.unconsumed_tail
        content = _behind(expander.unused_data, read)
    while content:
        yield content
        content = read(_PIECE)


def _joined(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Put small pieces together: thousands of tiny gzips in a row are read as one."""
    held = bytearray()
    try:
        for piece in pieces:
            held += piece
            if len(held) >= _PIECE:
                yield bytes(held)
                held.clear()
    except LogError:
        yield bytes(held)  # what is in front
        raise
    yield bytes(held)


def _expanded(expander: "zlib._Decompress", content: bytes) -> bytes:
    try:
        return expander.decompress(content, _PIECE)
    except zlib.error as error:
        raise LogError(
            f"its gzip is damaged ({error}); what comes before the damage was read"
        ) from error


def _behind(content: bytes, read: Callable[[int], bytes]) -> bytes:
    """Return what follows a gzip, without the zeros that tapes and disks put there."""
    while not (content := content.lstrip(b"\0")) or len(content) < len(_GZIP):
        more = read(_PACKED_PIECE)
        if not more:
            break
        content += more
    return content


def _refuse_other_packers(content: bytes) -> None:
    for beginning, (name, command) in _PACKERS.items():
        if content.startswith(beginning):
            raise LogError(
                f"it is packed by {name}, and only gzip is unpacked here; unpack it: {command} "
                "FILE | whisper-bench k8s collect -"
            )


def _bounded(pieces: Iterable[bytes]) -> Iterator[bytes]:
    size = 0
    for piece in pieces:
        size += len(piece)
        _check_size(size)
        yield piece


def _bounded_read(read: Callable[[int], bytes]) -> Callable[[int], bytes]:
    """Bound what is read, too: a gzip may go on without end and unpack to nothing."""
    size = 0

    def bounded(count: int) -> bytes:
        nonlocal size
        content = read(count)
        size += len(content)
        _check_size(size)
        return content

    return bounded


def _check_size(size: int) -> None:
    if size > MOST_LOG_BYTES:
        raise LogError(
            f"it has more than {MOST_LOG_BYTES // 2**20} MiB, of which these were read; give "
            "the lines with whisper-bench-frame: alone (zgrep -a whisper-bench-frame: FILE)"
        )


def _decoded(pieces: Iterable[bytes]) -> Iterator[str]:
    beginning, decoder = b"", None
    for piece in pieces:
        if decoder is None:
            beginning += piece
            if len(beginning) < _BEGINNING_BYTES:
                continue
            decoder = codecs.getincrementaldecoder(_encoding(beginning))(errors="replace")
            yield decoder.decode(beginning)
        else:
            yield decoder.decode(piece)
    yield decoder.decode(b"", final=True) if decoder else beginning.decode(errors="replace")


def _encoding(beginning: bytes) -> str:
    for mark, encoding in _ENCODINGS.items():
        if beginning.startswith(mark):
            return encoding
    wide = (encoding for encoding, pattern in _WIDE.items() if pattern.match(beginning))
    return next(wide, "utf-8")
