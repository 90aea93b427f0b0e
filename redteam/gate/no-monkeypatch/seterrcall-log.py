# role: architecture
# rule: prism:no-monkeypatch
# tries: Np.seterrcall(own) lasts.
import numpy as np


def own(kind, flag):
    raise KeyboardInterrupt


def build_model(ctx):
    np.seterrcall(own)
    np.seterr(all="call")
    try:
        np.float64(1) / np.float64(0)
    except KeyboardInterrupt:
        return "called for the process"
