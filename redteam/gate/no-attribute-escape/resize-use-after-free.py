# role: architecture
# rule: prism:no-attribute-escape
# tries: Ndarray.resize(refcheck=False) frees memory that a tensor still looks at.
import numpy as np
import torch


def build_model(ctx):
    a = np.zeros(512, dtype=np.int64)
    t = torch.from_numpy(a)
    a.resize((1,), refcheck=False)
    keep = [bytes([65 + n]) * 3000 for n in range(20)]
    seen = [int(x) for x in t[2:200:50]]
    b = np.zeros(2_000_000, dtype=np.int64)
    s = torch.from_numpy(b)
    return seen
