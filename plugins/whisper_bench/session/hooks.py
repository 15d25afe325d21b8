"""What each hook of plugin.py does."""

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from whisper_bench.case import Case
from whisper_bench.errors import BenchError
from whisper_bench.results.convert import results_of
from whisper_bench.results.files import save_results
from whisper_bench.saved.file import parse_saved
from whisper_bench.session.bench import Bench
from whisper_bench.session.collect import BENCH
from whisper_bench.session.config import BenchConfig
from whisper_bench.session.terminal import Terminal
from whisper_bench.summary import summary_lines
from whisper_bench.throttling import judged
from whisper_bench.throttling_text import throttling_lines, trouble_lines, verdict_lines

if TYPE_CHECKING:
    from whisper_bench.session.reference import Reference


def begin(session: pytest.Session, cases: list[Case]) -> None:
    """Make ready what every case needs, before the first is measured.

    Raises:
        pytest.UsageError: something is not as it must be.

    """
    config = session.config
    try:
        _check_storage(config)
        _refuse_twins(cases)
        ours = BenchConfig.of(config)
        bench = Bench(
            ours,
            cases,
            terminal=Terminal(config),
            timed=_benchmark_session(config).benchmarks,
            reference=_reference(config, ours),
        )
    except BenchError as error:
        raise pytest.UsageError(str(error)) from error
    config.stash[BENCH] = bench
    if bench.quota is not None:
        bench.terminal.say(
            f"the workers run under a quota of {bench.config.cpu_limit:g} CPU, in the control "
            f"group {bench.quota.group.folder}"
        )
    elif bench.limit.cpus is None:
        bench.terminal.say(
            f"WARNING: no CPU limit in force ({bench.limit.source}); results will say null. "
            "For figures that compare, run under one: docker run --cpus=1"
        )


def finish(session: pytest.Session, bench: Bench, saved: dict[str, Any] | None) -> None:
    """Write the result files of a saved run; turn a green run red where it must not be green."""
    trouble = _results_trouble(session, bench, saved)
    everything_saved = saved is not None and not bench.missing and trouble is None
    if trouble is None and bench.reference is not None and not bench.missing:
        trouble = _compare(bench, bench.reference)
    bench.trouble = trouble
    bench.throttling = judged(list(bench.records.values()))
    stopped = bench.config.stress and bench.config.on_throttling == "fail"
    throttled = stopped and bench.throttling.failed
    if (trouble or throttled) and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
    bench.close_journal(everything_saved=everything_saved)


def _results_trouble(
    session: pytest.Session, bench: Bench, saved: dict[str, Any] | None
) -> str | None:
    trouble, name = None, bench.config.save_name
    if not bench.records:
        trouble = "nothing was measured: no case ran to its end"
    elif name and saved is not None:
        trouble = _write_results(bench, saved, name)
    if trouble is None and bench.missing and session.exitstatus == pytest.ExitCode.OK:
        trouble = f"not measured: {', '.join(bench.missing)}"
    return trouble


def last_word(bench: Bench) -> None:
    """Say the stress test's verdict after all else."""
    if bench.config.stress:
        only_warn = bench.config.on_throttling == "warn"
        lines = verdict_lines(bench.throttling, missing=bench.missing, only_warn=only_warn)
        for line in lines:
            bench.terminal.say(line, bad=bench.throttling.failed or bool(bench.missing))


def not_saved(session: pytest.Session, error: OSError) -> None:
    """Say that pytest-benchmark could not save, and drop the file that it left half written."""
    bench = session.config.stash[BENCH]
    for folder in storage_folders(session.config):
        for path in folder.glob("*.json"):
            if path.stat().st_mtime >= bench.started_s and not _is_whole(path):
                path.unlink()
    bench.journal.close()
    bench.terminal.say(
        f"FAILED: the run could not be saved: {error}. Every round is kept in "
        f"{bench.journal.path}: free the disk, then run again with --whisper-resume",
        bad=True,
    )
    session.exitstatus = pytest.ExitCode.TESTS_FAILED


