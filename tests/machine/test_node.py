"""What a node is, from recorded trees; and what the doctor says of it."""

import json

import pytest

from whisper_bench.cli.main import main
from whisper_bench.machine.cpu_limit import CpuLimit
from whisper_bench.machine.doctor import findings
from whisper_bench.machine.node import Node, read_node

XEON_FLAGS = "fpu sse2 avx2 avx512f avx512_vnni amx_bf16 amx_tile amx_int8"
LIMIT = CpuLimit(1.0, "cgroup v2 quota", 1.0, "/x", 16, 16, tree="whole")
FREE = CpuLimit(None, "none", None, None, 16, 16, tree="whole")
STATIC = CpuLimit(2.0, "affinity", None, None, 2, 16, tree="whole")


def cpus(count, siblings, package):
    """Return the topology of CPUs; those of one core and socket are told by functions."""
    files = {"sys/devices/system/cpu/online": f"0-{count - 1}"}
    for cpu in range(count):
        topology = f"sys/devices/system/cpu/cpu{cpu}/topology"
        files[f"{topology}/thread_siblings_list"] = siblings(cpu)
        files[f"{topology}/physical_package_id"] = package(cpu)
    return files


BARE_METAL = {
    **cpus(8, lambda cpu: f"{cpu % 4},{cpu % 4 + 4}", lambda cpu: f"{cpu % 2}"),
    **{
        f"sys/devices/system/cpu/cpu{cpu}/cpufreq/scaling_governor": "powersave" for cpu in range(8)
    },
    "sys/devices/system/cpu/intel_pstate/no_turbo": "0",
    "sys/devices/system/node/node0/cpulist": "0-3",
    "sys/devices/system/node/node1/cpulist": "4-7",
    "sys/kernel/mm/transparent_hugepage/enabled": "always [madvise] never",
    "proc/cpuinfo": f"processor : 0\nflags\t\t: {XEON_FLAGS}\n",
    "proc/stat": "cpu  100 0 100 800 0 0 0 0 0 0\ncpu0 1 1 1\n",
}
GUEST = {
    **cpus(16, str, lambda _cpu: "0"),
    "sys/devices/system/node/node0/cpulist": "0-15",
    "proc/cpuinfo": f"processor : 0\nflags\t\t: {XEON_FLAGS} hypervisor\n",
    "proc/stat": "cpu  500 0 100 300 0 0 0 100 0 0\n",
}
ARM_GUEST = {
    **cpus(4, str, lambda _cpu: "0"),
    "proc/cpuinfo": "processor : 0\nFeatures\t: fp asimd asimddp i8mm bf16 sve\n",
}


@pytest.fixture
def node(tmp_path):
    def read(files):
        for name, content in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content + "\n")
        return read_node(tmp_path)

    return read


def told(*arguments, **settings):
    return {found.fact: found for found in findings(*arguments, **settings)}


def test_a_xeon_of_bare_metal(node):
    xeon = node(BARE_METAL)
    assert (xeon.online_cpus, xeon.threads_per_core, xeon.sockets, xeon.numa_nodes) == (8, 2, 2, 2)
    assert (xeon.siblings, xeon.hypervisor, xeon.governor, xeon.boost) == (
        *("shared", False, "powersave"),
        True,
    )
    assert (xeon.huge_pages, xeon.steal_share) == ("madvise", 0)
    assert {"avx512_vnni", "amx_int8"} <= set(xeon.vectors)
    found = told(xeon, LIMIT)
    assert found["siblings"].value == "2 CPUs share a core"
    assert "single-numa-node" in found["sockets"].remedy
    assert "-g performance" in found["governor"].remedy
    assert "CT2_FORCE_CPU_ISA=AVX512" in found["AVX-512"].remedy
    assert "OpenVINO" in found["AMX"].remedy
    assert found["CPU limit"].remedy is None


def test_kernels_that_were_chosen_need_no_advice(node):
    found = told(node(BARE_METAL), LIMIT, environment={"CT2_FORCE_CPU_ISA": "AVX512"})
    assert found["AVX-512"].value == "present; CT2_FORCE_CPU_ISA=AVX512"
    assert found["AVX-512"].remedy is None


def test_a_guest_hides_its_siblings_and_tells_of_stolen_time(node):
    guest = node(GUEST)
    assert (guest.hypervisor, guest.threads_per_core, guest.siblings) == (True, 1, "hidden")
    assert guest.steal_share == pytest.approx(0.1)
    found = told(guest, FREE)
    assert found["siblings"].value == "hidden by the hypervisor"
    assert found["stolen time"].value.startswith("10.00% ")
    assert found["stolen time"].remedy
    assert found["governor"].value == "not told"
    assert "--whisper-cpu-limit=1" in found["CPU limit"].remedy


def test_a_hypervisor_that_reports_no_stolen_time_may_have_some(node):
    silent = node({**GUEST, "proc/stat": "cpu  500 0 100 300 0 0 0 0 0 0\n"})
    found = told(silent, FREE)["stolen time"]
    assert found.value == "0.00% of CPU time since start; many hypervisors report none"
    assert found.remedy is None


def test_the_kubelets_static_policy_is_a_cpuset_without_a_quota(node):
    found = told(node(GUEST), STATIC)
    assert found["CPU limit"].value.startswith("a cpuset of 2 of 16 CPUs, and no quota")
    assert "--whisper-threads=2" in found["CPU limit"].remedy


def test_an_arm_guest_is_not_called_bare_metal(node):
    arm = node(ARM_GUEST)
    assert arm.hypervisor is None
    assert arm.siblings == "hidden"
    assert arm.vectors == ["asimd", "asimddp", "i8mm", "bf16", "sve"]


def test_what_macos_does_not_tell_is_unknown(node):
    mac = node({})
    assert mac == Node()
    found = told(mac, CpuLimit(None, "none", None, None, None, 10))
    for fact in ("CPUs", "siblings", "sockets", "stolen time", "governor", "boost", "huge pages",
                 "vector units", "memory left"):  # fmt: skip
        assert found[fact].value == "unknown"


def test_a_hypervisor_that_names_itself_is_one(node):
    assert node({"sys/hypervisor/type": "xen"}).hypervisor is True


def test_a_limit_that_is_not_known_is_not_called_none():
    hidden = CpuLimit(None, "unknown: x", None, None, 8, 8, tree="groups above are hidden")
    assert told(Node(), hidden)["CPU limit"].value == "not known: groups above are hidden"


@pytest.mark.parametrize("broken", ["", "cpu", "cpu a b c d e f g h i", "cpu 0 0 0 0 0 0 0 0 0 0"])
def test_a_broken_file_is_unknown(node, broken):
    odd = node({
        **{name: broken for name in BARE_METAL if "/proc/" in f"/{name}"},
        "sys/devices/system/cpu/online": "0-x",
    })  # fmt: skip
    assert (odd.online_cpus, odd.steal_share, odd.vectors) == (None, None, None)


def test_the_doctor_prints_what_to_do(capsys):
    assert main(["doctor"]) == 0
    printed = capsys.readouterr().out
    assert "siblings" in printed
    assert "memory bandwidth" in printed
    assert main(["doctor", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert set(document) == {"machine", "node", "findings"}
