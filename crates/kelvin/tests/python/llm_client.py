"""The command `llm` with an OpenAI-compatible model, as its manual sets one up, against a running `kelvin serve`.

    .venv/bin/python crates/kelvin/tests/python/llm_client.py BASE_URL API_KEY
"""

import os
import pathlib
import subprocess
import sys
import tempfile

base_url, api_key = sys.argv[1:]
with tempfile.TemporaryDirectory() as folder:
    models = f"""
- model_id: kelvin
  model_name: smollm2
  api_base: "{base_url}"
  api_key_name: kelvin
"""
    pathlib.Path(folder, "extra-openai-models.yaml").write_text(models)
    environment = {**os.environ, "LLM_USER_PATH": folder}

    def llm(*arguments):
        command = [pathlib.Path(sys.executable).parent / "llm", *arguments]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, (arguments, done.stderr)
        return done.stdout

    llm("keys", "set", "kelvin", "--value", api_key)
    assert "kelvin" in llm("models")
    settings = ["-m", "kelvin", "-o", "seed", "7", "-o", "max_tokens", "12"]
    streamed = llm(*settings, "Write about Nepal")
    assert streamed.strip(), streamed
    assert llm(*settings, "--no-stream", "Write about Nepal") == streamed
    # A conversation goes on from what was said before.
    assert llm(*settings, "-c", "And about its mountains?").strip()
print("all as expected")
