"""The plugin's options; each is a command-line flag and an ini key of the same name."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

GROUP = "whisper"
_N = TypeVar("_N", int, float)

_MODELS_TEXT = (
    "models to measure, comma separated: base, small, medium, small-shape-only, medium-shape-only"
)
_CLIP_TEXT = (
    "recordings to transcribe, comma separated WAV files (16 kHz, mono, 16 bit), each with its "
    "text beside it in a .txt file"
)

_LANGUAGE_TEXT = (
    "language that is spoken in the clips, by Whisper's code such as en; without it that of the "
    "JSON file beside each clip, else the one that the first model detects, once for the whole run"
)

_COPIES_TEXT = (
    "workers at once, each under a limit of its own, comma separated; all is one for every CPU "
    "that can be used"
)

_PLACEMENT_TEXT = (
    "floating lets the system choose the CPU of a worker, as the kubelet does by default; pinned "
    "gives each a CPU of its own"
)

_REFERENCE_TEXT = "saved run of the other machine to print the ratio against at the end, such as m4"

# flag, default, help; the ini key is the flag with underscores
_OPTIONS: tuple[tuple[str, str, str], ...] = (
    ("models", "base", _MODELS_TEXT),
    ("threads", "1", "thread counts to measure, comma separated"),
    ("copies", "1", _COPIES_TEXT),
    ("placement", "floating", _PLACEMENT_TEXT),
    ("rounds", "50", "measured transcriptions per case"),
    ("processes", "5", "fresh processes that a case's rounds are spread over"),
    ("warmup-rounds", "1", "untimed transcriptions at the start of each process"),
    ("compute-type", "int8", "CTranslate2 compute type"),
    ("beam-size", "5", "beam size of the decoding"),
    ("clip", "audio/vi_30s.wav", _CLIP_TEXT),
    ("language", "", _LANGUAGE_TEXT),
    ("model-dir", "", "folder of weights, with one folder per model"),
    ("cpu-limit", "", "CPU limit of the workers, such as 1; set up if it is not in force"),
    ("cpu-model", "", "name of the chip, if the system does not report it"),
    ("results", "benchmark_results", "folder for result files and the journal"),
    ("reference", "", _REFERENCE_TEXT),
    ("allow-mismatch", "", "fields in which the reference may differ, comma separated"),
    ("on-throttling", "fail", "what --stress does if a case is throttled: fail or warn"),
)

STRESS_TEXT = "measure 1, 2 and 4 threads under the limit and fail if a case is throttled"
_STRESS_THREADS = (1, 2, 4)
_SWITCHES: tuple[tuple[str, str], ...] = (
    ("resume", "continue the newest unfinished run of this save name"),
    ("frames", "print the saved run into the log, for whisper-bench k8s collect"),
    ("allow-unpinned", "allow weights that differ from the pinned ones; every sha256 is recorded"),
)


MOST_CPUS, MOST_COUNT = 8192, 10**9
"""As in whisper_bench.ranges, which imports more than a start of pytest may; a test holds it."""
_MOST_OF = {"threads": MOST_CPUS, "copies": MOST_CPUS, "cpu-limit": MOST_CPUS}
_DEFAULTS = {name: default for name, default, _ in _OPTIONS}


def add_options(parser: pytest.Parser) -> None:
    """Declare every flag and ini key."""
    group = parser.getgroup(GROUP, "Whisper benchmarks")
    for name, default, text in _OPTIONS:
        group.addoption(
            f"--whisper-{name}", metavar=_metavar(name), help=f"{text} ({default or 'none'})"
        )
        parser.addini(_key(name), text, default=default or None)
    group.addoption("--stress", action="store_true", default=None, help=STRESS_TEXT)
    parser.addini("whisper_stress", STRESS_TEXT, type="bool", default=False)
    for name, text in _SWITCHES:
        group.addoption(f"--whisper-{name}", action="store_true", default=None, help=text)
        parser.addini(_key(name), text, type="bool", default=False)


def text_of(config: pytest.Config, name: str) -> str:
    """Return an option's text: from the command line, else the ini file, else the default.

    It is empty only where the option is not set and has no default.

    Raises:
        pytest.UsageError: it was given as blank, as by a variable that is not set.

    """
    given = config.getoption(_key(name))
    text = config.getini(_key(name)) if given is None else given
    if text is None:
        return ""
    if not str(text).strip():
        raise _misuse(name, str(text), "give at least one value, or leave the option out")
    return str(text)


def switch(config: pytest.Config, name: str) -> bool:
    """Tell whether a switch is on."""
    return _on(config, config.getoption(_key(name)), _key(name), f"--whisper-{name}")


def _on(config: pytest.Config, given: bool | None, key: str, option: str) -> bool:
    if given is not None:
        return bool(given)
    try:
        return bool(config.getini(key))
    except (ValueError, pytest.UsageError) as error:  # the second since pytest 9
        raise pytest.UsageError(
            f"{option} ({key}): {error} in the ini file; write true or false, or leave it out"
        ) from None


def count(config: pytest.Config, name: str, least: int) -> int:
    """Return a whole number of at least `least`."""
    return _number(name, text_of(config, name), int, least)


def stress(config: pytest.Config) -> bool:
    """Tell whether the stress test is on."""
    return _on(config, config.getoption("stress"), "whisper_stress", "--stress")


def threads(config: pytest.Config) -> tuple[int, ...]:
    """Return the thread counts to measure: those given, else the stress test's if it is on."""
    given = config.getoption("whisper_threads") is not None
    return counts(config, "threads") if given or not stress(config) else _STRESS_THREADS


