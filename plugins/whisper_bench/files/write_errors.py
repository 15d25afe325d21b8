"""Why a file cannot be written, and what helps: the remedy follows the cause."""

import errno

_FREE = "free the disk or choose another folder"
_NOT_ALLOWED = (
    "let this user write there (chmod, chown; in a container: docker run --user), or choose "
    "another folder"
)
_MOVE_FOLDER = "a folder has the file's name: move it away, or choose another folder"
_REMEDIES = {
    errno.ENOSPC: _FREE,
    errno.EDQUOT: "free some of this user's disk quota, or choose another folder",
    errno.EFBIG: "raise the limit on file size (ulimit -f), or choose another folder",
    errno.EACCES: _NOT_ALLOWED,
    errno.EPERM: _NOT_ALLOWED,
    errno.EROFS: "the file system is read-only: choose another folder",
    errno.EISDIR: _MOVE_FOLDER,
    errno.ENOTEMPTY: _MOVE_FOLDER,
    errno.ENOTDIR: "a file is where a folder should be: move it away, or choose another folder",
    errno.EEXIST: "a file is where a folder should be: move it away, or choose another folder",
    errno.ENAMETOOLONG: "give a shorter name, or a folder with a shorter path",
    errno.ELOOP: "it is a link to itself: remove it, or choose another folder",
    errno.EBUSY: "it is mounted as a single file: mount its folder, or choose another folder",
    errno.ENOENT: "a part of the path is missing: correct it, or choose another folder",
    errno.EINVAL: "the file system does not allow this name: give another name or folder",
    errno.EMFILE: "raise the limit on open files (ulimit -n)",
    errno.ENFILE: "too many files are open on this machine: end other programs",
    errno.ENOLCK: "the file system cannot lock files: choose another folder",
    errno.EIO: "the disk or its server has failed: read the log of the kernel (dmesg), or choose "
    "another folder",
}
_OTHER = "check the disk, or choose another folder"


def reason_of(error: OSError) -> str:
    """Return what the system says of an error."""
    return error.strerror or str(error) or type(error).__name__


def remedy_of(error: OSError, option: str = "") -> str:
    """Return the remedy for an error of writing; `option` chooses another folder."""
    remedy = _REMEDIES.get(error.errno or 0, _OTHER)
    return remedy.replace("another folder", f"another folder ({option})") if option else remedy


def remedy_in_place(error: OSError) -> str:
    """Return the remedy if the file must stay where it is."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
        return "free the disk"
    if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return "make its folder writable"
    return "check its disk (dmesg)"
