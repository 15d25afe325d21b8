"""A strategic merge patch applied to YAML text: what differs is written where it stands."""

from collections.abc import Iterator
from typing import Any, TypeVar

import msgspec

from whisper_bench.errors import BenchError
from whisper_bench.manifests.manifest import KubeObject
from whisper_bench.manifests.merge import ByIndex, in_step, merged
from whisper_bench.yaml.edit import (
    Edit,
    Page,
    Spot,
    added,
    appended,
    filled,
    is_blank,
    page_of,
    replaced,
    spliced,
)
from whisper_bench.yaml.nodes import (
    AliasNode,
    MappingNode,
    Node,
    ScalarNode,
    SequenceNode,
    YamlDocument,
    pair_of,
    seen_through,
    text_at,
)
from whisper_bench.yaml.parse import parse

Patch = dict[str, Any]
"""Nested mappings, lists of mappings with a `name`, one item by its index, str, int or Quantity.

A list whose mappings have no names is written where there is none."""
_KINDS = {MappingNode: "a mapping", SequenceNode: "a list", ScalarNode: "a single value"}
_Kind = TypeVar("_Kind", MappingNode, SequenceNode, ScalarNode)


def patched(
    text: str, target: KubeObject, patch: Patch, *, where: str, after: dict[str, list[str]]
) -> str:
    """Return a file's text in which one of its objects has what the patch says.

    All else stays as it is, and so does a value that means the same. A key that was missing comes
    behind the last of those that `after` gives for it: at the head of its mapping where it gives
    none, at the end where it does not know the key.

    Raises:
        BenchError: a value is of the wrong kind, is repeated elsewhere by an alias, or is laid out
            such that it cannot be changed without harm.

    """
    document = target.document
    page = page_of(document.text, document.root, where)
    edits = list(_Patcher(page, document, after).value(target.root, patch, Spot()))
    if not edits:
        return text
    new = spliced(document.text, edits)
    _hold_to_meaning(new, _meant(target, patch), where)
    end = document.start + len(document.text)
    return text[: document.start] + new + text[end:]


def _meant(target: KubeObject, patch: Patch) -> Any:
    """Return what the document must mean afterwards."""
    if target.item is None:
        return merged(target.data, patch)
    return merged(target.document.data, {"items": ByIndex(target.item, patch)})


def _hold_to_meaning(new: str, meant: Any, where: str) -> None:
    """Read back what was written: a layout that was not foreseen is refused, not garbled."""
    try:
        found = [each.data for each in parse(new, where)]
    except BenchError:
        found = []
    if found != [meant]:
        raise BenchError(
            f"{where}: it is laid out such that it cannot be edited without harm, and was left as "
            "it is; write the fields that the sizing owns one to a line, or edit them by hand"
        )


class _Patcher:
    """Walks patch and document side by side and yields what has to change."""

    def __init__(self, page: Page, document: YamlDocument, after: dict[str, list[str]]) -> None:
        self._page = page
        self._document = document
        self._after = after

    def value(self, node: Node, want: Any, spot: Spot) -> Iterator[Edit]:
        if isinstance(node, AliasNode) or (node.anchor and node.start in self._document.shared):
            spot = msgspec.structs.replace(spot, repeated=node)
        node = seen_through(node)
        if isinstance(want, dict | list) and is_blank(self._page, node):
            yield from filled(self._page, node, want, spot)
        elif isinstance(want, dict):
            yield from self._mapping(self._held_to(MappingNode, node, spot), want, spot)
        elif isinstance(want, ByIndex):
            item = self._held_to(SequenceNode, node, spot).items[want.index]
            path = f"{spot.path}[{want.index}]"
            yield from self.value(item, want.patch, Spot(path, repeated=spot.repeated))
        elif isinstance(want, list):
            yield from self._list(self._held_to(SequenceNode, node, spot), want, spot)
        elif not in_step(scalar := self._held_to(ScalarNode, node, spot), want):
            yield replaced(self._page, scalar, want, spot)

    def _mapping(self, node: MappingNode, patch: Patch, spot: Spot) -> Iterator[Edit]:
        missing = {}
        for name, want in patch.items():
            found = pair_of(node, name)
            if found is None:
                missing[name] = want
                continue
            key, value = found
            path = f"{spot.path}.{name}".lstrip(".")
            yield from self.value(value, want, Spot(path, key, node.flow, spot.repeated))
        if missing:
            yield from added(self._page, node, missing, spot, self._after)

    def _list(self, node: SequenceNode, wants: list[Patch], spot: Spot) -> Iterator[Edit]:
        missing = []
        for want in wants:
            path = f"{spot.path}[{want['name']}]"
            item = self._item(node, want["name"], path)
            if item is None:
                missing.append(want)
            else:
                yield from self.value(item, want, Spot(path, repeated=spot.repeated))
        if missing:
            yield appended(self._page, node, missing, spot)

    def _item(self, node: SequenceNode, name: str, path: str) -> Node | None:
        named = [item for item in node.items if text_at(seen_through(item), "name") == name]
        if len(named) > 1:
            lines = " and ".join(str(item.line) for item in named)
            raise self._page.refusal(
                named[1], f"{path} is there twice (lines {lines}); keep one of them"
            )
        return named[0] if named else None

    def _held_to(self, kind: type[_Kind], node: Node, spot: Spot) -> _Kind:
        if isinstance(node, kind):
            return node
        found = next(text for each, text in _KINDS.items() if isinstance(node, each))
        raise self._page.refusal(
            node,
            f"{spot.path} is {found} and should be {_KINDS[kind]}; write it as Kubernetes wants it "
            "(a template of Helm or Jinja is edited in its values, or after it was rendered)",
        )