def counts(config: pytest.Config, name: str) -> tuple[int, ...]:
    """Return the different whole numbers of a list, each at least 1."""
    return tuple(_number(name, word, int, 1) for word in words(config, name))


def counts_or(config: pytest.Config, name: str, word: str) -> tuple[tuple[str, int], ...]:
    """Return the different words of a list with the numbers that they are, 0 for `word`."""
    return tuple(
        (given, 0 if given == word else _number(name, given, int, 1))
        for given in words(config, name)
    )


def cpus(config: pytest.Config, name: str) -> float | None:
    """Return a number of CPUs above zero, or None where the option is not set."""
    text = text_of(config, name)
    return _number(name, text, float, 0.01) if text else None


def words(config: pytest.Config, name: str) -> tuple[str, ...]:
    """Return the different words of a list, in their order; commas or lines part them."""
    text = text_of(config, name)
    parts = [word.strip() for word in re.split(r",?\s*\n\s*|,", text.strip())]
    if not all(parts):
        raise _misuse(name, text, "a value in the list is missing; write it, or remove its comma")
    return tuple(dict.fromkeys(parts))


def some(config: pytest.Config, name: str) -> tuple[str, ...]:
    """Return the different words of a list that may be empty."""
    return words(config, name) if text_of(config, name).strip() else ()


def name(config: pytest.Config, option: str) -> str | None:
    """Return a name, None where the option is not set."""
    return text_of(config, option) or None


def one_of(config: pytest.Config, name: str, allowed: tuple[str, ...]) -> str:
    """Return the option's text, which must be one of `allowed`."""
    return _allowed(name, text_of(config, name), allowed)


def some_of(config: pytest.Config, name: str, allowed: tuple[str, ...]) -> tuple[str, ...]:
    """Return the list's words, each of which must be one of `allowed`."""
    return tuple(_allowed(name, word, allowed) for word in words(config, name))


def folder(config: pytest.Config, name: str) -> Path | None:
    """Return a folder; None where it is not set.

    A path in the ini file starts where that file is, any other where pytest was started.
    """
    text = text_of(config, name)
    in_ini = config.getoption(_key(name)) is None and text != _DEFAULTS[name]
    base = config.rootpath if in_ini else config.invocation_params.dir
    return (base / text).absolute() if text else None


def _allowed(name: str, text: str, allowed: tuple[str, ...]) -> str:
    if text not in allowed:
        raise _misuse(name, text, f"use one of {', '.join(allowed)}")
    return text


def _number(name: str, text: str, kind: Callable[[str], _N], least: _N) -> _N:
    try:
        value = kind(text)
    except ValueError:
        raise _misuse(name, text, f"give a number, {least} or more") from None
    most = _MOST_OF.get(name, MOST_COUNT)
    if most < value < float("inf"):
        raise _misuse(name, text, f"give a number, {most} or less")
    if not least <= value <= most:
        raise _misuse(name, text, f"give a number, {least} or more")
    return value


def _misuse(name: str, value: str, remedy: str) -> pytest.UsageError:
    return pytest.UsageError(
        f"--whisper-{name} ({_key(name)}): {value!r} is an invalid value; {remedy}"
    )


def _key(name: str) -> str:
    return f"whisper_{name.replace('-', '_')}"


def _metavar(name: str) -> str:
    return name.rpartition("-")[2].upper()
