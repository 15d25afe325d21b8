"""Messages name what the user gave, and not what another plugin made of it."""

import pytest

from whisper_bench.session.given import given_option, xdist_by

DISABLED_BY_A_PLUGIN = """
import os, pytest
def pytest_addoption(parser):
    parser.addoption("--codspeed", action="store_true")
@pytest.hookimpl(tryfirst=True)
def pytest_configure(config):
    if config.getoption("--codspeed") or "CODSPEED_ENV" in os.environ or os.environ.get("QUIETLY"):
        config.option.benchmark_disable = True
        config.pluginmanager.set_blocked("pytest-benchmark")
"""


def refused(bench, *arguments):
    outcome = bench(*arguments)
    assert outcome.ret == pytest.ExitCode.USAGE_ERROR
    return outcome.stderr.str()


@pytest.fixture
def plugin(pytester):
    pytester.makeconftest(DISABLED_BY_A_PLUGIN)


@pytest.mark.usefixtures("plugin")
def test_codspeed_is_named_where_it_was_given(bench):
    said = refused(bench, "--codspeed")
    assert "benchmarks are disabled (--codspeed); run without it" in said
    assert "--benchmark-disable" not in said


@pytest.mark.usefixtures("plugin")
def test_codspeeds_variable_is_named_where_it_is_set(bench, monkeypatch):
    monkeypatch.setenv("CODSPEED_ENV", "1")
    assert "benchmarks are disabled (CODSPEED_ENV is set); run without it" in refused(bench)


@pytest.mark.usefixtures("plugin")
def test_an_unknown_cause_is_said_as_what_is_seen(bench, monkeypatch):
    monkeypatch.setenv("QUIETLY", "1")
    said = refused(bench)
    assert "benchmarks are disabled by a plugin or a conftest.py" in said
    assert "not by --benchmark-disable" in said
    assert "--benchmark-enable" in said


def test_a_variable_of_xdist_is_named(bench, monkeypatch):
    monkeypatch.setenv("PYTEST_XDIST_WORKER", "gw0")
    assert "benchmarks are disabled (PYTEST_XDIST_WORKER is set" in refused(bench)


def test_an_option_in_addopts_is_given_as_well(bench, pytester):
    pytester.makeini("[pytest]\naddopts = --benchmark-disable\n")
    assert "benchmarks are disabled (--benchmark-disable)" in refused(bench)


def test_an_option_in_the_environment_is_given_as_well(bench, monkeypatch):
    monkeypatch.setenv("PYTEST_ADDOPTS", "--benchmark-disable -p no:hypothesispytest")
    assert "benchmarks are disabled (--benchmark-disable)" in refused(bench)


@pytest.mark.parametrize(
    "arguments", [("-n2",), ("--numprocesses=2",), ("--dist=load", "--tx=2*popen")]
)
def test_xdist_is_named_as_it_was_switched_on(bench, arguments):
    outcome = bench(*arguments)
    assert outcome.ret == pytest.ExitCode.TESTS_FAILED
    outcome.stdout.fnmatch_lines([f"*nothing was measured: pytest-xdist is on ({arguments[0]})*"])


def test_xdist_that_no_option_switched_on_is_said_so(pytester):
    assert xdist_by(pytester.parseconfig()) == "by a plugin or a conftest.py"


INACTIVE = {
    "-pno:benchmark": "(-p no:benchmark); leave that option out",
    "--disable-plugin-autoload": "(--disable-plugin-autoload); run without that",
}


@pytest.mark.parametrize("argument", INACTIVE)
def test_what_keeps_pytest_benchmark_out_is_named(bench, argument):
    ours = () if "no:benchmark" in argument else ("-p", "whisper_bench.plugin")
    said = refused(bench, *ours, argument)
    assert f"pytest-benchmark is not active {INACTIVE[argument]}" in said


def test_a_variable_that_keeps_pytest_benchmark_out_is_named(bench, monkeypatch):
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    said = refused(bench, "-p", "whisper_bench.plugin")
    assert "(PYTEST_DISABLE_PLUGIN_AUTOLOAD is set); unset it" in said


def test_a_missing_pytest_benchmark_is_said_so(bench, pytester):
    pytester.makeconftest(
        """
        import pytest
        @pytest.hookimpl(tryfirst=True)
        def pytest_configure(config):
            config.pluginmanager.unregister(name="benchmark")
        """
    )
    assert "pytest-benchmark is not active (it is not loaded); install it" in refused(bench)


def test_quotes_that_do_not_close_are_pytests_to_tell(monkeypatch, pytestconfig):
    monkeypatch.setenv("PYTEST_ADDOPTS", "-k 'half")
    assert given_option(pytestconfig, "--no-such-option") is None
