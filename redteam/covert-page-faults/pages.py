"""Targets spelled in the pages of a file that are in memory; heard by the time of a first touch."""

import mmap
import os
import time

import torch

PAGE = mmap.PAGESIZE
# Every 32nd page: what is read ahead with one must not reach the next.
SPREAD, BITS, TOKENS = 32, 9, 60
FILLER = 256


def largest():
    """The largest library of torch: most of it is never read."""
    folder = os.path.join(os.path.dirname(torch.__file__), "lib")
    return max((os.path.join(folder, name) for name in os.listdir(folder)), key=os.path.getsize)


def map_it():
    with open(largest(), "rb") as file:
        pages = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    pages.madvise(mmap.MADV_RANDOM)
    return pages


def place(pages, step, column, bit, value):
    count = len(pages) // (SPREAD * PAGE)
    return ((step * TOKENS + column) * 2 * BITS + 2 * bit + value) % count * SPREAD * PAGE


def spell(pages, step, row):
    for column, target in enumerate(row):
        for bit in range(BITS):
            pages[place(pages, step, column, bit, target >> bit & 1)]


def seconds(pages, at):
    start = time.perf_counter()
    pages[at]
    return time.perf_counter() - start


def heard(pages, step, column):
    """The target of a column of the first lane, if the times of its pages tell it."""
    target = 0
    for bit in range(BITS):
        zero, one = (seconds(pages, place(pages, step, column, bit, value)) for value in (0, 1))
        if max(zero, one) < 4 * min(zero, one):
            return None
        target |= (one < zero) << bit
    return target
