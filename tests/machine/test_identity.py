import platform
import subprocess

import msgspec
import pytest

from support.project import RECORDED
from whisper_bench.errors import BenchError
from whisper_bench.machine import identity as machine
from whisper_bench.machine.identity import (
    cpu_model_from_cpuinfo,
    detect_architecture,
    detect_chip,
    detect_cpu_model,
    detect_machine,
)


@pytest.mark.parametrize(
    ("name", "architecture"),
    [("arm64", "ARM64"), ("aarch64", "ARM64"), ("x86_64", "x86_64"), ("AMD64", "x86_64")],
)
def test_an_architecture_by_the_name_of_each_system(name, architecture):
    assert detect_architecture(name) == architecture


def test_the_architecture_of_this_machine():
    assert detect_architecture() in ("ARM64", "x86_64")


def test_another_architecture_is_refused():
    with pytest.raises(BenchError, match="'riscv64' is not supported; .*aarch64"):
        detect_architecture("riscv64")


@pytest.mark.parametrize(
    ("name", "cpu_model"),
    [
        ("xeon", "Intel(R) Xeon(R) CPU E5-2680 v4 @ 2.40GHz"),
        ("docker_on_mac", "Apple (implementer 0x61, part 0x000)"),
        ("graviton", "Arm Neoverse-V1 (implementer 0x41, part 0xd40)"),
    ],
)
def test_cpu_model_on_recorded_machines(name, cpu_model):
    assert detect_cpu_model("Linux", RECORDED / f"cpuinfo_{name}.txt") == cpu_model


def test_a_cpu_model_that_no_file_names_is_unknown():
    assert cpu_model_from_cpuinfo("CPU implementer : 0x99\nCPU part : 0x123") == (
        "ARM64 (implementer 0x99, part 0x123)"
    )
    assert cpu_model_from_cpuinfo("CPU implementer : nonsense\nCPU part : 0x1") == "unknown"
    assert cpu_model_from_cpuinfo("") == "unknown"
    assert detect_cpu_model("Linux", RECORDED / "absent") == "unknown"


def _sysctl(monkeypatch, run):
    monkeypatch.setattr(machine.subprocess, "run", run)


def test_cpu_model_on_macos(monkeypatch):
    def sysctl(command, **_settings):
        assert command == ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"]
        return subprocess.CompletedProcess(command, 0, stdout="Apple M4\n")

    _sysctl(monkeypatch, sysctl)
    assert detect_cpu_model("Darwin") == "Apple M4"


def test_cpu_model_on_macos_without_sysctl(monkeypatch):
    def absent(command, **_settings):
        raise FileNotFoundError(command[0])

    _sysctl(monkeypatch, absent)
    assert detect_cpu_model("Darwin") == "unknown"


@pytest.mark.skipif(platform.system() != "Linux", reason="reads this machine's /proc/cpuinfo")
def test_cpu_model_of_this_machine():
    assert detect_cpu_model() != "unknown"


def test_this_machine_has_its_chip_by_the_name_given_and_the_node_by_its_variable(monkeypatch):
    monkeypatch.setenv("WHISPER_BENCH_NODE", "node-7")
    this = detect_machine("Apple M4")
    assert this.chip == detect_chip("Apple M4")
    assert (this.cpu_model, this.node) == ("Apple M4", "node-7")
    assert (this.system, this.kernel) == (platform.system(), platform.release())
    assert this.python == platform.python_version()


def test_machines_are_of_a_kind_whatever_their_name_and_what_is_installed():
    this = detect_machine("Apple M4")
    upgraded = msgspec.structs.replace(this, node="n2", kernel="6.2", python="3.13.0")
    assert upgraded.kind == this.kind
    for change in ({"cpu_model": "Apple M5"}, {"architecture": "none"}, {"system": "none"}):
        assert msgspec.structs.replace(this, **change).kind != this.kind
