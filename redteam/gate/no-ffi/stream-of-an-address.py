# role: helper
# rule: prism:no-ffi | prism:no-forbidden-import
# tries: Makes a stream of an address under the other path of the class.
import torch

STREAM = torch.cuda.streams.ExternalStream(1)
