# role: helper
# rule: prism:no-deserialization
# tries: Loads a code object with marshal.
import marshal as weights


def step(data):
    return weights.loads(data)
