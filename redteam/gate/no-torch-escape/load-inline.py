# role: helper
# rule: prism:no-torch-escape
# tries: Compiles C++ with torch, imported by its dotted name.
import torch.utils.cpp_extension

kernel = torch.utils.cpp_extension.load_inline("k", ["int f() { return 0; }"], functions=["f"])
