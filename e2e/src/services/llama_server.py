"""The pinned model behind an OpenAI-compatible API on a free port of 127.0.0.1.

Usage: llama_server.py MODEL_FILE MODEL_NAME READY_FILE

Writes {"address": "127.0.0.1:PORT"} to READY_FILE once it listens. Ends when its stdin closes or
on SIGTERM.
"""

import json
import os
import signal
import sys

import xllamacpp

# The model's own template knows no tools. This is ChatML with a tool part whose calls read
# <function=NAME>{arguments}</function>: of the shapes llama.cpp understands, the one for which
# tool_choice "required" lets nothing but a call through.
CHAT_TEMPLATE = """\
{%- if tools %}<|im_start|>system
{% if messages[0].role == 'system' %}{{ messages[0].content }}

{% endif %}You may call these functions:
{% for tool in tools %}{{ tool | tojson }}
{% endfor %}To call one, answer with <function=NAME>{"argument": "value"}</function><|im_end|>
{% elif messages[0].role == 'system' %}<|im_start|>system
{{ messages[0].content }}<|im_end|>
{% else %}<|im_start|>system
You are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>
{% endif %}
{%- for message in messages %}
{%- if message.role == 'tool' %}<|im_start|>user
Result: {{ message.content }}<|im_end|>
{% elif message.role == 'assistant' and message.tool_calls %}<|im_start|>assistant
{{ message.content or '' }}{% for call in message.tool_calls %}<function={{ call.function.name }}>\
{{ call.function.arguments if call.function.arguments is string else call.function.arguments | tojson }}</function>{% endfor %}<|im_end|>
{% elif message.role != 'system' %}<|im_start|>{{ message.role }}
{{ message.content }}<|im_end|>
{% endif %}
{%- endfor %}
{%- if add_generation_prompt %}<|im_start|>assistant
{% endif %}"""


def parameters(model_file, model_name):
    params = xllamacpp.CommonParams()
    params.model.path = model_file
    params.model_alias = {model_name}
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.n_ctx = 2048
    # The size above fits; measuring whether it does would double the start time.
    params.fit_params = False
    params.chat_template = CHAT_TEMPLATE
    # Steady: spinning threads collapse to under one token per second when a core is shared.
    params.cpuparams.n_threads = 1
    params.cpuparams_batch.n_threads = 1
    # Deterministic: neither a shared batch nor a cached prompt may change an answer.
    params.n_parallel = 1
    params.cache_prompt = False
    return params


def announce(ready_file, address):
    part = f"{ready_file}.part"
    with open(part, "w", encoding="utf-8") as file:
        json.dump({"address": address}, file)
    os.replace(part, ready_file)


def main():
    model_file, model_name, ready_file = sys.argv[1:]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    server = xllamacpp.Server(parameters(model_file, model_name))
    announce(ready_file, server.listening_address.removeprefix("http://"))
    sys.stdin.buffer.read()


if __name__ == "__main__":
    main()
