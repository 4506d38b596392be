# SPDX-License-Identifier: Apache-2.0
"""Memory of processes and of the kernel, in KiB."""
import pathlib


def pss_kib(pid):
    """Its own, and its part of what it shares."""
    for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    raise ValueError(f"no Pss of {pid}")


def kernel_kib():
    """What the kernel has for itself: the whole machine's, so a difference is worth as much as the machine is quiet."""
    fields = dict(line.split(":") for line in pathlib.Path("/proc/meminfo").read_text().splitlines())
    return sum(int(fields[name].split()[0]) for name in ("SUnreclaim", "KernelStack", "PageTables", "Percpu"))
