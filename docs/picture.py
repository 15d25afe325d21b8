"""Make a picture of a real run from its terminal output.

    script -qec 'stty cols 122; COMMAND' run.typescript
    python docs/picture.py run.typescript docs/run.svg [COLUMNS]   # needs rich

A line that the terminal rewrote is shown in its last state. All before pytest's first line (or
before a dollar sign, without pytest) is left out, and so is pytest-benchmark's legend.
"""

import io
import re
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

COLUMNS = 122


def shown_lines(typescript: str) -> list[str]:
    """Return the lines as the terminal last showed them."""
    begins = "test session starts" if "test session starts" in typescript else "\n$ "
    begin = typescript.index(begins) + begins.count("\n")
    body = typescript[typescript.rfind("\n", 0, begin) + 1 :].replace("\r\n", "\n")
    lines = [line.rpartition("\r")[2].replace("\x1b[K", "") for line in body.split("\n")]
    unwanted = re.compile(r"Legend:|  Outliers:|  OPS:|Script done|benchmark: 5")
    kept = [line for line in lines if not unwanted.match(re.sub(r"\x1b\[\d*m", "", line))]
    return [line for line, after in zip(kept, [*kept[1:], ""], strict=True) if line or after]


def main() -> None:
    """Read a typescript, write an SVG."""
    source, target = map(Path, sys.argv[1:3])
    columns = int(sys.argv[3]) if len(sys.argv) > 3 else COLUMNS  # noqa: PLR2004
    console = Console(record=True, width=columns, file=io.StringIO(), force_terminal=True)
    for line in shown_lines(source.read_bytes().decode()):
        console.print(Text.from_ansi(line), soft_wrap=False, no_wrap=True, overflow="ellipsis")
    svg = console.export_svg(title=source.stem)
    # the picture needs no network: it uses installed fonts
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
    target.write_text(svg.replace("Fira Code", "Menlo, DejaVu Sans Mono"), encoding="utf-8")


if __name__ == "__main__":
    main()
