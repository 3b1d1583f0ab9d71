"""A whole experiment from Python, with nothing but its standard library.

    python3 examples/sdk/drive.py http://127.0.0.1:4647 /run/netfold/api-4647.token
"""
import json
import sys
import time
import urllib.error
import urllib.request

URL, TOKEN_FILE = sys.argv[1:3]
TOKEN = open(TOKEN_FILE).read().strip()
TOPOLOGY = """
services: { client: {}, server: { run: "echo ready; sleep 1000" } }
bridges: [s1]
links:
  - { from: client, to: s1, latency: 5ms }
  - { from: server, to: s1, latency: 5ms }
"""


def call(method, path, body=None):
    request = urllib.request.Request(URL + "/api/v1" + path, method=method)
    request.add_header("authorization", "Bearer " + TOKEN)
    data = None
    if body is not None:
        request.add_header("content-type", "application/json")
        data = json.dumps(body).encode()
    with urllib.request.urlopen(request, data, timeout=120) as answer:
        return json.load(answer)


name = call("POST", "/experiments", {"topology": TOPOLOGY, "name": sys.argv[3] if len(sys.argv) > 3 else "drive", "hosts": 2})["name"]
one = "/experiments/" + name
try:
    given = call("POST", one + "/commands", {"text": "set client--s1 latency=45ms"})
    for _ in range(100):
        state = call("GET", one + "/commands/" + given["id"])
        if state["everywhere"]:
            break
        time.sleep(0.1)
    [path] = call("GET", one + "/paths?from=client&to=server")
    pinged = call("POST", one + "/endpoints/client/exec", {"command": ["ping", "-c", "3", "server"]})
    try:
        call("POST", one + "/commands", {"text": "set client--nobody latency=1ms"})
        refused = None
    except urllib.error.HTTPError as error:
        refused = json.load(error)["code"]
    print(json.dumps({
        "hosts": state["hosts"],
        "latencyMs": path["latencyMs"],
        "pingCode": pinged["code"],
        "refused": refused,
        "log": call("GET", one + "/endpoints/server/logs")["text"],
    }))
finally:
    call("DELETE", one)
