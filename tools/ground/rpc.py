"""A client of a running Odoo, which talks to it as the web client does."""

import http.cookiejar
import json
import urllib.error
import urllib.request
from typing import Any


class RpcError(Exception):
    """The server answered with an error; `name` is the server-side exception's."""

    def __init__(self, error: dict[str, Any]) -> None:
        """Keep what the server said."""
        data = error.get("data") or {}
        super().__init__(data.get("message") or error.get("message"))
        self.name: str = data.get("name", "")
        self.debug: str = data.get("debug", "")


class Session:
    """A session of somebody who is not logged in."""

    def __init__(self, url: str) -> None:
        """Start it."""
        self.url = url
        self.cookies = http.cookiejar.CookieJar()
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.cookies))

    def post(self, path: str, params: dict[str, Any], timeout: float = 120) -> Any:
        """Call a JSON-RPC route; raise RpcError on an error."""
        body = json.dumps({"jsonrpc": "2.0", "method": "call", "params": params}).encode()
        request = urllib.request.Request(self.url + path, body, {"Content-Type": "application/json"})
        with self._opener.open(request, timeout=timeout) as response:
            answer = json.load(response)
        if "error" in answer:
            raise RpcError(answer["error"])
        return answer.get("result")

    def get(self, path: str) -> tuple[int, str]:
        """Fetch a page; return its status and text."""
        try:
            with self._opener.open(self.url + path, timeout=120) as response:
                return response.status, response.read().decode(errors="replace")
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode(errors="replace")


class Client(Session):
    """A session of one user."""

    def __init__(self, url: str, database: str, login: str, password: str) -> None:
        """Log in."""
        super().__init__(url)
        session = self.post(
            "/web/session/authenticate",
            {"db": database, "login": login, "password": password},
        )
        self.uid: int = session["uid"]
        self.context: dict[str, Any] = session["user_context"]

    def call(self, model: str, method: str, args: list | tuple = (), kwargs: dict | None = None) -> Any:
        """Call a public method of a model as the web client does."""
        options = dict(kwargs or {})
        options["context"] = {**self.context, **options.get("context", {})}
        params = {"model": model, "method": method, "args": list(args), "kwargs": options}
        return self.post(f"/web/dataset/call_kw/{model}/{method}", params)
