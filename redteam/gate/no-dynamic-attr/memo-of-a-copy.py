# role: helper
# rule: prism:no-dynamic-attr
# tries: Copies an object with a memo of its own, in which the original dictionary is kept.
import copy


def behind(batch):
    memo = {}
    copy.deepcopy(batch, memo)
    return memo[id(memo)]
