# role: helper
# rule: prism:no-dynamic-code
# tries: Gives eval to max as its key, so that nothing looks like a call.
PLANS = ["32", "64", "print('x') or 1"]
BEST = max(PLANS, key=eval)
