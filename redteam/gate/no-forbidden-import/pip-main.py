# role: helper
# rule: prism:no-forbidden-import
# tries: Calls the installer that lies in the runtime.
from pip import main as warmup


def prepare():
    return warmup(["--version"])
