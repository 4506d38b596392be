# SPDX-License-Identifier: Apache-2.0
"""A recorded case as a script: it makes the calls again and hands each answer over by its recorded name.

    @recorded("lambda_api", "TestLambdaAlias::test_non_existent_alias_update")
    def test_non_existent_alias_update(case):
        fn = case.name()
        case.answer("create_response", case.create, FunctionName=fn, ...)

The answers are compared in the end, all together, in the recorded order. Whatever the script creates is removed
after it. expected.json lists the answers that are not equal yet, and it can only shrink: a difference that is not
listed fails, and so does a listed answer that is equal. cannot.py has those that stay different, with reasons.
"""
import functools
import json
import os
import pathlib
import time
import uuid

import pytest
from botocore.exceptions import ClientError

import cannot
import recordings
from compare import Bindings, Comparison
from harness import SLOW, zip_of

HERE = pathlib.Path(__file__).resolve().parent
EXPECTED = HERE / "expected.json"
REGION, ACCOUNT = "us-east-1", "000000000000"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/hearth-conformance"

PYTHON = {"handler.py": "def handler(event, context):\n    return event\n"}
PYTHON_INDEX = {"index.py": "def handler(event, context):\n    return event\n"}
NODE = {"lambda_handler.js": "exports.handler = async (event) => event;\n"}

# Recorded "answers" that are none of Lambda's, or that AWS itself failed to give.
NOT_COMPARED = "<aws_internal_failure>"

results = {}  # case: {"answers": {name: [equal leaves, leaves]}, "different": [name], "foreign": [name]}


def expected():
    return json.loads(EXPECTED.read_text()) if EXPECTED.exists() else {}


def recorded(area, key, foreign=()):
    """Makes a script a test of the recorded case @key in @area; parameters of the test are filled into the key.

    @foreign: names of recorded answers that another service gave and that are not compared.
    """
    def decorate(script):
        @functools.wraps(script)
        def test(case, **kw):
            if not recordings.there():
                pytest.skip(f"no recordings in {recordings.FOLDER} (HEARTH_RECORDINGS)")
            case.begin(area, key.format(**kw), set(foreign))
            broken = None
            try:
                script(case, **kw)
            except (Exception, AssertionError) as e:  # what could not be asked counts as not answered
                broken = e
            case.judge(broken)
        test.recorded = (area, key)
        return test
    return decorate


