"""A model file in, llama.cpp's own server in this process; each line of standard input is the body of a request for one token,
each line of standard output its status with the settings that the server says it used."""

import json
import sys
import urllib.error
import urllib.request

import xllamacpp

params = xllamacpp.CommonParams()
params.model.path = sys.argv[1]
params.n_ctx = 512
server = xllamacpp.Server(params)
for line in sys.stdin:
    body = {**json.loads(line), "prompt": "Once upon a time", "n_predict": 1}
    request = urllib.request.Request(
        server.listening_address + "/completion", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request) as answer:
            said = {"status": answer.status, "settings": json.load(answer)["generation_settings"]}
    except urllib.error.HTTPError as error:
        said = {"status": error.code, "error": error.read().decode()}
    print(json.dumps(said), flush=True)
