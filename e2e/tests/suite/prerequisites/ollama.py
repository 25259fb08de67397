#!/usr/bin/env python3
"""Stands in for the program `ollama`: `ollama serve` with the documented calls that giving it a model takes,
and the two calls of the OpenAI API that a run asks. Whatever else is asked is refused, and written down."""

import hashlib
import http.server
import json
import os
import pathlib
import sys

assert sys.argv[1:] == ["serve"], sys.argv
host, port = os.environ["OLLAMA_HOST"].split(":")
kept = pathlib.Path(os.environ["OLLAMA_MODELS"])
kept.mkdir(parents=True, exist_ok=True)
blobs, models = set(), {}


class Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def content(self):
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        content = b""
        while size := int(self.rfile.readline(), 16):
            content += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return content

    def say(self, status, value=None):
        body = b"" if value is None else json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def answer(self):
        content, blob = self.content(), self.path.removeprefix("/api/blobs/")
        match (self.command, self.path):
            case ("GET", "/api/version"):
                self.say(200, {"version": "0.30.7"})
            case ("HEAD", _) if blob != self.path:
                self.say(200 if blob in blobs else 404)
            case ("POST", _) if blob != self.path:
                if blob != "sha256:" + hashlib.sha256(content).hexdigest():
                    return self.say(400, {"error": "digest mismatch"})
                blobs.add(blob)
                self.say(201)
            case ("POST", "/api/create"):
                asked = json.loads(content)
                [digest] = asked["files"].values()
                if digest not in blobs or asked["stream"] is not False:
                    return self.say(400, {"error": "no such blob"})
                models[asked["model"]] = digest
                self.say(200, {"status": "success"})
            case ("POST", "/api/show"):
                name = json.loads(content)["model"]
                if name not in models:
                    return self.say(404, {"error": f"model '{name}' not found"})
                file = models[name].replace(":", "-")
                self.say(200, {"modelfile": f"# FROM {name}\n\nFROM {kept}/blobs/{file}\n"})
            case ("GET", "/v1/models"):
                self.say(200, {"data": [{"id": name} for name in models]})
            case ("POST", "/v1/chat/completions") if json.loads(content)["model"] in models:
                self.say(200, {"choices": [{}]})
            case _:
                with open(kept / "unexpected", "a") as file:
                    print(self.command, self.path, file=file)
                self.say(501)

    do_GET = do_HEAD = do_POST = do_DELETE = answer


http.server.ThreadingHTTPServer((host, int(port)), Answer).serve_forever()
