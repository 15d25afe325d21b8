"""What an alias repeats is never changed; where it is in step, it stays."""

import pytest

from support.deployments import BARE, SIZED, deployment, refused, update

REPEATED = "and other places would change with it; write it out where it is used, without alias"
RESOURCES = (
    "          resources:\n            requests: &r\n              cpu: {cpu}\n"
    "              memory: 768Mi\n            limits: *r\n"
)


def test_anchored_mapping():
    assert refused(deployment(RESOURCES.format(cpu=1))) == (
        "d.yaml, line 11: spec.template.spec.containers[api].resources.requests.cpu must "
        f"change, but what stands here has the anchor &r, which an alias repeats, {REPEATED}"
    )


def test_in_step_they_stay():
    text = deployment(RESOURCES.format(cpu=2))
    new = update(text)
    assert RESOURCES.format(cpu=2) in new
    assert update(new, BARE) is new


def test_alias():
    text = deployment(metadata="  labels: {n: &n 3}\n", spec="  replicas: *n\n")
    assert refused(text) == (
        "d.yaml, line 7: spec.replicas must change, but what stands here is the alias *n, "
        + REPEATED
    )


def test_anchored_value():
    text = deployment(spec="  replicas: &n 3\n  minReadySeconds: *n\n")
    assert "line 6: spec.replicas must change, but what stands here has the anchor &n" in refused(
        text
    )


def test_anchor_that_none_repeats():
    assert "  replicas: &n 7\n" in update(deployment(spec="  replicas: &n 3\n"))


def test_anchored_container():
    text = deployment().replace("- name", "- &c\n          name") + "x: *c\n"
    assert (
        "spec.template.spec.containers[api] must change, but what stands here has the anchor &c"
        in refused(text)
    )


def test_anchored_list():
    text = deployment(env="          env: &e\n            - name: A\n") + "x: *e\n"
    assert "env must change" in refused(text)


def test_anchored_nothing():
    text = deployment("          resources: &r {}\n") + "x: *r\n"
    assert "resources must change" in refused(text)


MERGED = "x: &x\n  cpu: {cpu}\ny: &y\n  memory: 768Mi\n" + deployment(
    "          resources:\n            requests: {{cpu: 2, memory: 768Mi}}\n"
    "            limits:\n              {merge}\n"
)


@pytest.mark.parametrize("merge", ["<<: [*x, *y]", "<<: {cpu: 1, memory: 768Mi}"])
def test_merged_in(merge):
    assert (
        "line 17: spec.template.spec.containers[api].resources.limits.cpu must change, but "
        "what stands here is merged in with <<" in refused(MERGED.format(cpu=1, merge=merge))
    )


def test_merged_in_step():
    text = MERGED.format(cpu=2, merge="<<: [*x, *y]")
    new = update(text)
    assert "            limits:\n              <<: [*x, *y]\n" in new


def test_missing_beside_a_merge():
    text = MERGED.format(cpu=2, merge="<<: *x")
    assert "              <<: *x\n              memory: 768Mi\n" in update(text)


def test_own_before_merged():
    text = MERGED.format(cpu=1, merge="<<: [*x, *y]\n              cpu: 1")
    assert '              cpu: "2"\n' in update(text)


def test_anchors_of_others():
    text = deployment(metadata="  labels: &l\n    a: b\n", spec="  selector: {m: *l}\n")
    assert "  labels: &l\n    a: b\n" in update(text, SIZED)


def test_behind_an_alias():
    text = deployment("          ports: *p\n", spec="  x: &p [1]\n")
    assert "          ports: *p\n          env:\n" in update(text)
