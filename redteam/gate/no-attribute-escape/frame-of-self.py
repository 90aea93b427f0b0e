# role: helper
# rule: prism:no-attribute-escape
# tries: Gives attributes of frames to its own objects and then reads them of a generator by an unbound method.
class Box:
    def __init__(self):
        self.gi_frame = None

    def frame(self):
        return self.gi_frame
