"""What a report is made of, whatever it is written in."""

from collections.abc import Sequence

import msgspec


class Table(msgspec.Struct, frozen=True):
    """A table; `title` names it, its first column heads the rows, `chosen` is a row to stand out.

    `words` are read, and not compared as figures are.
    """

    title: str
    head: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    words: bool = False
    chosen: int | None = None


class Plot(msgspec.Struct, frozen=True):
    """A plot by its name in `plots.PLOTS`; `label` tells those who cannot see it what it shows."""

    name: str
    label: str
    caption: str


class Bullets(msgspec.Struct, frozen=True):
    """A list of sentences."""

    items: list[str]


class Notice(msgspec.Struct, frozen=True):
    """A sentence that must not be overlooked."""

    text: str


Block = str | Table | Plot | Bullets | Notice


class Section(msgspec.Struct, frozen=True):
    """A heading and what stands below it."""

    title: str
    blocks: list[Block]


class Document(msgspec.Struct, frozen=True):
    """A report: its answer stands first, in the title and the first blocks."""

    title: str
    feasible: bool
    answer: list[Block]
    sections: list[Section]
