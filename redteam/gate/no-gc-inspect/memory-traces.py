# role: helper
# rule: prism:no-gc-inspect
# tries: Switches on the tracing of allocations, which shows the files of the harness.
import tracemalloc as budget


def files():
    budget.start()
    return budget.take_snapshot()