class Case:
    def __init__(self, server, watcher):
        self.server = server
        self.watcher = watcher
        self.lam = watcher.client
        self.role = ROLE
        self.key = None
        self.ours = {}

    def begin(self, area, key, foreign):
        self.key = f"{area}::{key}"
        self.want = recordings.answers(area, key)
        self.foreign = foreign | {n for n, a in self.want.items() if a == NOT_COMPARED}

    # ---- names and ARNs

    def name(self, stem="fn"):
        return f"conf-{stem}-{uuid.uuid4().hex[:8]}"

    def arn(self, name, qualifier=None, region=REGION, account=ACCOUNT):
        return f"arn:aws:lambda:{region}:{account}:function:{name}" + (f":{qualifier}" if qualifier else "")

    def partial(self, name, qualifier=None):
        return f"{ACCOUNT}:function:{name}" + (f":{qualifier}" if qualifier else "")

    def queue(self, name=None):
        return f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name or self.name('queue')}"

    # ---- asking

    def answer(self, name, call, *argv, **kw):
        """Makes a call and hands its answer, or its error, over under @name. Returns it."""
        try:
            got = call(*argv, **kw)
        except ClientError as e:
            got = e.response
        return self.note(name, got)

    def note(self, name, value):
        """Hands over what the script worked out itself."""
        assert name in self.want, f"nothing of the name {name} is recorded in {self.key}"
        if isinstance(value, dict) and hasattr(value.get("Payload"), "read"):
            value = dict(value, Payload=value["Payload"].read().decode("utf-8", "replace"))
        self.ours[name] = value
        return value

    def create(self, FunctionName, files=PYTHON, **kw):
        """CreateFunction with what the caller does not care about filled in."""
        kw.setdefault("Role", self.role)
        if "Code" not in kw:
            kw["Code"] = {"ZipFile": zip_of(files)}
        if kw.get("PackageType") != "Image":
            kw.setdefault("Runtime", "python3.12")
            kw.setdefault("Handler", "handler.handler")
        return self.lam.create_function(FunctionName=FunctionName, **kw)

    def create_plain(self, FunctionName, wait=True, **kw):
        """As most recorded cases begin: 30 seconds, an empty environment; and wait until it is active.

        The recordings wrap that answer in one of a helper that may also make an event source mapping.
        """
        kw.setdefault("Timeout", 30)
        kw.setdefault("Environment", {"Variables": {}})
        answer = self.create(FunctionName, **kw)
        if wait:
            self.active(FunctionName)
        return {"CreateEventSourceMappingResponse": None, "CreateFunctionResponse": answer}

    # ---- waiting

    def _wait(self, name, member, wanted, qualifier, seconds):
        kw = {"Qualifier": qualifier} if qualifier else {}
        end = time.monotonic() + seconds * SLOW
        while True:
            now = self.lam.get_function_configuration(FunctionName=name, **kw).get(member)
            if now == wanted:
                return
            assert now != "Failed" and time.monotonic() < end, f"{member} of {name} is {now}, wanted {wanted}"
            time.sleep(0.02)

    def active(self, name, qualifier=None, seconds=60):
        self._wait(name, "State", "Active", qualifier, seconds)

    def updated(self, name, qualifier=None, seconds=60):
        self._wait(name, "LastUpdateStatus", "Successful", qualifier, seconds)

    def until(self, what, call, condition, seconds=60):
        """Calls until @condition is true of the answer."""
        end = time.monotonic() + seconds * SLOW
        while not condition(got := call()):
            assert time.monotonic() < end, f"waited in vain: {what}"
            time.sleep(0.05)
        return got

    # ---- judging

    def judge(self, broken):
        bindings, scores, differences = Bindings(), {}, {}
        for name, want in self.want.items():
            if name in self.foreign:
                continue
            one = Comparison(bindings).run(want, self.ours.get(name))
            scores[name] = [one.equal, one.leaves]
            if not one.same:
                differences[name] = self._told(want, name) or one.differences
        results[self.key] = {"answers": scores, "foreign": sorted(self.foreign)}
        self._hold_against_expected(differences, broken)

    def _told(self, want, name):
        """The difference in one line where ours is no answer, or an error instead of a success."""
        got = self.ours.get(name)
        if name not in self.ours:
            return [(".", "an answer", "none: the script did not come so far")]
        if isinstance(got, dict) and "Error" in got and "Error" not in (want if isinstance(want, dict) else {}):
            return [(".", "a success", f"{got['Error'].get('Code')}: {got['Error'].get('Message')}")]
        return None

    def _hold_against_expected(self, differences, broken):
        known = set(expected().get(self.key, [])) | set(cannot.answers(self.key, self.want))
        report = f"the script ended with {type(broken).__name__}: {broken}\n" if broken else ""
        for name, found in differences.items():
            report += f"{name}:\n"
            report += "".join(f"    {path}: recorded {json.dumps(w)}, ours {json.dumps(g, default=str)}\n"
                              for path, w, g in found[:20])
        results[self.key]["different"] = list(differences)
        if not os.environ.get("HEARTH_CONFORMANCE_UPDATE"):
            more = [n for n in differences if n not in known]
            assert not more, f"{self.key}: {', '.join(more)} must be equal\n{report}"
            less = [n for n in expected().get(self.key, []) if n not in differences]
            assert not less, f"{self.key}: {', '.join(less)} is equal now: take it out of expected.json " \
                             "(make conformance UPDATE=1)"
            assert not broken or differences, report
        if differences:
            pytest.xfail(report)


def write_expected():
    """Writes expected.json anew: what differed in this run, and what other cases were known for."""
    known = expected()
    for key, result in results.items():
        left = [n for n in result["different"] if n not in cannot.answers(key, result["answers"])]
        known[key] = left
    known = {k: known[k] for k in sorted(known) if known[k]}
    EXPECTED.write_text(json.dumps(known, indent=1) + "\n")
