"""The objects of a manifest that matter for a Deployment, each with its place in the text.

The other documents are not read: one that our YAML reader cannot read does not stop a sizing.
"""

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from whisper_bench.errors import BenchError
from whisper_bench.yaml.nodes import Node, SequenceNode, YamlDocument, value_at, without_alias
from whisper_bench.yaml.parse import parse_piece
from whisper_bench.yaml.split import Piece, document_pieces

DEPLOYMENT = "Deployment"
SCALERS = ("HorizontalPodAutoscaler", "ScaledObject", "VerticalPodAutoscaler")
"""What changes a Deployment's replicas or resources later on; the second is KEDA's."""
READ_KINDS = (DEPLOYMENT, *SCALERS)
_LIST = "List"
_MAY_MATTER = re.compile("|".join(READ_KINDS))
_KIND_THAT_MATTERS = re.compile(rf"kind[\"']?[ \t]*:[^\n]*(?:{'|'.join(READ_KINDS)})")


class KubeObject(msgspec.Struct, frozen=True):
    """An object: a document's root, or an item of the List that the document is (`item` from 0)."""

    document: YamlDocument
    root: Node
    data: dict[str, Any]
    item: int | None = None

    @property
    def kind(self) -> str | None:
        """Its kind; None if it is not text."""
        kind = self.data.get("kind")
        return kind if isinstance(kind, str) else None

    @property
    def name(self) -> str | None:
        """Its metadata.name; None if it is missing or not text."""
        return self._of_metadata("name")

    @property
    def namespace(self) -> str | None:
        """Its metadata.namespace; None if kubectl decides."""
        return self._of_metadata("namespace")

    def _of_metadata(self, key: str) -> str | None:
        metadata = self.data.get("metadata")
        value = metadata.get(key) if isinstance(metadata, dict) else None
        return value if isinstance(value, str) else None


def read_objects(text: str, where: str) -> list[KubeObject]:
    """Return a manifest's objects, all those of `READ_KINDS` among them.

    Raises:
        BenchError: Kubernetes does not read the file, or a document that matters cannot be read.

    """
    pieces = document_pieces(text, where)
    likely = [piece for piece in pieces if _may_matter(piece)]
    remedy = "; or move the Deployment, with its autoscaler, to a file of its own"
    remedy = remedy if len(pieces) > 1 else ""
    objects = list(_objects_in(likely, where, remedy))
    if any(manifest.kind == DEPLOYMENT for manifest in objects):
        return objects
    # perhaps its kind is written in another way; else the message names the kinds that there are
    return list(_objects_in(pieces, where, remedy))


def _may_matter(piece: Piece) -> bool:
    """Tell by the text whether a document may matter; our reader takes seconds for 100 KB."""
    if _MAY_MATTER.search(piece.text) is None:
        return False
    return not _is_other(piece) or _KIND_THAT_MATTERS.search(piece.text) is not None


def _is_other(piece: Piece) -> bool:
    """Tell by the text whether a document is of a kind that does not matter."""
    written = piece.written_kind
    return written is not None and written not in READ_KINDS and not written.endswith(_LIST)


def _objects_in(pieces: list[Piece], where: str, remedy: str) -> Iterator[KubeObject]:
    for piece in pieces:
        yield from _objects_of(piece, where, remedy)


def _objects_of(piece: Piece, where: str, remedy: str) -> Iterator[KubeObject]:
    try:
        document = parse_piece(piece, where)
    except BenchError as error:
        if _is_other(piece):
            return
        raise BenchError(f"{error}{remedy}") from error
    if document is None or not isinstance(document.data, dict):
        return
    items = document.data.get("items")
    kind = str(document.data.get("kind"))
    if isinstance(items, list) and kind.endswith(_LIST):
        nodes = value_at(document.root, "items")
        assert isinstance(nodes, SequenceNode)
        # the items of a DeploymentList may have no kind of their own
        defaults = {"kind": kind.removesuffix(_LIST), "apiVersion": document.data.get("apiVersion")}
        for number, (node, data) in enumerate(zip(nodes.items, items, strict=True)):
            if isinstance(data, dict):
                yield KubeObject(document, node, defaults | data, number)
    else:
        yield KubeObject(document, without_alias(document.root), document.data)
