# role: helper
# rule: prism:syntax
# tries: Uses the type statement of Python 3.12, whose value another reader may not visit.
type Width = __import__("os").getpid()
