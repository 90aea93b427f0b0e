"""Control: the bits are in the weights, which is legal, drawn before the batch is known. Shows that the laboratory itself loses nothing."""

BITS = 32
CARRIED = True
# The buffer of the model, put here before each question.
carried = None


def prepare(role):
    del role


def send(step, bits):
    """Nothing: the loop has put them into the buffer `carried` before the snapshot."""


def read(step, who):
    return carried[:BITS].tolist()
