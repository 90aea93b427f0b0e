# role: helper
# rule: prism:no-forbidden-import
# tries: Reaches attributes by a template of jinja2, which is installed because torch needs it.
from jinja2 import Template as Layout


def title(model):
    return Layout("{{ m.__class__ }}").render(m=model)
