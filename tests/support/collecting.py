"""`whisper-bench k8s collect` in this process."""

from whisper_bench.cli import main


def collect(capsys, *sources):
    status = main(["k8s", "collect", *map(str, sources)])
    return status, *capsys.readouterr()
