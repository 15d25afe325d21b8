"""Can another user change a file? The check that sshd makes for a user's keys (StrictModes)."""

import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from whisper_bench.errors import BenchError

_ROOT = 0
_MOST_LINKS = 40  # Linux, include/linux/namei.h, MAXSYMLINKS


def changeable_by_others(paths: Iterable[Path]) -> Path | None:
    """Return the first file, link or folder on the way to `paths` that another user can change.

    Another user is neither this one nor root. A folder with the sticky bit (/tmp) is safe: only we
    can replace our files there. The mode's group bits also cover Linux' access control lists
    (acl(5), the mask).

    Raises:
        BenchError: links that lead in a circle.
        OSError: a path that does not exist.

    """
    seen: set[Path] = set()
    for path in paths:
        for step in _way_to(path):
            if step not in seen and not _ours(os.lstat(step)):
                return step
            seen.add(step)
    return None


def _ours(status: os.stat_result) -> bool:
    if status.st_uid not in {_ROOT, os.geteuid()}:
        return False
    if stat.S_ISLNK(status.st_mode):
        return True  # a link's own mode means nothing
    sticky = stat.S_ISDIR(status.st_mode) and bool(status.st_mode & stat.S_ISVTX)
    return sticky or not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _way_to(path: Path) -> Iterator[Path]:
    """Yield every folder, link and file that the kernel passes, each link followed."""
    parts = list(reversed(path.absolute().parts))
    place, links = Path(parts.pop()), 0
    yield place
    while parts:
        step = place / parts.pop()
        if step.name == "..":
            place = place.parent
            continue
        yield step
        if not step.is_symlink():
            place = step
            continue
        links += 1
        if links > _MOST_LINKS:
            raise BenchError(f"weights: the links of {path} form a circle; put the file there")
        target = step.readlink()
        parts += reversed(target.parts[1:] if target.is_absolute() else target.parts)
        place = Path(target.anchor) if target.is_absolute() else place
