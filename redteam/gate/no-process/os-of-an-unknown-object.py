# role: helper
# rule: prism:no-process
# tries: Reads the attribute os of an object that nobody follows.
import torch


def shell(objects):
    for item in objects:
        item.os.system("id")
