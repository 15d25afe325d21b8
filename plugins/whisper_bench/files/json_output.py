"""JSON that we write: read back by its type before it becomes a file."""

from typing import Any

import msgspec

from whisper_bench.files.json_input import parsed


def checked_json(document: Any, form: type, where: str, remedy: str) -> bytes:
    """Return a document as indented JSON, once it was read back as `form`.

    Raises:
        BenchError: a field is not what its type says: field, value and remedy.

    """
    content = msgspec.json.encode(document)
    parsed(content, form, where, remedy)
    return msgspec.json.format(content, indent=2) + b"\n"
