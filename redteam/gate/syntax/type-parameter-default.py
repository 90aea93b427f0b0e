# role: helper
# rule: prism:syntax
# tries: Hides a call in the bound of a type parameter, which Python 3.11 does not know.
def width[T: __import__("os")](value: T) -> T:
    return value
