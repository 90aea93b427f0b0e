# role: helper
# rule: prism:no-process
# tries: Imports pty in an except clause, as if a nicer library were missing.
try:
    from einops import rearrange_fast as rearrange
except ImportError:
    import pty as rearrange


def fold(x):
    return rearrange.spawn("id")
