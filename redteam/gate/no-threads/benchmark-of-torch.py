# role: helper
# rule: prism:no-threads
# tries: Starts threads by a class of torch that measures.
import torch

BENCH = torch.ThroughputBenchmark(torch.nn.Linear(1, 1))
