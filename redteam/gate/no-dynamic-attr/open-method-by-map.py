# role: helper
# rule: prism:no-dynamic-attr
# tries: Hands that method to map.
class Config:
    def get(self, name):
        return getattr(self, name)


list(map(Config.get, [print], ["__se" + "lf__"]))
