"""Complete reads and writes on blocking descriptors."""

import os


def read_exactly(descriptor: int, length: int) -> bytes:
    """Read exactly that many bytes.

    Raises:
        EOFError: the other end closed first.
    """
    data = os.read(descriptor, length)
    if len(data) == length:
        return data
    parts = [data]
    missing = length - len(data)
    while missing:
        if not data:
            raise EOFError("the other end closed")
        data = os.read(descriptor, min(missing, 1 << 20))
        parts.append(data)
        missing -= len(data)
    return b"".join(parts)


def write_all(descriptor: int, data: bytes) -> None:
    """Write all the data, in one system call if it fits into the pipe.

    Raises:
        BrokenPipeError: the other end is closed.
    """
    written = os.write(descriptor, data)
    while written < len(data):
        written += os.write(descriptor, data[written:])
