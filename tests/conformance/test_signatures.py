# SPDX-License-Identifier: Apache-2.0
"""Signature Version 4: what botocore signs verifies here, and no longer once it is changed; what is signed here
botocore signs alike."""
import calendar
import datetime
import os
import random
import re
import shlex
import subprocess
from urllib.parse import quote, urlsplit

import botocore.auth
import botocore.loaders
import pytest
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from harness import SLOW, TOP

REQUESTS = 100_000 if SLOW == 1 else 10_000
SOURCES = ["tests/conformance/verify_signatures.c", *(f"common/proto/{n}.c" for n in (
    "sigv4_parse", "sigv4_canonical", "sigv4_verify", "sigv4_sign", "digest", "uri_escape")),
    *(f"common/base/{n}.c" for n in ("buf", "str", "error", "base64"))]
TEXTS = ["a", "Z9", "~", "-._", "ü", "ሴ", "日本語", "🚀", " ", "%", "+", "=", "&", "?", "#", "/", ":", "@", "(x)", "'", "*", "!", ",",
         ";", "$LATEST", "arn:aws:lambda:us-east-1:000000000000:function:hello:live", "a b  c", "%2F", "<>", "|", "\\", "x" * 60]
HEADER_VALUES = ["plain", "two  blanks", "  around  ", "tab\tinside", '"a   b   c"', "", "a,b, c", "ü", "application/json; charset=utf-8"]


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    path = str(tmp_path_factory.mktemp("sigv4") / "verify_signatures")
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", "libcrypto"], check=True, text=True,
                           stdout=subprocess.PIPE).stdout
    subprocess.run([os.environ.get("CC", "cc"), "-std=gnu11", "-O2", "-D_GNU_SOURCE", "-I.", "-o", path, *SOURCES,
                    *shlex.split(flags), "-lpthread"], check=True, cwd=TOP)
    return path


@pytest.fixture(scope="module")
def uris():
    model = botocore.loaders.Loader().load_service_model("lambda", "service-2", "2015-03-31")
    return [(op["http"]["method"], op["http"]["requestUri"]) for op in model["operations"].values()]


@pytest.fixture
def clock(monkeypatch):
    """botocore's clock, which each request sets anew."""
    now = [datetime.datetime(2015, 8, 30)]
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda *a, **kw: now[0])
    return now


class Request:
    """As it goes over the wire."""

    def __init__(self, signed, secret, at):
        parts = urlsplit(signed.url)
        self.secret, self.time = secret, calendar.timegm(at.timetuple())
        self.method, self.path, self.query = signed.method, parts.path or "/", parts.query
        self.body = signed.data or b""
        self.headers = [(k, v) for k, v in signed.headers.items()]
        if "Host" not in signed.headers:
            self.headers.append(("Host", parts.netloc))

    def copy(self):
        other = object.__new__(Request)
        other.__dict__.update(self.__dict__, headers=list(self.headers))
        return other

    def rows(self, *more):
        fields = [self.secret, str(self.time), *more, self.method, self.path, self.query, self.body, str(len(self.headers))]
        for k, v in self.headers:
            fields += [k, v]
        raw = [f if isinstance(f, bytes) else f.encode() for f in fields]
        return b"".join(b"%d:%s" % (len(f), f) for f in raw)


def random_text(r, most=3):
    return "".join(r.choice(TEXTS) for _ in range(r.randint(1, most)))


def random_path(r, uris):
    if r.random() < 0.5:
        _, uri = r.choice(uris)
        path = re.sub(r"\{[^}]+\}", lambda m: quote(random_text(r, 2), safe="-._~"), uri.split("?")[0])
        return path, uri.partition("?")[2]
    segments = [r.choice(["", ".", "..", "...", "%2e", quote(random_text(r), safe="~"), quote(random_text(r), safe="~()*!':@$,;=+"),
                          "über"]) for _ in range(r.randint(0, 6))]
    return "/" + "/".join(segments), ""


def random_query(r, fixed):
    pairs = [fixed] if fixed else []
    names = ["a", "b", "A", "a-b", "FunctionVersion", "Marker", "Qualifier", quote(random_text(r), safe="-._~")]
    for _ in range(r.choice([0, 0, 1, 2, 5])):
        name = r.choice(names)  # a name comes several times
        pairs.append(name if r.random() < 0.05 else name + "=" + quote(random_text(r), safe="-._~"))
    r.shuffle(pairs)
    return "&".join(pairs)


