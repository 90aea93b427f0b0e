# role: helper
# rule: prism:no-process
# tries: Ends the process by an exception.
def stop():
    raise SystemExit(3)
