# role: helper
# rule: prism:no-dynamic-attr
# tries: Calls a parser by `operator.call`, where nobody sees that it may read files.
import argparse
import operator

parser = operator.call(argparse.ArgumentParser, "x", fromfile_prefix_chars="@")
