"""The parser: argparse that refuses blank values, with our messages for invalid ones."""

import argparse
from typing import Any, NoReturn

from whisper_bench.errors import BenchError
from whisper_bench.text.plain import plain


class Parser(argparse.ArgumentParser):
    """A parser, and those of its commands, that refuse a blank value of any option or argument.

    An unset variable in a CI job gives such a value. It would silently mean the default, no limit
    or this folder (`Path("")`).
    """

    def error(self, message: str) -> NoReturn:
        """Refuse in one line: the message may repeat a word as it was given."""
        super().error(plain(message))

    def _get_value(self, action: argparse.Action, arg_string: str) -> Any:
        """Refuse a blank value, and name the option if its type refuses the value."""
        name = "/".join(action.option_strings) or action.metavar or action.dest
        is_command = isinstance(action, argparse._SubParsersAction)  # noqa: SLF001 - no public name
        if not arg_string.strip() and not is_command:
            raise BenchError(
                f"{name} {arg_string!r}: a blank value is not allowed; give one, or leave it out"
            )
        try:
            return super()._get_value(action, arg_string)
        except BenchError as error:
            raise BenchError(f"{name} {arg_string}: {error}") from None
