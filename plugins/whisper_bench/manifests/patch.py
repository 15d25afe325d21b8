"""A strategic merge patch applied to YAML text: only the values that differ are written."""

from collections.abc import Iterator
from typing import Any, TypeVar

import msgspec

from whisper_bench.errors import BenchError
from whisper_bench.manifests.manifest import KubeObject
from whisper_bench.manifests.merge import ByIndex, has_value, merged
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
    text_at,
    without_alias,
)
from whisper_bench.yaml.parse import parse

Patch = dict[str, Any]
"""Nested mappings, lists of mappings with a `name`, one item by its index, str, int or Quantity.

A list whose mappings have no names is written only if there is no list yet."""
_KINDS = {MappingNode: "a mapping", SequenceNode: "a list", ScalarNode: "a single value"}
_Kind = TypeVar("_Kind", MappingNode, SequenceNode, ScalarNode)


def patched(
    text: str, target: KubeObject, patch: Patch, *, where: str, after: dict[str, list[str]]
) -> str:
    """Return a file's text in which one of its objects has what the patch says.

    All else stays as it is, and so does a value that means the same. A missing key is added after
    the last of the keys that `after` lists for it: first in its mapping if the list is empty, last
    if `after` does not have the key.

    Raises:
        BenchError: a value is of the wrong kind, is repeated elsewhere by an alias, or has a layout
            that cannot be edited safely.

    """
    document = target.document
    page = page_of(document.text, document.root, where)
    edits = list(_Patcher(page, document, after).value(target.root, patch, Spot()))
    if not edits:
        return text
    new = spliced(document.text, edits)
    _check_meaning(new, _wanted_data(target, patch), where)
    end = document.start + len(document.text)
    return text[: document.start] + new + text[end:]


def _wanted_data(target: KubeObject, patch: Patch) -> Any:
    """Return what the document must mean afterwards."""
    if target.item is None:
        return merged(target.data, patch)
    return merged(target.document.data, {"items": ByIndex(target.item, patch)})


def _check_meaning(new: str, wanted: Any, where: str) -> None:
    """Read back what was written: an unexpected layout is refused, not damaged."""
    try:
        written = [document.data for document in parse(new, where)]
    except BenchError:
        written = []
    if written != [wanted]:
        raise BenchError(
            f"{where}: its layout cannot be edited safely, and nothing was changed; write each "
            "field that the sizing sets on a line of its own, or edit them by hand"
        )


class _Patcher:
    """Goes through patch and document together and yields what has to change."""

    def __init__(self, page: Page, document: YamlDocument, after: dict[str, list[str]]) -> None:
        self._page = page
        self._document = document
        self._after = after

    def value(self, node: Node, want: Any, spot: Spot) -> Iterator[Edit]:
        if isinstance(node, AliasNode) or (node.anchor and node.start in self._document.shared):
            spot = msgspec.structs.replace(spot, repeated=node)
        node = without_alias(node)
        if isinstance(want, dict | list) and is_blank(self._page, node):
            yield from filled(self._page, node, want, spot)
        elif isinstance(want, dict):
            yield from self._mapping(self._checked(MappingNode, node, spot), want, spot)
        elif isinstance(want, ByIndex):
            item = self._checked(SequenceNode, node, spot).items[want.index]
            path = f"{spot.path}[{want.index}]"
            yield from self.value(item, want.patch, Spot(path, repeated=spot.repeated))
        elif isinstance(want, list):
            yield from self._list(self._checked(SequenceNode, node, spot), want, spot)
        elif not has_value(scalar := self._checked(ScalarNode, node, spot), want):
            yield replaced(self._page, scalar, want, spot)

    def _mapping(self, node: MappingNode, patch: Patch, spot: Spot) -> Iterator[Edit]:
        missing = {}
        for name, want in patch.items():
            pair = pair_of(node, name)
            if pair is None:
                missing[name] = want
                continue
            key, value = pair
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
        named = [item for item in node.items if text_at(without_alias(item), "name") == name]
        if len(named) > 1:
            lines = " and ".join(str(item.line) for item in named)
            raise self._page.refusal(
                named[1], f"{path} is written twice (lines {lines}); keep one of them"
            )
        return named[0] if named else None

    def _checked(self, kind: type[_Kind], node: Node, spot: Spot) -> _Kind:
        if isinstance(node, kind):
            return node
        actual = next(text for other, text in _KINDS.items() if isinstance(node, other))
        raise self._page.refusal(
            node,
            f"{spot.path} is {actual} and must be {_KINDS[kind]}; write it as the Kubernetes API "
            "defines it (for a template of Helm or Jinja, edit its values, or the rendered file)",
        )
