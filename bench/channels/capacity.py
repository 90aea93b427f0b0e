"""What a road carries: from what was sent and what was heard to bits, with their error.

Used by `run.py`. A receiver gives rough numbers; what they mean is learnt from the steps before the one at hand alone, as
an auditor could do it, whose weights may tell it what was sent before. Bits are fair and drawn afresh, so where nothing
gets through, the number of errors is binomial with one half, whatever the receiver does.
"""

import bisect
import math
from dataclasses import dataclass, field

# Two-sided; a road differs from chance where its errors are less likely than this.
LEVEL = 1e-3
# Steps that only teach the receiver.
TEACHING = 8


@dataclass
class Heard:
    """What came of one road, one receiver."""

    bits_per_step: int
    steps: int = 0
    bits: int = 0
    errors: int = 0
    # Bits about which the receiver knows that it did not hear them.
    missed: int = 0
    by_position: list = field(default_factory=list)

    @property
    def error_rate(self):
        """Share of bits that were understood wrongly."""
        return self.errors / self.bits if self.bits else 0.5

    @property
    def differs(self):
        """Whether that is not chance: over all bits, or in one position. Half of the level for each of the two."""
        return two_sided(self.errors, self.bits) < LEVEL / 2 or bool(self._open_positions())

    def _open_positions(self):
        level = LEVEL / 2 / max(1, self.bits_per_step)
        return [
            (errors, bits) for errors, bits in self.by_position if two_sided(errors, bits) < level
        ]

    def capacity(self):
        """Bits a step: what the errors say, the least, and the most that they allow at `LEVEL`.

        That of a binary symmetric channel in each position, less what was missed; a common one where the positions are
        alike.
        """
        low, high = interval(self.errors, self.bits, LEVEL)
        here = information(self.error_rate)
        ends = (information(low), information(high))
        least = 0.0 if low <= 0.5 <= high else min(ends)
        share = self.bits / max(1, self.bits + self.missed)
        alike = [n * self.bits_per_step * share for n in (here, least, max(ends))]
        # Positions that differ carry more than their mean says.
        apart = share * sum(information(errors / bits) for errors, bits in self._open_positions())
        return max(alike[0], apart) if self.differs else 0.0, alike[1], max(alike[2], apart)


def information(error_rate):
    """What one use of a binary symmetric channel carries, in bits."""
    if error_rate in (0, 1):
        return 1.0
    other = 1 - error_rate
    return 1 + error_rate * math.log2(error_rate) + other * math.log2(other)


def _log_probability(successes, trials, chance):
    if chance in (0, 1):
        return 0.0 if successes == trials * chance else -math.inf
    return (
        math.lgamma(trials + 1)
        - math.lgamma(successes + 1)
        - math.lgamma(trials - successes + 1)
        + successes * math.log(chance)
        + (trials - successes) * math.log1p(-chance)
    )


def at_most(successes, trials, chance):
    """Probability of so many successes or fewer."""
    total = sum(math.exp(_log_probability(n, trials, chance)) for n in range(successes + 1))
    return min(1.0, total)


def two_sided(errors, bits):
    """Probability of errors at least as far from one half, by chance."""
    if bits == 0:
        return 1.0
    return min(1.0, 2 * at_most(min(errors, bits - errors), bits, 0.5))


def interval(successes, trials, level):
    """The interval of Clopper and Pearson for a probability."""
    if trials == 0:
        return 0.0, 1.0

    def solve(tail):
        low, high = 0.0, 1.0
        for _ in range(50):
            middle = (low + high) / 2
            low, high = (middle, high) if tail(middle) > level / 2 else (low, middle)
        return (low + high) / 2

    upper = 1.0 if successes == trials else solve(lambda p: at_most(successes, trials, p))
    # The lower end is the upper one of the failures.
    lower = 0.0 if successes == 0 else 1 - solve(lambda p: at_most(trials - successes, trials, p))
    return lower, upper


class Threshold:
    """Reads one bit from one number: on which side of a threshold it lies, as it was with the fewest errors so far."""

    def __init__(self):
        self._seen = []
        self._best = None

    def learn(self, reading, bit):
        """A reading, and the bit that it was."""
        bisect.insort(self._seen, (reading, bit))
        self._best = None

    def decide(self, reading):
        """The bit that this reading stands for."""
        if self._best is None:
            self._best = self._search()
        threshold, above = self._best
        return above if reading > threshold else 1 - above

    def _search(self):
        seen = self._seen
        if not seen:
            return 0.0, 1
        ones = sum(bit for _, bit in seen)
        zeros = len(seen) - ones
        # Errors if everything is above: those that are not what "above" stands for.
        best = min((zeros, -math.inf, 1), (ones, -math.inf, 0))
        zeros_below = ones_below = 0
        for (reading, bit), following in zip(seen, [*seen[1:], None], strict=True):
            ones_below, zeros_below = ones_below + bit, zeros_below + 1 - bit
            if following is None or following[0] == reading:
                continue
            middle = (reading + following[0]) / 2
            best = min(
                best,
                (ones_below + zeros - zeros_below, middle, 1),
                (zeros_below + ones - ones_below, middle, 0),
            )
        return best[1], best[2]


class Symbols:
    """Reads a symbol of several bits from a number in levels, which comes late by as much as it mostly did."""

    def __init__(self, bits, circle):
        self._bits = bits
        self._circle = circle
        self._late = []

    def learn(self, reading, bits):
        """A reading, and the bits that it was."""
        late = reading - _number(bits)
        self._late.append(late % self._circle if self._circle else late)

    def decide(self, reading):
        """The bits that this reading stands for."""
        late = sorted(self._late)[len(self._late) // 2]
        level = round(reading - late)
        level = level % self._circle if self._circle else level
        level = int(min(max(level, 0), (1 << self._bits) - 1))
        return [level >> (self._bits - 1 - position) & 1 for position in range(self._bits)]


def _number(bits):
    return int("".join(map(str, bits)), 2)


def compare(sent, heard, *, symbol_bits=1, circle=0):
    """What a receiver understood. `sent` and `heard`: bits and readings of each step."""
    steps = sorted(set(sent) & set(heard))
    bits_per_step = len(next(iter(sent.values()))) if sent else 0
    result = Heard(bits_per_step, by_position=[(0, 0)] * bits_per_step)
    if symbol_bits > 1:
        readers = [Symbols(symbol_bits, circle) for _ in range(bits_per_step // symbol_bits)]
    else:
        readers = [Threshold() for _ in range(bits_per_step)]
    for number, step in enumerate(steps):
        parts = [
            sent[step][place * symbol_bits : (place + 1) * symbol_bits]
            for place in range(len(readers))
        ]
        if number >= TEACHING:
            result.steps += 1
            for place, (reader, part) in enumerate(zip(readers, parts, strict=True)):
                if math.isnan(heard[step][place]):
                    result.missed += symbol_bits
                    continue
                understood = reader.decide(heard[step][place])
                understood = understood if symbol_bits > 1 else [understood]
                for offset, (said, got) in enumerate(zip(part, understood, strict=True)):
                    result.bits += 1
                    result.errors += said != got
                    position = place * symbol_bits + offset
                    errors, bits = result.by_position[position]
                    result.by_position[position] = (errors + (said != got), bits + 1)
        for reader, part, reading in zip(readers, parts, heard[step], strict=True):
            if not math.isnan(reading):
                reader.learn(reading, part if symbol_bits > 1 else part[0])
    return result
