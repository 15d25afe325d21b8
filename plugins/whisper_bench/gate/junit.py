"""A gate as JUnit's XML: a test case a check and a case, for the CI's own test view.

The form is what GitLab, GitHub actions and Jenkins read alike: https://github.com/testmoapp/junitxml
"""

from xml.etree import ElementTree as ET

from whisper_bench.gate.report import Answer, GateReport
from whisper_bench.gate.words import one_line
from whisper_bench.text.plain import plain

SUITE = "whisper-bench gate"


def gate_junit(report: GateReport) -> bytes:
    """Return the XML document; what is not PASS is a failure, NO EVIDENCE named as its type."""
    results = [(f"check: {check.name}", check.answer, check.message) for check in report.checks]
    results += [(f"slowdown: {case.case}", case.answer, case.reason) for case in report.cases]
    # an answer that no case bears, such as that nothing was measured, must be red here as well
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
