# role: architecture
# rule: prism:no-attribute-escape
# tries: A version action of argparse hands sys.stdout to the parser that it is given; type(raw)(path) opens a file.
import argparse

streams = []


class Own:
    version = "1"
    prog = "x"

    def _get_formatter(self):
        return argparse.ArgumentParser()._get_formatter()

    def _print_message(self, message, stream):
        streams.append(stream)

    def exit(self):
        return None


def build_model(ctx):
    parser = argparse.ArgumentParser()
    action = parser.add_argument("--v", action="version", version="1")
    action(Own(), None, None)
    raw = streams[0]
    for _ in range(2):
        try:
            raw = raw.detach()
        except AttributeError:
            break
    return type(raw)("/etc/passwd").readline()
