# role: helper
# rule: prism:no-attribute-escape
# tries: Reads the locals of a coroutine that is never awaited.
async def hold(value):
    return value


def inside(value):
    return hold(value).cr_frame.f_locals
