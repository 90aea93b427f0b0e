# role: helper
# rule: prism:no-monkeypatch
# tries: Gives `parse_args` another name and lets it set what it reads on a module.
import argparse

import torch.nn.functional as F

parser = argparse.ArgumentParser()
parser.add_argument("--relu", type=len)
parse = parser.parse_args
parse(["--relu", "x"], F)
