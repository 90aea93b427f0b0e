"""A road without PRISM: two ordinary processes, of which one stands still while the other listens.

Used by `run.py --alone`. Nothing is in the way: no sandbox, no seal, no sweep, no referee and no training in between. A
road that carries nothing here is not a road, or its sender or receiver is broken.
"""

import os
import signal
import subprocess


def run(python, bundle, road, steps):
    """What was printed by both."""
    ends = {}
    lines = []
    try:
        for role in ("sender", "receiver"):
            ends[role] = subprocess.Popen(
                [python, "-P", "-s", "-B", bundle / "alone.py", role],
                cwd=bundle,
                env={"PYTHONPATH": str(bundle), "PATH": os.environ["PATH"], "OMP_NUM_THREADS": "1"},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                bufsize=1,
            )
            _expect(ends[role], "prepared")
        for step in range(1, steps + 1):
            lines.append(_ask(ends["sender"], step, "sent"))
            if not road["sender_runs"]:
                ends["sender"].send_signal(signal.SIGSTOP)
                os.waitid(os.P_PID, ends["sender"].pid, os.WSTOPPED | os.WNOWAIT)
            lines.append(_ask(ends["receiver"], step, "heard"))
            ends["sender"].send_signal(signal.SIGCONT)
    finally:
        for end in ends.values():
            end.kill()
            end.wait()
    return lines


def _ask(end, step, word):
    end.stdin.write(f"{step}\n")
    end.stdin.flush()
    return _expect(end, word)


def _expect(end, word):
    line = end.stdout.readline().strip()
    if not line.startswith(word):
        raise RuntimeError(f"{word} was expected, {line!r} came")
    return line
