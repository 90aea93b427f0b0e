"""A bundle run in the open, for its author: `python -m prism_runtime.local DIR --text FILE`.

Both scripts run in this very process, with the real `ctx`, stream and batches, so that
`breakpoint()`, `print` and any debugger work. Only the referee is another: one in the same process
that holds the text, believes the claims and adds them up. It must never be taken for a
measurement, and is no part of what runs inside a sandbox.
"""
