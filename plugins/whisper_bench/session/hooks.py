"""What each hook of plugin.py does."""

import json
from typing import Any

import pytest

from whisper_bench.case import Case
from whisper_bench.errors import BenchError
from whisper_bench.ratio.text import ratio_lines
from whisper_bench.results.convert import results_of
from whisper_bench.results.files import save_all_results
from whisper_bench.saved.file import parse_saved, read_saved
from whisper_bench.session.bench import Bench
from whisper_bench.session.collect import BENCH
from whisper_bench.session.config import BenchConfig
from whisper_bench.session.frames import check_framable, print_frames
from whisper_bench.session.reference import compare, reference_of
from whisper_bench.session.storage import (
    benchmark_session,
    check_storage,
    save_whole,
    short,
    storage_folders,
)
from whisper_bench.session.terminal import Terminal
from whisper_bench.summary import summary_lines
from whisper_bench.throttling import judged
from whisper_bench.throttling_text import throttling_lines, trouble_lines, verdict_lines
from whisper_bench.write_errors import remedy_in_place


def begin(session: pytest.Session, cases: list[Case]) -> None:
    """Make ready what every case needs, before the first is measured.

    Raises:
        pytest.UsageError: something is not as it must be.

    """
    config = session.config
    try:
        check_storage(config)
        check_framable(config, BenchConfig.of(config))
        _refuse_twins(cases)
        ours = BenchConfig.of(config)
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
    bench.throttling = judged(list(bench.records.values()))
    stopped = bench.config.stress and bench.config.on_throttling == "fail"
    throttled = stopped and bench.throttling.failed
    green = session.exitstatus == pytest.ExitCode.OK and trouble is None and not throttled
    if green and bench.reference is not None:
        trouble = compare(session.config, bench, bench.reference)
    bench.trouble = trouble
    if (trouble or throttled) and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
    try:
        bench.close_journal(everything_saved=everything_saved)
    except BenchError as error:
        bench.terminal.say(f"WARNING: {error}", bad=True)


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


def last_word(session: pytest.Session, bench: Bench) -> None:
    """Print what travels in the log, and say the stress test's verdict after all else."""
    if bench.config.frames:
        print_frames(session, bench)
    if bench.config.stress:
        only_warn = bench.config.on_throttling == "warn"
        lines = verdict_lines(bench.throttling, missing=bench.missing, only_warn=only_warn)
        for line in lines:
            bench.terminal.say(line, bad=bench.throttling.failed or bool(bench.missing))


def not_saved(session: pytest.Session, error: OSError) -> None:
    """Say that pytest-benchmark could not save, and where every round is kept."""
    bench = session.config.stash[BENCH]
    bench.journal.close()
    bench.terminal.say(
        f"FAILED: the run could not be saved: {error}. Every round is kept in "
        f"{bench.journal.path}: {remedy_in_place(error)}, then run again with --whisper-resume",
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
        reporter.write_line(f"wrote {short(path, reporter.config)}")
    if bench.journal.path.exists():
        unsaved = bench.records and bench.config.save_name is None
        kept = (
            f"kept {short(bench.journal.path, reporter.config)}: --whisper-resume goes on from it"
        )
        hint = "not saved: to keep it, add --benchmark-save=NAME --whisper-resume"
        reporter.write_line(hint if unsaved else kept)
    if bench.trouble:
        reporter.write_line(f"FAILED: {bench.trouble}", red=True, bold=True)


def _write_results(bench: Bench, saved: dict[str, Any], name: str) -> str | None:
    try:
        # through JSON, as it is on the disk: the same way as `whisper-bench results`
        run = (
            read_saved(bench.saved_run)
            if bench.saved_run
            else parse_saved(json.dumps(saved, default=str).encode(), name)
        )
        bench.written += save_all_results(results_of(run, name, name), bench.config.results)
    except BenchError as error:
        return str(error)
    return None


def _ratio_lines(bench: Bench) -> list[str]:
    if bench.ratio is None:
        told = bench.reference is not None and bench.trouble is None
        return ["no ratio is made of a run that is not green"] if told else []
    return ["", *ratio_lines(bench.ratio), ""]


def _refuse_twins(cases: list[Case]) -> None:
    twins = {case.label for case in cases if cases.count(case) > 1}
    if twins:
        raise BenchError(
            f"{', '.join(sorted(twins))}: measured by more than one benchmark function, whose "
            "rounds could not be told apart; keep one function that uses whisper_case"
        )
