"""What is mounted where, and what can still be seen of it (proc_pid_mountinfo(5)).

Every field is read as bytes, since a path is: it need not be UTF-8.
"""

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

import msgspec

# the kernel writes space, tab, newline and backslash so (fs/proc_namespace.c, mangle)
_ESCAPED = re.compile(rb"\\([0-3][0-7]{2})")
_FIELDS_BEFORE, _FIELDS_AFTER = 6, 3


class Mount(msgspec.Struct, frozen=True):
    """One line: `root` is the folder of the file system that is seen at `point`."""

    number: int
    parent: int
    root: PurePosixPath
    point: PurePosixPath
    kind: str
    options: list[str]


def visible_mounts(mountinfo: Path) -> list[Mount]:
    """Return the mounts that no later one hides, in the order of the file; none where it is not.

    A line that is not as the kernel writes it is left out.
    """
    mounts = [mount for line in lines_of(mountinfo) if (mount := _mount(line)) is not None]
    by_number = {mount.number: mount for mount in mounts}
    chains = [_below(mount, by_number) for mount in mounts]
    return [mount for place, mount in enumerate(mounts) if not _is_hidden(place, mounts, chains)]


def lines_of(path: Path) -> list[bytes]:
    """Return a file's lines; none where it cannot be read."""
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
    """List the mounts that one is mounted on, as far down as they are listed."""
    chain: list[Mount] = []
    while (parent := by_number.get(mount.parent)) is not None and parent not in (mount, *chain):
        chain.append(parent)
        mount = parent
    return chain


def _is_hidden(place: int, mounts: Sequence[Mount], chains: Sequence[Sequence[Mount]]) -> bool:
    """Tell whether another mount lies over this one, or over a folder above it.

    What it is mounted on does not hide it. Where that is known down to the root, anything else over
    it does, whatever the order of the lines; where not (a chroot), only a later line does.
    """
    mount, chain = mounts[place], chains[place]
    known = (chain[-1] if chain else mount).point == PurePosixPath("/")
    return any(
        mount.point.is_relative_to(other.point) and (known or later > place)
        for later, other in enumerate(mounts)
        if other is not mount and other not in chain
    )
