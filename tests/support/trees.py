"""Small cgroup trees as the kernel shows them, for reading without being on such a machine."""

from pathlib import Path


def grow(root: Path, files: dict[str, str | bytes]) -> Path:
    """Write files under `root`, which stands for the file system's root."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return root


def v2(group: str, files: dict[str, str], mount_root: str = "/") -> dict[str, str]:
    return {
        "proc/self/cgroup": f"0::{group}\n",
        "proc/self/mountinfo": (
            "21 1 0:20 / /proc rw - proc proc rw\n"
            f"30 23 0:26 {mount_root} /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup rw,nsdelegate\n"
        ),
        **{f"sys/fs/cgroup/{name}": text for name, text in files.items()},
    }


def v1(group: str, files: dict[str, str], mount_root: str = "/") -> dict[str, str]:
    return {
        "proc/self/cgroup": (
            f"9:memory:{group}\n4:cpu,cpuacct:{group}\n2:cpuset:/\n1:name=systemd:/\n0::/\n"
        ),
        "proc/self/mountinfo": (
            f"31 23 0:28 {mount_root} /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
            f"32 31 0:29 {mount_root} /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
            "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
        ),
        **{f"sys/fs/cgroup/cpu,cpuacct/{name}": text for name, text in files.items()},
    }
