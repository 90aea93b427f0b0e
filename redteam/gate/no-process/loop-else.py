# role: helper
# rule: prism:no-process
# tries: Imports os in the else branch of a loop that always ends.
for number in range(1):
    pass
else:
    import os

    number = os.getpid()
