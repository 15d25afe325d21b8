"""A Whisper-shaped model of random weights, 10 MB, that loads and decodes in milliseconds.

For tests of everything but the speech: it has base's tokenizer, one layer of 64 dimensions, and
says the same nonsense every time.
"""

import json
import shutil
from pathlib import Path

import numpy as np

LAYERS, DIM, HEADS, VOCABULARY, MELS = 1, 64, 2, 51865, 80


def build_toy(folder: Path, base: Path, seed: int = 0) -> Path:
    """Write a toy model into `folder`, with the tokenizer of the real base model in `base`."""
    from ctranslate2.specs import WhisperSpec

    random = np.random.default_rng(seed)
    spec = WhisperSpec(LAYERS, HEADS, LAYERS, HEADS)
    _fill(spec.encoder, spec.decoder, random)
    config = json.loads((base / "config.json").read_text(encoding="utf-8"))
    spec.config.suppress_ids = [*config["suppress_ids"], *range(50257, VOCABULARY)]
    spec.config.suppress_ids_begin = config["suppress_ids_begin"]
    spec.config.lang_ids = config["lang_ids"]
    spec.config.alignment_heads = [[0, 0]]
    words = (base / "vocabulary.txt").read_text(encoding="utf-8").split("\n")[:VOCABULARY]
    spec.register_vocabulary(words)
    spec.validate()
    spec.optimize("float16")
    folder.mkdir(parents=True)
    spec.save(str(folder))
    shutil.copy(base / "tokenizer.json", folder)
    return folder


def _fill(encoder, decoder, random) -> None:
    def noise(*shape, scale=0.02):
        return (random.standard_normal(shape) * scale).astype(np.float32)

    def linear(spec, rows, columns):
        spec.weight, spec.bias = noise(rows, columns, scale=columns**-0.5), noise(rows)

    def norm(spec):
        spec.gamma, spec.beta = 1 + noise(DIM), noise(DIM)

    def attention(spec, *, own):
        norm(spec.layer_norm)
        for part, rows in zip(
            spec.linear, (3 * DIM, DIM) if own else (DIM, 2 * DIM, DIM), strict=True
        ):
            linear(part, rows, DIM)

    def feed_forward(spec):
        norm(spec.layer_norm)
        linear(spec.linear_0, 4 * DIM, DIM)
        linear(spec.linear_1, DIM, 4 * DIM)

    encoder.conv1.weight, encoder.conv1.bias = noise(DIM, MELS, 3, scale=0.06), noise(DIM)
    encoder.conv2.weight, encoder.conv2.bias = noise(DIM, DIM, 3, scale=0.07), noise(DIM)
    encoder.position_encodings.encodings = noise(1500, DIM)
    decoder.position_encodings.encodings = noise(448, DIM)
    decoder.embeddings.weight = noise(VOCABULARY, DIM, scale=0.05)
    decoder.projection.weight = decoder.embeddings.weight
    norm(encoder.layer_norm)
    norm(decoder.layer_norm)
    for layer in encoder.layer:
        attention(layer.self_attention, own=True)
        feed_forward(layer.ffn)
    for layer in decoder.layer:
        attention(layer.self_attention, own=True)
        attention(layer.attention, own=False)
        feed_forward(layer.ffn)
