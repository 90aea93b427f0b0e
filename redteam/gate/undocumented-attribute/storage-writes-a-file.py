# role: helper
# rule: prism:no-filesystem | prism:undocumented-attribute
# tries: Writes the file of a storage.
import torch

storage = torch.zeros(1).untyped_storage()
storage._write_file(print, True, True, 4)
