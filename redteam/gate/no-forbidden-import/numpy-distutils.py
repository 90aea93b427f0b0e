# role: helper
# rule: prism:no-forbidden-import | prism:no-process
# tries: Runs commands with the build tools of numpy.
from numpy.distutils import exec_command as tools


def compiler():
    return tools.find_executable("cc")
