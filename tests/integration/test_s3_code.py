# SPDX-License-Identifier: Apache-2.0
"""Code from an S3-compatible store.

The store is moto's server, a stand-in for a real one. It believes every signature, so a checker stands before it
that computes each signature again, with botocore, and refuses what is not signed right, as S3 does.
"""
import hmac
import http.client
import http.server
import json
import threading
import time
import urllib.request

import boto3
import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from harness import ROLE, Hearth, free_port, remove_folder, short_folder, zip_of, wait_until

moto_server = pytest.importorskip("moto.server", reason="moto's server stands in for S3: pip install 'moto[server,s3]'")

KEY_ID, SECRET, REGION = "AKIDHEARTHTEST", "c2VjcmV0+of/the+store", "eu-central-1"
ZIP_MAX = 52428800
APP = "def handler(event, context):\n    return {text!r}\n"


def refusal(code, message, more=""):
    return (f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{message}</Message>{more}'
            "</Error>").encode()


def signature_is_right(method, url, headers):
    """Whether S3 would take the request."""
    kind, _, rest = headers.get("Authorization", "").partition(" ")
    parts = dict(p.strip().split("=", 1) for p in rest.split(",") if "=" in p)
    scope = f"{KEY_ID}/{headers.get('x-amz-date', '')[:8]}/{REGION}/s3/aws4_request"
    if kind != "AWS4-HMAC-SHA256" or parts.get("Credential") != scope:
        return False
    signed = parts["SignedHeaders"].split(";")
    if not {"host", "x-amz-date", "x-amz-content-sha256"} <= set(signed):
        return False
    request = AWSRequest(method=method, url=url, headers={h: headers[h] for h in signed})
    request.context["timestamp"] = headers["x-amz-date"]
    auth = S3SigV4Auth(Credentials(KEY_ID, SECRET), "s3", REGION)
    wanted = auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request)
    return hmac.compare_digest(wanted, parts["Signature"])


class Checker(http.server.BaseHTTPRequestHandler):
    """Checks, then asks moto; the buckets below misbehave."""
    protocol_version = "HTTP/1.1"
    store = None  # moto's port
    seen = []

    def answer(self, status, body=b"", **headers):
        self.send_response(status)
        for k, v in headers.items():
            self.send_header(k.replace("_", "-"), v)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        bucket = self.path.split("/")[1]
        self.seen.append(self.path)
        if not signature_is_right("GET", f"http://{self.headers['Host']}{self.path}", self.headers):
            self.answer(403, refusal("SignatureDoesNotMatch", "The signature does not match."))
        elif bucket == "forbidden":
            self.answer(403, refusal("AccessDenied", "Access Denied."))
        elif bucket == "elsewhere":
            self.answer(301, refusal("PermanentRedirect", "Use the endpoint.",
                                     "<Endpoint>elsewhere.s3.eu-west-3.amazonaws.com</Endpoint>"))
        elif bucket == "redirecting":
            self.answer(307, Location=f"http://127.0.0.1:{self.store}/code/app.zip")
        elif bucket == "slow-one":
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b"PK")
            self.wfile.flush()
            time.sleep(3)
        elif bucket == "truncated":
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b"PK")
            self.close_connection = True
        else:
            self.forward()

    def forward(self):
        c = http.client.HTTPConnection("127.0.0.1", self.store)
        c.request("GET", self.path, headers={k: v for k, v in self.headers.items() if k.lower() != "connection"})
        r = c.getresponse()
        self.answer(r.status, r.read(), Content_Type=r.headers.get("Content-Type", "binary/octet-stream"))
        c.close()

    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def store():
    """A client of moto's S3, versioned bucket `code`."""
    server = moto_server.ThreadedMotoServer(ip_address="127.0.0.1", port=free_port())
    server.start()
    s3 = boto3.client("s3", endpoint_url=f"http://127.0.0.1:{server._port}", region_name=REGION,
                      aws_access_key_id=KEY_ID, aws_secret_access_key=SECRET,
                      config=Config(s3={"addressing_style": "path"}))
    s3.create_bucket(Bucket="code", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_bucket_versioning(Bucket="code", VersioningConfiguration={"Status": "Enabled"})
    Checker.store = server._port
    yield s3
    server.stop()


@pytest.fixture(scope="module")
def endpoint(store):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Checker)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def hearth(images, endpoint):
    folder = short_folder("hearth-")
    secret = folder / "s3-secret"
    secret.write_text(SECRET + "\n")
    h = Hearth(images, folder, HEARTH_S3_ENDPOINT=endpoint, HEARTH_S3_REGION=REGION, HEARTH_S3_ACCESS_KEY_ID=KEY_ID,
               HEARTH_S3_SECRET_FILE=secret, HEARTH_S3_TIMEOUT="2s", HEARTH_LOG_LEVEL="debug").start()
    yield h
    try:
        h.close()
        assert SECRET not in h.log
    finally:
        remove_folder(folder)


