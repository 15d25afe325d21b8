"""What each hook of plugin.py does."""

from pathlib import Path
from typing import Any

import pytest

from whisper_bench.case.case import Case
from whisper_bench.case.record import CaseRecord
from whisper_bench.errors import BenchError
from whisper_bench.files.names import checked_name
from whisper_bench.files.whole import in_folder
from whisper_bench.machine.cpu_limit import no_limit_warning
from whisper_bench.machine.identity import node_name
from whisper_bench.ratio.text import ratio_lines
from whisper_bench.results.convert import results_of_records
from whisper_bench.results.files import name_of, save_all_results
from whisper_bench.results.summary import summary_lines
from whisper_bench.saved.file import SavedRun, parse_saved, read_saved, records_of
from whisper_bench.session.bench import Bench
from whisper_bench.session.collect import BENCH, benchmark_session, params_of, twins
from whisper_bench.session.config import BenchConfig
from whisper_bench.session.guard import check_blanks, check_last_steps, guard
from whisper_bench.session.languages import detection_line
from whisper_bench.session.print_frames import check_framable, print_frames
from whisper_bench.session.reference import compare, reference_of
from whisper_bench.session.storage import (
    check_storage,
    dumped,
    save_whole,
    short,
    storage_folders,
)
from whisper_bench.session.terminal import Terminal, write_line
from whisper_bench.session.watch import case_of
from whisper_bench.throttling.judge import judged
from whisper_bench.throttling.text import throttling_lines, trouble_lines, verdict_lines

_A_DATE = "2026-11-24"


def begin(session: pytest.Session, items: list[pytest.Item]) -> None:
    """Make ready what every case needs, before the first is measured.

    Raises:
        pytest.UsageError: something is not as it must be.

    """
    config = session.config
    try:
        node_name()  # refuses a blank variable now
        check_blanks(config)
        check_storage(config)
        ours = BenchConfig.of(config)
        check_framable(config, ours)
        _refuse_twins(items)
        check_last_steps(config, [item.nodeid for item in items])
        cases = [case_of(params_of(item)) for item in items]
        _refuse_names(cases, ours)
        bench = Bench(
            ours,
            cases,
            terminal=Terminal(config),
            timed=benchmark_session(config).benchmarks,
            reference=reference_of(config, ours),
            storage=storage_folders(config),
        )
    except BenchError as error:
        raise pytest.UsageError(str(error)) from error
    config.stash[BENCH] = bench
    save_whole(config, bench)
    guard(config, bench)
    for clip, language in bench.languages.items():
        if language.known.source == "detected":
            bench.terminal.say(detection_line(clip, language))
    if line := bench.limits.line:
        bench.terminal.say(line)
    elif bench.limit.cpus is None:
        bench.terminal.say(no_limit_warning(bench.limit))


def finish(session: pytest.Session, bench: Bench) -> None:
    """Write the result files of a saved run; fail the run if it must not pass."""
    bench.finished = True
    bench.throttling = judged(list(bench.records.values()))
    trouble = _results_trouble(session, bench)
    is_kept = bench.saved is not None and bench.is_saved and not bench.missing and trouble is None
    bench.troubles += [trouble] if trouble else []
    green = session.exitstatus == pytest.ExitCode.OK and not bench.is_red
    if green and bench.reference is not None:
        difference = compare(session.config, bench, bench.reference)
        bench.troubles += [difference] if difference else []
    keep_red(session, bench)
    try:
        bench.close_journal(everything_saved=is_kept)
    except BenchError as error:
        bench.terminal.say(f"WARNING: {error}", bad=True)


def keep_red(session: pytest.Session, bench: Bench) -> None:
    """Give a run that failed the exit status of one, also where a plugin has taken it back."""
    if bench.is_red and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _results_trouble(session: pytest.Session, bench: Bench) -> str | None:
    trouble, name = None, bench.config.save_name
    if not bench.records:
        trouble = "nothing was measured: no case ran to its end"
    elif bench.saved is not None:
        trouble = _write_results(bench, bench.saved, name)
    if trouble is None and bench.missing and session.exitstatus == pytest.ExitCode.OK:
        trouble = f"not measured: {', '.join(bench.missing)}"
    return trouble


