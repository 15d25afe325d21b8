"""`whisper-bench weights`: where weights are, and weights of a larger model's shape."""

import argparse
from pathlib import Path

from whisper_bench.weights.pins import MODEL_NAMES


def declare(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command and its two verbs."""
    parser = commands.add_parser("weights", help="find and check weights, or make shape-only ones")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    find = verbs.add_parser("find", help="find a model's weights and check their sha256")
    find.add_argument(
        "names", nargs="+", choices=MODEL_NAMES, metavar="MODEL", help=", ".join(MODEL_NAMES)
    )
    find.add_argument(
        "--model-dir", type=Path, metavar="DIR", help="folder of weights, a folder a model"
    )
    grow = verbs.add_parser(
        "shape-only",
        help="make weights of a larger model's shape out of base's (for maintainers)",
        description="For machines that cannot reach the hub: the full compute of small or medium, "
        "at its true cost, with base's text. Every result says shape-only.",
    )
    grow.add_argument(
        "names", nargs="+", choices=("small", "medium"), metavar="SIZE", help="small, medium"
    )
    for verb in (find, grow):
        verb.add_argument("--json", action="store_true", help="print one JSON document")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Find or make the weights and say where they are."""
    from whisper_bench.cli.show import show_json, show_lines
    from whisper_bench.weights.resolve import resolve_weights
    from whisper_bench.weights.shape import grow_shape_only

    if options.verb == "find":
        found = [resolve_weights(name, model_dir=options.model_dir) for name in options.names]
    else:
        found = [grow_shape_only(name) for name in options.names]
    if options.json:
        show_json({"weights": found})
    else:
        show_lines(
            f"{each.name}  {each.source}  sha256 {each.sha256}  {each.folder}" for each in found
        )
    return 0
