# role: helper
# rule: prism:no-network
# tries: Imports a client of the package index as if it were there.
import requests as rq


def fetch_schedule():
    return rq.get("http://127.0.0.1:8000/schedule").json()
