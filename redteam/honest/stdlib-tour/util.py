"""Small helpers from many corners of the standard library that need no file and no process."""

from __future__ import annotations

import collections.abc
import enum
import fractions
import functools
import itertools
import json
import math
import numbers
import operator
import re
import statistics
import string
import textwrap
from collections import ChainMap, Counter, OrderedDict, deque

PRINTABLE = frozenset(map(ord, string.ascii_letters + string.digits + string.punctuation + " \n\t"))
CAMEL = re.compile(r"(?<!^)(?=[A-Z])")
DEFAULTS = {"width": 48, "depth": 2, "ratio": "3/2", "cell": "gru"}


class Flag(enum.Flag):
    NONE = 0
    TIED = enum.auto()
    NORMED = enum.auto()
    BOTH = TIED | NORMED


@functools.total_ordering
class Version:
    def __init__(self, text):
        self.parts = tuple(int(p) for p in text.split("+")[0].split(".")[:2])

    def __eq__(self, other):
        return self.parts == other.parts

    def __lt__(self, other):
        return self.parts < other.parts

    def __hash__(self):
        return hash(self.parts)

    def __str__(self):
        return ".".join(map(str, self.parts))


@functools.singledispatch
def size_of(value) -> int:
    raise TypeError(f"no size of {type(value).__name__}")


@size_of.register
def _(value: numbers.Number) -> int:
    return int(value)


@size_of.register(str)
def _(value):
    return math.ceil(fractions.Fraction(value) * 32)


@size_of.register(collections.abc.Sequence)
def _(value):
    return functools.reduce(operator.mul, map(size_of, value), 1)


def settings(**overrides):
    """The later of the two wins; unknown names are refused."""
    if unknown := overrides.keys() - DEFAULTS.keys():
        raise KeyError(", ".join(sorted(unknown)))
    return ChainMap(overrides, DEFAULTS)


def snake(name):
    return CAMEL.sub("_", name).lower()


def banner(config):
    text = """
        {name:>8} | settings
        {line:->8} | {body}
    """
    return (
        textwrap.dedent(text).strip().format(name="model", line="", body=json.dumps(dict(config)))
    )


def pairs(values):
    """(v0, v1), (v1, v2), ..."""
    a, b = itertools.tee(values)
    next(b, None)
    return zip(a, b)


def top(counter: Counter, n=3):
    return OrderedDict(sorted(counter.items(), key=operator.itemgetter(1), reverse=True)[:n])


class Window(deque):
    def median(self):
        return statistics.median(self) if self else math.nan
