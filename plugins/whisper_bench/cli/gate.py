"""`whisper-bench gate BASELINE CANDIDATE`: PASS, FAIL or NO EVIDENCE of a slowdown."""

import argparse
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from whisper_bench.cli import size
from whisper_bench.cli.arguments import most_days
from whisper_bench.cli.gate_options import (
    add_gate,
    check_sides,
    conditions_of,
    rules_of,
    saved_name,
)
from whisper_bench.cli.parser import Parser
from whisper_bench.cli.show import say, show_json, show_lines
from whisper_bench.errors import BenchError, InterruptedCommandError
from whisper_bench.variables import variable

if TYPE_CHECKING:
    from whisper_bench.gate.gate import Rules
    from whisper_bench.gate.report import Check, GateReport

NO_EVIDENCE = 3


def declare(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "gate",
        help="is a build slower than another: pass, fail or no evidence",
        description="Measures both in turns, in fresh processes, until the interval of the "
        "slowdown lies on one side of the allowed limit. Exits 0 for PASS, 1 for FAIL, and 3 for "
        "NO EVIDENCE.",
    )
    add_gate(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Check what needs no measurement, measure both sides, and judge."""
    try:
        return _finish(options, _judged(options))
    except KeyboardInterrupt:
        raise InterruptedCommandError("interrupted; nothing is decided") from None


def _judged(options: argparse.Namespace) -> "GateReport":
    import msgspec

    from whisper_bench.files.whole import check_writable
    from whisper_bench.gate.absolute import AbsoluteGate, load_baseline
    from whisper_bench.gate.files import JOB_SUMMARY, remove_older
    from whisper_bench.gate.gate import Gate
    from whisper_bench.gate.process import Runner
    from whisper_bench.gate.side import side_of
    from whisper_bench.interrupt import Interruption

    variable(JOB_SUMMARY)  # a blank one is refused before anything is measured
    rules, conditions = rules_of(options), conditions_of(options)
    name = saved_name(options.baseline)
    saved = load_baseline(name, options.storage) if name else None
    if saved:
        conditions = msgspec.structs.replace(conditions, rounds=saved.rounds)
    candidate = side_of(options.candidate)
    baseline = candidate if saved else side_of(options.baseline)
    check_sides(options, baseline, candidate)
    check_writable(options.results, "the gate's files", "pass another folder with --results")
    remove_older(options.results)
    checks, rules = _standing(options, rules)
    interruption = Interruption()
    measure = Runner(conditions, interruption, timeout_s=options.timeout)
    gate = (
        AbsoluteGate(saved, candidate, rules, measure=measure, say=say)
        if saved
        else Gate((baseline, candidate), rules, measure=measure, say=say)
    )
    with interruption.watched():
        return gate.run(checks)


def _standing(options: argparse.Namespace, rules: "Rules") -> "tuple[list[Check], Rules]":
    """Return the checks that need no measurement, and the rules with the sizing's memory."""
    import msgspec

    from whisper_bench.gate.report import Answer, Check
    from whisper_bench.gate.standing import deployment_matches, ratio_fresh

    checks = []
    if options.ratio_config is not None:
        checks.append(ratio_fresh(options.ratio_config, most_days(options)))
    if options.sizing is not None:
        sizing_options = _sizing_options(options.sizing)
        try:
            report, edited = size.checked(sizing_options)
        except BenchError as error:
            return [*checks, Check("deployment", Answer.FAIL, str(error))], rules
        if edited is None:
            return [*checks, Check("deployment", Answer.FAIL, report.sizing.reason)], rules
        checks.append(deployment_matches(edited.diff, edited.facts.faults))
        if rules.memory_limit_bytes is None and report.sizing.memory_mib is not None:
            memory = report.sizing.memory_mib * 2**20
            rules = msgspec.structs.replace(rules, memory_limit_bytes=memory)
    return checks, rules


def _sizing_options(text: str) -> argparse.Namespace:
    """Read the run and the options of a sizing."""
    parser = Parser(prog="whisper-bench gate --sizing")
    size.add_size(parser)
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise BenchError(
            f"--sizing {text!r}: {error}; give the arguments of whisper-bench size"
        ) from error
    try:
        return parser.parse_args(words)
    except BenchError as error:
        raise BenchError(f"--sizing {text!r}: {error}") from error
    except SystemExit as error:  # argparse has printed why; --help would exit with 0
        raise BenchError(
            f"--sizing {text!r}: give the arguments of whisper-bench size, such as 'xeon "
            "--target-rps 2 --slo-p95 5s'"
        ) from error


def _finish(options: argparse.Namespace, report: "GateReport") -> int:
    from whisper_bench.gate.files import JOB_SUMMARY, add_to_job_summary, save_gate
    from whisper_bench.gate.report import Answer
    from whisper_bench.gate.text import gate_lines

    written = save_gate(report, options.results)
    summary = variable(JOB_SUMMARY)
    if summary and (trouble := add_to_job_summary(report, Path(summary))):
        say(f"WARNING: the job's summary cannot be written: {trouble}")
    if options.json:
        show_json(report)
    else:
        *lines, answer = gate_lines(report)
        show_lines([*lines, *(f"wrote {path}" for path in written), answer])
    if report.answer is Answer.NO_EVIDENCE and options.on_no_evidence == "warn" and report.measured:
        say(f"WARNING: {report.answer}; exit status 0 because of --on-no-evidence=warn")
        return 0
    return {Answer.PASS: 0, Answer.FAIL: 1, Answer.NO_EVIDENCE: NO_EVIDENCE}[report.answer]
