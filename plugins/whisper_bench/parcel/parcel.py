"""A saved run as it is sent: packed in the Pod, and unpacked by the user."""

import zlib
from pathlib import Path

import msgspec

from whisper_bench.errors import BenchError
from whisper_bench.files.names import checked_name
from whisper_bench.files.whole import UNREADABLE, read_bounded
from whisper_bench.parcel.frames import NoResultsError, encode
from whisper_bench.parcel.payload import Payload
from whisper_bench.parcel.reassemble import payloads_in
from whisper_bench.saved.find import save_name
from whisper_bench.text.plain import quoted

PARCEL_VERSION = 1
_MOST_BYTES = 2**26
"""Largest parcel unpacked: a run of 100,000 rounds has 48 MiB (462 bytes a round were measured)."""
_MOST_RATIO = 100
"""Largest factor by which a parcel may grow after the first 64 KiB; saved runs have 7 to 9."""
_FREE_BYTES = 2**16


class Parcel(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One saved run: the folder of its kind of machine, its save name, and its JSON unchanged."""

    parcel_version: int
    folder: str
    save_name: str
    saved: str


def pack(path: Path) -> list[str]:
    """Return a saved run's frames, each a line for the log; reads the file.

    Raises:
        BenchError: it cannot be read, or is larger than what can be unpacked.

    """
    try:
        saved = read_bounded(path)
    except OSError as error:
        raise BenchError(f"{path}: {error.strerror or error}; measure again") from error
    parcel = Parcel(
        parcel_version=PARCEL_VERSION,
        folder=path.parent.name,
        save_name=save_name(path),
        saved=saved.decode(),
    )
    content = msgspec.json.encode(parcel)
    packed = zlib.compress(content, 9)
    if len(content) > _most_bytes(packed):
        raise BenchError(
            f"the saved run has {len(content)} bytes, and at most {_most_bytes(packed)} can be "
            "unpacked from a log; run fewer rounds or cases at once"
        )
    return encode(packed)


def unpack(text: str, save_name: str | None = None) -> tuple[list[Parcel], list[str]]:
    """Return the complete parcels in a log, and the fault of each that is incomplete.

    With a save name, a parcel of another name is a fault.
    """
    parcels, faults = [], []
    for payload in payloads_in(text):
        try:
            parcels.append(parcel_of(payload, save_name))
        except NoResultsError as error:
            faults.append(str(error))
    return parcels, faults


def parcel_of(payload: Payload, save_name: str | None = None) -> Parcel:
    """Return the parcel of a payload.

    Raises:
        NoResultsError: it is incomplete, not a parcel, or saved under another name than asked for.

    """
    if payload.content is None:
        raise NoResultsError(payload.fault or "")
    try:
        parcel = _parcel(payload.content)
    except NoResultsError as error:
        raise NoResultsError(f"{payload.id[:8]}: {error}") from error
    if save_name is not None and parcel.save_name != save_name:
        raise NoResultsError(
            f"{payload.id[:8]}: its run is named {quoted(parcel.save_name)}, expected "
            f"{quoted(save_name)}; remove the command's own --benchmark-save, and print no older "
            "run"
        )
    return parcel


def _parcel(content: bytes) -> Parcel:
    try:
        parcel = msgspec.json.decode(_expanded(content), type=Parcel)
    except (zlib.error, *UNREADABLE) as error:
        raise NoResultsError(f"it cannot be unpacked ({error})") from error
    if parcel.parcel_version != PARCEL_VERSION:
        raise NoResultsError(
            f"it has parcel version {parcel.parcel_version}, and this whisper-bench reads "
            f"{PARCEL_VERSION}; use the same whisper-bench here as in the Pod"
        )
    try:
        checked_name(parcel.folder, "its folder")
        checked_name(parcel.save_name, "its save name")
    except BenchError as error:
        raise NoResultsError(str(error)) from error
    return parcel


def _most_bytes(packed: bytes) -> int:
    return min(_MOST_BYTES, _FREE_BYTES + _MOST_RATIO * len(packed))


def _expanded(content: bytes) -> bytes:
    most_bytes = _most_bytes(content)
    expanded = zlib.decompressobj().decompress(content, most_bytes + 1)
    if len(expanded) > most_bytes:
        raise NoResultsError(
            f"it has {len(content)} bytes packed and more than {most_bytes} unpacked: no saved run "
            "is that large"
        )
    return expanded
