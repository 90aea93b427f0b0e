# role: helper
# rule: prism:undocumented-attribute
# tries: Lets a parser of arguments read a file.
import argparse

parser = argparse.ArgumentParser()
parser.fromfile_prefix_chars = "@"
print(parser.parse_args(["@/etc/hostname"]))
