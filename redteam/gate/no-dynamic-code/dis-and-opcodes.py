# role: helper
# rule: prism:no-dynamic-code
# tries: Reads the byte code of a function, to find constants and patch them.
from dis import Bytecode as Steps


def steps_of(function):
    return [step.argval for step in Steps(function)]
