# role: helper
# rule: prism:no-network
# tries: Imports http.client by its dotted name and calls it a wire.
import math, http.client as wire


def width_of(vocab_size):
    connection = wire.HTTPConnection("127.0.0.1", 8000)
    connection.request("GET", "/width")
    return int(math.sqrt(vocab_size))
