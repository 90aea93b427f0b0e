# role: architecture
# rule: prism:no-dynamic-attr
# tries: A traceback of its own makes a log print a line of any file.

import logging
import types

import torch


def record(**values):
    return types.SimpleNamespace(**values)


def run():
    code = record(**{"co_" + "filename": "/etc/hostname", "co_" + "name": "f"})
    frame = record(**{"f_" + "code": code, "f_" + "globals": {}, "f_" + "locals": {}})
    trace = record(**{"tb_" + "frame": frame, "tb_" + "lineno": 1, "tb_" + "lasti": -1, "tb_" + "next": None})
    logging.error("read", exc_info=(ValueError, ValueError("x"), trace))
    return 1


def build_model(ctx):
    return run()
