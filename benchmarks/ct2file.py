"""Reading CTranslate2's model.bin, binary version 6.

The layout is that of CTranslate2's python/ctranslate2/specs/model_spec.py, `_serialize`: version,
name and revision of the specification, then every variable as name, shape, type and bytes.
"""

import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from whisper_bench.errors import BenchError

_BINARY_VERSION = 6
_TYPES = ("<f4", "<i1", "<i2", "<i4", "<f2")


class _Reader:
    def __init__(self, content: bytes) -> None:
        self._content = content
        self._offset = 0

    def number(self, code: str) -> int:
        (value,) = struct.unpack_from(f"<{code}", self._content, self._offset)
        self._offset += struct.calcsize(f"<{code}")
        return int(value)

    def take(self, count: int) -> bytes:
        self._offset += count
        return self._content[self._offset - count : self._offset]

    def string(self) -> str:
        return self.take(self.number("H"))[:-1].decode()


def read_variables(path: Path) -> dict[str, NDArray[np.float32]]:
    """Return every variable of a model.bin as float32, by its name.

    Raises:
        BenchError: it has another binary version.

    """
    reader = _Reader(path.read_bytes())
    version = reader.number("I")
    if version != _BINARY_VERSION:
        raise BenchError(
            f"{path}: CTranslate2 binary version {version}, but only {_BINARY_VERSION} can be "
            "read; use the pinned weights"
        )
    reader.string()
    reader.number("I")
    variables = {}
    for _ in range(reader.number("I")):
        name = reader.string()
        shape = [reader.number("I") for _ in range(reader.number("B"))]
        kind = np.dtype(_TYPES[reader.number("B")])
        raw = reader.take(reader.number("I"))
        variables[name] = np.frombuffer(raw, kind).reshape(shape).astype(np.float32)
    return variables