def summary(reporter: pytest.TerminalReporter, bench: Bench) -> None:
    """Print the table, what was found, where the files are, and what is wrong."""
    reporter.section("whisper-bench", "=")
    for line in summary_lines(list(bench.records.values())) if bench.records else []:
        reporter.write_line(line, yellow=line.startswith("!"))
    show = throttling_lines if bench.config.stress and bench.records else trouble_lines
    for line in show(bench.throttling):
        reporter.write_line(line, yellow=line.startswith("!"))
    for line in _ratio_lines(bench):
        reporter.write_line(line, yellow=line.startswith("!"))
    for path in bench.written:
        reporter.write_line(f"wrote {_short(path, reporter.config)}")
    if bench.journal.path.exists():
        unsaved = bench.records and bench.config.save_name is None
        kept = (
            f"kept {_short(bench.journal.path, reporter.config)}: --whisper-resume goes on from it"
        )
        hint = "not saved: to keep it, add --benchmark-save=NAME --whisper-resume"
        reporter.write_line(hint if unsaved else kept)
    if bench.trouble:
        reporter.write_line(f"FAILED: {bench.trouble}", red=True, bold=True)


def _write_results(bench: Bench, saved: dict[str, Any], name: str) -> str | None:
    try:
        # through JSON, as it is on the disk: the same way as `whisper-bench results`
        run = parse_saved(json.dumps(saved, default=str).encode(), name)
        for result in results_of(run, name, name):
            bench.written.append(save_results(result, bench.config.results))
    except BenchError as error:
        return str(error)
    return None


def _reference(config: pytest.Config, ours: BenchConfig) -> "Reference | None":
    if ours.reference is None:
        return None
    from whisper_bench.saved.find import STORAGE
    from whisper_bench.session.reference import Reference

    storage = getattr(_benchmark_session(config).storage, "path", STORAGE)
    return Reference(ours.reference, Path(storage), ours.allow_mismatch)


def _compare(bench: Bench, reference: "Reference") -> str | None:
    """Make the ratio against the reference and keep it; return what is wrong with it."""
    from whisper_bench.ratio.config import save_config

    try:
        records = list(bench.records.values())
        bench.ratio = reference.ratio(records, bench.machine, bench.config.save_name)
        bench.written.append(save_config(bench.ratio, bench.config.results))
    except BenchError as error:
        return str(error)
    return None


def _ratio_lines(bench: Bench) -> list[str]:
    if bench.ratio is None:
        told = bench.reference is not None and bench.trouble is None
        return ["no ratio is told, since not every case was measured"] if told else []
    from whisper_bench.ratio.text import ratio_lines

    return ["", *ratio_lines(bench.ratio), ""]


def _refuse_twins(cases: list[Case]) -> None:
    twins = {case.label for case in cases if cases.count(case) > 1}
    if twins:
        raise BenchError(
            f"{', '.join(sorted(twins))}: measured by more than one benchmark function, whose "
            "rounds could not be told apart; keep one function that uses whisper_case"
        )


def _check_storage(config: pytest.Config) -> None:
    """Find out now that pytest-benchmark could not save in the end."""
    json_file = config.getoption("benchmark_json")
    for folder in [*storage_folders(config), *([Path(json_file).parent] if json_file else [])]:
        try:
            with tempfile.TemporaryFile(dir=folder):
                pass
        except OSError as error:
            raise BenchError(
                f"saved runs cannot be written in {folder} ({error.strerror}); name another "
                "folder with --benchmark-storage=file://PATH or --benchmark-json=PATH"
            ) from error


def storage_folders(config: pytest.Config) -> list[Path]:
    """Return the folder that this run is saved in; none where it is not saved in files."""
    storing = _benchmark_session(config)
    if not (storing.save or storing.autosave) or not hasattr(storing.storage, "path"):
        return []
    return [storing.storage.get("any").parent]


def _benchmark_session(config: pytest.Config) -> Any:
    # pytest-benchmark keeps its session there, untyped, and offers no other way to it
    return config._benchmarksession  # type: ignore[attr-defined]  # noqa: SLF001


def _is_whole(path: Path) -> bool:
    try:
        json.loads(path.read_bytes())
    except ValueError:
        return False
    return True


def _short(path: Any, config: pytest.Config) -> str:
    try:
        return str(path.relative_to(config.invocation_params.dir))
    except ValueError:
        return str(path)
