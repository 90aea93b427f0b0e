# role: helper
# rule: prism:no-deserialization
# tries: Tries one library after another that unpickles what it reads.
try:
    import joblib as store
except ImportError:
    import shelve as store


def order(path):
    return store.open(path)
