"""The image in a real engine, as docs/image.md says that it is run."""

import json
import os

import pytest

from whisper_bench.saved.file import read_saved, records_of
from whisper_bench.weights.pins import PINS

pytestmark = pytest.mark.real
QUICK = ("--whisper-rounds=2", "--whisper-processes=1", "--whisper-warmup-rounds=0")
LONG_ENOUGH = ("--whisper-rounds=6",)
"""For the 100 periods without which throttling is not judged, on a fast machine, too."""
# one that is in no /etc/passwd; who is not root can only give folders to themselves
USER = (1234, 1234) if os.getuid() == 0 else (os.getuid(), os.getgid())


def shape(results):
    """Return the options of a container that can do as little as possible."""
    return (
        "--read-only", "--network=none", "--cap-drop=ALL", "--security-opt=no-new-privileges",
        f"--user={USER[0]}:{USER[1]}", f"--volume={results}:/results",
    )  # fmt: skip


def inspected(engine, image):
    (facts,) = json.loads(engine.docker("image", "inspect", image).stdout)
    return facts["Config"]


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    os.chown(folder, *USER)
    return folder


@pytest.fixture(scope="module")
def measured(engine, image, results):
    """A run named m4, and the folder that it left its files in."""
    done = engine.run(
        image, "--benchmark-save=m4", "--whisper-cpu-model=Apple M4", *QUICK, *LONG_ENOUGH,
        options=("--cpus=1", *shape(results)),
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return results


@pytest.fixture(scope="module")
def record(measured):
    (path,) = measured.glob(".benchmarks/*/0001_m4.json")
    (record,) = records_of(read_saved(path), str(path))
    return record


def test_the_recorded_limit_is_the_containers(record):
    limit = record.cpu_limit
    assert limit.cpus == limit.quota_cpus == 1
    assert limit.source.startswith("cgroup v")


def test_the_weights_are_the_pinned_ones_of_the_image(engine, image, record):
    assert record.weights.pinned
    assert record.weights.source == "model-dir"
    assert record.weights.sha256 == PINS["base"].model_sha256
    labels = inspected(engine, image)["Labels"]
    assert labels["whisper-bench.model.sha256"] == record.weights.sha256
    assert labels["whisper-bench.model.revision"] == record.weights.revision


def test_the_labels_name_the_libraries_that_ran(engine, image, record):
    labels = inspected(engine, image)["Labels"]
    for library in ("faster-whisper", "ctranslate2"):
        assert labels[f"whisper-bench.{library}"] == record.versions[library]


def test_the_files_left_belong_to_the_user_and_are_two(measured):
    left = [path for path in measured.rglob("*") if path.is_file()]
    # nothing but the saved run and its result: no caches, no temporary files
    assert len(left) == 2
    assert {(path.stat().st_uid, path.stat().st_gid) for path in measured.rglob("*")} == {USER}


def test_a_result_names_the_chip_that_was_given(measured):
    (path,) = (measured / "benchmark_results").glob("m4_base_*.json")
    result = json.loads(path.read_text())
    assert result["cpu_model"] == "Apple M4"
    assert result["cpu_limit"] == 1


@pytest.fixture(scope="module")
def measured_again(engine, image, measured):
    """The same without arguments: as the image's own, but quick, and with a ratio at the end."""
    options = dict(item.split("=", 1) for item in inspected(engine, image)["Env"])
    addopts = " ".join((options["PYTEST_ADDOPTS"], "--whisper-reference=m4", *QUICK))
    return engine.run(
        image, options=("--cpus=1", *shape(measured), f"--env=PYTEST_ADDOPTS={addopts}")
    )


def test_without_arguments_the_image_saves_as_container(measured_again):
    assert measured_again.returncode == 0, measured_again.stdout + measured_again.stderr
    assert "wrote /results/benchmark_results/container_base_" in measured_again.stdout
    assert "base-t1-vi_30s  2 in 1" in measured_again.stdout


def test_the_image_prints_a_ratio_without_pandas(measured_again):
    assert "one CPU of m4 does the work of" in measured_again.stdout


@pytest.mark.parametrize("command", ["results m4", "throttling m4", "ratio m4 container"])
def test_commands_on_saved_runs_work_in_the_image(engine, image, measured, measured_again, command):
    done = engine.run(
        image, *command.split(),
        options=("--entrypoint=whisper-bench", "--workdir=/results", *shape(measured)),
    )  # fmt: skip
    if command.startswith("throttling") and "measure again on a quiet machine" in done.stdout:
        assert done.returncode == 1  # beside a busy neighbour nothing can be judged
    else:
        assert done.returncode == 0, done.stdout + done.stderr


def test_without_a_cpu_limit_the_image_refuses_with_the_docker_option(engine, image):
    done = engine.run(image, *QUICK)
    assert done.returncode == 4
    assert "--whisper-cpu-limit=1: the CPU limit in force is not known" in done.stderr
    assert "docker run --rm --cpus=1 IMAGE" in done.stderr


@pytest.mark.skipif(os.getuid() != 0, reason="only root can make a folder that is another user's")
def test_a_results_folder_of_another_user_is_refused_with_the_remedy(engine, image, tmp_path):
    done = engine.run(image, "--benchmark-save=m4", *QUICK, options=("--cpus=1", *shape(tmp_path)))
    assert done.returncode == 4
    assert "saved runs cannot be written in /results/.benchmarks" in done.stderr
    assert "--user" in done.stderr
    assert not list(tmp_path.iterdir())


def test_the_image_has_the_weights_once_and_no_pip(engine, image):
    program = "find / -xdev -name 'model.bin*' -size +1M; ls /opt/venv/bin"
    done = engine.run(image, "-c", program, options=("--entrypoint=sh", "--user=0"))
    lines = done.stdout.split()
    assert [line for line in lines if "model.bin" in line] == ["/opt/models/base/model.bin"]
    assert "pip" not in lines
    assert "pytest" in lines
