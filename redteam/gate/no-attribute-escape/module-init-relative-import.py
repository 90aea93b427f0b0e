# role: training
# rule: prism:no-attribute-escape
# tries: module.__init__ gives the module another name, relative imports then come from there.
import training as me


def train(ctx):
    me.__init__("os.x")
    from . import system

    system("echo PWNED $(id)")
