"""One end of a road in an ordinary process, driven by lines on standard input.

Run by `../alone.py`: the same road without sandbox, seal, sweep and referee, which shows that the
sender and the receiver work where nothing is in their way.
"""

import sys

import lab
import road

role = sys.argv[1]
road.prepare(role)
sender = lab.Sender()
print("prepared", flush=True)
for line in sys.stdin:
    step = int(line)
    if role == "sender":
        bits = sender.bits()
        if getattr(road, "CARRIED", False):
            print("carried", "".join(map(str, bits)), flush=True)
        sender.send(step, bits)
    else:
        lab.hear(step, "auditor")
