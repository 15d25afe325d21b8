"""A gate as JUnit XML: one test case per check and per case, for the CI's test view.

GitLab, GitHub Actions and Jenkins all read this form: https://github.com/testmoapp/junitxml
"""

from xml.etree import ElementTree as ET

from whisper_bench.gate.report import Answer, GateReport
from whisper_bench.gate.words import one_line
from whisper_bench.text.plain import plain

SUITE = "whisper-bench gate"


def gate_junit(report: GateReport) -> bytes:
    """Return the XML document; all but PASS is a failure, with the answer as its type."""
    results = [(f"check: {check.name}", check.answer, check.message) for check in report.checks]
    results += [(f"slowdown: {case.case}", case.answer, case.reason) for case in report.cases]
    # an answer that belongs to no case, such as nothing measured, must be a failure here too
    results.append(("answer", report.answer, one_line(report)))
    failures = sum(answer is not Answer.PASS for _, answer, _ in results)
    counts = {"tests": f"{len(results)}", "failures": f"{failures}", "errors": "0", "skipped": "0"}
    root = ET.Element("testsuites", {"name": SUITE, **counts, "time": f"{report.elapsed_s:.3f}"})
    suite = ET.SubElement(
        root,
        "testsuite",
        {"name": SUITE, **counts, "time": f"{report.elapsed_s:.3f}",
         "timestamp": report.began.isoformat()},
    )  # fmt: skip
    for name, answer, message in results:
        case = ET.SubElement(
            suite, "testcase", {"classname": SUITE, "name": plain(name), "time": "0"}
        )
        clean = "\n".join(map(plain, message.split("\n")))
        if answer is Answer.PASS:
            ET.SubElement(case, "system-out").text = clean
        else:
            failure = ET.SubElement(case, "failure", {"type": str(answer), "message": clean})
            failure.text = clean
    ET.indent(root)
    document: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return document + b"\n"
