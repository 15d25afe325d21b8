"""ruamel.yaml's parser, with tabs where Kubernetes' parser accepts them."""

from collections.abc import Iterator
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.scanner import Scanner, ScannerError

_BREAKS = "\r\n\x85\u2028\u2029"
_ENDS = " \n\0\t\r\x85\u2028\u2029"


def events_of(text: str) -> Iterator[Any]:
    """Return the events of a YAML text; an error is raised as ruamel raises it."""
    reader = YAML(typ="safe", pure=True)
    reader.Scanner = _TabScanner
    events: Iterator[Any] = reader.parse(text)
    return events


class _TabScanner(Scanner):
    """Accepts a tab between tokens and words of one line, as libyaml and go-yaml do.

    Where a new key may begin, a tab would be indentation and is still refused.
    """

    def scan_to_next_token(self) -> None:
        reader = self.reader
        if reader.index == 0 and reader.peek() == "\ufeff":
            reader.forward()
        while True:
            tabs = self.flow_level > 0 or not self.allow_simple_key
            while reader.peek() == " " or (tabs and reader.peek() == "\t"):
                reader.forward()
            if reader.peek() == "#":
                while reader.peek() not in "\0\n\r\x85":
                    reader.forward()
            if not self.scan_line_break():
                return
            if not self.flow_level:
                self.allow_simple_key = True

    def scan_plain_spaces(self, indent: int, start_mark: Any) -> Any:
        reader, length = self.reader, 0
        while reader.peek(length) in " \t":
            length += 1
        blanks = reader.prefix(length)
        reader.forward(length)
        if reader.peek() not in _BREAKS:
            return [blanks] if blanks else []
        line_break = self.scan_line_break()
        self.allow_simple_key = True
        breaks: list[str] = []
        while not self._at_document_end():
            if reader.peek() == "\t" and reader.column < indent:
                raise ScannerError(
                    "while scanning a plain scalar",
                    start_mark,
                    "found a tab character that violates indentation",
                    reader.get_mark(),
                )
            if reader.peek() in " \t":
                reader.forward()
            elif reader.peek() in _BREAKS:
                breaks.append(self.scan_line_break())
            else:
                first = [line_break] if line_break != "\n" else [] if breaks else [" "]
                return [*first, *breaks]
        return None

    def scan_block_scalar_indicators(self, _: Any) -> tuple[bool | None, int | None]:
        reader, chomping, increment = self.reader, None, None
        for _ in range(2):
            if chomping is None and reader.peek() in "+-":
                chomping = reader.peek() == "+"
                reader.forward()
            elif increment is None and reader.peek() in "123456789":
                increment = int(reader.peek())
                reader.forward()
        while reader.peek() in " \t":
            reader.forward()
        return chomping, increment

    def _at_document_end(self) -> bool:
        reader = self.reader
        return reader.column == 0 and reader.prefix(3) in {"---", "..."} and reader.peek(3) in _ENDS
