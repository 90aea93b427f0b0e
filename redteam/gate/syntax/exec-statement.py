# role: helper
# rule: prism:syntax
# tries: Uses the exec statement of Python 2, which is no call.
exec "WIDTH = 64"
