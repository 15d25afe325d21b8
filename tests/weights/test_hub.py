"""The Hugging Face cache and hub as a source of weights."""

from pathlib import Path

import pytest

from whisper_bench.weights import sources
from whisper_bench.weights.pins import (
    PINS,
)
from whisper_bench.weights.resolve import resolve_weights


def test_a_proxy_is_not_bypassed_to_try_the_hub(monkeypatch):
    monkeypatch.setattr(sources, "getproxies", lambda: {"https": "http://proxy:3128"})
    monkeypatch.setattr(sources.socket, "create_connection", None)
    sources._refuse_unreachable_hub()


@pytest.fixture
def hub(tmp_path, monkeypatch, base_weights):
    """A Hugging Face cache in which base's pinned snapshot lies, as its client lays it out."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    pin = PINS["base"]
    folder = tmp_path / "hub" / f"models--{pin.repository.replace('/', '--')}"
    snapshot = folder / "snapshots" / pin.revision
    snapshot.mkdir(parents=True)
    (folder / "refs").mkdir()
    (folder / "refs" / "main").write_text(pin.revision)
    for path in Path(base_weights.folder).iterdir():
        (snapshot / path.name).symlink_to(path)
    return snapshot


def test_the_cache_of_the_hub_comes_before_the_registry(hub):
    weights = resolve_weights("base")
    assert weights.source == "hub-cache"
    assert Path(weights.folder) == hub


def test_a_snapshot_without_weights_is_no_source(hub):
    (hub / "model.bin").unlink()
    with pytest.raises(sources.UnavailableError, match=r"has no model\.bin"):
        sources.cached_hub_folder(PINS["base"])


def test_an_unusual_transport_error_is_a_reason(monkeypatch):
    import huggingface_hub

    class TransportError(Exception):
        """What a HTTP client raises that is neither an OSError nor a ValueError."""

    def refused(*_arguments, **_settings):
        raise TransportError("403 Forbidden")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", refused)
    monkeypatch.setattr(sources, "_refuse_unreachable_hub", lambda: None)
    with pytest.raises(sources.UnavailableError, match="TransportError: 403 Forbidden"):
        sources.downloaded_hub_folder(PINS["base"])
