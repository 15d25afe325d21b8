"""What CTranslate2 says of the instruction set and matrix library that it chose."""

import re

import msgspec

_PATTERNS = {
    "instruction_set": r"Selected ISA: (\S+)",
    "sgemm": r"SGEMM backend: (.+?) \(",
    "gemm_s8": r"GEMM_S8 backend: (.+?) \(",
    "mkl": r"Use Intel MKL: (true|false)",
    "compute_type": r"Selected compute type: (\S+)",
}


class Backend(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The kernels in use; None where the log of this CTranslate2 does not name them."""

    instruction_set: str | None = None
    sgemm: str | None = None
    gemm_s8: str | None = None
    mkl: bool | None = None
    compute_type: str | None = None


def parse_backend(log: str) -> Backend:
    """Read the lines that CT2_VERBOSE=1 prints when a model is loaded (CTranslate2 4.x)."""
    matches = {key: re.search(pattern, log) for key, pattern in _PATTERNS.items()}
    values: dict[str, str | None] = {key: hit and hit[1] for key, hit in matches.items()}
    mkl = values.pop("mkl")
    return Backend(**values, mkl=None if mkl is None else mkl == "true")