def put(store, key, text):
    data = zip_of({"app.py": APP.format(text=text)})
    return data, store.put_object(Bucket="code", Key=key, Body=data)["VersionId"]


@pytest.fixture
def make(lam):
    made = []

    def make(name, **code):
        answer = lam.create_function(FunctionName=name, Role=ROLE, Runtime="python3.11", Handler="app.handler", Code=code)
        made.append(name)
        lam.get_waiter("function_active_v2").wait(FunctionName=name)
        return answer

    yield make
    for name in made:
        lam.delete_function(FunctionName=name)


def download(lam, name):
    with urllib.request.urlopen(lam.get_function(FunctionName=name)["Code"]["Location"], timeout=20) as r:
        return r.read()


def result(lam, name):
    return json.load(lam.invoke(FunctionName=name, Payload=b"{}")["Payload"])


def test_create_get_update(store, lam, make):
    one, _ = put(store, "app.zip", "one")
    made = make("from-s3", S3Bucket="code", S3Key="app.zip")
    assert made["ResponseMetadata"]["HTTPStatusCode"] == 201 and made["State"] == "Pending"
    assert made["CodeSize"] == len(one)
    got = lam.get_function(FunctionName="from-s3")
    assert got["Code"]["RepositoryType"] == "S3" and got["Configuration"]["CodeSha256"] == made["CodeSha256"]
    assert download(lam, "from-s3") == one
    assert result(lam, "from-s3") == "one"
    two, _ = put(store, "app.zip", "two")
    assert result(lam, "from-s3") == "one"  # Hearth has a copy of its own
    updated = lam.update_function_code(FunctionName="from-s3", S3Bucket="code", S3Key="app.zip")
    assert updated["CodeSha256"] != made["CodeSha256"] and updated["LastUpdateStatus"] == "InProgress"
    lam.get_waiter("function_updated_v2").wait(FunctionName="from-s3")
    assert download(lam, "from-s3") == two
    assert result(lam, "from-s3") == "two"


def test_a_version_of_an_object(store, lam, make):
    _, old = put(store, "v.zip", "old")
    put(store, "v.zip", "new")
    make("s3-old", S3Bucket="code", S3Key="v.zip", S3ObjectVersion=old)
    assert result(lam, "s3-old") == "old"
    dry = lam.update_function_code(FunctionName="s3-old", S3Bucket="code", S3Key="v.zip", DryRun=True)
    assert dry["CodeSha256"] != lam.get_function(FunctionName="s3-old")["Configuration"]["CodeSha256"]
    assert result(lam, "s3-old") == "old"
    lam.update_function_code(FunctionName="s3-old", S3Bucket="code", S3Key="v.zip")
    lam.get_waiter("function_updated_v2").wait(FunctionName="s3-old")
    assert result(lam, "s3-old") == "new"


@pytest.mark.parametrize("key", ["a b+c&d=e?f#g%20.zip", "ümläut/日本.zip", "a//b/c.zip", "!'()*~$@:,;.zip"])
def test_keys_of_every_kind_are_signed_right(store, lam, make, key):
    one, _ = put(store, key, key)
    make("s3-key", S3Bucket="code", S3Key=key)
    assert download(lam, "s3-key") == one


def test_a_layer(store, lam):
    one, version = put(store, "layer.zip", "one")
    made = lam.publish_layer_version(LayerName="s3-layer",
                                     Content={"S3Bucket": "code", "S3Key": "layer.zip", "S3ObjectVersion": version})
    assert made["Content"]["CodeSize"] == len(one)
    with urllib.request.urlopen(made["Content"]["Location"], timeout=20) as r:
        assert r.read() == one
    lam.delete_layer_version(LayerName="s3-layer", VersionNumber=made["Version"])


