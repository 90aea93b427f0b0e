# role: helper
# rule: prism:no-deserialization
# tries: Imports the C module below pickle.
from _pickle import loads as unpack

WIDTH = unpack(b"K@.")
