"""The parts of a report, the same for every output format."""

from collections.abc import Sequence

import msgspec


class Table(msgspec.Struct, frozen=True):
    """A table; `title` names it, its first column heads the rows, `chosen` is the row to highlight.

    With `words` the cells are text, not figures to compare.
    """

    title: str
    head: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    words: bool = False
    chosen: int | None = None


class Plot(msgspec.Struct, frozen=True):
    """A plot by its name in `plots.PLOTS`; `label` describes it for those who cannot see it."""

    name: str
    label: str
    caption: str


class Bullets(msgspec.Struct, frozen=True):
    """A list of sentences."""

    items: list[str]


class Notice(msgspec.Struct, frozen=True):
    """A sentence that must be seen."""

    text: str


Block = str | Table | Plot | Bullets | Notice


class Section(msgspec.Struct, frozen=True):
    """A heading and the blocks below it."""

    title: str
    blocks: list[Block]


class Document(msgspec.Struct, frozen=True):
    """A report: its answer comes first, in the title and the first blocks."""

    title: str
    feasible: bool
    answer: list[Block]
    sections: list[Section]
