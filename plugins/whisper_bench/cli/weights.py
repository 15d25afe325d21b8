"""`whisper-bench weights find`: where weights are."""

import argparse
from pathlib import Path

from whisper_bench.weights.pins import MODEL_NAMES


def declare(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command and its verb."""
    parser = commands.add_parser("weights", help="find and check weights")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    find = verbs.add_parser("find", help="find a model's weights and check their sha256")
    find.add_argument(
        "names", nargs="+", choices=MODEL_NAMES, metavar="MODEL", help=", ".join(MODEL_NAMES)
    )
    find.add_argument(
        "--model-dir", type=Path, metavar="DIR", help="folder of weights, with one folder per model"
    )
    find.add_argument("--json", action="store_true", help="print one JSON document")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Find the weights and say where they are."""
    from whisper_bench.cli.show import show_json, show_lines
    from whisper_bench.weights.resolve import resolve_weights

    models = [resolve_weights(name, model_dir=options.model_dir) for name in options.names]
    if options.json:
        show_json({"weights": models})
    else:
        show_lines(
            f"{model.name}  {model.source}  sha256 {model.sha256}  {model.folder}"
            for model in models
        )
    return 0