def random_request(r, uris, clock):
    at = datetime.datetime(2001, 1, 1) + datetime.timedelta(seconds=r.randrange(3_000_000_000))
    secret = r.choice(["wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "short", "s" * 64])
    credentials = Credentials("AKIDEXAMPLE", secret, r.choice([None, None, "FwoGZXIvYXdzE//+/token=="]))
    service, region = r.choice(["lambda"] * 6 + ["sts", "iam", "s3"]), r.choice(["us-east-1", "eu-central-1"])
    path, fixed = random_path(r, uris)
    if service == "s3":
        path = "/" + quote(random_text(r, 4), safe="/~-._")
    query = random_query(r, fixed)
    url = r.choice(["http://127.0.0.1:9000", "https://lambda.us-east-1.amazonaws.com", "http://h"]) + path + ("?" + query if query else "")
    presigned = r.random() < 0.3
    method = "GET" if presigned else r.choice(["GET", "POST", "PUT", "DELETE", "HEAD", "PATCH"])
    body = b"" if presigned or method in ("GET", "HEAD") else r.choice([b"", b"{}", r.randbytes(r.randint(1, 300)), "é".encode()])
    request = AWSRequest(method=method, url=url, data=body)
    for _ in range(r.choice([0, 0, 1, 3])):
        request.headers[r.choice(["X-Amz-Invocation-Type", "x-amz-client-context", "Content-Type", "X-My-Header"])] = r.choice(HEADER_VALUES)
    if service != "s3" and r.random() < 0.1:
        request.headers["X-Amz-Content-SHA256"] = "UNSIGNED-PAYLOAD"
    clock[0] = at
    if presigned:
        kind = botocore.auth.S3SigV4QueryAuth if service == "s3" else botocore.auth.SigV4QueryAuth
        kind(credentials, service, region, expires=r.choice([1, 900, 3600, 604800])).add_auth(request)
    else:
        kind = botocore.auth.S3SigV4Auth if service == "s3" else botocore.auth.SigV4Auth
        kind(credentials, service, region).add_auth(request)
    return Request(request, secret, at)


def flip(r, text, alphabet):
    at = r.randrange(len(text))
    return text[:at] + r.choice([c for c in alphabet if c != text[at]]) + text[at + 1:]


def change_signature(r, q):
    if "X-Amz-Signature=" in q.query:
        q.query = re.sub("(?<=X-Amz-Signature=)[0-9a-f]+", lambda m: flip(r, m[0], "0123456789abcdef"), q.query)
    else:
        q.headers = [(k, re.sub("(?<=Signature=)[0-9a-f]+", lambda m: flip(r, m[0], "0123456789abcdef"), v)) for k, v in q.headers]


def change_header(r, q):
    """A signed header: `host` always is one."""
    q.headers = [(k, v + "x" if k.lower() == "host" else v) for k, v in q.headers]


def change_time(r, q):
    q.time += r.choice([-901, 604801])


def set_to(name, change):
    def apply(r, q):
        setattr(q, name, change(getattr(q, name)))
    return apply


CHANGES = [change_signature, change_header, change_time, set_to("path", lambda p: p + "/x"), set_to("path", lambda p: p + "%20"),
           set_to("query", lambda v: v + "&extra=1" if v else "extra=1"), set_to("method", lambda m: "GET" if m != "GET" else "POST"),
           set_to("secret", lambda s: s + "x"), set_to("body", lambda b: b + b" ")]


def mutated(r, request):
    other = request.copy()
    change = r.choice(CHANGES)
    if change is CHANGES[-1] and ("UNSIGNED-PAYLOAD" in dict(other.headers).values() or "%2Fs3%2F" in other.query):
        change = change_signature  # the body does not count
    change(r, other)
    return other


def test_what_botocore_signs_verifies_and_nothing_else(program, uris, clock):
    r = random.Random(int(os.environ.get("HEARTH_TEST_SEED", "20150830")))
    requests, changed = [], []
    for _ in range(REQUESTS):
        requests.append(random_request(r, uris, clock))
        changed.append(mutated(r, requests[-1]))
    answers = subprocess.run([program], input=b"".join(q.rows() for q in requests), check=True, stdout=subprocess.PIPE).stdout
    refused = [vars(requests[i]) for i, c in enumerate(answers) if c != ord("1")]
    assert len(answers) == REQUESTS and not refused, refused[:3]
    answers = subprocess.run([program], input=b"".join(q.rows() for q in changed), check=True, stdout=subprocess.PIPE).stdout
    accepted = [vars(changed[i]) for i, c in enumerate(answers) if c != ord("0")]
    assert len(answers) == REQUESTS and not accepted, accepted[:3]


def test_what_is_signed_here_botocore_signs_alike(program, clock):
    r = random.Random(1)
    rows, expected = [], []
    for _ in range(2000):
        clock[0] = at = datetime.datetime(2026, 1, 1) + datetime.timedelta(seconds=r.randrange(30_000_000))
        url = "http://store:9000/bucket/" + quote(random_text(r, 4), safe="/~-._")
        if r.random() < 0.5:
            url += "?versionId=" + quote(random_text(r), safe="-._~")
        request = AWSRequest(method=r.choice(["GET", "PUT"]), url=url, data=b"")
        if r.random() < 0.5:
            request.headers["Range"] = "bytes=0-99"
        plain = Request(request, "secret", at)
        rows.append(plain.rows("us-east-1", "s3"))
        botocore.auth.S3SigV4Auth(Credentials("AKID", "secret"), "s3", "us-east-1").add_auth(request)
        expected.append(request.headers["Authorization"])
    answers = subprocess.run([program, "sign"], input=b"".join(rows), check=True, stdout=subprocess.PIPE).stdout.decode()
    assert answers.splitlines() == expected
