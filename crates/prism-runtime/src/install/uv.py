"""Start uv, told what pip is told.

Run as `python -I -c <this text> UV ARGUMENT...` by the interpreter whose pip has fetched uv. Whoever has set pip up, by a
file or a variable, has set up the installation: the same index, certificates and proxy serve uv. A variable that uv
itself reads stands above that. Becomes uv in the end, so that whoever waits for this process waits for uv.
"""

import ast
import os
import subprocess
import sys

# Options of pip, and the variables that say the same to uv.
VARIABLES = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "trusted-host": "UV_INSECURE_HOST",
    "default-timeout": "UV_HTTP_TIMEOUT",
    "timeout": "UV_HTTP_TIMEOUT",
    "cert": "SSL_CERT_FILE",
    "client-cert": "SSL_CLIENT_CERT",
    "proxy": "ALL_PROXY",
}
# From the weakest to the strongest, as pip reads them.
SECTIONS = ("global", "install", ":env:")


def pip_options():
    """Return what pip is set up with for an installation."""
    command = [sys.executable, "-I", "-m", "pip", "config", "list"]
    listed = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True).stdout.decode()
    found = {section: {} for section in SECTIONS}
    for line in listed.splitlines():
        name, _, value = line.partition("=")
        section, _, option = name.rpartition(".")
        if section in found:
            found[section][option] = ast.literal_eval(value)
    return {option: value for section in SECTIONS for option, value in found[section].items()}


def is_there(link):
    """Return whether it can be looked at; pip passes over directories that do not exist, uv does not."""
    return "://" in link or os.path.exists(link)


def variables(options):
    """Return the same for uv."""
    told = {VARIABLES[option]: value for option, value in options.items() if option in VARIABLES}
    links = [link for link in told.pop("UV_FIND_LINKS", "").split() if is_there(link)]
    if links:
        told["UV_FIND_LINKS"] = ",".join(links)
    return {name: " ".join(value.split()) for name, value in told.items()}


options = pip_options()
for name, value in variables(options).items():
    os.environ.setdefault(name, value)
command = sys.argv[1:]
if options.get("no-index", "").lower() in ("1", "true", "yes", "on"):
    command.append("--no-index")
os.execv(command[0], command)
