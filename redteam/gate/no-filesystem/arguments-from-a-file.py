# role: helper
# rule: prism:no-filesystem
# tries: Reads any file as the arguments of a parser.
import argparse

PARSER = argparse.ArgumentParser(fromfile_prefix_chars="@")
