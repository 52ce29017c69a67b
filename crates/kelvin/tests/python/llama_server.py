"""A model file in, llama.cpp's own server on a free port out: its address on the first line, until standard input ends."""

import sys

import xllamacpp

params = xllamacpp.CommonParams()
params.model.path = sys.argv[1]
params.n_ctx = 2048
params.n_parallel = 2
server = xllamacpp.Server(params)
print(server.listening_address, flush=True)
sys.stdin.read()
