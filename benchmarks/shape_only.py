"""Make weights with small's or medium's shape from base's, for machines without the hub.

    python benchmarks/shape_only.py small medium

It prints where they are; `--whisper-models small-shape-only` measures them. Every result says so.

The results stay nearly base's, but the work is the larger model's: heads, feed-forward units and
layers are added as copies whose output matrices are zero. So all of it is computed, but nothing is
added to the residual stream. The stream's extra dimensions have the mean of the real ones: its mean
m stays, its standard deviation shrinks by sqrt(d / D), and so LayerNorm is the same up to that
factor, which is included in the matrix that reads it. Only after the convolutions the extra
dimensions are zero, as GELU comes between. Because of that, and of float16, the encoder's output
correlates with base's at 0.99 and not at 1, and words with equal scores may differ.
"""

import math
import shutil
import sys
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from ct2file import read_variables
from numpy.typing import NDArray

from whisper_bench.errors import BenchError
from whisper_bench.weights.cache import folder_made_once
from whisper_bench.weights.contents import VOCABULARIES, hashed_files
from whisper_bench.weights.pins import MODEL, MODEL_FILES, pinned_files, unpinned_files
from whisper_bench.weights.resolve import (
    MARKER,
    ShapeOnlyMarker,
    Weights,
    resolve_weights,
    shape_only_folder,
)

Array = NDArray[np.float32]

# layers, model dimension, heads: openai/whisper, model-card.md and ModelDimensions
SHAPES = {"small": (12, 768, 12), "medium": (24, 1024, 16)}
_KERNEL = 3
GROWN_WITH = "ctranslate2 4.8.5 and numpy 2.4.6"
"""Versions that made the pinned hashes (pins.py)."""


def grow_shape_only(size: str) -> Weights:
    """Make weights of `size`'s shape from base's, once, and return them.

    Raises:
        BenchError: `size` is neither small nor medium, base's weights are not available, or the
            new ones differ from the pinned ones.

    """
    if size not in SHAPES:
        raise BenchError(f"shape {size!r} is not known; use one of {', '.join(SHAPES)}")
    name = f"{size}-shape-only"
    base = resolve_weights("base")

    def fill(scratch: Path) -> None:
        source = Path(base.folder)
        _Growth(source, size).save(scratch)
        _check(name, scratch)
        marker = ShapeOnlyMarker(size, pinned_files(name)[MODEL], base.sha256)
        (scratch / MARKER).write_bytes(msgspec.json.encode(marker))

    folder_made_once(shape_only_folder(size), fill)
    return resolve_weights(name)


def _check(name: str, folder: Path) -> None:
    """Compare the new weights with the pinned hashes."""
    from importlib.metadata import version

    files, pinned = hashed_files(folder), pinned_files(name)
    for file in unpinned_files(name, files):
        raise BenchError(
            f"{name} grew to {file} with sha256 {files.get(file)}, pinned is {pinned.get(file)}: "
            f"ctranslate2 {version('ctranslate2')} or numpy {version('numpy')} makes other bytes; "
            f"use the versions {GROWN_WITH}"
        )


