"""Writing to pytest's terminal while it captures, between rounds and never within one."""

import time

import pytest

from whisper_bench.measure.progress import LINE_EVERY_S
from whisper_bench.text.plain import plain


def write_line(reporter: pytest.TerminalReporter, line: str, **markup: bool) -> None:
    """Write a line of a summary, escaped."""
    reporter.write_line(plain(line), **markup)


class Terminal:
    """One line that is rewritten on a terminal; in a log, a line now and then."""

    def __init__(self, config: pytest.Config) -> None:
        self._reporter: pytest.TerminalReporter | None = config.pluginmanager.getplugin(
            "terminalreporter"
        )
        self._capture = config.pluginmanager.getplugin("capturemanager")
        self._last_s: float | None = None
        self._open = False

    def progress(self, line: str) -> None:
        """Show where the run is."""
        line = plain(line)
        if self._reporter is None:
            return
        if self._reporter.isatty:
            self._write(f"\r{line[: self._reporter._tw.fullwidth - 1]}\x1b[K")  # noqa: SLF001
            self._open = True
        elif self._last_s is None or time.monotonic() - self._last_s >= LINE_EVERY_S:
            self._last_s = time.monotonic()
            self.say(line)

    def say(self, line: str, *, bad: bool = False) -> None:
        """Write a line of its own, in the place of a progress line if there is one."""
        if self._reporter is not None:
            before = "\r\x1b[K" if self._open else "\n" if self._reporter.currentfspath else ""
            self._write(before)
            self._write(f"{plain(line)}\n", bad=bad)
            self._open = False

    def _write(self, text: str, *, bad: bool = False) -> None:
        reporter = self._reporter
        assert reporter is not None
        if self._capture is None:
            reporter.write(text, flush=True, red=bad, bold=bad)
            return
        with self._capture.global_and_fixture_disabled():
            reporter.write(text, flush=True, red=bad, bold=bad)
