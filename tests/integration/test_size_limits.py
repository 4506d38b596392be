# SPDX-License-Identifier: Apache-2.0
"""How large code may be, wherever it is uploaded: AWS's limits, a byte on either side of each."""
import io
import os
import zipfile

import pytest
from botocore.exceptions import ClientError

from harness import ROLE, zip_of

REQUEST_MAX, ZIP_MAX, UNPACKED_MAX = 70167211, 52428800, 262144000


def stored(size):
    """An archive of exactly so many bytes."""
    def make(n):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as z:
            z.writestr("a.py", bytes(n))
        return out.getvalue()
    return make(size - len(make(0)))


@pytest.fixture
def uploads(lam, make_function):
    """Each way to upload an archive: the operation and a call that does it."""
    make_function("sized", {"app.py": "def handler(event, context): pass"})

    def create(data):
        answer = lam.create_function(FunctionName="sized-2", Role=ROLE, Runtime="python3.11", Handler="a.h",
                                     Code={"ZipFile": data})
        lam.delete_function(FunctionName="sized-2")
        return answer

    return [("CreateFunction", create),
            ("UpdateFunctionCode", lambda data: lam.update_function_code(FunctionName="sized", ZipFile=data, DryRun=True)),
            ("PublishLayerVersion", lambda data: lam.publish_layer_version(LayerName="sized", Content={"ZipFile": data}))]


def refused(call, data):
    with pytest.raises(ClientError) as e:
        call(data)
    answer = e.value.response
    return answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"], answer["Error"]["Message"]


def test_requests(uploads):
    data = os.urandom(REQUEST_MAX * 3 // 4 + 1)
    for operation, call in uploads:
        assert refused(call, data) == (413, "RequestEntityTooLargeException", f"Request must be smaller than {REQUEST_MAX} "
                                       f"bytes for the {operation} operation")


def test_archives(uploads):
    large, fits = stored(ZIP_MAX + 1), stored(ZIP_MAX)
    assert len(large) == ZIP_MAX + 1
    for _, call in uploads:
        assert refused(call, large) == (400, "InvalidParameterValueException",
                                        f"Zipped size must be smaller than {ZIP_MAX} bytes")
        call(fits)


def test_unpacked(uploads):
    large, fits = zip_of({"a.py": bytes(UNPACKED_MAX + 1)}), zip_of({"a.py": bytes(UNPACKED_MAX)})
    for _, call in uploads:
        assert refused(call, large) == (400, "InvalidParameterValueException",
                                        f"Unzipped size must be smaller than {UNPACKED_MAX} bytes")
        call(fits)
