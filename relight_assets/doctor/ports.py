"""Whether a server can listen on a port of this machine."""

import errno
import os
import socket

PORT = 3000
"""Of the UI, where no other is named."""


def port_fault(port: int, host: str = "127.0.0.1") -> str | None:
    """Why no server of ours can listen on a TCP port, such as "is taken"; None where one can.

    Nothing is sent to whoever listens there.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do: connections that have ended a moment ago do not keep a port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)  # two that share a port may both bind it
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return "is taken"
            return f"cannot be listened on ({os.strerror(error.errno or errno.EINVAL)})"
    return None
