"""A WebSocket peer on wsproto: syncs, fragments, pings, closes; prints what it saw. Argument: the server's port."""
import socket
import sys
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, BytesMessage, CloseConnection, Ping, Pong, Request

PORT = int(sys.argv[1])
STEP1 = bytes.fromhex("00000100")


class Peer:
    def __init__(self):
        self.tcp = socket.create_connection(("127.0.0.1", PORT), timeout=10)
        self.ws = WSConnection(ConnectionType.CLIENT)
        self.waiting = []
        self.parts = b""
        self.send(Request(host=f"127.0.0.1:{PORT}", target="/doc"))
        assert isinstance(self.next(), AcceptConnection)

    def send(self, *events):
        self.tcp.sendall(b"".join(self.ws.send(event) for event in events))

    def next(self):
        """The next event; messages are put together from their pieces, pings are answered."""
        while True:
            while not self.waiting:
                self.ws.receive_data(self.tcp.recv(65536) or None)
                self.waiting = list(self.ws.events())
            event = self.waiting.pop(0)
            if isinstance(event, Ping):
                self.send(event.response())
            elif isinstance(event, BytesMessage):
                self.parts += event.data
                if event.message_finished:
                    whole, self.parts = self.parts, b""
                    return whole
            else:
                return event

    def until_step2(self):
        while True:
            event = self.next()
            if isinstance(event, bytes) and event[:2] == b"\x00\x01":
                return event


peer = Peer()
peer.send(BytesMessage(data=STEP1))
print("step2 has", "hello" if b"hello" in peer.until_step2() else "nothing")
peer.send(BytesMessage(data=STEP1[:1], message_finished=False), Ping(payload=b"x"), BytesMessage(data=STEP1[1:]))
pong = False
while True:
    event = peer.next()
    if isinstance(event, Pong):
        pong = event.payload == b"x"
    elif isinstance(event, bytes) and event[:2] == b"\x00\x01":
        print("fragmented step2 has", "hello" if b"hello" in event else "nothing")
        break
print("pong" if pong else "no pong")
peer.send(CloseConnection(code=1000))
event = peer.next()
while not isinstance(event, CloseConnection):
    event = peer.next()
print("closed", int(event.code))

bad = Peer()
bad.send(BytesMessage(data=b"\x09"))
event = bad.next()
while not isinstance(event, CloseConnection):
    event = bad.next()
print("bad: closed", int(event.code))
