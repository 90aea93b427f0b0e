# role: helper
# rule: prism:no-dynamic-code
# tries: Calls eval in the format spec of a replacement field.
def title(step):
    return f"step {step:{eval('8')}d}"
