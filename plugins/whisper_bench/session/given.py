"""Which option the user gave, in the user's own spelling. Nothing heavy here."""

import os
import shlex

import pytest

_DISABLERS = {"--benchmark-disable": "", "--codspeed": "CODSPEED_ENV"}
"""Options that disable pytest-benchmark, with the variable that does the same."""
_WORKER = "PYTEST_XDIST_WORKER"
_XDIST = ("-n", "--numprocesses", "--dist", "-d", "--tx")
_REPEATERS = (
    "--reruns",  # pytest-rerunfailures
    "--force-reruns",
    "--force-flaky",  # flaky
    "--count",  # pytest-repeat
    "--flake-finder",  # pytest-flakefinder
    "--retries",  # pytest-retry
)


def given_option(config: pytest.Config, *options: str) -> str | None:
    """Return the first of these options that the user gave, as it was written; None without one.

    Looked for on the command line, in PYTEST_ADDOPTS and in the ini file's addopts.
    """
    words = [
        *map(str, config.invocation_params.args),
        *_split(os.environ.get("PYTEST_ADDOPTS", "")),
        *map(str, config.getini("addopts")),
    ]
    for option in options:
        for word in words:
            joined = len(option) == len("-n") and word.startswith(option)
            if word == option or word.startswith(f"{option}=") or joined:
                return word
    return None


def disabled_by(config: pytest.Config) -> str:
    """Name what disabled pytest-benchmark, and the remedy."""
    for option, variable in _DISABLERS.items():
        if given_option(config, option):
            return f"({option}); run without it"
        if variable in os.environ:
            return f"({variable} is set); run without it"
    if _WORKER in os.environ:
        return f"({_WORKER} is set, as in a worker of pytest-xdist); unset it"
    return (
        "by a plugin or a conftest.py, and not by --benchmark-disable; run without what disables "
        "them, or add --benchmark-enable"
    )


def inactive_by(config: pytest.Config) -> str:
    """Name what keeps pytest-benchmark out, and the remedy."""
    if given_option(config, "no:benchmark", "-pno:benchmark"):
        return "(-p no:benchmark); leave that option out"
    if given_option(config, "--disable-plugin-autoload"):
        return "(--disable-plugin-autoload); run without that, or add -p pytest_benchmark.plugin"
    if "PYTEST_DISABLE_PLUGIN_AUTOLOAD" in os.environ:
        return (
            "(PYTEST_DISABLE_PLUGIN_AUTOLOAD is set); unset it, or add -p pytest_benchmark.plugin"
        )
    return "(it is not loaded); install it, or add -p pytest_benchmark.plugin"


def xdist_by(config: pytest.Config) -> str:
    """Name what switched pytest-xdist on."""
    return given_option(config, *_XDIST) or "by a plugin or a conftest.py"


def repeated_by(config: pytest.Config) -> str:
    """Name what may run a test more than once."""
    return given_option(config, *_REPEATERS) or "the plugin, marker or loop that repeats it"


def _split(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:  # pytest has refused it already
        return []
