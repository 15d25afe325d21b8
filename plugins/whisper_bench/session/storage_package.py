"""The package of pytest-benchmark's other storage, looked for before pytest-benchmark does."""

from importlib.util import find_spec

import pytest

from whisper_bench.text.plain import readable

_ELASTICSEARCH = "elasticsearch+"


def check_storage_package(config: pytest.Config) -> None:
    """Refuse a storage whose package is not installed; pytest-benchmark would print a traceback.

    Raises:
        pytest.UsageError: it names the option, the value and the remedy.

    """
    storage = str(config.getoption("benchmark_storage", ""))
    if storage.startswith(_ELASTICSEARCH) and find_spec("elasticsearch") is None:
        raise pytest.UsageError(
            f"--benchmark-storage={readable(storage)}: its package elasticsearch is not installed; "
            "pip install 'pytest-benchmark[elasticsearch]', or name a folder"
        )
