# role: helper
# rule: prism:no-torch-escape | prism:no-dynamic-code
# tries: Compiles CUDA source text with a private function.
from torch.cuda.jiterator import _create_jit_fn as fuse

SOURCE = "template <typename T> T twice(T x) { return x + x; }"
twice = fuse(SOURCE)
