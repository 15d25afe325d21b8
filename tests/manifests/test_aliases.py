"""A value that an alias repeats is never changed; if it is the wanted one, it stays."""

import pytest

from support.deployments import BARE, SIZED, deployment, refused, update

REPEATED = "other places would change too; write the value out"
RESOURCES = (
    "          resources:\n            requests: &r\n              cpu: {cpu}\n"
    "              memory: 768Mi\n            limits: *r\n"
)


def test_a_mapping_with_a_repeated_anchor_is_refused():
    message = refused(deployment(RESOURCES.format(cpu=1)))
    assert message.startswith(
        "d.yaml, line 11: spec.template.spec.containers[api].resources.requests.cpu must "
        "change, but its value has the anchor &r"
    )
    assert REPEATED in message


def test_aliases_of_the_wanted_value_stay():
    text = deployment(RESOURCES.format(cpu=2))
    new = update(text)
    assert RESOURCES.format(cpu=2) in new
    assert update(new, BARE) is new


def test_an_alias_of_another_value_is_refused():
    text = deployment(metadata="  labels: {n: &n 3}\n", spec="  replicas: *n\n")
    message = refused(text)
    assert message.startswith("d.yaml, line 7: spec.replicas must change, but its value is the ali")
    assert REPEATED in message


def test_a_value_with_a_repeated_anchor_is_refused():
    text = deployment(spec="  replicas: &n 3\n  minReadySeconds: *n\n")
    assert "line 6: spec.replicas must change, but its value has the anchor &n" in refused(text)


def test_an_anchor_that_no_alias_repeats_is_edited():
    assert "  replicas: &n 7\n" in update(deployment(spec="  replicas: &n 3\n"))


def test_a_container_with_a_repeated_anchor_is_refused():
    text = deployment().replace("- name", "- &c\n          name") + "x: *c\n"
    assert (
        "spec.template.spec.containers[api] must change, but its value has the anchor &c"
        in refused(text)
    )


def test_a_list_with_a_repeated_anchor_is_refused():
    text = deployment(env="          env: &e\n            - name: A\n") + "x: *e\n"
    assert "env must change" in refused(text)


def test_an_empty_mapping_with_a_repeated_anchor_is_refused():
    text = deployment("          resources: &r {}\n") + "x: *r\n"
    assert "resources must change" in refused(text)


MERGED = "x: &x\n  cpu: {cpu}\ny: &y\n  memory: 768Mi\n" + deployment(
    "          resources:\n            requests: {{cpu: 2, memory: 768Mi}}\n"
    "            limits:\n              {merge}\n"
)


@pytest.mark.parametrize("merge", ["<<: [*x, *y]", "<<: {cpu: 1, memory: 768Mi}"])
def test_a_merged_value_that_must_change_is_refused(merge):
    assert (
        "line 17: spec.template.spec.containers[api].resources.limits.cpu must change, but "
        "its value is merged in with <<" in refused(MERGED.format(cpu=1, merge=merge))
    )


def test_a_merged_value_that_is_wanted_stays():
    text = MERGED.format(cpu=2, merge="<<: [*x, *y]")
    new = update(text)
    assert "            limits:\n              <<: [*x, *y]\n" in new


def test_a_missing_key_is_added_beside_a_merge():
    text = MERGED.format(cpu=2, merge="<<: *x")
    assert "              <<: *x\n              memory: 768Mi\n" in update(text)


def test_a_key_of_its_own_wins_over_a_merged_one():
    text = MERGED.format(cpu=1, merge="<<: [*x, *y]\n              cpu: 1")
    assert '              cpu: "2"\n' in update(text)


def test_anchors_of_other_values_stay():
    text = deployment(metadata="  labels: &l\n    a: b\n", spec="  selector: {m: *l}\n")
    assert "  labels: &l\n    a: b\n" in update(text, SIZED)


def test_a_key_is_added_after_an_alias():
    text = deployment("          ports: *p\n", spec="  x: &p [1]\n")
    assert "          ports: *p\n          env:\n" in update(text)
