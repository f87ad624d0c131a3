"""What only a real socket shows: framing, limits, and the server's own answers."""

import asyncio

import pytest

Address = tuple[str, int]


async def send(address: Address, *parts: bytes) -> bytes:
    reader, writer = await asyncio.open_connection(*address)
    for part in parts:
        writer.write(part)
        await writer.drain()
    async with asyncio.timeout(10):
        head = await reader.readuntil(b"\r\n\r\n")
        while head.startswith(b"HTTP/1.1 100"):
            head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
        body = await reader.readexactly(length)
    writer.close()
    return head + body


def post(body: bytes, *headers: bytes) -> bytes:
    lines = (
        b"POST /api/v1/auth/login HTTP/1.1",
        b"Host: localhost",
        b"Content-Type: application/json",
        *headers,
    )
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (post(b'{"email":"\xff"}', b"Content-Length: 13"), 400),
        (post(b"[" * 100_000, b"Content-Length: 100000"), 400),
        (post(b" " * 300_000, b"Content-Length: 300000"), 413),
        (post(b"", b"Content-Length: 99999999999999"), 413),
        (
            post(
                b"493E0\r\n" + b" " * 300_000 + b"\r\n0\r\n\r\n",
                b"Transfer-Encoding: chunked",
            ),
            413,
        ),
        (post(b"", b"Content-Length: many"), 400),
        (post(b"", b"Content-Length: -1"), 400),
        (post(b"{}", b"Content-Length: 2", b"Transfer-Encoding: chunked"), 400),
        (b"GARBAGE\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\r\n\r\n", 400),
        (b"GET /api/v1/ping HTTP/1.1\r\nHost: a b\r\n\r\n", 400),
        (b"GET /%ff%fe HTTP/1.1\r\nHost: x\r\n\r\n", 404),
        (b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"PUT /health HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", 405),
        (b"BREW /health HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"GET /health HTTP/1.1\r\nHost: x\r\nA: " + b"a" * 90_000 + b"\r\n\r\n", 400),
        (
            b"GET /api/v1/users/profile HTTP/1.1\r\nAuthorization: Bearer \xff\r\n\r\n",
            401,
        ),
    ],
    ids=lambda value: str(value)[:60],
)
async def test_bytes_get_problems(
    address: Address, request_bytes: bytes, status: int
) -> None:
    answer = await send(address, request_bytes)
    assert answer.startswith(b"HTTP/1.1 %d " % status), answer
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"content-type: application/problem+json" in head.lower()
    assert b"\r\nserver:" not in head.lower()
    assert body.startswith(b'{"type":"/problems/')


async def test_a_refused_body_leaves_the_connection_usable(address: Address) -> None:
    reader, writer = await asyncio.open_connection(*address)
    writer.write(post(b'{"email":', b"Content-Length: 9"))
    writer.write(b"GET /api/v1/ping HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    async with asyncio.timeout(10):
        answers = await reader.read(-1)
    writer.close()
    assert answers.count(b"HTTP/1.1 400") == 1
    assert answers.count(b"HTTP/1.1 200") == 1
    assert answers.endswith(b'{"message":"pong"}')
