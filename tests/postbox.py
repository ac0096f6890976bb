"""A mail server for the tests: it keeps what it accepts, refuses when told so, and stops in the middle of a mail."""

import socketserver
from collections import Counter
from dataclasses import dataclass
from email import message_from_bytes
from email.policy import default
from threading import Event, Lock, Thread


@dataclass(frozen=True)
class Mail:
    """A mail that was accepted."""

    recipient: str
    message_id: str
    subject: str
    text: str
    files: tuple[str, ...] = ()


class Postbox:
    """The server; use it as a context manager."""

    def __init__(self) -> None:
        """Take a free port."""
        self.mails: list[Mail] = []
        self.refusing = ""  # "connections" or "recipients"
        self._lock = Lock()
        self._stop: tuple[int, str] | None = None
        self._stopped, self._go_on = Event(), Event()
        self._client = 0
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.box = self
        self.port: int = self._server.server_address[1]

    def __enter__(self) -> "Postbox":
        """Listen."""
        Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_exc: object) -> None:
        """Go away."""
        self._go_on.set()
        self._server.shutdown()
        self._server.server_close()

    def received(self, domain: str) -> Counter[str]:
        """Return how many mails each address of a domain got."""
        with self._lock:
            return Counter(mail.recipient for mail in self.mails if mail.recipient.endswith(f"@{domain}"))

    def stop_at(self, number: int, moment: str) -> None:
        """Stop in the middle of the mail of this number, counted from now on.

        Where: the sender has "begun" and nothing of the mail is here, the whole mail was "received" but is not
        accepted, it is "accepted" and the sender does not know, or he is "answered" just now and not stopped.
        """
        self._stopped.clear()
        self._go_on.clear()
        self._stop = (len(self.mails) + number, moment)

    def wait(self) -> int:
        """Wait until it has stopped; return the port of the client that is being served."""
        assert self._stopped.wait(120), f"Only {len(self.mails)} mails came in."
        return self._client

    def go_on(self) -> None:
        """Serve again; who was being served is hung up on."""
        self._stop = None
        self._go_on.set()

    def keep(self, *mails: Mail) -> None:
        """Accept a mail."""
        with self._lock:
            self.mails += mails

    def pause(self, moment: str, client: int) -> bool:
        """Stop if it is time to; return whether it was."""
        with self._lock:
            number = len(self.mails) + (moment in ("begun", "received"))
            if self._stop is None or self._stop[1] != moment or number < self._stop[0] or self._stopped.is_set():
                return False
            self._client = client
            self._stopped.set()
        if moment != "answered":
            self._go_on.wait()
        return True


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    box: Postbox


class _Handler(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        try:
            self._serve()
        except OSError:
            pass  # the sender is dead

    def _say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())

    def _serve(self) -> None:
        refusing = self.server.box.refusing
        self._say("421 The mail room is closed" if refusing == "connections" else "220 postbox")
        recipients: list[str] = []
        while refusing != "connections" and (line := self.rfile.readline().decode().strip()):
            verb, answer = line.split()[0].upper(), "250 Well"
            if verb in ("MAIL", "RSET"):
                recipients = []
                if verb == "MAIL" and self.server.box.pause("begun", self.client_address[1]):
                    return
            elif verb == "RCPT" and self.server.box.refusing == "recipients":
                answer = "451 Come back later"
            elif verb == "RCPT":
                recipients.append(line.partition("<")[2].partition(">")[0])
            elif verb == "DATA":
                self._say("354 Go on")
                if not self._take(recipients):
                    return
                continue
            self._say("221 Bye" if verb == "QUIT" else answer)
            if verb == "QUIT":
                return

    def _take(self, recipients: list[str]) -> bool:
        """Receive a mail; return False if the connection is to be cut."""
        box, client = self.server.box, self.client_address[1]
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        if not line or box.pause("received", client):
            return False
        message = message_from_bytes(b"".join(lines), policy=default)
        body = message.get_body(("plain",))
        text = body.get_content() if body else ""
        files = tuple(part.get_filename() or "" for part in message.iter_attachments())
        box.keep(*(Mail(one, message["Message-Id"], message["Subject"], text, files) for one in recipients))
        if box.pause("accepted", client):
            return False
        self._say("250 Kept")
        box.pause("answered", client)
        return True
