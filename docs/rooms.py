"""The rooms of plugins/whisper_bench: which imports which, and the floor of each.

`python docs/rooms.py` prints the counts, and the picture of docs/architecture.md in Mermaid. A room
is a package, or a module outside any package.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent / "plugins" / "whisper_bench"
PACKAGE = ROOT.name
Imports = dict[str, set[str]]


def rooms() -> Imports:
    """Return the rooms that each room imports, also inside functions and for types only."""
    imports: Imports = {}
    for path in sorted(ROOT.rglob("*.py")):
        room = path.relative_to(ROOT).with_suffix("").parts[0]
        if room != "__init__":
            imports.setdefault(room, set()).update(set(_imported(path)) - {room})
    return imports


def floors(imports: Imports) -> list[list[str]]:
    """Return the rooms floor by floor, the lowest first: each imports only from floors below.

    Raises:
        ValueError: some import one another in a circle; they are named.

    """
    built: list[list[str]] = []
    below: set[str] = set()
    while len(below) < len(imports):
        floor = sorted(
            room for room, needs in imports.items() if room not in below and needs <= below
        )
        if not floor:
            raise ValueError(f"a circle of imports: {', '.join(sorted(set(imports) - below))}")
        built.append(floor)
        below.update(floor)
    return built


def picture(imports: Imports) -> list[str]:
    """Return a Mermaid graph; imports that follow from others are left out."""
    arrows = [
        f"    {room} --> {need}"
        for room, needs in sorted(imports.items())
        for need in sorted(needs)
        if not any(need in _all_below(imports, other) for other in needs - {need})
    ]
    return ["```mermaid", "graph TD", *arrows, "```"]


def _all_below(imports: Imports, room: str) -> set[str]:
    needs = imports[room]
    return needs.union(*(_all_below(imports, need) for need in needs))


def _imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from _rooms_of(node.module, [alias.name for alias in node.names])
        elif isinstance(node, ast.Import):
            for alias in node.names:
                yield from _rooms_of(alias.name, [])


def _rooms_of(module: str, names: list[str]) -> Iterator[str]:
    package, *inside = module.split(".")
    if package != PACKAGE:
        return
    for name in inside[:1] or names:
        if (ROOT / name).is_dir() or (ROOT / f"{name}.py").is_file():
            yield name


def main() -> None:
    """Print the counts, the floors and the picture."""
    graph = rooms()
    built = floors(graph)
    total = sum(map(len, graph.values()))
    print(f"{len(graph)} rooms on {len(built)} floors, {total} imports between rooms")
    for number, floor in enumerate(built, start=1):
        print(f"{number:2} {', '.join(floor)}")
    print(*picture(graph), sep="\n")


if __name__ == "__main__":
    main()
