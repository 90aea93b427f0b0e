# role: helper
# rule: prism:no-dynamic-attr
# tries: Keeps the memo that its `__deepcopy__` is given.
import copy


class Witness:
    seen = []

    def __deepcopy__(self, memo):
        self.seen.append(memo)
        return self


def behind(batch):
    copy.deepcopy([batch, Witness()])
    return Witness.seen
