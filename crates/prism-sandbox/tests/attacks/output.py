"""Attacks on whoever reads the output."""

import os
import signal
import sys
import time

from kit import attack, main

LINE = b"x" * 65536


@attack
def out_flood():
    while True:
        os.write(1, LINE)


@attack
def out_flood_stderr():
    while True:
        os.write(2, LINE)


@attack
def out_long_then_exit():
    os.write(1, b"HEAD " + b"x" * 200_000 + b" TAIL")
    return {}


@attack
def out_hold_pipe():
    """The main process ends; a child keeps both pipes open."""
    if os.fork() == 0:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        while True:
            time.sleep(1)
    return {"left": True}


@attack
def stdin_read():
    return {"read": sys.stdin.read(), "is": os.readlink("/proc/self/fd/0")}


@attack
def term_escape():
    sys.stderr.write("\x1b]0;owned\x07\x1b[2J\x1b[31mred\r\u202etxet\x9b1m\x00\n")
    return {}


if __name__ == "__main__":
    main()
