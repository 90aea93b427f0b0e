# role: helper
# rule: prism:no-attribute-escape
# tries: Climbs from a running generator to the globals of its caller.
def climb():
    frame = yield
    yield frame.gi_frame.f_back.f_back.f_globals


def outside():
    steps = climb()
    next(steps)
    return steps.send(steps)
