# role: helper
# rule: prism:no-attribute-escape
# tries: Does its reading in a finaliser, which runs long after the code was looked at.
class Schedule:
    def __del__(self):
        print(self.step.__func__.__builtins__)

    def step(self):
        return 1e-3
