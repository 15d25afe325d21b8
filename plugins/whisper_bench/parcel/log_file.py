"""A log file as text: compressed or not, in any encoding, read piece by piece up to a limit."""

import codecs
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from whisper_bench.parcel.frames import NoResultsError

MOST_LOG_BYTES = 2**28
"""Of one log, as the file is and decompressed. A node usually keeps 5 files of 10 MiB for a
container; the frames of the largest run are 16 MiB."""
_PIECE = 2**20
"""Bytes read, and at most unpacked, at a time."""
_PACKED_PIECE = 2**14
"""Bytes of gzip read at a time: at the end of a gzip the rest is copied, and thousands of gzips may
follow one another."""
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
"""The first bytes of files that other programs compress, and the command that decompresses them."""
_ENCODINGS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",  # what PowerShell's > writes
    codecs.BOM_UTF16_BE: "utf-16",
    codecs.BOM_UTF8: "utf-8-sig",
}
_WIDE = {"utf-16-le": re.compile(rb"[^\0]\0[^\0]\0"), "utf-16-be": re.compile(rb"\0[^\0]\0[^\0]")}
"""UTF-16 without a byte order mark."""
_BEGINNING_BYTES = 4
_ROTATED = re.compile(r"\.\d{8}-\d{6}(\.gz)?$")
"""What the kubelet adds to the name of a rotated log: 0.log.20261124-101500.gz."""


class LogError(NoResultsError):
    """A log that cannot be read to its end."""


def log_pieces(file: BinaryIO) -> Iterator[str]:
    """Yield the text of a log; gzip is recognised by its bytes, several in a row are read as one.

    Raises:
        LogError: it is compressed by another program, damaged, or too long; what could be read was
            yielded before.

    """
    yield from _decoded(_bounded(_joined(_unpacked(_bounded_read(file.read)))))


def grouped(sources: Sequence[str]) -> list[list[str]]:
    """Group the files of each rotated log, the oldest file first."""
    groups: dict[Path, list[str]] = {}
    for source in sources:
        path = Path(source)
        groups.setdefault(path.with_name(_ROTATED.sub("", path.name)), []).append(source)
    # the newest has no time in its name
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
                raise LogError(
                    "its gzip ends too early; what comes before was read: copy the file again"
                )
            content = expander.unconsumed_tail
        content = _rest(expander.unused_data, read)
    while content:
        yield content
        content = read(_PIECE)


def _joined(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Join small pieces: thousands of tiny gzips in a row are read as one."""
    held = bytearray()
    try:
        for piece in pieces:
            held += piece
            if len(held) >= _PIECE:
                yield bytes(held)
                held.clear()
    except LogError:
        yield bytes(held)  # what came before the error
        raise
    yield bytes(held)


def _expanded(expander: "zlib._Decompress", content: bytes) -> bytes:
    try:
        return expander.decompress(content, _PIECE)
    except zlib.error as error:
        raise LogError(
            f"its gzip is damaged ({error}); what comes before was read: copy the file again"
        ) from error


def _rest(content: bytes, read: Callable[[int], bytes]) -> bytes:
    """Return what follows a gzip, without the zeros that tapes and disks add."""
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
                f"it is compressed with {name}, and only gzip can be read; decompress it: "
                f"{command} FILE | whisper-bench k8s collect -"
            )


def _bounded(pieces: Iterable[bytes]) -> Iterator[bytes]:
    size = 0
    for piece in pieces:
        size += len(piece)
        _check_size(size)
        yield piece


def _bounded_read(read: Callable[[int], bytes]) -> Callable[[int], bytes]:
    """Limit what is read, too: a gzip may be very long and decompress to nothing."""
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
            f"it has more than {MOST_LOG_BYTES // 2**20} MiB, and the rest was not read; pass only "
            "the lines with whisper-bench-frame: (zgrep -a whisper-bench-frame: FILE)"
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
