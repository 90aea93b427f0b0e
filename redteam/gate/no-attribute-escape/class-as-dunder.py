# role: helper
# rule: prism:no-attribute-escape
# tries: Defines a class by the name of a hook, which Python then calls as the hook.
class State:
    class __del__:
        def __init__(self, *rest):
            print("gone")
