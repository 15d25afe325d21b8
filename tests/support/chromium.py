"""A page in Debian's chromium: how wide it is, and what it looks like."""

import html
import re
import shutil
import subprocess

import pytest

CHROMIUM = shutil.which("chromium")
needs_chromium = pytest.mark.skipif(not CHROMIUM, reason="no chromium here to render the page with")
_HEAD = "<!DOCTYPE html><title>frames</title>"
_FRAME = """<iframe style="border: 0; width: {}px; height: 900px" srcdoc="{}"
onload="this.dataset.width = this.contentDocument.documentElement.scrollWidth"></iframe>"""


def _chromium(folder, path, width_px, height_px, *arguments):
    command = [
        CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
        f"--user-data-dir={folder / 'profile'}", f"--window-size={width_px},{height_px}",
        *arguments, path.as_uri(),
    ]  # fmt: skip
    return subprocess.run(command, capture_output=True, text=True, timeout=600, check=True).stdout


def scroll_widths_px(folder, pages, width_px):
    """Return how wide pages are in frames, since no window can be as narrow as a phone here."""
    frames = folder / "frames.html"
    item = [_FRAME.format(width_px, html.escape(page)) for page in pages]
    frames.write_text("\n".join([_HEAD, *item]), encoding="utf-8")
    shown = _chromium(folder, frames, 1400, 900, "--virtual-time-budget=9000", "--dump-dom")
    return [int(actual) for actual in re.findall(r'data-width="(\d+)"', shown)]


def screenshot(folder, page, width_px, height_px):
    """Return the pixels of a page: rows of columns of colours, each a share."""
    from matplotlib.image import imread

    path = folder / "page.html"
    path.write_text(page, encoding="utf-8")
    _chromium(folder, path, width_px, height_px, f"--screenshot={folder / 'page.png'}")
    return imread(folder / "page.png")
