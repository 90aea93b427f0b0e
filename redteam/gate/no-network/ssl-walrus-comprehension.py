# role: helper
# rule: prism:no-network
# tries: Imports ssl and socketserver and reaches their classes in a comprehension with a walrus.
import socketserver, ssl

SERVERS = [made for kind in (socketserver.TCPServer,) if (made := kind)]


def context():
    return ssl.create_default_context(), SERVERS[0]