def last_word(session: pytest.Session, bench: Bench) -> None:
    """Print what travels in the log, and say the stress test's verdict after all else.

    What another plugin's error kept from being done or shown is done here.
    """
    if not bench.finished:
        finish(session, bench)
    reporter = session.config.pluginmanager.getplugin("terminalreporter")
    if reporter is not None and not bench.shown:
        summary(reporter, bench)
    if bench.config.frames:
        print_frames(session, bench)
    if bench.config.stress:
        only_warn = bench.config.on_throttling == "warn"
        lines = verdict_lines(bench.throttling, missing=bench.missing, only_warn=only_warn)
        for line in lines:
            bench.terminal.say(line, bad=bench.throttling.failed or bool(bench.missing))
    keep_red(session, bench)


def summary(reporter: pytest.TerminalReporter, bench: Bench) -> None:
    """Print the table, what was found, where the files are, and what is wrong."""
    bench.shown = True
    reporter.section("whisper-bench", "=")
    for line in summary_lines(list(bench.records.values())) if bench.records else []:
        write_line(reporter, line, yellow=line.startswith("!"))
    show = throttling_lines if bench.config.stress and bench.records else trouble_lines
    for line in show(bench.throttling):
        write_line(reporter, line, yellow=line.startswith("!"))
    for line in _ratio_lines(bench):
        write_line(reporter, line, yellow=line.startswith("!"))
    for path in bench.written:
        write_line(reporter, f"wrote {short(path, reporter.config)}")
    if bench.journal.path.exists():
        unsaved = bench.records and bench.config.save_name is None
        kept = (
            f"kept {short(bench.journal.path, reporter.config)}: --whisper-resume continues from it"
        )
        hint = "not saved: to save this run, repeat it with --benchmark-save=NAME --whisper-resume"
        write_line(reporter, hint if unsaved else kept)
    for reason in bench.reasons:
        for line in f"FAILED: {reason}".split("\n"):
            write_line(reporter, line, red=True, bold=True)


def _write_results(bench: Bench, saved: dict[str, Any], name: str | None) -> str | None:
    where = name or "--benchmark-json"
    try:
        run, records = (
            _saved_now(bench, saved, where)
            if bench.earlier_run is None
            else _saved_earlier(bench, bench.earlier_run, where)
        )
        if name:
            results = results_of_records(records, run, name, name)
            bench.written += save_all_results(results, bench.config.results)
    except BenchError as error:
        return str(error)
    return None


def _saved_now(
    bench: Bench, saved: dict[str, Any], where: str
) -> tuple[SavedRun, list[CaseRecord]]:
    """Return the run that this session saved, and the records that it gathered itself.

    Read as it was written: what a hook of another plugin adds may keep the file from being JSON.
    """
    path = bench.saved_run
    run = read_saved(path) if path else parse_saved(dumped(saved), where)
    kept = records_of(run, where)
    _refuse_lost([record for record in bench.records.values() if record not in kept], where)
    return run, list(bench.records.values())


def _saved_earlier(bench: Bench, path: Path, where: str) -> tuple[SavedRun, list[CaseRecord]]:
    """Return the run that an earlier session saved, and the records in it."""
    run = read_saved(path)
    kept = records_of(run, where)
    cases = {record.case for record in kept}
    _refuse_lost([record for case, record in bench.records.items() if case not in cases], where)
    return run, kept


def _refuse_lost(lost: list[CaseRecord], where: str) -> None:
    """Check that what was measured was saved: other plugins' hooks may change it."""
    if lost:
        raise BenchError(
            f"{where}: {', '.join(record.label for record in lost)} was measured, but is not in "
            "the saved run as it was measured; run without the hook that removes or changes it "
            "(pytest_benchmark_update_json in a conftest.py or a plugin)"
        )


def _ratio_lines(bench: Bench) -> list[str]:
    if bench.ratio is None:
        is_missed = bench.reference is not None and not bench.troubles
        return ["no ratio: a failed run is not compared"] if is_missed else []
    return ["", *ratio_lines(bench.ratio), ""]


def _refuse_names(cases: list[Case], ours: BenchConfig) -> None:
    """Find out now that a file could not be named after the run and its cases."""
    if ours.save_name is not None:
        checked_name(ours.save_name, "--benchmark-save")
        for case in cases:
            in_folder(ours.results, name_of(ours.save_name, case, _A_DATE))


def _refuse_twins(items: list[pytest.Item]) -> None:
    if several := twins(items):
        raise BenchError(several)
