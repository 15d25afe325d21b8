"""A saved run as it travels: packed where it was measured, put among the others at home."""

import zlib
from pathlib import Path

import msgspec

from whisper_bench.cluster.frames import NoResultsError, encode
from whisper_bench.cluster.reassemble import payloads_in
from whisper_bench.files import UNREADABLE
from whisper_bench.saved.find import save_name

PARCEL_VERSION = 1
_MOST_BYTES = 2**28
"""Largest parcel unpacked; a run of nine cases and 50 rounds has a tenth of a MiB."""
_LONGEST_NAME = 200


class Parcel(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One saved run: the folder of its kind of machine, its save name, and its JSON as it is."""

    parcel_version: int
    folder: str
    save_name: str
    saved: str


def pack(path: Path) -> list[str]:
    """Return a saved run's frames, each a line for the log; reads the file."""
    parcel = Parcel(
        parcel_version=PARCEL_VERSION,
        folder=path.parent.name,
        save_name=save_name(path),
        saved=path.read_text(encoding="utf-8"),
    )
    return encode(zlib.compress(msgspec.json.encode(parcel), 9))


def unpack(text: str) -> tuple[list[Parcel], list[str]]:
    """Return the whole parcels in a log, and the fault of each that is not whole."""
    parcels, faults = [], []
    for payload in payloads_in(text):
        if payload.content is None:
            faults.append(payload.fault or "")
            continue
        try:
            parcels.append(_parcel(payload.content))
        except NoResultsError as error:
            faults.append(f"{payload.id[:8]}: {error}")
    return parcels, faults


def _parcel(content: bytes) -> Parcel:
    try:
        expander = zlib.decompressobj()
        raw = expander.decompress(content, _MOST_BYTES)
        parcel = msgspec.json.decode(raw, type=Parcel)
    except (zlib.error, *UNREADABLE) as error:
        raise NoResultsError(f"it cannot be unpacked ({error})") from error
    if parcel.parcel_version != PARCEL_VERSION:
        raise NoResultsError(
            f"it is of parcel version {parcel.parcel_version}, and this whisper-bench reads "
            f"{PARCEL_VERSION}"
        )
    if not (is_plain(parcel.folder) and is_plain(parcel.save_name)):
        raise NoResultsError(
            f"it would be written to {parcel.folder}/{parcel.save_name}, which is no plain name"
        )
    return parcel


def is_plain(name: str) -> bool:
    """Tell whether a name stays in the folder that it is written to."""
    return (
        0 < len(name) <= _LONGEST_NAME
        and not name.startswith(".")
        and name.isprintable()
        and not any(sign in name for sign in "/\\")
    )
