# SPDX-License-Identifier: Apache-2.0
"""The comparison itself: what counts as equal, and what does not."""
import datetime

import pytest

from compare import Bindings, Comparison

A, B = "3f6a1c52-0b1d-4c8e-9a55-0123456789ab", "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"


def score(want, got, bindings=None):
    c = Comparison(bindings).run(want, got)
    return c.equal, c.leaves


@pytest.mark.parametrize("want, got", [
    ("<uuid:1>", A),
    ("arn:<partition>:lambda:<region>:111111111111:function:<function-name:1>:1",
     "arn:aws:lambda:eu-west-2:000000000000:function:x_y:1"),
    ("<code-size>", 812),
    ("date", "2025-11-25T02:27:00.123+0000"),
    ("datetime", datetime.datetime(2025, 11, 25, tzinfo=datetime.timezone.utc)),
    ("<code-sha256:1>", "x" * 43 + "="),
    ({"Statement": {"Sid": "s3"}}, {"Statement": '{"Sid":"s3"}'}),
    ({}, {}), ([], []), (None, None), (0, 0), (False, False),
])
def test_equal(want, got):
    equal, leaves = score(want, got)
    assert equal == leaves > 0


@pytest.mark.parametrize("want, got", [
    ("<uuid:1>", "no-uuid"), ("date", "yesterday"), (3, "3"), ("3", 3), (0, False), (None, 0), (None, "null"), ({}, None),
    ([], {}), ([1], []), ({"a": 1}, {}), ({}, {"a": 1}), ("in <module>", "in main"), ("<code-size>", "many"),
])
def test_different(want, got):
    equal, leaves = score(want, got)
    assert equal < leaves


def test_a_placeholder_is_one_value_in_the_whole_case():
    b = Bindings()
    assert score("<uuid:1>", A, b) == (1, 1)
    assert score("<uuid:1>", A, b) == (1, 1)
    assert score("<uuid:1>", B, b) == (0, 1)


def test_two_placeholders_of_a_kind_are_two_values():
    b = Bindings()
    assert score({"x": "<uuid:1>", "y": "<uuid:2>"}, {"x": A, "y": A}, b) == (1, 2)
    assert score("<uuid:2>", B, b) == (1, 1)


def test_a_placeholder_twice_in_one_string_is_one_value():
    assert score("<resource:1> and <resource:1>", "a and a") == (1, 1)
    assert score("<resource:1> and <resource:1>", "a and b") == (0, 1)


def test_members_on_one_side_only_are_counted_leaf_by_leaf():
    assert score({"a": 1, "b": {"c": 2, "d": [3, 4]}}, {"a": 1, "e": 5}) == (1, 5)


def test_only_the_status_of_the_response_metadata_counts():
    want = {"ResponseMetadata": {"HTTPHeaders": {}, "HTTPStatusCode": 200}}
    got = {"ResponseMetadata": {"RequestId": "x", "HTTPStatusCode": 200, "HTTPHeaders": {"a": "b"}, "RetryAttempts": 0}}
    assert score(want, got) == (1, 1)
