# role: helper
# rule: prism:no-gc-inspect
# tries: Dumps the stacks of all threads to a descriptor of its choice.
import faulthandler


def stacks(descriptor=2):
    faulthandler.dump_traceback(descriptor)
