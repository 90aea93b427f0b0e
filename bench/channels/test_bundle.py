"""Tests of `bundle.py` and of what `run.py` makes of its logs: `python3 -m unittest discover -s bench/channels`."""

import argparse
import re
import tempfile
import unittest
from pathlib import Path

import bundle
import run


class Roads(unittest.TestCase):
    def test_each_road_says_what_it_is_and_has_both_ends(self):
        for name in bundle.road_names():
            with self.subTest(name):
                road = bundle.traits(name)
                self.assertGreater(len(road["title"]), 20)
                self.assertEqual(road["bits"] % road["symbol_bits"], 0)
                text = (bundle.HERE / "roads" / f"{name}.py").read_text()
                for function in ("prepare", "send", "read"):
                    self.assertRegex(text, rf"(?m)^def {function}\(")

    def test_a_bundle_has_all_that_its_road_imports(self):
        with tempfile.TemporaryDirectory() as temp:
            for name in ("names", "timers"):
                try:
                    made = bundle.assemble(Path(temp, name), name)
                except bundle.Skipped as why:
                    self.skipTest(str(why))
                files = {file.stem for file in made.iterdir()}
                own = {"machine", "system", "windows", "settings", "lab", "road", "code_of_machine"}
                for file in ("road.py", "architecture.py", "training.py"):
                    imports = re.findall(r"(?m)^import (\w+)$", (made / file).read_text())
                    self.assertLessEqual(set(imports) & own, files)

    def test_the_machine_code_has_every_function_that_is_called(self):
        try:
            code, offsets = bundle.machine_code()
        except bundle.Skipped as why:
            self.skipTest(str(why))
        text = (bundle.HERE / "kit/machine.py").read_text()
        called = set(re.findall(r'_function\("(\w+)"', text))
        self.assertGreater(len(called), 8)
        self.assertLessEqual(called, set(offsets))
        self.assertTrue(all(0 <= offset < len(code) for offset in offsets.values()))


class Logs(unittest.TestCase):
    def test_lines_of_both_ends_are_told_apart_from_others(self):
        lines = [
            "hello",
            "sent 3 0110 0.5",
            "heard 3 auditor 1,2.5,-3,4 0.25",
            "heard 3 replay 4,3,2,1 0.125",
            "claimed 3 0.75",
        ]
        sent, heard, seconds = run.parse(lines)
        self.assertEqual(sent, {3: [0, 1, 1, 0]})
        self.assertEqual(heard["auditor"], {3: [1, 2.5, -3, 4]})
        self.assertEqual(heard["replay"], {3: [4, 3, 2, 1]})
        self.assertEqual(seconds, {"sent": [0.5], "heard": [0.25, 0.125], "claimed": [0.75]})

    def test_a_refused_call_is_named(self):
        said = {"reason": "auditor_sealed", "detail": "`forward` made the system call `access` where it was to answer"}
        self.assertEqual(run.refused(said), "refused: access")
        self.assertIsNone(run.refused({"reason": "end_of_data", "detail": ""}))

    def test_expectations_fail_in_both_directions(self):
        args = argparse.Namespace(open="a", closed="b,c")
        ends = {"auditor": {"bits": 9, "differs": True}, "replay": {"bits": 0, "differs": False}}
        heard = {"outcome": "heard", **ends}
        self.assertIsNone(run.wrong({"road": "a", **heard}, args))
        self.assertIn("closed", run.wrong({"road": "b", **heard}, args))
        self.assertIsNone(run.wrong({"road": "c", "outcome": "refused: openat"}, args))
        self.assertIn("open", run.wrong({"road": "a", "outcome": "refused: openat"}, args))
        self.assertIn("closed", run.wrong({"road": "c", "outcome": "failed: oom"}, args))


if __name__ == "__main__":
    unittest.main()
