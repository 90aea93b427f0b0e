# role: helper
# rule: prism:no-dynamic-code
# tries: Evaluates annotations with typing_extensions.get_annotations.
import typing_extensions


def other(value):
    return value


typing_extensions.get_annotations(other, eval_str=True)
