"""How a clip is decoded: the options that change most how much work a transcription is."""

import msgspec

from whisper_bench.case.language import Code
from whisper_bench.ranges import Ordinal, Share

COMPUTE_TYPES = ("int8", "int8_float32", "int16", "float32", "bfloat16", "default", "auto")
"""CTranslate2's types for a CPU (its documentation, "Quantize on model loading")."""


class Decoding(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The options that change most how much work a transcription is.

    The others are faster-whisper's defaults, those of the version that every result names.
    """

    language: Code
    beam_size: Ordinal = 5
    temperature: Share = 0.0
    without_timestamps: bool = True
    condition_on_previous_text: bool = False
    vad_filter: bool = False
