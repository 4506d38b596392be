# SPDX-License-Identifier: Apache-2.0
"""Writes docs/conformance.md from the results of a whole conformance run: page.py RESULTS > docs/conformance.md

The page has neither dates nor names of machines: the same tree gives the same page.
"""
import json
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import cannot  # noqa: E402
import recordings  # noqa: E402
from offered import operations  # noqa: E402

AREAS = ["lambda_api", "lambda", "lambda_common", "lambda_destinations", "lambda_integration_sqs",
         "lambda_integration_kinesis", "lambda_integration_dynamodbstreams", "lambda_runtimes"]

# Operations that keep what they are told exactly, while the effect is another part's work.
EFFECT_ELSEWHERE = {
    "EventSourceMapping": "kept; events are delivered by the event sources",
    "EventSourceMappings": "kept; events are delivered by the event sources",
    "FunctionUrlConfig": "kept; the URL answers with function URLs",
    "FunctionUrlConfigs": "kept; the URL answers with function URLs",
    "FunctionRecursionConfig": "kept; loops are not detected yet",
    "RuntimeManagementConfig": "kept; the runtime's image changes only with Hearth's runtimes file",
    "Permission": "kept; policies are judged with the security part",
    "LayerVersionPermission": "kept; policies are judged with the security part",
    "Policy": "reads what is kept; policies are judged with the security part",
    "LayerVersionPolicy": "reads what is kept; policies are judged with the security part",
}

# The settings of a function (CreateFunction, UpdateFunctionConfiguration, UpdateFunctionCode) that have their effect now.
SETTINGS_WORK = {
    "FunctionName", "Runtime", "Handler", "Code", "Description", "Timeout", "MemorySize", "Publish", "PackageType", "Environment",
    "Tags", "Layers", "CodeSigningConfigArn", "ImageConfig", "Architectures", "EphemeralStorage", "RevisionId", "DryRun",
    "ZipFile", "S3Bucket", "S3Key", "S3ObjectVersion", "ImageUri", "DeadLetterConfig", "LoggingConfig", "VpcConfig",
}
# Those that are checked, kept and shown as on AWS, while the effect, or the rest of it, is another part's work.
SETTINGS_KEPT = {
    "Role": "functions have credentials of the role, which may ask who they are and invoke functions; its policies are judged with the "
            "security part",
    "FileSystemConfigs": "nothing is mounted yet: with the sandboxes' whole environment",
    "TracingConfig": "segments are sent with tracing",
    "SnapStart": "no snapshots are taken; OptimizationStatus says Off",
    "KMSKeyArn": "there is no KMS: environments are sealed with Hearth's own key",
    "SourceKMSKeyArn": "there is no KMS: archives are stored as they are",
}
# Those that are refused, when they say anything, by name.
SETTINGS_REFUSED = {
    "PublishTo", "TenancyConfig", "CapacityProviderConfig", "DurableConfig", "RuntimeConfig", "AcceleratorConfig",
    "S3ObjectStorageMode REFERENCE",
}


def state(name, offered, seen):
    if not offered:
        return "refused", ""
    noun = re.sub(r"^(Create|Put|Update|Get|List|Delete|Add|Remove)", "", name)
    word = "configured" if noun in EFFECT_ELSEWHERE else "works"
    errors = [e for e in seen.get(name, []) if e != "None"]
    if "None" not in seen.get(name, []):
        word = "untested"
    note = EFFECT_ELSEWHERE.get(noun, "")
    return word, note + ("; " if note and errors else "") + ("errors seen: " + ", ".join(errors) if errors else "")


def settings():
    """The section about the settings of functions."""
    yield "\n## Settings of functions\n"
    yield "Of CreateFunction, UpdateFunctionConfiguration and UpdateFunctionCode. In effect: " + ", ".join(sorted(SETTINGS_WORK)) + "."
    yield "Refused by name: " + ", ".join(sorted(SETTINGS_REFUSED)) + ". Checked, kept and shown, but without effect yet:\n"
    for name, why in SETTINGS_KEPT.items():
        yield f"- {name}: {why}"


