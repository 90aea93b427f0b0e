# role: helper
# rule: prism:no-dynamic-import
# tries: Imports code from an archive.
from zipimport import zipimporter as Archive


def backend(folder):
    return Archive(folder + "/weights.zip").load_module("backend")
