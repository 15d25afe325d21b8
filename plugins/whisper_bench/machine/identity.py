"""Which machine this is: its chip, by the name that people use, its node, and its system."""

import platform
import subprocess
from pathlib import Path
from typing import Literal

import msgspec

from whisper_bench.errors import BenchError
from whisper_bench.ranges import Word
from whisper_bench.text.plain import readable
from whisper_bench.variables import variable

Architecture = Literal["ARM64", "x86_64"]

_ARCHITECTURES: dict[str, Architecture] = {
    "arm64": "ARM64",
    "aarch64": "ARM64",
    "x86_64": "x86_64",
    "amd64": "x86_64",
}

# MIDR_EL1 implementer and part numbers: Linux, arch/arm64/include/asm/cputype.h
_IMPLEMENTERS = {0x41: "Arm", 0x61: "Apple", 0xC0: "Ampere"}
_PARTS = {
    (0x41, 0xD0C): "Neoverse-N1",
    (0x41, 0xD40): "Neoverse-V1",
    (0x41, 0xD49): "Neoverse-N2",
    (0x41, 0xD4F): "Neoverse-V2",
}


NODE_VARIABLE = "WHISPER_BENCH_NODE"
"""Has the node's name in a Pod, where the host name is the Pod's."""


class Chip(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What pytest-benchmark does not know of a machine; it is saved in its machine_info."""

    architecture: Architecture
    cpu_model: Word


class Machine(Chip, frozen=True, forbid_unknown_fields=True):
    """A machine's identity; `kernel` is its release, `python` the interpreter's version."""

    node: str
    system: str
    kernel: str
    python: str

    def __str__(self) -> str:
        return f"{self.node}, {self.cpu_model} ({self.architecture}, {self.system})"

    @property
    def chip(self) -> Chip:
        """The chip alone."""
        return Chip(self.architecture, self.cpu_model)

    @property
    def kind(self) -> dict[str, str]:
        """What is the same on every node of its kind, whatever is installed there."""
        return {name: getattr(self, name) for name in ("architecture", "cpu_model", "system")}


def detect_chip(cpu_model: str | None = None) -> Chip:
    """Return this machine's chip, by the name that the user gave it if so.

    Raises:
        BenchError: the architecture cannot be measured.

    """
    return Chip(detect_architecture(), readable(cpu_model or detect_cpu_model()))


def detect_machine(cpu_model: str | None = None) -> Machine:
    """Return this machine, its chip by the name that the user gave it if so.

    Raises:
        BenchError: the architecture cannot be measured, or the node's variable is blank.

    """
    return Machine(
        **msgspec.structs.asdict(detect_chip(cpu_model)),
        node=node_name(),
        system=platform.system(),
        kernel=platform.release(),
        python=platform.python_version(),
    )


def node_name() -> str:
    """Return the node's name: from the variable that a Pod sets, else the host name.

    Raises:
        BenchError: the variable is blank.

    """
    return readable(variable(NODE_VARIABLE) or platform.node())


def detect_architecture(machine: str | None = None) -> Architecture:
    """Return `ARM64` or `x86_64` for the system's name of a machine (default: this one).

    Raises:
        BenchError: the architecture is not supported.

    """
    name = platform.machine() if machine is None else machine
    try:
        return _ARCHITECTURES[name.lower()]
    except KeyError:
        raise BenchError(
            f"architecture {name!r} is not supported; measure on one of {', '.join(_ARCHITECTURES)}"
        ) from None


def detect_cpu_model(system: str | None = None, cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    """Return the chip's name: macOS's brand string, or from /proc/cpuinfo.

    arm64 Linux has no name there; then the implementer and part number are used instead
    (`Apple (implementer 0x61, part 0x000)` in Docker on a Mac): name it with --whisper-cpu-model.
    """
    if (system or platform.system()) == "Darwin":
        return _brand_string() or "unknown"
    try:
        return cpu_model_from_cpuinfo(cpuinfo.read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return "unknown"


def cpu_model_from_cpuinfo(text: str) -> str:
    """Return the first CPU's name from the text of Linux's /proc/cpuinfo."""
    fields: dict[str, str] = {}
    for line in text.splitlines():
        key, colon, value = line.partition(":")
        if colon:
            fields.setdefault(key.strip(), value.strip())
    return fields.get("model name") or _arm_name(fields) or "unknown"


def _arm_name(fields: dict[str, str]) -> str | None:
    try:
        implementer, part = (int(fields[f"CPU {key}"], 16) for key in ("implementer", "part"))
    except (KeyError, ValueError):
        return None
    names = (_IMPLEMENTERS.get(implementer), _PARTS.get((implementer, part)))
    name = " ".join(known for known in names if known) or "ARM64"
    return f"{name} (implementer {implementer:#04x}, part {part:#05x})"


def _brand_string() -> str | None:
    command = ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip() or None
