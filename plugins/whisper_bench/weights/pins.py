"""The weights that are measured, pinned by revision and sha256.

Several public projects pin the same hashes for these revisions of Systran's conversions.
"""

import msgspec

SHAPE_ONLY_SUFFIX = "-shape-only"


class Pin(msgspec.Struct, frozen=True):
    """One set of weights on the Hugging Face hub, and its model.bin's sha256."""

    repository: str
    revision: str
    model_sha256: str
    model_bytes: int


PINS = {
    "base": Pin(
        repository="Systran/faster-whisper-base",
        revision="ebe41f70d5b6dfa9166e2c581c45c9c0cfc57b66",
        model_sha256="d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
        model_bytes=145_217_532,
    ),
    "small": Pin(
        repository="Systran/faster-whisper-small",
        revision="536b0662742c02347bc0e980a01041f333bce120",
        model_sha256="3e305921506d8872816023e4c273e75d2419fb89b24da97b4fe7bce14170d671",
        model_bytes=483_546_902,
    ),
    "medium": Pin(
        repository="Systran/faster-whisper-medium",
        revision="08e178d48790749d25932bbc082711ddcfdfbc4f",
        model_sha256="9b45e1009dcc4ab601eff815b61d80e60ce3fd8c74c1a14f4a282258286b51ae",
        model_bytes=1_527_906_378,
    ),
}

MODEL_FILES = ("model.bin", "config.json", "tokenizer.json", "vocabulary.txt")

MODEL_NAMES = (*PINS, *(f"{size}{SHAPE_ONLY_SUFFIX}" for size in PINS if size != "base"))
"""What --whisper-models takes: three real models, and two of their shape alone."""

RELATIVE_COST = {"base": 1.0, "small": 2.3, "medium": 6.1}
"""Time of one transcription against base's, for estimates of time left only.

Measured once on an x86-64 machine (int8, beam 5, 1 thread): 4.6 s, 10.5 s, 28 s.
"""


def real_size(name: str) -> str:
    """Return the model size whose shape `name` has: `small` for `small-shape-only`."""
    return name.removesuffix(SHAPE_ONLY_SUFFIX)


def is_shape_only(name: str) -> bool:
    """Tell whether `name` means weights that have a model's shape and cost, not its skill."""
    return name.endswith(SHAPE_ONLY_SUFFIX)
