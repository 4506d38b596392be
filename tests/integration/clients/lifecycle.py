# SPDX-License-Identifier: Apache-2.0
"""The life of a function that every client lives through: its archives, and what each must have seen.

A client is a program that gets a name and three archives, takes the steps of life.py in their order, and prints one line
of JSON with what it saw. What only some clients can tell (the status of an error, the borders of pages) may be null or flat.
"""
import base64
import hashlib
import json
import os
import re

from harness import ROLE, run, zip_of

APP = """
import os
def handler(event, context):
    print("said", event["n"])
    word = open("/opt/word.txt").read() if os.path.exists("/opt/word.txt") else ""
    return [LETTER, os.environ.get("WORD"), event["n"], word]
"""
ARCHIVES = [zip_of({"app.py": APP.replace("LETTER", '"a"')}), zip_of({"app.py": APP.replace("LETTER", '"b"')}),
            zip_of({"word.txt": "layered"})]
HASHES = [base64.b64encode(hashlib.sha256(a).digest()).decode() for a in ARCHIVES]
ARN = "arn:aws:lambda:us-east-1:000000000000:function:"
LAYER_ARN = "arn:aws:lambda:us-east-1:000000000000:layer:"


def live(hearth, name, argv, folder, **environment):
    """Runs the program for a function of that name; gives what it saw."""
    paths = []
    for i, data in enumerate(ARCHIVES):
        paths.append(folder / f"{i}.zip")
        paths[i].write_bytes(data)
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "PYTHON"))}
    env = dict(kept, ENDPOINT=hearth.url, AWS_ENDPOINT_URL=hearth.url, ROLE=ROLE, AWS_ACCESS_KEY_ID=hearth.key[0],
               AWS_SECRET_ACCESS_KEY=hearth.key[1], PYTHONDONTWRITEBYTECODE="1", **environment)
    p = run(*argv, name, *paths, env=env, timeout=300)
    return json.loads(p.stdout.strip().splitlines()[-1])


def expected(name):
    """{what was seen: what it must be}."""
    arn, not_found = ARN + name, ["ResourceNotFoundException", 404]
    live_arn = arn + ":live"
    return {
        "created": ["Pending", "$LATEST", HASHES[0]],
        "got": ["Active", "Successful", "first", {"WORD": "one"}, {"team": "a b+c"}],
        "location": HASHES[0],
        "invoked": ["$LATEST", ["a", "one", 1, ""]],
        "logged": True,
        "updating": [256, {"WORD": "two"}, "InProgress"],
        "reinvoked": ["$LATEST", ["a", "two", 1, ""]],
        "published": ["1", "one", "2", "2", HASHES[1]],
        "versions_invoked": [["1", ["a", "two", 1, ""]], ["2", ["b", "two", 1, ""]]],
        "alias": [live_arn, "1", None, ["1", ["a", "two", 1, ""]]],
        "alias_weighted": {"2": 0.25},
        "alias_moved": ["2", ["b", "two", 1, ""]],
        "statement": {"Sid": "rule", "Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"},
                      "Action": "lambda:InvokeFunction", "Resource": live_arn,
                      "Condition": {"ArnLike": {"AWS:SourceArn": "arn:aws:events:us-east-1:000000000000:rule/r"}}},
        "policy_gone": not_found + ["The resource you requested does not exist."],
        "tags": {"level": "2", "odd": "ä=/"},
        "url_updated": ["AWS_IAM", "RESPONSE_STREAM", True, 1],
        "url_gone": not_found,
        "source": [None, 5, live_arn, '{"body": {"n": [1]}}'],
        "source_updated": ["Updating", 7, [True]],
        "source_deleted": "Deleting",
        "source_gone": not_found,
        "layer": [f"{LAYER_ARN}{name}-words:1", 1, ["python3.11"], HASHES[2]],
        "layer_got": ["words", "Apache-2.0"],
        "layer_location": HASHES[2],
        "layers": [[1], [1]],
        "layer_policy": {"Sid": "all", "Effect": "Allow", "Principal": "*", "Action": "lambda:GetLayerVersion",
                         "Resource": f"{LAYER_ARN}{name}-words:1"},
        "layer_gone": not_found,
        "layer_invoked": ["$LATEST", ["b", "two", 1, "layered"]],
        "reserved": 5,
        "reserved_got": [5, 5],
        "provisioned": ["IN_PROGRESS", 1, [live_arn]],
        "provisioned_gone": ["ProvisionedConcurrencyConfigNotFoundException", 404],
        "reserved_gone": None,
        "event_config": [1, 200, 1],
        "event_config_gone": not_found,
        "functions": [name, name + "-x", name + "-y"],
        "versions": [["$LATEST", "1"], ["2"]],
        "aliases": [["live"], ["spare"]],
        "limits": ["CodeSizeUnzipped", "CodeSizeZipped", "ConcurrentExecutions", "TotalCodeSize", "UnreservedConcurrentExecutions"],
        "missing": not_found + [f"Function not found: {arn}-none"],
        "conflict": ["ResourceConflictException", 409, f"Function already exist: {name}"],
        "stale": ["PreconditionFailedException", 412, "The Revision Id provided does not match the latest Revision Id. Call the "
                  "GetFunction/GetAlias API to retrieve the latest Revision Id"],
        "in_use": ["ResourceConflictException", 409, None],
        "left": ["$LATEST", "2"],
        "gone": [not_found, not_found],
    }


def flat(pages):
    return [x for page in pages for x in page]


def differences(name, saw):
    """What was seen otherwise than it must be, in words."""
    wrong = []
    for key, must in expected(name).items():
        have = saw.get(key, "nothing")
        if key in ("versions", "aliases") and len(have) == 1:  # a client that joins pages
            have, must = flat(have), flat(must)
        if key == "gone":
            have, must = [known(h, m) for h, m in zip(have, must)], [known(m, h) for h, m in zip(have, must)]
        else:
            have, must = known(have, must), known(must, have)
        if have != must:
            wrong.append(f"{key}: {have} is not {must}")
    return wrong


def known(one, other):
    """A list without what is null in it or the other: what a client cannot tell, or we do not ask."""
    if not isinstance(one, list) or not isinstance(other, list):
        return one
    return [a for a, b in zip(one, other) if a is not None and b is not None] + one[len(other):]


def check(name, saw):
    wrong = differences(name, saw)
    assert not wrong, f"{saw['client']}:\n" + "\n".join(wrong)
    assert saw["policy"]["Statement"] == [saw["statement"]] and saw["policy"]["Version"] == "2012-10-17"
    assert saw["source"][0] in ("Creating", "Disabled")
    url, auth, cors = saw["url"]
    assert re.match(r"https?://[a-z0-9]{8,}\.", url) and url.endswith("/") and auth == "NONE", url
    assert (cors["AllowOrigins"], cors["MaxAge"]) == (["*"], 60)