GET_OBJECT = "Error occurred while GetObject. "
REFUSALS = [
    (dict(S3Bucket="code", S3Key="none.zip"), 400, "InvalidParameterValueException",
     GET_OBJECT + "S3 Error Code: NoSuchKey. S3 Error Message: The specified key does not exist."),
    (dict(S3Bucket="no-such-bucket", S3Key="none.zip"), 400, "InvalidParameterValueException",
     GET_OBJECT + "S3 Error Code: NoSuchBucket. S3 Error Message: The specified bucket does not exist"),
    (dict(S3Bucket="forbidden", S3Key="dir/a.zip"), 403, "AccessDeniedException",
     "Your access has been denied by S3, please make sure your request credentials have permission to GetObject for "
     "forbidden/dir/a.zip. S3 Error Code: AccessDenied. S3 Error Message: Access Denied"),
    (dict(S3Bucket="elsewhere", S3Key="a.zip"), 400, "InvalidParameterValueException",
     GET_OBJECT + "S3 Error Code: PermanentRedirect. S3 Error Message: The bucket is in this region: eu-west-3. Please "
     "use this region to retry the request"),
    (dict(S3Bucket="redirecting", S3Key="a.zip"), 400, "InvalidParameterValueException", "(redirects are not followed)"),
    (dict(S3Bucket="slow-one", S3Key="a.zip"), 400, "InvalidParameterValueException", "HEARTH_S3_TIMEOUT"),
    (dict(S3Bucket="truncated", S3Key="a.zip"), 400, "InvalidParameterValueException", "did not send the object: "),
    (dict(S3Bucket="code", S3Key="no-zip"), 400, "InvalidParameterValueException", "Could not unzip uploaded file."),
    (dict(S3Bucket="code", S3Key="huge.zip"), 400, "InvalidParameterValueException",
     f"Zipped size must be smaller than {ZIP_MAX} bytes"),
]


@pytest.mark.parametrize("operation", ["create", "update", "dry run", "layer"])
def test_refusals_are_told_as_aws_does(store, lam, make, operation):
    put(store, "app.zip", "fine")
    store.put_object(Bucket="code", Key="no-zip", Body=b"this is no archive at all")
    store.put_object(Bucket="code", Key="huge.zip", Body=bytes(ZIP_MAX + 1))
    make("s3-refused", S3Bucket="code", S3Key="app.zip")
    calls = {
        "create": lambda code: lam.create_function(FunctionName="s3-other", Role=ROLE, Runtime="python3.11",
                                                   Handler="app.handler", Code=code),
        "update": lambda code: lam.update_function_code(FunctionName="s3-refused", **code),
        "dry run": lambda code: lam.update_function_code(FunctionName="s3-refused", DryRun=True, **code),
        "layer": lambda code: lam.publish_layer_version(LayerName="s3-layer", Content=code),
    }
    for code, status, kind, message in REFUSALS:
        with pytest.raises(ClientError) as e:
            calls[operation](code)
        answer = e.value.response
        assert (answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"]) == (status, kind), answer
        assert message in answer["Error"]["Message"]
    assert result(lam, "s3-refused") == "fine"
    with pytest.raises(lam.exceptions.ResourceNotFoundException):
        lam.get_function(FunctionName="s3-other")


def test_a_key_alone_is_no_source(lam):
    with pytest.raises(ClientError) as e:
        lam.create_function(FunctionName="s3-other", Role=ROLE, Runtime="python3.11", Handler="app.handler",
                            Code={"S3Bucket": "code"})
    assert e.value.response["Error"]["Message"] == "Please provide a source for function code."


def test_a_wrong_secret_is_refused_and_warned_of(images, endpoint, store):
    put(store, "app.zip", "one")
    folder = short_folder("hearth-")
    h = Hearth(images, folder, HEARTH_S3_ENDPOINT=endpoint, HEARTH_S3_REGION=REGION, HEARTH_S3_ACCESS_KEY_ID=KEY_ID,
               HEARTH_S3_SECRET_ACCESS_KEY="of/another+store").start()
    try:
        with pytest.raises(ClientError) as e:
            h.client().create_function(FunctionName="f", Role=ROLE, Runtime="python3.11", Handler="app.handler",
                                       Code={"S3Bucket": "code", "S3Key": "app.zip"})
        assert "S3 Error Code: SignatureDoesNotMatch." in e.value.response["Error"]["Message"]
        wait_until("it is said", lambda: "the object store refuses our signature" in h.log, 10)
        assert "of/another+store" not in h.log
        h.close()
    finally:
        h.stop()
        remove_folder(folder)
