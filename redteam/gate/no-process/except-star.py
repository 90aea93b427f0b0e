# role: helper
# rule: prism:no-process
# tries: Imports os in the handler of an exception group.
def shell():
    try:
        raise ExceptionGroup("none", [ValueError("none")])
    except* ValueError:
        import os as tools
    return tools.system("id")
