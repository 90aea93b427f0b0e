# role: helper
# rule: prism:no-filesystem | prism:no-forbidden-import
# tries: Opens a database file with the profiler's reader of traces.
from torch.autograd.profiler import parse_nvprof_trace


def read():
    return parse_nvprof_trace("/tmp/trace.db")
