"""A payload from its frames: complete, or what is wrong with it."""

from dataclasses import dataclass
from itertools import islice

from whisper_bench.parcel.frames import MOST_FRAMES, Frame, payload_id

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Payload:
    """What the frames of one id carried: all of it, or what is wrong with it."""

    id: str
    content: bytes | None
    fault: str | None


class Gathered:
    """The frames of one id that were seen, in any order; one of several copies is kept."""

    def __init__(self, name: str, count: int) -> None:
        self.id = name
        self._count = count
        self._parts: dict[int, bytes] = {}
        self._conflict = False

    def __len__(self) -> int:
        return len(self._parts)

    def lacks(self, frame: Frame) -> bool:
        """Tell whether a frame was not seen yet."""
        return frame.number not in self._parts

    def add(self, frame: Frame) -> None:
        """Add a frame of this id; the data of a payload that is too large is not kept."""
        if frame.count != self._count:
            self._conflict = True
        data = frame.data if self._count <= MOST_FRAMES else b""
        if self._parts.setdefault(frame.number, data) != data:
            self._conflict = True

    def join(self, other: "Gathered") -> None:
        """Add the frames of the same payload from another log."""
        for number, data in other._parts.items():  # noqa: SLF001 - another of this class
            self.add(Frame(self.id, number, other._count, data))  # noqa: SLF001
        self._conflict = self._conflict or other._conflict  # noqa: SLF001

    @property
    def is_whole(self) -> bool:
        """Tell whether every frame is there and the sha256 is right."""
        return self.payload().content is not None

    def payload(self) -> Payload:
        """Return the payload if every frame is there and the sha256 is right, else its fault."""
        fault = self._fault()
        if fault is None:
            content = b"".join(self._parts[number] for number in range(1, self._count + 1))
            if payload_id(content) == self.id:
                return Payload(self.id, content, None)
            fault = "its frames do not give its sha256"
        return Payload(self.id, None, f"{self.id[:8]}: {fault}")

    def _fault(self) -> str | None:
        if self._conflict:
            return "two different frames have the same number"
        if self._count > MOST_FRAMES:
            return (
                f"a run of {self._count} frames, and at most {MOST_FRAMES} are read; run fewer "
                "rounds or cases at once"
            )
        missing = self._count - len(self._parts)
        return self._missing(missing) if missing else None

    def _missing(self, missing: int) -> str:
        """Name the first missing frames; no more numbers are tried than frames were seen."""
        numbers = (number for number in range(1, self._count + 1) if number not in self._parts)
        shown = ", ".join(map(str, islice(numbers, _SHOWN)))
        more = f" and {missing - _SHOWN} more" if missing > _SHOWN else ""
        noun = "frame" if missing == 1 else "frames"
        return f"{noun} {shown}{more} of {self._count} missing or damaged"
