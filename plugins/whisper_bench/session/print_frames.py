"""The saved run in the log, where the log is all that outlives the machine."""

import pytest

from whisper_bench.errors import BenchError
from whisper_bench.parcel.parcel import pack
from whisper_bench.session.bench import Bench
from whisper_bench.session.config import BenchConfig
from whisper_bench.session.storage import storage_folders


def check_framable(config: pytest.Config, ours: BenchConfig) -> None:
    """Refuse --whisper-frames where there would be nothing to frame, or nowhere to print it."""
    if not ours.frames:
        return
    if not storage_folders(config):
        raise BenchError(
            "--whisper-frames prints the saved run, but no run will be saved as a file; add "
            "--benchmark-save=NAME"
        )
    if not config.pluginmanager.hasplugin("terminalreporter"):
        raise BenchError("--whisper-frames prints to pytest's terminal; run without -p no:terminal")


def print_frames(session: pytest.Session, bench: Bench) -> None:
    """Print the saved run's frames, each line in one write; without them no run is green."""
    if bench.saved_run is None or not bench.saved_run.is_file():
        bench.terminal.say("FAILED: --whisper-frames: no run was saved, so none printed", bad=True)
        session.exitstatus = session.exitstatus or pytest.ExitCode.TESTS_FAILED
        return
    try:
        lines = pack(bench.saved_run)
    except BenchError as error:
        bench.terminal.say(f"FAILED: --whisper-frames: {error}", bad=True)
        session.exitstatus = session.exitstatus or pytest.ExitCode.TESTS_FAILED
        return
    for line in lines:
        bench.terminal.say(line)
