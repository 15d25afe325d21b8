"""The weights that can be measured, every file pinned by revision and sha256.

Several public projects pin the same hashes for these revisions of Systran's conversions; only
base's have been read here.
"""

from collections.abc import Mapping
from typing import NamedTuple

SHAPE_ONLY_SUFFIX = "-shape-only"


class Pin(NamedTuple):
    """One set of weights on the Hugging Face hub: `files` has each file's sha256 by its name."""

    repository: str
    revision: str
    files: dict[str, str]

    @property
    def model_sha256(self) -> str:
        """The sha256 of model.bin."""
        return self.files[MODEL]


MODEL = "model.bin"
_EVERY_SIZE = {
    "tokenizer.json": "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab",
    "vocabulary.txt": "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913",
}
"""The multilingual models have one tokenizer and one vocabulary."""

PINS = {
    "base": Pin(
        repository="Systran/faster-whisper-base",
        revision="ebe41f70d5b6dfa9166e2c581c45c9c0cfc57b66",
        files={
            MODEL: "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
            "config.json": "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
            **_EVERY_SIZE,
        },
    ),
    "small": Pin(
        repository="Systran/faster-whisper-small",
        revision="536b0662742c02347bc0e980a01041f333bce120",
        files={
            MODEL: "3e305921506d8872816023e4c273e75d2419fb89b24da97b4fe7bce14170d671",
            "config.json": "b55496ac7940a7ae47d2c01eab40edfd8701feec1229d9cce3b40014383fb828",
            **_EVERY_SIZE,
        },
    ),
    "medium": Pin(
        repository="Systran/faster-whisper-medium",
        revision="08e178d48790749d25932bbc082711ddcfdfbc4f",
        files={
            MODEL: "9b45e1009dcc4ab601eff815b61d80e60ce3fd8c74c1a14f4a282258286b51ae",
            "config.json": "3622a2ddc41ec0e0fd4e68c13c6830f03b90c38d89aaad184de02c8c642cf807",
            **_EVERY_SIZE,
        },
    ),
}

SHAPE_ONLY_SHA256 = {
    "small": "9db5093a01090c22e2288246cdd673fb41af12a52d9952b86e04725e707be50a",
    "medium": "242dfb1cd97deea0190ee5c22a78aedcdcbbedf7735f3075e645f0875e9961f5",
}
"""model.bin as benchmarks/shape_only.py makes it from base's; the other files are base's.

The same bytes whether numpy and OpenBLAS use AVX2 or SSE2, and from numpy 1.26.4 with CTranslate2
4.6.0 as from 2.4.6 with 4.8.5 (small): sums are made in double precision.
"""

MODEL_FILES = (MODEL, "config.json", "tokenizer.json", "vocabulary.txt")

MODEL_NAMES = (*PINS, *(f"{size}{SHAPE_ONLY_SUFFIX}" for size in PINS if size != "base"))
"""The values of --whisper-models: three real models, and two that have only a model's shape."""

RELATIVE_COST = {"base": 1.0, "small": 2.3, "medium": 6.1}
"""Time of one transcription relative to base's, only to estimate the time left.

Measured once on an x86-64 machine (int8, beam 5, 1 thread): 4.6 s, 10.5 s, 28 s.
"""


def real_size(name: str) -> str:
    """Return the size of a model's name: `small` for `small-shape-only`."""
    return name.removesuffix(SHAPE_ONLY_SUFFIX)


def is_shape_only(name: str) -> bool:
    """Tell whether `name` means weights that have a model's shape and cost, not its accuracy."""
    return name.endswith(SHAPE_ONLY_SUFFIX)


def pinned_files(name: str) -> Mapping[str, str]:
    """Return the sha256 of each file of a model by the file's name; {} for an unknown model."""
    if is_shape_only(name) and real_size(name) in SHAPE_ONLY_SHA256:
        return {**PINS["base"].files, MODEL: SHAPE_ONLY_SHA256[real_size(name)]}
    return PINS[name].files if name in PINS else {}


def unpinned_files(name: str, files: Mapping[str, str]) -> list[str]:
    """List the files that are not as pinned: with another sha256, missing, or additional."""
    pinned = pinned_files(name)
    return [file for file in {**pinned, **files} if files.get(file) != pinned.get(file)]
