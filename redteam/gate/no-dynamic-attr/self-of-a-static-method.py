# role: helper
# rule: prism:no-dynamic-attr
# tries: Calls another object self.
class Config:
    @staticmethod
    def get(self, name):
        return getattr(self, name)


Config.get(print, "__se" + "lf__")
