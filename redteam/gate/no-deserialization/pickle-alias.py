# role: helper
# rule: prism:no-deserialization
# tries: Loads a pickle from a bytes literal under an alias.
import pickle as table

WIDTH = table.loads(b"K@.")
