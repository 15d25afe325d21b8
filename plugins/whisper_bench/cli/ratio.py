"""`whisper-bench ratio M4 XEON`: latency of one run over another's, or of many in a matrix."""

import argparse
from typing import TYPE_CHECKING

from whisper_bench.cli.arguments import NAME_TEXT, add_allow_mismatch, add_results, add_storage
from whisper_bench.errors import BenchError

if TYPE_CHECKING:
    from whisper_bench.ratio.run import Run


def declare(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "ratio",
        help="latency of one run over another's, with its interval",
        description="Ratio = latency on the second run's machine / latency on the first's. Two "
        "runs give a ratio_config.json, more than two a matrix. Exits 1 if the runs are not "
        "comparable or a ratio is INVALID.",
    )
    parser.add_argument("names", nargs="+", metavar="RUN", help=NAME_TEXT)
    add_storage(parser)
    add_results(parser, "ratio_config.json")
    add_allow_mismatch(parser)
    parser.add_argument(
        "--all-runs",
        action="store_true",
        help="use every saved run of each name, so that the interval includes the difference "
        "from run to run",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Compare the runs."""
    runs = _runs(options)
    if len(runs) == 1:
        raise BenchError(
            f"--all-runs {options.names[0]}: a ratio has two sides; add the other name"
        )
    return _two(options, *runs) if len(runs) == 2 else _many(options, runs)  # noqa: PLR2004


def _runs(options: argparse.Namespace) -> "list[Run]":
    from whisper_bench.ratio.merge import refuse_same

    runs = _loaded(options)
    refuse_same(runs)  # a copy under another name is not another machine
    return runs


def _loaded(options: argparse.Namespace) -> "list[Run]":
    from whisper_bench.ratio.load_many import load_files
    from whisper_bench.saved.find import find_all_saved

    if options.all_runs:
        return [_merged(name, options) for name in options.names]
    matches = [path for name in options.names for path in find_all_saved(name, options.storage)]
    paths = list({path.resolve(): path for path in reversed(matches)}.values())[::-1]
    if len(paths) < 2:  # noqa: PLR2004 - a ratio has two sides
        raise BenchError(
            f"{' '.join(options.names)}: a ratio needs two runs, but this is one ({paths[0]}); "
            "pass the reference first, then the target: whisper-bench ratio m4 xeon"
        )
    return load_files(paths)


def _merged(name: str, options: argparse.Namespace) -> "Run":
    from whisper_bench.ratio.load_many import load_files
    from whisper_bench.ratio.merge import merge_runs
    from whisper_bench.saved.find import every_saved

    runs = load_files(every_saved(name, options.storage))
    return merge_runs(runs, allow_mismatch=options.allow_mismatch)


def _two(options: argparse.Namespace, reference: "Run", target: "Run") -> int:
    from whisper_bench.cli.show import show_json, show_lines
    from whisper_bench.ratio.calculate import calculate_ratio
    from whisper_bench.ratio.config import save_config
    from whisper_bench.ratio.text import ratio_lines

    report = calculate_ratio(reference, target, allow_mismatch=options.allow_mismatch)
    # a pattern that matches two runs by chance asks for a matrix, not for a ratio to save
    is_saved = len(options.names) == 2 and not report.invalid  # noqa: PLR2004
    path = save_config(report, options.results) if is_saved else None
    if options.json:
        show_json({
            "comparable": True,
            "ratio_config": path and str(path),
            **{name: getattr(report, name) for name in report.__struct_fields__},
        })  # fmt: skip
    else:
        why = "a ratio is INVALID" if report.invalid else "pass the two names to save their ratio"
        last = f"wrote {path}" if path else f"no ratio_config.json is written: {why}"
        show_lines([*ratio_lines(report), last])
    return int(bool(report.invalid))


def _many(options: argparse.Namespace, runs: "list[Run]") -> int:
    from whisper_bench.cli.show import show_json, show_lines
    from whisper_bench.ratio.matrix import calculate_matrix
    from whisper_bench.ratio.matrix_text import matrix_lines

    matrix = calculate_matrix(runs, allow_mismatch=options.allow_mismatch)
    if options.json:
        show_json({"comparable": True, "runs": matrix.runs, "pairs": matrix.pairs})
    else:
        show_lines(matrix_lines(matrix))
    return int(any(pair.invalid for pair in matrix.pairs))
