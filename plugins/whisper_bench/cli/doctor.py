"""`whisper-bench doctor`: what this node is, and what of it spoils a measurement."""

import argparse
import os


def declare(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "doctor",
        help="what this node is, what of it spoils a measurement, and what to do",
        description="Reads CPUs, siblings, NUMA nodes, clock, stolen time, the CPU limit, memory "
        "and vector units, and measures nothing. What is not told is unknown.",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the findings."""
    from whisper_bench.cli.show import show_json, show_lines
    from whisper_bench.machine.cpu_limit import cpu_limit_in_force
    from whisper_bench.machine.doctor import findings
    from whisper_bench.machine.identity import detect_machine
    from whisper_bench.machine.memory import available_bytes
    from whisper_bench.machine.node import read_node

    machine, node = detect_machine(None), read_node()
    found = findings(
        node,
        cpu_limit_in_force(),
        memory_bytes=available_bytes(),
        environment=os.environ,
    )
    if options.json:
        show_json({"machine": machine, "node": node, "findings": found})
        return 0
    width = max(len(finding.fact) for finding in found)
    lines = [f"{machine}, kernel {machine.kernel}", ""]
    for finding in found:
        mark = " " if finding.remedy is None else "!"
        lines.append(f"{mark} {finding.fact.ljust(width)}  {finding.value}")
        if finding.remedy is not None:
            lines.append(f"  {' ' * width}  {finding.remedy}")
    show_lines(lines)
    return 0
