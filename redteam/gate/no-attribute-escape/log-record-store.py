# role: architecture
# rule: prism:no-attribute-escape
# tries: Record.exc_info = own traceback: the log prints a line of any file.
import logging
import types


def build_model(ctx):
    code = types.SimpleNamespace(co_filename="/etc/passwd", co_name="x", co_positions=lambda: iter([(1, 1, 0, 1)]))
    frame = types.SimpleNamespace(f_code=code, f_lineno=1, f_globals={}, f_locals={})
    trace = types.SimpleNamespace(tb_frame=frame, tb_lineno=1, tb_lasti=0, tb_next=None)
    log = logging.getLogger("own")
    record = log.makeRecord("x", 50, "p", 1, "m", (), None)
    record.exc_info = (ValueError, ValueError("x"), trace)
    log.handle(record)
    return "printed to stderr"
