"""`whisper-bench results NAME`: result files from a run that pytest-benchmark saved."""

import argparse

from whisper_bench.cli.arguments import add_results, add_saved_run


def declare(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = commands.add_parser("results", help="write result files from a saved run")
    add_saved_run(parser)
    add_results(parser, "result files")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Convert the saved run; a result that exists is left unchanged."""
    from whisper_bench.cli.show import show_json, show_lines
    from whisper_bench.results.convert import results_of
    from whisper_bench.results.files import result_line, save_all_results
    from whisper_bench.saved.file import read_saved
    from whisper_bench.saved.find import find_saved, save_name

    path = find_saved(options.name, options.storage)
    results = results_of(read_saved(path), save_name(path), str(path))
    written = save_all_results(results, options.results)
    if options.json:
        show_json({
            "saved_run": str(path),
            "results": [
                {"file": str(file), "result": result}
                for file, result in zip(written, results, strict=True)
            ],
        })  # fmt: skip
    else:
        show_lines([f"from {path}", *map(result_line, written, results)])
    return 0
