# role: helper
# rule: prism:no-dynamic-code | prism:no-forbidden-import
# tries: Runs a string with a function that numpy keeps for its tests.
from numpy.testing import assert_allclose, runstring


def check(x):
    assert_allclose(x, x)
    runstring("print('x')", {})
