# role: helper
# rule: prism:no-dynamic-attr
# tries: Calls a method that reads any attribute of self on another object.
class Config:
    def get(self, name):
        return getattr(self, name)


Config.get(print, "__se" + "lf__")
