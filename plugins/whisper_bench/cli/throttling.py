"""`whisper-bench throttling NAME`: the stress test's verdicts on a saved run."""

import argparse

from whisper_bench.cli.arguments import add_saved_run


def declare(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "throttling", help="judge a saved run by the kernel's counters; exits 1 if throttled"
    )
    add_saved_run(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Judge each case of the run."""
    from whisper_bench.cli.show import show_json, show_lines
    from whisper_bench.saved.file import read_saved, records_of
    from whisper_bench.saved.find import find_saved
    from whisper_bench.throttling.judge import judged
    from whisper_bench.throttling.text import throttling_lines, verdict_lines

    path = find_saved(options.name, options.storage)
    report = judged(records_of(read_saved(path), str(path)))
    if options.json:
        show_json(report)
    else:
        show_lines([*throttling_lines(report), verdict_lines(report)[-1]])
    return int(report.failed)
