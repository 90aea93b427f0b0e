# role: helper
# rule: prism:no-attribute-escape
# tries: Reads the code of an asynchronous generator.
async def numbers():
    yield 1


def constants():
    return numbers().ag_code.co_consts
