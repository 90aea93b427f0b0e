# role: helper
# rule: prism:no-torch-escape | prism:no-process
# tries: Reads the attribute _C of objects that nobody follows.
def trace(libraries):
    return [library._C._get_tracing_state() for library in libraries]
