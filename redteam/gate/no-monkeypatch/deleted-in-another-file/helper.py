def eval(x):
    return x


def run():
    return eval("1")
