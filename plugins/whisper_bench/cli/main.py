"""The commands, and how errors are printed."""

import argparse
import sys
from collections.abc import Sequence

from whisper_bench.cli import doctor, gate, k8s, predict, ratio, results, size, throttling, weights
from whisper_bench.cli.parser import Parser
from whisper_bench.cli.show import OutputClosedError, say, show_json, show_lines
from whisper_bench.errors import BenchError, InterruptedCommandError
from whisper_bench.interrupt import CtrlC

OUTPUT_CLOSED = 141
"""What a shell returns for a command that SIGPIPE ended: the reader closed the pipe."""

INTERRUPTED = InterruptedCommandError.exit_status


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status: 0 for yes, 1 for a no, 2 for misuse.

    After Ctrl-C it is always 130, and no traceback is printed.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    # once the answer is printed, Ctrl-C no longer interrupts the script's own process
    with CtrlC(stays=arguments is None) as ctrl_c:
        try:
            ctrl_c.arm()
            status = _run(words)
            ctrl_c.disarm()
        except SystemExit:  # argparse has said why
            ctrl_c.disarm()
            raise
        except (Exception, KeyboardInterrupt) as error:
            ctrl_c.disarm()
            # a library may have turned it into another error
            if not (ctrl_c.came or isinstance(error, KeyboardInterrupt)):
                raise
            say("whisper-bench: interrupted")
            status = INTERRUPTED
        return INTERRUPTED if ctrl_c.came else status


def _run(words: list[str]) -> int:
    command = words[0] if words else ""
    try:
        return _status(command, words)
    except OutputClosedError as error:
        say(f"whisper-bench {command}: {error}")
        return OUTPUT_CLOSED


def _status(command: str, words: list[str]) -> int:
    as_json = "--json" in words  # until the words are parsed
    try:
        options = _options(words)
        as_json = options.json
        status: int = options.run(options)
    except KeyboardInterrupt:
        return _refused(command, InterruptedCommandError("interrupted"), as_json=as_json)
    except BenchError as error:
        return _refused(command, error, as_json=as_json)
    except ModuleNotFoundError as error:
        say(
            f"whisper-bench {command}: {error.name} is not installed; this command needs "
            "the whole package: pip install pytest-whisper-bench (the image only measures)"
        )
        return 2
    return status


def _refused(command: str, error: BenchError, *, as_json: bool) -> int:
    first, *others = str(error).split("\n")
    say(f"whisper-bench {command}: {first}")
    for line in others:
        say(line)
    if as_json:
        show_json({"error": str(error), **error.facts})
    return error.exit_status


def _options(words: list[str]) -> argparse.Namespace:
    """Parse the words; those after -- are the suite's, if the command takes them."""
    parser, cut = _parser(), words.index("--") if "--" in words else len(words)
    options = parser.parse_args(words[:cut])
    if words[cut:] and not hasattr(options, "arguments"):
        parser.error(f"unrecognized arguments: {' '.join(words[cut:])}")
    if hasattr(options, "arguments"):
        options.arguments += words[cut + 1 :]
    return options


class _Version(argparse.Action):
    """Like argparse's own, which would look up the version (50 ms) for every command."""

    def __call__(self, parser: argparse.ArgumentParser, *_arguments: object) -> None:
        from importlib.metadata import version

        show_lines([version("pytest-whisper-bench")])
        parser.exit()


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="whisper-bench",
        description="Decide from real measurements how much Kubernetes a Whisper service needs.",
    )
    parser.add_argument(
        "--version", action=_Version, nargs=0, help="show program's version number and exit"
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in (results, throttling, ratio, predict, size, gate, k8s, weights, doctor):
        command.declare(commands)
    return parser
