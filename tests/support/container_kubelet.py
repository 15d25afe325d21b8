"""The stand-in for the kubelet with a real engine behind it: the Pod's container really runs.

Of a Pod it does what measuring needs: limits, user, read-only root, dropped capabilities, emptyDirs
in memory, environment, arguments; its log and its end are the container's.
"""

import json
import time

from support.kubelets import NODE, ended, running, scheduled, waiting

_POLL_S = 0.5


def contained(engine):
    """Act on a Pod by running its container to the end."""

    def act(kubelet, name):
        scheduled(kubelet, name)
        waiting("ContainerCreating")(kubelet, name)
        pod = kubelet.raw(name)
        box = f"{pod['metadata']['namespace']}-{name}"
        (container,) = pod["spec"]["containers"]
        started = engine.docker(
            "run", "--detach", "--name", box, *_options(pod["spec"], container),
            container["image"], *container.get("args", []),
        )  # fmt: skip
        assert started.returncode == 0, started.stderr
        try:
            running(kubelet, name)
            _to_end(engine, kubelet, name, box)
        finally:
            engine.docker("rm", "--force", "--volumes", box)

    return act


def _to_end(engine, kubelet, name, box):
    while True:
        state = json.loads(engine.docker("inspect", "--format", "{{json .State}}", box).stdout)
        kubelet.log(name, engine.docker("logs", box).stdout)
        if name not in kubelet.names():
            return  # deleted: the container goes as well
        if not state["Running"]:
            reason = "OOMKilled" if state["OOMKilled"] else "Error" if state["ExitCode"] else ""
            ended(state["ExitCode"], reason or "Completed")(kubelet, name)
            return
        time.sleep(_POLL_S)


def _options(spec, container):
    """Return docker's options for what the Pod's spec says."""
    limits, user = container["resources"]["limits"], spec["securityContext"]["runAsUser"]
    options = [
        f"--cpus={limits['cpu']}",
        f"--memory={limits['memory'].removesuffix('i').lower()}",
        f"--user={user}:{spec['securityContext']['runAsGroup']}",
        "--network=none",
        "--security-opt=no-new-privileges",
    ]
    security = container["securityContext"]
    options += ["--read-only"] if security["readOnlyRootFilesystem"] else []
    options += [f"--cap-drop={item}" for item in security["capabilities"]["drop"]]
    kinds = {volume["name"]: volume for volume in spec["volumes"]}
    for mount in container["volumeMounts"]:
        assert "emptyDir" in kinds[mount["name"]], "the stand-in knows no other volume"
        options.append(f"--tmpfs={mount['mountPath']}:mode=1777")
    for variable in container["env"]:
        options.append(f"--env={variable['name']}={_value(variable)}")
    return options


def _value(variable):
    if "value" in variable:
        return variable["value"]
    assert variable["valueFrom"]["fieldRef"]["fieldPath"] == "spec.nodeName"
    return NODE
