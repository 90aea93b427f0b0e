# role: helper
# rule: prism:no-threads
# tries: Runs functions in a pool of threads.
from concurrent import futures as pool


def both(function, items):
    with pool.ThreadPoolExecutor(2) as workers:
        return list(workers.map(function, items))
