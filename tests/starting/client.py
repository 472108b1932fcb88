"""`client.py SOCKET PROGRAM ARGUMENT...` has the server run the program in this one's place.

To be started with -S and -I: it imports next to nothing, which is what it is for.
"""

import _socket
import marshal
import os
import sys

REAL = {"python": [], "pgwallet": ["-c", "from pgwallet.cli import main; main()"]}


def main() -> None:
    program, *arguments = sys.argv[2:]
    answer = asked(sys.argv[1], [program, *arguments])
    if answer is None:
        os.execv(sys.executable, [sys.executable, *REAL[program], *arguments])
    os._exit(answer)


def asked(address: str, command: list[str]) -> int | None:
    """The program's exit code, or None if it is not one that the server can run."""
    request = marshal.dumps((command, os.getcwd(), dict(os.environ)))  # noqa: PTH109
    streams = b"".join(number.to_bytes(4, sys.byteorder) for number in range(3))
    server = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    server.connect(address)
    try:
        rights = [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, streams)]
        server.sendmsg([len(request).to_bytes(4, sys.byteorder)], rights)
    except OSError:  # one of them is closed
        return None
    server.sendall(request)
    answer = server.recv(2)
    if not answer:
        return 255  # it was killed
    return answer[1] if answer[:1] == b"e" else None


main()
