"""What the processes of a server have used, from /proc."""

import os
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")


def tree(root: int) -> list[int]:
    """Return a process and all that descend from it."""
    parents = _parents()
    found = [root]
    for pid in found:  # grows while it is walked
        found.extend(child for child, parent in parents.items() if parent == pid)
    return found


def cpu_seconds(root: int) -> float:
    """Return the CPU time of a tree of processes so far, those that have ended included."""
    return sum(sum(map(int, _stat(pid)[11:15])) for pid in tree(root)) / _TICK


def memory_mb(root: int) -> float:
    """Return the memory of a tree of processes, what they share counted once (PSS)."""
    return sum(map(_pss_kb, tree(root))) / 1024


def machine_busy() -> float:
    """Return the CPU seconds that the whole machine has spent on work so far."""
    fields = Path("/proc/stat").read_text("ascii").splitlines()[0].split()[1:]
    user, nice, system, _idle, _wait, irq, softirq = map(int, fields[:7])
    return (user + nice + system + irq + softirq) / _TICK


def carries(pid: int, variable: str) -> bool:
    """Whether a process has NAME=VALUE in its environment: ids are given again."""
    try:
        return variable.encode() in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return False


def alive() -> set[int]:
    """Return the ids of all processes."""
    return set(_parents())


def _stat(pid: int) -> list[str]:
    """Return the fields of /proc/PID/stat from the state on, or nothing when the process is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
    except OSError:
        return []


def _parents() -> dict[int, int]:
    pids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return {pid: int(fields[1]) for pid in pids if (fields := _stat(pid))}


def _pss_kb(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text("ascii", "replace").splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
