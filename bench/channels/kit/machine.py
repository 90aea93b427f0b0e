"""The machine code of `machine.c`, callable: made before the seal, since it needs executable memory.

Used by the roads that time loads. Each function keeps its C signature, with arrays of ctypes.
"""

import ctypes

import code_of_machine
import system

# The same in every process: the branch predictor goes by addresses.
_start = system.anonymous(
    system.PAGE * (1 + len(code_of_machine.CODE) // system.PAGE),
    system.PROT_READ | system.PROT_WRITE | system.PROT_EXEC,
    at=0x1000_0000_0000,
)
CODE_PLACES = [_start + at for at in range(0, len(code_of_machine.CODE), 64)]
ctypes.memmove(_start, code_of_machine.CODE, len(code_of_machine.CODE))

_u64, _long, _pointer = ctypes.c_uint64, ctypes.c_long, ctypes.c_void_p


def _function(name, result, *arguments):
    return ctypes.CFUNCTYPE(result, *arguments)(_start + code_of_machine.OFFSETS[name])


now = _function("now", _u64)
cpu = _function("cpu", _u64)
work = _function("work", _u64, _long)
stream = _function("stream", _u64, _pointer, _long, _long)
pauses = _function("pauses", _long, _u64, _u64, _pointer, _long)
branches = _function("branches", None, _u64, _pointer)
_time_loads = _function("time_loads", None, _pointer, _long, _pointer)
_time_lines = _function("time_lines", None, _pointer, _long, _pointer)
_touch = _function("touch", None, _pointer, _long)
_flush = _function("flush", None, _pointer, _long)


def places(addresses):
    """Addresses as an array for the functions below."""
    return (_pointer * len(addresses))(*addresses)


def time_loads(where):
    """Ticks that one load from each place takes."""
    out = (_u64 * len(where))()
    _time_loads(where, len(where), out)
    return list(out)


def time_lines(where):
    """The same, with the translation of the address known."""
    out = (_u64 * len(where))()
    _time_lines(where, len(where), out)
    return list(out)


def touch(where):
    """Bring each place into the caches."""
    _touch(where, len(where))


def flush(where):
    """Put each place out of the caches."""
    _flush(where, len(where))
