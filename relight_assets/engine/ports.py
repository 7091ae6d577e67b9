"""Whether a port of this machine is free."""

import errno
import socket


def port_taken(port: int, host: str = "127.0.0.1") -> bool:
    """Whether somebody listens on a TCP port, so that a server of ours could not.

    Nothing is sent to whoever does.  A port that may not be bound for another reason (below 1024, without the right
    to) is not taken.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do: connections that have ended a moment ago do not keep a port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return error.errno == errno.EADDRINUSE
    return False
