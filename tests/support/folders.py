"""A folder as it is: to see that nothing in it has changed."""


def tree(folder):
    """Return everything in a folder: what kind it is, its mode and its bytes."""
    return {
        str(path.relative_to(folder)): (
            path.lstat().st_mode,
            path.read_bytes() if path.is_file() else None,
        )
        for path in sorted(folder.rglob("*"))
    }
