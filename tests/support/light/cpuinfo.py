"""A double of py-cpuinfo, which asks six programs for what no test of ours reads."""


def get_cpu_info():
    return {"brand_raw": "A test's chip", "arch": "X86_64"}