def share(equal, leaves):
    """A percentage that is only 100 when everything is equal."""
    return "100 %" if equal == leaves else f"{min(99, 100 * equal // max(leaves, 1))} %"


def main(path):
    results = json.loads(pathlib.Path(path).read_text())
    seen, done = results["operations"], results["cases"]
    out = []
    say = out.append
    scores = [s for r in done.values() for s in r["answers"].values()]
    equal = sum(e == n for e, n in scores)
    whole = sum(all(e == n for e, n in r["answers"].values()) for r in done.values())
    offered = [o for o in operations() if o[4]]

    say("# Conformance\n")
    say("Written by `make conformance`; do not edit.\n")
    say("The scripts in tests/conformance make the calls behind answers that were recorded from AWS Lambda, through boto3,")
    say("and compare whole answers leaf by leaf: every member, null, wording and status. Ids, dates, hashes and names may")
    say("differ, but what is equal or different among them on AWS must be so here. Every answer of the run is also held")
    say("against botocore's model: no member that it does not know, every type, status and header right. SQS, EventBridge and S3")
    say("are moto's, stand-ins for AWS's.\n")
    say(f"- {len(offered)} of {len(operations())} operations are offered, the others are refused in AWS's form.")
    say(f"- {whole} of {len(done)} recorded cases are equal in whole, {equal} of {len(scores)} recorded answers,")
    say(f"  {share(sum(e for e, _ in scores), sum(n for _, n in scores))} of their leaves.\n")

    say("## Operations\n")
    say("works: all of it (functions: see their settings below). configured: answers as AWS does and keeps what it is told; the effect comes with the part named.")
    say("refused: routed, and refused with AWS's error shape and a message that says that Hearth does not offer it yet.")
    say("untested: offered, but no call of this run succeeded.\n")
    say("| operation | route | | notes |\n| --- | --- | --- | --- |")
    for name, method, uri, _, is_offered in operations():
        word, note = state(name, is_offered, seen)
        say(f"| {name} | {method} {uri} | {word} | {note} |")

    for line in settings():
        say(line)

    for area in AREAS:
        say(f"\n## Recorded: {area}\n")
        say("| case | equal answers | equal leaves |\n| --- | --- | --- |")
        for key in recordings.load(area):
            r = done.get(f"{area}::{key}")
            if r is None:
                continue
            answers = r["answers"].values()
            right = sum(e == n for e, n in answers)
            say(f"| {escape(key)} | {right} of {len(answers)} | "
                f"{share(sum(e for e, _ in answers), sum(n for _, n in answers))} |")

    say("\n## What cannot be equal\n")
    for where, which, why in grouped(done):
        say(f"- {where}: {which}: {why}")
    foreign = sorted({n for r in done.values() for n in r["foreign"]})
    say("\nNot compared, because another service gave the answer, AWS failed to, or it shows the work of another part: "
        + ", ".join(foreign) + ".")

    say("\n## Recorded cases without a script\n")
    for area in AREAS:
        for why in dict.fromkeys(cannot.why_no_script(area, k) for k in recordings.load(area)):
            keys = [k for k in recordings.load(area)
                    if f"{area}::{k}" not in done and cannot.why_no_script(area, k) == why]
            if keys:
                names = sorted({escape(k.split("[")[0].split("::")[-1]) for k in keys})
                say(f"- {area}: {', '.join(names)}: {why or 'not written yet'}")
    print("\n".join(out))


def escape(text):
    return text.replace("|", "\\|").replace("<", "&lt;")


def grouped(done):
    """(case without its parameters, answers, reason), each once."""
    found = {}
    for key, r in done.items():
        for name in r["different"]:
            why = cannot.reason(key, name)
            if why:
                found.setdefault((key.split("[")[0], why), []).append(name)
    return [(where, ", ".join(dict.fromkeys(names)), why) for (where, why), names in found.items()]


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__.splitlines()[0])
    main(sys.argv[1])
