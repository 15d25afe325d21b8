"""A Pod's class, case by case; tests on a real API server hold it to that server's word."""

import pytest

from support.bench_pods import amounts, pod_spec
from whisper_bench.errors import BenchError
from whisper_bench.pod.pod_spec import parse_pod_spec
from whisper_bench.pod.qos import QosClass, qos_class

FIXED = {"limits": amounts("1", "1Gi")}
CPU_ONLY = {"limits": amounts("1")}


def named(*resources):
    return [{"name": f"c{number}", "resources": own} for number, own in enumerate(resources)]


def class_of(*resources, init=(), **changes):
    spec = pod_spec(containers=named(*resources), initContainers=named(*init), **changes)
    return qos_class(parse_pod_spec(spec, "spec"))


@pytest.mark.parametrize(
    "resources",
    [
        FIXED,
        # a request that is missing is the limit
        {"requests": amounts("1"), "limits": amounts("1", "1Gi")},
        {"requests": None, "limits": amounts("1", "1Gi")},
        {"requests": amounts("1000m", 1 << 30), "limits": amounts(1.0, "1Gi")},
        # what is too small for the server to keep is rounded up by it
        {"requests": amounts("0.0001", "1Gi"), "limits": amounts("1m", "1Gi")},
    ],
)
def test_requests_as_limits_are_guaranteed(resources):
    assert class_of(resources) is QosClass.GUARANTEED


@pytest.mark.parametrize(
    "resources",
    [
        CPU_ONLY,
        {"limits": amounts(memory="1Gi")},
        {"requests": amounts("1", "1Gi")},
        {"requests": amounts("500m"), "limits": amounts("1", "1Gi")},
        # written as 0 it is not the limit
        {"requests": amounts("0"), "limits": amounts("1", "1Gi")},
        {"requests": amounts("0", "0"), "limits": amounts("1", "1Gi")},
        {"limits": amounts("1", "0")},
    ],
)
def test_other_requests_or_limits_are_burstable(resources):
    assert class_of(resources) is QosClass.BURSTABLE


@pytest.mark.parametrize(
    "resources",
    [
        None,
        {},
        {"requests": {}, "limits": None},
        {"limits": amounts("0", "0")},
        {"requests": {"ephemeral-storage": "1Gi"}, "limits": {"ephemeral-storage": "1Gi"}},
    ],
)
def test_without_requests_and_limits_it_is_best_effort(resources):
    assert class_of(resources) is QosClass.BEST_EFFORT


def test_every_container_counts_for_the_class():
    assert class_of(FIXED, FIXED) is QosClass.GUARANTEED
    assert class_of(FIXED, init=[FIXED]) is QosClass.GUARANTEED
    assert class_of(FIXED, None) is QosClass.BURSTABLE
    assert class_of(FIXED, init=[None]) is QosClass.BURSTABLE
    assert class_of(FIXED, init=[CPU_ONLY]) is QosClass.BURSTABLE
    assert class_of(None, init=[None]) is QosClass.BEST_EFFORT


def test_the_pods_own_resources_win_over_its_containers():
    assert class_of(CPU_ONLY, resources=FIXED) is QosClass.GUARANTEED
    assert class_of(FIXED, resources=CPU_ONLY) is QosClass.BURSTABLE
    # a request that the Pod lacks is its containers', or its limit if they have none
    assert class_of({"limits": amounts("1", "2Gi")}, resources=FIXED) is QosClass.BURSTABLE
    assert class_of({"limits": amounts("500m")}, resources=FIXED) is QosClass.BURSTABLE
    assert class_of(None, resources=FIXED) is QosClass.GUARANTEED
    assert class_of(FIXED, resources={"requests": amounts("1", "1Gi")}) is QosClass.BURSTABLE


@pytest.mark.parametrize("value", ["1 core", "", "one", "1gb", None, True, [1], {"m": 1}])
def test_an_amount_that_is_not_a_quantity_is_refused(value):
    spec = pod_spec(containers=named({"limits": {"cpu": value, "memory": "1Gi"}}))
    with pytest.raises(BenchError) as caught:
        parse_pod_spec(spec, "p.yaml: spec")
    assert str(caught.value).startswith(f"p.yaml: spec: {value!r} is not a quantity ")
    assert "at `$.containers[0].resources.limits.cpu`; write it as" in str(caught.value)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (None, "Expected `object`, got `null`"),
        ({}, "Object missing required field `containers`"),
        ({"containers": None}, "Expected `array`, got `null` - at `$.containers`"),
        ({"containers": []}, "Expected `array` of length >= 1 - at `$.containers`"),
        ({"containers": ["a"]}, "Expected `object`, got `str` - at `$.containers[0]`"),
        (
            {"containers": [{"name": "a"}], "activeDeadlineSeconds": "2h"},
            "Expected `int | null`, got `str` - at `$.activeDeadlineSeconds`",
        ),
    ],
)
def test_a_field_of_the_wrong_type_is_refused(data, problem):
    with pytest.raises(BenchError) as caught:
        parse_pod_spec(data, "p.yaml: spec")
    assert (
        str(caught.value) == f"p.yaml: spec: {problem}; write it as the Kubernetes API defines it"
    )
