"""A relay between clients and a server, which can cut a connection at a chosen moment."""

import select
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingTCPServer
from threading import Thread

from psycopg.conninfo import make_conninfo

# Given whether bytes come from the client, and the bytes: how many of them may pass before the
# connection is cut, or None to let them all pass and go on.
Cut = Callable[[bool, bytes], int | None]

_COMMIT = b"COMMIT\0"  # as psycopg sends it


@dataclass(slots=True)
class Relay:
    """`cut` is asked about all that arrives, until it has cut a connection; others pass."""

    port: int = 0
    passed: int = 0
    cut: Cut | None = None

    def conninfo(self, conninfo: str) -> str:
        """The same connection by way of the relay."""
        return make_conninfo(
            conninfo, host="127.0.0.1", port=self.port, sslmode="disable", gssencmode="disable"
        )

    def connect(self, client: socket.socket, server: socket.socket) -> None:
        """Passes on what either says, until one hangs up or they are cut off."""
        others = {client: server, server: client}
        while True:
            for speaker in select.select([client, server], [], [])[0]:
                data = speaker.recv(65536)
                allowed = self.cut(speaker is client, data) if self.cut else None
                if allowed is not None:
                    self.cut = None
                    others[speaker].sendall(data[:allowed])
                    return
                if not data:
                    return
                self.passed += len(data)
                others[speaker].sendall(data)


@contextmanager
def relay_to(address: Path) -> Iterator[Relay]:
    """A relay that listens on a port of its own and passes on to the server's socket."""
    relay = Relay()

    class Handler(BaseRequestHandler):
        def handle(self) -> None:
            with socket.socket(socket.AF_UNIX) as server:
                server.connect(str(address))
                relay.connect(self.request, server)

    class Listener(ThreadingTCPServer):
        daemon_threads = True

    with Listener(("127.0.0.1", 0), Handler) as listener:
        relay.port = listener.server_address[1]
        thread = Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield relay
        finally:
            listener.shutdown()
            thread.join()


def before_commit() -> Cut:
    """Loses the next COMMIT on its way to the server."""
    return lambda from_client, data: 0 if from_client and _COMMIT in data else None


def before_answer_to_commit(number: int = 1) -> Cut:
    """Loses the server's answer to the next COMMIT, or to a later one by its number."""
    commits = 0

    def cut(from_client: bool, data: bytes) -> int | None:
        nonlocal commits
        if from_client:
            commits += data.count(_COMMIT)
        return 0 if commits == number and not from_client else None

    return cut


def at_byte(number: int) -> Cut:
    """Lets so many bytes pass, of either side, and no more."""
    left = number

    def cut(from_client: bool, data: bytes) -> int | None:
        nonlocal left
        if len(data) > left:
            return left
        left -= len(data)
        return None

    return cut
