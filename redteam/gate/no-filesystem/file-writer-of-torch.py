# role: helper
# rule: prism:no-filesystem
# tries: Writes an archive to any path by a class of torch itself.
import torch

WRITER = torch.PyTorchFileWriter("/tmp/x.zip")
