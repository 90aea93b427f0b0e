"""Tests of `capacity.py`: `python3 -m unittest discover bench/channels`."""

import math
import random
import unittest

import capacity


def noisy(error_rate, bits_per_step, steps, seed=1):
    """A road with an error rate: zeros read about 10, ones about 20, some the other way round."""
    draw = random.Random(seed)
    sent, heard = {}, {}
    for step in range(steps):
        bits = [draw.getrandbits(1) for _ in range(bits_per_step)]
        flips = [draw.random() < error_rate for _ in bits]
        sent[step] = bits
        heard[step] = [10 + 10 * (b ^ f) + draw.random() for b, f in zip(bits, flips, strict=True)]
    return sent, heard


class Information(unittest.TestCase):
    def test_of_known_error_rates(self):
        self.assertEqual(capacity.information(0), 1)
        self.assertEqual(capacity.information(1), 1)
        self.assertAlmostEqual(capacity.information(0.5), 0)
        self.assertAlmostEqual(capacity.information(0.11), 0.5, places=3)


class Binomial(unittest.TestCase):
    def test_tails_by_hand(self):
        self.assertAlmostEqual(capacity.at_most(1, 3, 0.5), 0.5)
        self.assertAlmostEqual(capacity.two_sided(0, 10), 2 / 1024)
        self.assertAlmostEqual(capacity.two_sided(10, 10), 2 / 1024)
        self.assertEqual(capacity.two_sided(5, 10), 1)
        self.assertEqual(capacity.two_sided(0, 0), 1)

    def test_interval_of_clopper_and_pearson(self):
        # Exact for no successes: the upper end p solves (1 - p)^n = level / 2.
        low, high = capacity.interval(0, 20, 0.05)
        self.assertEqual(low, 0)
        self.assertAlmostEqual(high, 1 - 0.025 ** (1 / 20), places=6)
        low, high = capacity.interval(5, 10, 0.05)
        self.assertAlmostEqual(low, 0.1871, places=4)
        self.assertAlmostEqual(high, 0.8129, places=4)
        low, high = capacity.interval(20, 20, 0.05)
        self.assertEqual(high, 1)
        self.assertAlmostEqual(low, 0.025 ** (1 / 20), places=6)


class Roads(unittest.TestCase):
    def test_a_clear_road_carries_all_of_its_bits(self):
        heard = capacity.compare(*noisy(0, 8, 60))
        self.assertEqual((heard.errors, heard.bits), (0, 8 * (60 - capacity.TEACHING)))
        here, least, most = heard.capacity()
        self.assertEqual((here, most), (8, 8))
        self.assertGreater(least, 6.5)

    def test_a_noisy_road_carries_what_its_error_rate_says(self):
        heard = capacity.compare(*noisy(0.11, 16, 200))
        here, least, most = heard.capacity()
        self.assertTrue(heard.differs)
        self.assertAlmostEqual(here, 8, delta=1.2)
        self.assertTrue(least < here < most)

    def test_a_dead_road_carries_nothing(self):
        passed = [capacity.compare(*noisy(0.5, 8, 100, seed)) for seed in range(12)]
        self.assertFalse(any(heard.differs for heard in passed))
        self.assertTrue(all(heard.capacity()[0] == 0 for heard in passed))
        self.assertTrue(all(heard.capacity()[1] == 0 for heard in passed))
        self.assertTrue(all(heard.capacity()[2] < 0.4 for heard in passed))

    def test_a_reading_may_go_down_where_the_bit_goes_up(self):
        sent, heard = noisy(0, 4, 40)
        down = {step: [-reading for reading in readings] for step, readings in heard.items()}
        self.assertEqual(capacity.compare(sent, down).errors, 0)

    def test_one_open_position_among_dead_ones_is_found(self):
        sent, heard = noisy(0.5, 16, 100)
        for step, bits in sent.items():
            heard[step][5] = bits[5]
        result = capacity.compare(sent, heard)
        self.assertTrue(result.differs)
        self.assertGreaterEqual(result.capacity()[0], 1)

    def test_nothing_is_learnt_from_the_step_itself_or_later(self):
        sent, heard = noisy(0.5, 1, 300)
        # Every reading names its own step: who looks at all steps finds a rule without errors.
        unique = {step: [float(hash((step, 7)) % 1_000_003)] for step in heard}
        self.assertFalse(capacity.compare(sent, unique).differs)

    def test_steps_that_were_not_heard_do_not_count(self):
        sent, heard = noisy(0, 2, 40)
        del heard[30]
        self.assertEqual(capacity.compare(sent, heard).steps, 39 - capacity.TEACHING)
        self.assertEqual(capacity.compare(sent, {}).bits, 0)
        self.assertEqual(capacity.compare(sent, {}).capacity()[0], 0)

    def test_what_was_missed_carries_nothing_and_is_not_wrong(self):
        sent, heard = noisy(0, 8, 100)
        for step in range(capacity.TEACHING, 100, 2):
            heard[step] = [math.nan] * 8
        result = capacity.compare(sent, heard)
        self.assertEqual(result.errors, 0)
        self.assertEqual(result.bits, result.missed)
        self.assertAlmostEqual(result.capacity()[0], 4)

    def test_symbols_on_a_circle(self):
        draw = random.Random(3)
        sent = {step: [draw.getrandbits(1) for _ in range(4)] for step in range(100)}
        heard = {
            step: [(int("".join(map(str, bits)), 2) + 13.7 + draw.uniform(-0.3, 0.3)) % 16]
            for step, bits in sent.items()
        }
        result = capacity.compare(sent, heard, symbol_bits=4, circle=16)
        self.assertEqual(result.errors, 0)
        self.assertTrue(math.isclose(result.capacity()[0], 4))


if __name__ == "__main__":
    unittest.main()
