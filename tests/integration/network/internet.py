# SPDX-License-Identifier: Apache-2.0
"""A small internet, or a node's services: internet.py ADDRESS,... PORT,... [dns]

Each port, of TCP and UDP, answers with the address that the caller is seen with; with "dns" port 53 answers each
question with one and the same address. Prints a line when all listen.
"""
import socket
import struct
import sys
import threading

ANSWER = "44.9.9.80"


def answer(question):
    end = question.index(b"\0", 12) + 5
    record = b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 60, 4) + socket.inet_aton(ANSWER)
    is_a = question[end - 4:end - 2] == b"\0\1"
    return question[:2] + struct.pack(">HHHHH", 0x8180, 1, is_a, 0, 0) + question[12:end] + (record if is_a else b"")


def tcp(address, port):
    s = socket.create_server((address, port))

    def serve():
        while True:
            c, peer = s.accept()
            with c:
                c.settimeout(5)
                try:
                    if port == 53:
                        size = struct.unpack(">H", c.recv(2))[0]
                        text = answer(c.recv(size))
                        c.sendall(struct.pack(">H", len(text)) + text)
                    else:
                        c.sendall(peer[0].encode())
                except OSError:
                    pass
    threading.Thread(target=serve, daemon=True).start()


def udp(address, port):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind((address, port))

    def serve():
        while True:
            text, peer = s.recvfrom(2048)
            s.sendto(answer(text) if port == 53 else peer[0].encode(), peer)
    threading.Thread(target=serve, daemon=True).start()


def main():
    ports = [int(p) for p in sys.argv[2].split(",")]
    if "dns" in sys.argv[3:]:
        ports.append(53)
    for address in sys.argv[1].split(","):
        for port in ports:
            tcp(address, port)
            udp(address, port)
    print("listening", flush=True)
    sys.stdin.read()


main()
