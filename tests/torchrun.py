"""Starts trainings by torchrun, finds their processes, and leaves none behind."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.conftest import PATIENCE, PROJECT

ONE_THREAD = {"OMP_NUM_THREADS": "1"}


def torchrun(processes: int) -> list[str]:
    """The command's beginning; each time it takes a free port."""
    return [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]


class SharedTraining:
    """``torchrun … -m cnnlab …`` as real processes; each rank is in a session of its own."""

    def __init__(self, processes: int, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [*torchrun(processes), "-m", "cnnlab", *arguments],
            cwd=PROJECT,
            env=os.environ | ONE_THREAD,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def ranks(self) -> dict[int, int]:
        """Rank -> process id of those that live."""
        found = {}
        for path in Path("/proc").glob("[0-9]*"):
            try:
                parent = int((path / "stat").read_text().rpartition(")")[2].split()[1])
                variables = (path / "environ").read_bytes().split(b"\0") if parent == self.process.pid else []
            except OSError:  # it ended meanwhile
                continue
            found |= {int(v.removeprefix(b"RANK=")): int(path.name) for v in variables if v.startswith(b"RANK=")}
        return found

    def ended(self) -> tuple[int, str, str]:
        """Exit status, standard output and standard error, once it has ended by itself."""
        output, errors = self.process.communicate(timeout=2 * PATIENCE)
        return self.process.returncode, output, errors

    def clean_up(self) -> None:
        if self.process.poll() is None:
            for process in self.ranks().values():
                os.kill(process, signal.SIGKILL)
            self.process.kill()
        self.process.communicate()
