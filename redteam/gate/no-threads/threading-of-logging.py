# role: helper
# rule: prism:no-threads | prism:no-forbidden-import
# tries: Uses the threading that logging keeps, by a chain of two assignments.
import logging

log = logging
workers = log.threading


def begin():
    workers.Thread(target=print).start()
