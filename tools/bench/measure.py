"""One call, several times: median and minimum time, statements, memory at the peak."""

import gc
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

CLEAR_REFS, STATUS = "/proc/self/clear_refs", "/proc/self/status"


@dataclass
class Result:
    """What a call cost."""

    times: list[float] = field(default_factory=list)  # milliseconds
    statements: int = 0
    memory: float | None = None  # megabytes above what the process had, None where the kernel doesn't say

    @property
    def median(self) -> float:
        """Return the median time in milliseconds."""
        return statistics.median(self.times)

    def as_dict(self) -> dict:
        """Return what JSON can hold."""
        return {**asdict(self), "median": self.median, "minimum": min(self.times)}


class Meter:
    """Runs calls on cursors of their own, each rolled back."""

    def __init__(self, registry, uid: int, context: dict, runs: int) -> None:
        """Prepare for calls of one user."""
        self.registry = registry
        self.uid = uid
        self.context = context
        self.runs = runs

    def measure(self, *sides: tuple[Callable, Callable]) -> list[Result]:
        """Return what each side costs; the sides take turns, the first turn is a warm-up.

        A side is (prepare, call): `prepare(env, turn)` is not measured, what it
        returns is handed to `call(env, prepared)`, which is measured with an
        empty ORM cache, flush and pre-commit hooks included.
        """
        from odoo import api

        results = [Result() for _side in sides]
        for turn in range(self.runs + 1):
            for (prepare, call), result in zip(sides, results, strict=True):
                with self.registry.cursor() as cr:
                    env = api.Environment(cr, self.uid, self.context)
                    prepared = prepare(env, turn)
                    env.flush_all()
                    env.invalidate_all()
                    gc.collect()
                    before = _reset_peak()
                    statements, start = cr.sql_log_count, time.perf_counter()
                    call(env, prepared)
                    cr.flush()
                    elapsed = (time.perf_counter() - start) * 1000
                    peak = _megabytes("VmHWM")
                    if turn:
                        result.times.append(elapsed)
                        result.statements = max(result.statements, cr.sql_log_count - statements)
                        if before is not None and peak is not None:
                            result.memory = max(result.memory or 0.0, peak - before)
                    cr.rollback()
        return results


def _reset_peak() -> float | None:
    """Let the kernel count the peak from now on; return what the process has now."""
    try:
        with open(CLEAR_REFS, "w") as file:
            file.write("5")
    except OSError:
        return None
    return _megabytes("VmRSS")


def _megabytes(name: str) -> float | None:
    try:
        with open(STATUS) as file:
            for line in file:
                if line.startswith(f"{name}:"):
                    return int(line.split()[1]) / 1024
    except OSError:
        pass
    return None


def nothing(_env: Any, _turn: int) -> None:
    """Prepare nothing."""
