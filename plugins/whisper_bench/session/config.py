"""What the user asked for, parsed once from pytest's options."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest

from whisper_bench.case.language_codes import CODES
from whisper_bench.files.names import name_trouble
from whisper_bench.session import options
from whisper_bench.text.plain import plain, quoted
from whisper_bench.weights.pins import MODEL_NAMES

# as in whisper_bench.case.decoding, which is not imported here, since every pytest start would pay
# for it; a test holds them equal
PLACEMENTS = ("floating", "pinned")
ALL = "all"
COMPUTE_TYPES = ("int8", "int8_float32", "int16", "float32", "bfloat16", "default", "auto")


@dataclass(frozen=True, slots=True)
class BenchConfig:
    """The plugin's options; `clips` by their name, `cpu_limit` in CPUs."""

    models: tuple[str, ...]
    threads: tuple[int, ...]
    copies: tuple[int, ...]
    placement: Literal["floating", "pinned"]
    clips: dict[str, Path]
    language: str | None
    rounds: int
    processes: int
    warmup_rounds: int
    compute_type: str
    beam_size: int
    model_dir: Path | None
    cpu_limit: float | None
    cpu_model: str | None
    results: Path
    reference: str | None
    allow_mismatch: tuple[str, ...]
    stress: bool
    on_throttling: str
    resume: bool
    allow_unpinned: bool
    frames: bool
    save_name: str | None

    @classmethod
    def of(cls, config: pytest.Config) -> "BenchConfig":
        """Parse pytest's options.

        Raises:
            pytest.UsageError: it names the option, the value and the remedy.

        """
        model_dir = options.folder(config, "model-dir")
        if model_dir is not None and not model_dir.is_dir():
            raise pytest.UsageError(
                f"--whisper-model-dir: {plain(str(model_dir))} is not a folder; create it first"
            )
        results = options.folder(config, "results")
        assert results is not None
        return cls(
            models=options.some_of(config, "models", MODEL_NAMES),
            threads=options.threads(config),
            copies=_copies(config),
            placement=_placement(config),
            clips=_clips(config),
            language=_language(config),
            rounds=options.count(config, "rounds", 1),
            processes=options.count(config, "processes", 1),
            warmup_rounds=options.count(config, "warmup-rounds", 0),
            compute_type=options.one_of(config, "compute-type", COMPUTE_TYPES),
            beam_size=options.count(config, "beam-size", 1),
            model_dir=model_dir,
            cpu_limit=options.cpus(config, "cpu-limit"),
            cpu_model=options.name(config, "cpu-model"),
            results=results,
            reference=options.name(config, "reference"),
            allow_mismatch=options.some(config, "allow-mismatch"),
            stress=options.stress(config),
            on_throttling=options.one_of(config, "on-throttling", ("fail", "warn")),
            resume=options.switch(config, "resume"),
            allow_unpinned=options.switch(config, "allow-unpinned"),
            frames=options.switch(config, "frames"),
            save_name=_save_name(config),
        )


def _copies(config: pytest.Config) -> tuple[int, ...]:
    """Return the numbers of copies, in their order; the CPUs are counted only if all are wanted."""
    given = options.counts_or(config, "copies", ALL)
    return tuple(dict.fromkeys(number or _all_copies(config) for _, number in given))


def _all_copies(config: pytest.Config) -> int:
    from whisper_bench.session.limit import most_copies

    return most_copies(options.cpus(config, "cpu-limit"))


def _placement(config: pytest.Config) -> Literal["floating", "pinned"]:
    if options.one_of(config, "placement", PLACEMENTS) != "pinned":
        return "floating"
    if max(threads := options.threads(config)) > 1:
        raise pytest.UsageError(
            f"--whisper-placement=pinned: a worker has one CPU of its own, and {max(threads)} "
            "threads would take turns on it; give --whisper-threads=1, or leave pinned out"
        )
    return "pinned"


def _clips(config: pytest.Config) -> dict[str, Path]:
    clips: dict[str, Path] = {}
    for word in options.words(config, "clip"):
        path = _existing(config, word)
        if trouble := name_trouble(path.stem):
            raise pytest.UsageError(
                f"--whisper-clip: {quoted(word)}: cases and result files are named after it, and "
                f"{trouble}; rename it"
            )
        if path.stem in clips:
            raise pytest.UsageError(
                f"--whisper-clip: {plain(f'{word} and {clips[path.stem]}')} are both called "
                f"{path.stem!r}; rename one, since cases and result files are named after it"
            )
        clips[path.stem] = path
    return clips


def _language(config: pytest.Config) -> str | None:
    given = options.name(config, "language")
    return None if given is None else options.one_of(config, "language", CODES)


def _existing(config: pytest.Config, word: str) -> Path:
    """Return the clip under the folder pytest was started in, else under its root."""
    here = config.invocation_params.dir / word
    return here if here.exists() else config.rootpath / word


def _save_name(config: pytest.Config) -> str | None:
    for option in ("benchmark_save", "benchmark_autosave"):
        name = config.getoption(option, None)
        if name:
            return str(name)
    return None
