# role: helper
# rule: prism:no-dynamic-attr
# tries: Gives self by its name.
class Config:
    def get(self, name):
        return getattr(self, name)


Config.get(self=print, name="x")
