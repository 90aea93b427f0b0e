# role: helper
# rule: prism:no-filesystem | prism:no-forbidden-import
# tries: Opens a file with the codecs module that json keeps.
import json


def settings():
    with json.codecs.open("/etc/hostname", "r", "utf-8") as lines:
        return json.loads(lines.read() or "{}")
