"""What is mounted where, and not hidden by another mount (proc_pid_mountinfo(5)).

Every field is read as bytes: a path need not be UTF-8.
"""

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

import msgspec

# how the kernel writes space, tab, newline and backslash (fs/proc_namespace.c, mangle)
_ESCAPED = re.compile(rb"\\([0-3][0-7]{2})")
_FIELDS_BEFORE, _FIELDS_AFTER = 6, 3


class Mount(msgspec.Struct, frozen=True):
    """One line: `root` is the folder of the file system that is mounted at `point`."""

    number: int
    parent: int
    root: PurePosixPath
    point: PurePosixPath
    kind: str
    options: list[str]


def visible_mounts(mountinfo: Path) -> list[Mount]:
    """Return the mounts that no later one hides, in the order of the file; [] without a file.

    A line that the kernel would not write is skipped.
    """
    mounts = [mount for line in lines_of(mountinfo) if (mount := _mount(line)) is not None]
    by_number = {mount.number: mount for mount in mounts}
    chains = [_below(mount, by_number) for mount in mounts]
    return [mount for place, mount in enumerate(mounts) if not _is_hidden(place, mounts, chains)]


def lines_of(path: Path) -> list[bytes]:
    """Return a file's lines; [] if it cannot be read."""
    try:
        return path.read_bytes().split(b"\n")
    except OSError:
        return []


def _mount(line: bytes) -> Mount | None:
    before, _, after = line.partition(b" - ")
    fields, source = before.split(b" "), after.split(b" ")
    if len(fields) < _FIELDS_BEFORE or len(source) < _FIELDS_AFTER:
        return None
    if not (fields[0].isdigit() and fields[1].isdigit()):
        return None
    return Mount(
        number=int(fields[0]),
        parent=int(fields[1]),
        root=_path(fields[3]),
        point=_path(fields[4]),
        kind=os.fsdecode(source[0]),
        options=os.fsdecode(source[2]).split(","),
    )


def _path(field: bytes) -> PurePosixPath:
    plain = _ESCAPED.sub(lambda match: bytes([int(match[1], 8)]), field)
    return PurePosixPath(os.fsdecode(plain))


def _below(mount: Mount, by_number: Mapping[int, Mount]) -> list[Mount]:
    """List the mounts below one: its parent, the parent's parent and so on."""
    chain: list[Mount] = []
    while (parent := by_number.get(mount.parent)) is not None and parent not in (mount, *chain):
        chain.append(parent)
        mount = parent
    return chain


def _is_hidden(place: int, mounts: Sequence[Mount], chains: Sequence[Sequence[Mount]]) -> bool:
    """Tell whether another mount covers this one, or a folder above it.

    The mounts below it do not hide it. If they are known down to the root, any other mount over it
    does, in whatever order the lines are; if not (a chroot), only a later line does.
    """
    mount, chain = mounts[place], chains[place]
    known = (chain[-1] if chain else mount).point == PurePosixPath("/")
    return any(
        mount.point.is_relative_to(other.point) and (known or later > place)
        for later, other in enumerate(mounts)
        if other is not mount and other not in chain
    )
