"""What must agree in two runs, by the names that --allow-mismatch takes."""

from collections.abc import Mapping
from typing import Any

import msgspec

from whisper_bench.case.decoding import Decoding
from whisper_bench.ratio.run import CaseIdentity
from whisper_bench.weights.pins import MODEL

Value = str | int | float | bool | None

WEIGHTS = "weights"
"""The sha256 of each file beside model.bin, which model_sha256 is of: weights.config.json."""
_WHOLES = {"decoding", "versions", WEIGHTS}
PLAIN = tuple(name for name in CaseIdentity.__struct_fields__ if name not in {"tokens", *_WHOLES})


def fields_of(identity: CaseIdentity) -> dict[str, Value]:
    """Return what must agree of a case."""
    return {
        **{name: getattr(identity, name) for name in PLAIN},
        "tokens": identity.tokens,
        **decoding_fields(identity.decoding),
        **_parts("versions", identity.versions),
        **_parts(WEIGHTS, identity.weights or {}),
    }


def decoding_fields(decoding: Decoding) -> dict[str, Value]:
    """Return the decoding's options."""
    return _parts("decoding", msgspec.structs.asdict(decoding))


def weights_fields(files: Mapping[str, str]) -> dict[str, Value]:
    """Return the files of weights beside model.bin."""
    return _parts(WEIGHTS, companions(files))


def companions(files: Mapping[str, str]) -> dict[str, str]:
    """Return the hashes of the files that stand beside model.bin."""
    return {name: digest for name, digest in files.items() if name != MODEL}


def compared_fields(*sides: Mapping[str, Value]) -> list[str]:
    """List the fields of two sides that are compared, each once.

    The files beside model.bin are not where a side has none: it was saved before they were
    recorded.
    """
    names = list(dict.fromkeys(name for side in sides for name in side))
    if all(any(map(_of_weights, side)) for side in sides):
        return names
    return [name for name in names if not _of_weights(name)]


def _of_weights(name: str) -> bool:
    return name.startswith(f"{WEIGHTS}.")


def _parts(whole: str, values: Mapping[str, Any]) -> dict[str, Value]:
    return {f"{whole}.{name}": value for name, value in values.items()}
