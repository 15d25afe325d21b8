"""A saved run that somebody changed, and every command that reads one."""

import json

from support.project import ROOT
from whisper_bench.cli.main import main
from whisper_bench.parcel.parcel import pack
from whisper_bench.ratio.calculate import calculate_ratio
from whisper_bench.ratio.config import save_config
from whisper_bench.ratio.load import load_run

SAMPLE = ROOT / "docs" / "sample" / "Linux-CPython-3.11-64bit"
HONEST = SAMPLE / "0003_avx.json"
OTHER = SAMPLE / "0002_generic.json"
FOLDER = "Linux-CPython-3.11-64bit"
LOAD = ("--target-rps=0.2", "--slo-p95=60s")


def changed(folder, change, source=HONEST):
    """Save a run of which `change` changed the document and its first record; return its path."""
    document = json.loads(source.read_text(encoding="utf-8"))
    change(document, document["benchmarks"][0]["extra_info"]["whisper_bench"])
    path = folder / ".benchmarks" / FOLDER / "0001_xeon.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def at(*path, value):
    """Return a change of one field of the record."""

    def change(_document, record):
        *way, last = path
        for step in way:
            record = record[step]
        record[last] = value

    return change


def dated(moment):
    """Return a change of the run's date."""
    return lambda document, _record: document.update(datetime=moment)


def keep_ratio(folder):
    """Write a ratio_config.json of honest runs."""
    report = calculate_ratio(load_run(HONEST), load_run(OTHER))
    return save_config(report, folder / "kept")


def commands(path, folder):
    """Return each command that reads the run, by its name, as its words."""
    kept, log = keep_ratio(folder), folder / "pod.log"
    log.write_text("".join(f"{line}\n" for line in pack(path)), encoding="utf-8")
    home = [f"--storage={folder / 'home'}", f"--results={folder / 'out'}"]
    return {
        "results": ["results", str(path), f"--results={folder / 'out'}"],
        "throttling": ["throttling", str(path)],
        "ratio": ["ratio", str(HONEST), str(path), f"--results={folder / 'out'}"],
        "matrix": ["ratio", str(HONEST), str(OTHER), str(path), f"--results={folder / 'out'}"],
        "predict": ["predict", str(path), f"--ratio-config={kept}", "--max-age-days=99999"],
        "size": ["size", str(path), *LOAD, f"--output={folder / 'out'}",
                 f"--deployment={folder / 'deployment.yaml'}"],
        "gate": ["gate", f"saved:{path}", "command:false", f"--results={folder / 'out'}"],
        "collect": ["k8s", "collect", str(log), *home],
    }  # fmt: skip


def left_in(folder):
    """Return every file below a folder, and its content."""
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


__all__ = ["HONEST", "OTHER", "at", "changed", "commands", "dated", "left_in", "main"]
