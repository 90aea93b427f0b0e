# role: helper
# rule: prism:no-deserialization | prism:no-torch-escape
# tries: Imports code and pickles from an archive of torch.package.
from torch.package import PackageImporter as Loader


def block(path):
    return Loader(path).load_pickle("model", "block.pkl")
