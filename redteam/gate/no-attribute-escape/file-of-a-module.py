# role: helper
# rule: prism:no-attribute-escape
# tries: Changes `__file__`, by which a loader knows a module.
__file__ = "elsewhere"
