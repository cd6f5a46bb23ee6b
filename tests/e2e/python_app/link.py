"""One link to the server: WebSocket over TLS, the login, requests with their answers, and what comes by itself."""
import asyncio
import os
import ssl
import time
from dataclasses import dataclass

import websockets

from . import wire
from .structs import invited_login_statement, login_statement, must, sign

FRAME_BYTES_MAX = 256 * 1024


@dataclass
class Arrival:
    kind: str
    body: object
    at: int         # ms, when it was here


def now_ms():
    return time.time_ns() // 1_000_000


def client_frame(kind, body, request=b''):
    frame = wire.ClientFrame(request_id=request)
    getattr(frame, kind).CopyFrom(body)
    return frame.SerializeToString(deterministic=True)


class Link:
    def __init__(self, host, socket):
        self.host, self.socket = host, socket
        self.arrived = []               # what the server sent by itself and nobody has taken yet

    @classmethod
    async def open(cls, host, port, ca):
        context = ssl.create_default_context(cafile=str(ca))
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        socket = await websockets.connect(f'wss://{host}:{port}/v1/link', ssl=context, subprotocols=['interlude.v1'],
                                          compression=None, max_size=FRAME_BYTES_MAX, open_timeout=10)
        must(socket.subprotocol == 'interlude.v1', 'the server does not speak interlude.v1')
        return cls(host, socket)

    async def close(self):
        await self.socket.close()

    # -- frames
    async def _receive(self, seconds):
        content = await asyncio.wait_for(self.socket.recv(), seconds)
        must(isinstance(content, bytes), 'the server sent text')
        frame = wire.ServerFrame.FromString(content)
        kind = frame.WhichOneof('body')
        must(kind, 'a frame without a body')
        return frame.request_id, Arrival(kind, getattr(frame, kind), now_ms())

    async def tell(self, kind, body):
        """A frame that gets no answer."""
        await self.socket.send(client_frame(kind, body))

    async def ask(self, kind, body, expect, request=None, seconds=10):
        """The body of the answer, which must be an `expect`."""
        request = request or os.urandom(16)
        await self.socket.send(client_frame(kind, body, request))
        return await self._answer(request, expect, seconds)

    async def _answer(self, request, expect, seconds=10):
        while True:
            answers, arrival = await self._receive(seconds)
            if answers == request:
                must(arrival.kind == expect, f'{arrival.kind} instead of {expect}: {arrival.body}')
                return arrival.body
            self._keep(answers, arrival)

    def _keep(self, answers, arrival):
        must(not answers, f'an answer to a request that nobody made: {arrival.kind}')
        must(arrival.kind != 'goodbye', f'the server ends the link: {arrival.body}')
        self.arrived.append(arrival)

    async def next(self, kind, seconds=10):
        """The next frame of this kind that comes by itself; others wait for whoever asks for them."""
        until = time.monotonic() + seconds
        while True:
            for arrival in self.arrived:
                if arrival.kind == kind:
                    self.arrived.remove(arrival)
                    return arrival
            self._keep(*await self._receive(max(0.01, until - time.monotonic())))

    async def listen(self, seconds):
        """Keeps what comes in the next seconds."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            try:
                self._keep(*await self._receive(until - time.monotonic()))
            except asyncio.TimeoutError:
                return

    # -- logins
    async def _login(self, hello, key, name, statement):
        nonce = (await self.next('nonce')).body
        must(nonce.server_name == self.host, f'the server calls itself {nonce.server_name}')
        hello_frame = client_frame('hello', hello, os.urandom(16))
        await self.socket.send(hello_frame)
        signature = sign(key, name, statement(nonce.server_name, nonce.nonce, hello_frame))
        return await self.ask('authenticate', wire.Authenticate(signature=signature), 'ready')

    async def login_as_device(self, key, account, device, log_size_seen=0):
        hello = wire.Hello(version=1, device=wire.DeviceLogin(account=account, device=device), log_size_seen=log_size_seen)
        return await self._login(hello, key, 'login', lambda *link: login_statement(*link, account, device))

    async def login_as_invitee(self, key, invitation):
        hello = wire.Hello(version=1, invitation=invitation)
        return await self._login(hello, key, 'invited login', lambda *link: invited_login_statement(*link, invitation))
