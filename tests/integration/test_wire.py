# SPDX-License-Identifier: Apache-2.0
"""HTTP below what the SDKs send: whatever comes in, the answer has a request id and is AWS's or says why."""
import re
import socket

import pytest

HEAD = b" HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"
F = b"/2015-03-31/functions"


def ask(hearth, request):
    """The whole answer to @request, byte for byte."""
    host, port = hearth.listen.split(":")
    with socket.create_connection((host, int(port)), timeout=20) as s:
        s.sendall(request)
        answer = b""
        while chunk := s.recv(65536):
            answer += chunk
    return answer


CASES = {
    "a list": (b"GET " + F + HEAD + b"\r\n", 200),
    "a list behind a slash": (b"GET " + F + b"/" + HEAD + b"\r\n", 200),
    "a function that is not there": (b"GET " + F + b"/nope" + HEAD + b"\r\n", 404),
    "HEAD": (b"HEAD " + F + b"/nope" + HEAD + b"\r\n", 404),
    "a method that is none of the path's": (b"PATCH " + F + HEAD + b"\r\n", 404),
    "a path of nobody's": (b"GET /favicon.ico" + HEAD + b"\r\n", 404),
    "malformed escapes": (b"GET " + F + b"/%zz" + HEAD + b"\r\n", 400),
    "no JSON": (b"POST " + F + HEAD + b"Content-Length: 1\r\n\r\n{", 400),
    "a callback with a slash": (b"POST /2025-12-01/durable-execution-callbacks/YWJj%2Fx%3D/heartbeat" + HEAD
                                + b"Content-Length: 2\r\n\r\n{}", 400),
    "a body beyond all limits": (b"POST " + F + HEAD + b"Content-Length: 99999999999\r\n\r\n", 413),
    "no request of HTTP": (b"hello\r\n\r\n", 400),
    "no Host": (b"GET " + F + b" HTTP/1.1\r\n\r\n", 400),
    "two lengths": (b"POST " + F + HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n{}", 400),
    "a target beyond all limits": (b"GET " + F + b"?Marker=" + b"a" * 70000 + HEAD + b"\r\n", 414),
    "a head beyond all limits": (b"GET " + F + HEAD + b"X: " + b"a" * 70000 + b"\r\n\r\n", 431),
    "STS": (b"GET /?Action=GetCallerIdentity&Version=2011-06-15" + HEAD + b"\r\n", 200),
    "no action": (b"POST /" + HEAD + b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 3\r\n\r\na=b", 400),
    "a code link of nobody's": (b"GET /_hearth/v1/code/x.zip" + HEAD + b"\r\n", 403),
    "health": (b"GET /_hearth/health" + HEAD + b"\r\n", 200),
}


@pytest.mark.parametrize("case", CASES)
def test_every_answer_has_a_request_id(hearth, case):
    request, status = CASES[case]
    head, _, body = ask(hearth, request).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status), (head, body)
    ids = re.findall(rb"(?im)^x-amzn-requestid: ([0-9a-f-]{36})\r?$", head)
    assert len(ids) == 1, head
    assert case == "HEAD" or body, head
