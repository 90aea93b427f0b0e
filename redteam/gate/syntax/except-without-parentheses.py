# role: helper
# rule: prism:syntax
# tries: Lists exceptions without parentheses, as Python 2 and 3.14 do in different senses.
def width(text):
    try:
        return int(text)
    except ValueError, TypeError:
        return 64
