# role: helper
# rule: prism:no-attribute-escape
# tries: Writes a letter of __class__ in full width within a pattern.
def kind(x):
    match x:
        case object(__ｃlass__=found):
            return found
