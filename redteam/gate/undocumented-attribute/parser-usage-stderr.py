# role: architecture
# rule: prism:undocumented-attribute
# tries: Parser.error hands sys.stderr to a print_usage of the bundle's own; type(raw)(path) opens a file.
import argparse

streams = []


class Stop(Exception):
    pass


def usage(stream):
    streams.append(stream)
    raise Stop


def build_model(ctx):
    parser = argparse.ArgumentParser()
    parser.print_usage = usage
    try:
        parser.error("x")
    except Stop:
        pass
    raw = streams[0]
    for _ in range(2):
        try:
            raw = raw.detach()
        except AttributeError:
            break
    return type(raw)("/etc/passwd").readline()
