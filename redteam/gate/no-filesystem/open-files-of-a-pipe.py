# role: helper
# rule: prism:no-filesystem | prism:no-forbidden-import
# tries: Opens files with a method that every data pipe has.
from torch.utils.data import IterDataPipe


class Names(IterDataPipe):
    def __iter__(self):
        yield "/etc/hostname"


def read():
    return [stream.read() for _, stream in Names().open_files()]