class _Growth:
    """One growth of base to a larger shape; arrays are (out, in) as CTranslate2 keeps them."""

    def __init__(self, source: Path, size: str) -> None:
        self.source = source
        self.variables = read_variables(source / "model.bin")
        self.layers, self.dim, self.heads = SHAPES[size]
        self.base_dim = len(self.variables["encoder/conv2/bias"])
        self.base_layers = sum(
            name.startswith("encoder/layer_") and name.endswith("ffn/layer_norm/gamma")
            for name in self.variables
        )
        self.shrink = math.sqrt(self.base_dim / self.dim)

    def save(self, folder: Path) -> None:
        spec = self._spec()
        # not optimize(): it would merge the copied matrices into one, with less memory traffic
        spec._quantize("float16")  # noqa: SLF001
        spec.save(str(folder))
        # all but model.bin are base's own, with the same pinned hashes
        for name in VOCABULARIES:
            (folder / name).unlink(missing_ok=True)
        for name in MODEL_FILES[1:]:
            shutil.copyfile(self.source / name, folder / name)

    def _spec(self) -> Any:
        from ctranslate2.specs import WhisperSpec

        spec = WhisperSpec(self.layers, self.heads, self.layers, self.heads)
        self._convolutions(spec.encoder)
        self._embeddings(spec.decoder)
        for number in range(self.layers):
            self._encoder_layer(spec.encoder.layer[number], number)
            self._decoder_layer(spec.decoder.layer[number], number)
        self._vocabulary(spec)
        spec.validate()
        spec.decoder.projection.weight = "decoder/embeddings/weight"
        return spec

    def _vocabulary(self, spec: Any) -> None:
        words = (self.source / "vocabulary.txt").read_text(encoding="utf-8").split("\n")
        spec.register_vocabulary(words[: len(self.variables["decoder/embeddings/weight"])])

    def _convolutions(self, encoder: Any) -> None:
        first, second = (self._pair(f"encoder/conv{number}") for number in (1, 2))
        encoder.conv1.weight, encoder.conv1.bias = (_repeated(part, self.dim) for part in first)
        weight = np.zeros((self.dim, self.dim, _KERNEL), np.float32)
        weight[: self.base_dim, : self.base_dim] = second[0]
        encoder.conv2.weight = weight
        encoder.conv2.bias = self._padded(second[1])
        encoder.position_encodings.encodings = self._stream(
            self.variables["encoder/position_encodings/encodings"]
        )
        self._unit_norm(encoder.layer_norm)

    def _embeddings(self, decoder: Any) -> None:
        decoder.position_encodings.encodings = self._stream(
            self.variables["decoder/position_encodings/encodings"]
        )
        decoder.embeddings.weight = self._stream(self.variables["decoder/embeddings/weight"])
        decoder.projection.weight = decoder.embeddings.weight
        norm = decoder.layer_norm
        norm.gamma = self._padded(self.variables["decoder/layer_norm/gamma"] * self.shrink)
        norm.beta = self._padded(self.variables["decoder/layer_norm/beta"])

    def _encoder_layer(self, layer: Any, number: int) -> None:
        prefix, added = self._origin("encoder", number)
        self._attention(layer.self_attention, f"{prefix}/self_attention", added=added)
        self._feed_forward(layer.ffn, f"{prefix}/ffn", added=added)

    def _decoder_layer(self, layer: Any, number: int) -> None:
        prefix, added = self._origin("decoder", number)
        self._attention(layer.self_attention, f"{prefix}/self_attention", added=added)
        self._attention(
            layer.attention, f"{prefix}/attention", added=added, memory="encoder/layer_norm"
        )
        self._feed_forward(layer.ffn, f"{prefix}/ffn", added=added)

    def _origin(self, side: str, number: int) -> tuple[str, bool]:
        return f"{side}/layer_{number % self.base_layers}", number >= self.base_layers

    def _attention(self, spec: Any, prefix: str, *, added: bool, memory: str | None = None) -> None:
        """Set queries (with keys and values for self-attention), then the output."""
        self._unit_norm(spec.layer_norm)
        own = self._reads(f"{prefix}/linear_0", f"{prefix}/layer_norm")
        self._wider(spec.linear[0], own, parts=1 if memory else 3)
        if memory:
            self._wider(spec.linear[1], self._reads(f"{prefix}/linear_1", memory), parts=2)
        last = len(spec.linear) - 1
        self._writes(spec.linear[-1], f"{prefix}/linear_{last}", self.dim, added=added)

    def _feed_forward(self, spec: Any, prefix: str, *, added: bool) -> None:
        self._unit_norm(spec.layer_norm)
        own = self._reads(f"{prefix}/linear_0", f"{prefix}/layer_norm")
        spec.linear_0.weight, spec.linear_0.bias = (_repeated(part, 4 * self.dim) for part in own)
        self._writes(spec.linear_1, f"{prefix}/linear_1", 4 * self.dim, added=added)

    def _reads(self, name: str, norm: str) -> tuple[Array, Array]:
        """Return a matrix that reads LayerNorm(stream), with gamma, beta and the shrink."""
        weight, bias = self._pair(name)
        gamma, beta = (self.variables[f"{norm}/{part}"] for part in ("gamma", "beta"))
        # in double precision, as in _stream
        shift = weight.astype(np.float64) @ beta.astype(np.float64)
        return self._stream(weight * gamma * self.shrink), _array(bias + shift)

    def _writes(self, spec: Any, name: str, inner: int, *, added: bool) -> None:
        """Set a matrix that writes to the stream; added inputs and added layers write zero."""
        weight, bias = self._pair(name)
        idle = np.zeros((self.base_dim, inner - weight.shape[1]), np.float32)
        real = 0 if added else 1
        wide = self._stream(np.concatenate([weight, idle], axis=1).T).T
        spec.weight, spec.bias = _array(wide * real), _array(self._stream(bias) * real)

    def _wider(self, spec: Any, pair: tuple[Array, Array], parts: int) -> None:
        """Set a projection of `parts` stacked matrices, each with heads repeated up to dim."""
        spec.weight, spec.bias = (
            _array(np.concatenate([_repeated(part, self.dim) for part in np.split(whole, parts)]))
            for whole in pair
        )

    def _stream(self, array: Array) -> Array:
        """Widen the last axis from base's dimension, with the mean of its values."""
        # in double precision: the order of a sum, which differs from CPU to CPU, changes no float16
        mean = array.mean(axis=-1, keepdims=True, dtype=np.float64).astype(np.float32)
        return _array(
            np.concatenate([array, np.repeat(mean, self.dim - self.base_dim, axis=-1)], axis=-1)
        )

    def _padded(self, array: Array) -> Array:
        return _array(np.concatenate([array, np.zeros(self.dim - self.base_dim, np.float32)]))

    def _unit_norm(self, spec: Any) -> None:
        spec.gamma, spec.beta = np.ones(self.dim, np.float32), np.zeros(self.dim, np.float32)

    def _pair(self, name: str) -> tuple[Array, Array]:
        return self.variables[f"{name}/weight"], self.variables[f"{name}/bias"]


def _repeated(array: Array, length: int) -> Array:
    """Repeat rows from the first on until there are `length`."""
    return _array(np.resize(array, (length, *array.shape[1:])))


def _array(array: NDArray[np.floating]) -> Array:
    return np.ascontiguousarray(array, np.float32)


if __name__ == "__main__":
    for _size in sys.argv[1:]:
        print(grow_shape_only(_size).folder)
