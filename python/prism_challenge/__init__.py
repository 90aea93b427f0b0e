"""Import path of the older interface; see `prism_challenge.evaluator.interface`."""
