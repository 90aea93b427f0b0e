# role: helper
# rule: prism:no-threads
# tries: Derives a class from Thread, so that the start is a method of its own.
from threading import Thread


class Prefetch(Thread):
    def run(self):
        print("x")


def begin():
    Prefetch().start()
