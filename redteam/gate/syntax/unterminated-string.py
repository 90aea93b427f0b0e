# role: helper
# rule: prism:syntax
# tries: Opens a triple-quoted string and never closes it, so that the rest is text to some readers.
WIDTH = 64
NOTE = """
import os

os.system("id")
