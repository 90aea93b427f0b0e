import warnings

thing = warnings.catch_warnings()
