# SPDX-License-Identifier: Apache-2.0
"""The life of a function through boto3 or the AWS CLI, whichever version the interpreter has.

    life.py boto3|cli NAME A.zip B.zip LAYER.zip      with ENDPOINT, ROLE and keys in the environment

Prints what it saw as one line of JSON: lifecycle.py knows what it must be.
"""
import base64
import hashlib
import json
import os
import sys
import time
import urllib.request

KIND, NAME, ARCHIVES = sys.argv[1], sys.argv[2], [open(path, "rb").read() for path in sys.argv[3:6]]
ROLE, ENDPOINT = os.environ["ROLE"], os.environ["ENDPOINT"]

if KIND == "cli":
    from aws_cli import VERSION, Cli, ClientError
    lam = Cli(ENDPOINT)
    members = lam.members
else:
    import boto3
    from botocore.config import Config
    from botocore.exceptions import ClientError
    VERSION = "boto3 " + boto3.__version__
    lam = boto3.client("lambda", endpoint_url=ENDPOINT, region_name="us-east-1", config=Config(retries={"max_attempts": 0}))

    def members(shape):
        return lam.meta.service_model.shape_for(shape).members
saw = {"client": VERSION}


def error(call, **arguments):
    """Name, status and message of the error that a call must end with."""
    try:
        answer = call(**arguments)
    except ClientError as e:
        status = e.response["ResponseMetadata"]["HTTPStatusCode"]
        return [e.response["Error"]["Code"], status, e.response["Error"]["Message"]]
    raise SystemExit(f"{call.__name__} was to fail and answered {answer}")


def until(what, call, key, good, seconds=60):
    """Asks until a member has the value."""
    end = time.monotonic() + seconds
    while call()[key] != good:
        if time.monotonic() > end:
            raise SystemExit(f"{what} is not {good} but {call()[key]}")
        time.sleep(0.1)
    return good


def fetch(url):
    """Hash of what a signed link gives."""
    with urllib.request.urlopen(url, timeout=20) as answer:
        return base64.b64encode(hashlib.sha256(answer.read()).digest()).decode()


def invoke(qualifier="$LATEST"):
    answer = lam.invoke(FunctionName=NAME, Qualifier=qualifier, Payload=b'{"n": 1}')
    return [answer["ExecutedVersion"], json.loads(answer["Payload"].read())]


def updated():
    name = "function_updated"
    lam.get_waiter(name + "_v2" if name + "_v2" in lam.waiter_names else name).wait(FunctionName=NAME)


def functions():
    made = lam.create_function(FunctionName=NAME, Role=ROLE, Runtime="python3.11", Handler="app.handler", Code={"ZipFile": ARCHIVES[0]},
                               Description="first", Timeout=10, MemorySize=128, Environment={"Variables": {"WORD": "one"}},
                               Tags={"team": "a b+c"})
    saw["created"] = [made["State"], made["Version"], made["CodeSha256"]]
    lam.get_waiter("function_exists").wait(FunctionName=NAME)
    lam.get_waiter("function_active_v2").wait(FunctionName=NAME)
    got = lam.get_function(FunctionName=NAME)
    conf = got["Configuration"]
    saw["got"] = [conf["State"], conf["LastUpdateStatus"], conf["Description"], conf["Environment"]["Variables"], got["Tags"]]
    saw["location"] = fetch(got["Code"]["Location"])
    saw["invoked"] = invoke()
    tail = lam.invoke(FunctionName=NAME, Payload=b'{"n": 2}', LogType="Tail")
    saw["logged"] = "said 2\n" in base64.b64decode(tail["LogResult"]).decode()
    conf = lam.update_function_configuration(FunctionName=NAME, MemorySize=256, Environment={"Variables": {"WORD": "two"}})
    saw["updating"] = [conf["MemorySize"], conf["Environment"]["Variables"], conf["LastUpdateStatus"]]
    updated()
    saw["reinvoked"] = invoke()


def versions():
    one = lam.publish_version(FunctionName=NAME, Description="one")
    lam.get_waiter("published_version_active").wait(FunctionName=NAME, Qualifier=one["Version"])
    conf = lam.update_function_code(FunctionName=NAME, ZipFile=ARCHIVES[1])
    updated()
    two = lam.publish_version(FunctionName=NAME, Description="two", CodeSha256=conf["CodeSha256"])
    again = lam.publish_version(FunctionName=NAME)
    lam.get_waiter("published_version_active").wait(FunctionName=NAME, Qualifier=two["Version"])
    saw["published"] = [one["Version"], one["Description"], two["Version"], again["Version"], conf["CodeSha256"]]
    saw["versions_invoked"] = [invoke("1"), invoke("2")]


def aliases():
    made = lam.create_alias(FunctionName=NAME, Name="live", FunctionVersion="1")
    saw["alias"] = [made["AliasArn"], made["FunctionVersion"], made.get("RoutingConfig"), invoke("live")]
    lam.update_alias(FunctionName=NAME, Name="live", RoutingConfig={"AdditionalVersionWeights": {"2": 0.25}})
    saw["alias_weighted"] = lam.get_alias(FunctionName=NAME, Name="live")["RoutingConfig"]["AdditionalVersionWeights"]
    lam.update_alias(FunctionName=NAME, Name="live", RoutingConfig={"AdditionalVersionWeights": {}}, FunctionVersion="2")
    saw["alias_moved"] = invoke("live")
    lam.create_alias(FunctionName=NAME, Name="spare", FunctionVersion="1", Description="spare")


def policies():
    added = lam.add_permission(FunctionName=NAME, Qualifier="live", StatementId="rule", Action="lambda:InvokeFunction",
                               Principal="events.amazonaws.com", SourceArn="arn:aws:events:us-east-1:000000000000:rule/r")
    saw["statement"] = json.loads(added["Statement"])
    saw["policy"] = json.loads(lam.get_policy(FunctionName=NAME, Qualifier="live")["Policy"])
    lam.remove_permission(FunctionName=NAME, Qualifier="live", StatementId="rule")
    saw["policy_gone"] = error(lam.get_policy, FunctionName=NAME, Qualifier="live")


def tags():
    arn = lam.get_function_configuration(FunctionName=NAME)["FunctionArn"]
    lam.tag_resource(Resource=arn, Tags={"level": "2", "odd": "ä=/"})
    lam.untag_resource(Resource=arn, TagKeys=["team"])
    saw["tags"] = lam.list_tags(Resource=arn)["Tags"]


def urls():
    made = lam.create_function_url_config(FunctionName=NAME, Qualifier="live", AuthType="NONE", Cors={"AllowOrigins": ["*"], "MaxAge": 60})
    saw["url"] = [made["FunctionUrl"], made["AuthType"], made["Cors"]]
    stream = {"InvokeMode": "RESPONSE_STREAM"} if "InvokeMode" in members("UpdateFunctionUrlConfigRequest") else {}
    lam.update_function_url_config(FunctionName=NAME, Qualifier="live", AuthType="AWS_IAM", **stream)
    got = lam.get_function_url_config(FunctionName=NAME, Qualifier="live")
    listed = lam.list_function_url_configs(FunctionName=NAME)["FunctionUrlConfigs"]
    saw["url_updated"] = [got["AuthType"], got.get("InvokeMode"), got["FunctionUrl"] == made["FunctionUrl"], len(listed)]
    lam.delete_function_url_config(FunctionName=NAME, Qualifier="live")
    saw["url_gone"] = error(lam.get_function_url_config, FunctionName=NAME, Qualifier="live")[:2]


def event_sources():
    made = lam.create_event_source_mapping(FunctionName=f"{NAME}:live", EventSourceArn=f"arn:aws:sqs:us-east-1:000000000000:{NAME}",
                                           BatchSize=5, Enabled=False,
                                           FilterCriteria={"Filters": [{"Pattern": '{"body": {"n": [1]}}'}]})
    uuid = made["UUID"]
    saw["source"] = [made["State"], made["BatchSize"], made["FunctionArn"], made["FilterCriteria"]["Filters"][0]["Pattern"]]

    def get():
        return lam.get_event_source_mapping(UUID=uuid)

    until("the mapping", get, "State", "Disabled")
    changed = lam.update_event_source_mapping(UUID=uuid, BatchSize=7)
    until("the mapping", get, "State", "Disabled")
    listed = lam.list_event_source_mappings(EventSourceArn=made["EventSourceArn"])["EventSourceMappings"]
    saw["source_updated"] = [changed["State"], get()["BatchSize"], [m["UUID"] == uuid for m in listed]]
    saw["source_deleted"] = lam.delete_event_source_mapping(UUID=uuid)["State"]
    end = time.monotonic() + 60
    while lam.list_event_source_mappings(FunctionName=f"{NAME}:live")["EventSourceMappings"] and time.monotonic() < end:
        time.sleep(0.1)
    saw["source_gone"] = error(lam.get_event_source_mapping, UUID=uuid)[:2]


def layers():
    layer = NAME + "-words"
    made = lam.publish_layer_version(LayerName=layer, Description="words", Content={"ZipFile": ARCHIVES[2]},
                                     CompatibleRuntimes=["python3.11"], CompatibleArchitectures=["x86_64"], LicenseInfo="Apache-2.0")
    arn = made["LayerVersionArn"]
    saw["layer"] = [arn, made["Version"], made["CompatibleRuntimes"], made["Content"]["CodeSha256"]]
    got = lam.get_layer_version(LayerName=layer, VersionNumber=1)
    by_arn = lam.get_layer_version_by_arn(Arn=arn)
    saw["layer_got"] = [got["Description"], by_arn["LicenseInfo"]]
    saw["layer_location"] = fetch(got["Content"]["Location"])
    saw["layers"] = [
        [v["LatestMatchingVersion"]["Version"] for v in lam.list_layers(CompatibleRuntime="python3.11")["Layers"] if v["LayerName"] == layer],
        [v["Version"] for v in lam.list_layer_versions(LayerName=layer)["LayerVersions"]]]
    lam.add_layer_version_permission(LayerName=layer, VersionNumber=1, StatementId="all", Action="lambda:GetLayerVersion", Principal="*")
    saw["layer_policy"] = json.loads(lam.get_layer_version_policy(LayerName=layer, VersionNumber=1)["Policy"])["Statement"][0]
    lam.remove_layer_version_permission(LayerName=layer, VersionNumber=1, StatementId="all")
    lam.update_function_configuration(FunctionName=NAME, Layers=[arn])
    updated()
    lam.delete_layer_version(LayerName=layer, VersionNumber=1)
    saw["layer_gone"] = error(lam.get_layer_version, LayerName=layer, VersionNumber=1)[:2]
    saw["layer_invoked"] = invoke()


def concurrency():
    saw["reserved"] = lam.put_function_concurrency(FunctionName=NAME, ReservedConcurrentExecutions=5)["ReservedConcurrentExecutions"]
    saw["reserved_got"] = [lam.get_function_concurrency(FunctionName=NAME)["ReservedConcurrentExecutions"],
                           lam.get_function(FunctionName=NAME)["Concurrency"]["ReservedConcurrentExecutions"]]
    made = lam.put_provisioned_concurrency_config(FunctionName=NAME, Qualifier="live", ProvisionedConcurrentExecutions=1)

    def get():
        return lam.get_provisioned_concurrency_config(FunctionName=NAME, Qualifier="live")

    until("provisioned concurrency", get, "Status", "READY")
    listed = lam.list_provisioned_concurrency_configs(FunctionName=NAME)["ProvisionedConcurrencyConfigs"]
    saw["provisioned"] = [made["Status"], get()["AvailableProvisionedConcurrentExecutions"], [p["FunctionArn"] for p in listed]]
    lam.delete_provisioned_concurrency_config(FunctionName=NAME, Qualifier="live")
    saw["provisioned_gone"] = error(lam.get_provisioned_concurrency_config, FunctionName=NAME, Qualifier="live")[:2]
    lam.delete_function_concurrency(FunctionName=NAME)
    saw["reserved_gone"] = lam.get_function_concurrency(FunctionName=NAME).get("ReservedConcurrentExecutions")


def event_configs():
    lam.put_function_event_invoke_config(FunctionName=NAME, MaximumRetryAttempts=1, MaximumEventAgeInSeconds=100)
    lam.update_function_event_invoke_config(FunctionName=NAME, MaximumEventAgeInSeconds=200)
    got = lam.get_function_event_invoke_config(FunctionName=NAME)
    listed = lam.list_function_event_invoke_configs(FunctionName=NAME)["FunctionEventInvokeConfigs"]
    saw["event_config"] = [got["MaximumRetryAttempts"], got["MaximumEventAgeInSeconds"], len(listed)]
    lam.delete_function_event_invoke_config(FunctionName=NAME)
    saw["event_config_gone"] = error(lam.get_function_event_invoke_config, FunctionName=NAME)[:2]


def lists():
    for other in ("-x", "-y"):
        lam.create_function(FunctionName=NAME + other, Role=ROLE, Runtime="python3.11", Handler="app.handler", Code={"ZipFile": ARCHIVES[0]})

    def pages(operation, size, key, **arguments):
        found = lam.get_paginator(operation).paginate(PaginationConfig={"PageSize": size}, **arguments)
        return [page[key] for page in found]

    found = [f["FunctionName"] for page in pages("list_functions", 2, "Functions") for f in page]
    saw["functions"] = [name for name in found if name.startswith(NAME)]
    saw["versions"] = [[v["Version"] for v in page] for page in pages("list_versions_by_function", 2, "Versions", FunctionName=NAME)]
    saw["aliases"] = [[a["Name"] for a in page] for page in pages("list_aliases", 1, "Aliases", FunctionName=NAME)]
    saw["limits"] = sorted(lam.get_account_settings()["AccountLimit"])


def errors():
    saw["missing"] = error(lam.get_function, FunctionName=NAME + "-none")
    saw["conflict"] = error(lam.create_function, FunctionName=NAME, Role=ROLE, Runtime="python3.11", Handler="app.handler",
                            Code={"ZipFile": ARCHIVES[0]})
    saw["stale"] = error(lam.update_function_configuration, FunctionName=NAME, Description="x",
                         RevisionId="00000000-0000-4000-8000-000000000000")
    saw["in_use"] = error(lam.delete_function, FunctionName=NAME, Qualifier="2")


def end():
    lam.delete_alias(FunctionName=NAME, Name="live")
    lam.delete_alias(FunctionName=NAME, Name="spare")
    lam.delete_function(FunctionName=NAME, Qualifier="1")
    saw["left"] = [v["Version"] for v in lam.list_versions_by_function(FunctionName=NAME)["Versions"]]
    for name in (NAME, NAME + "-x", NAME + "-y"):
        lam.delete_function(FunctionName=name)
    saw["gone"] = [error(lam.get_function, FunctionName=NAME)[:2], error(lam.invoke, FunctionName=NAME)[:2]]


for part in (functions, versions, aliases, policies, tags, urls, event_sources, layers, concurrency, event_configs, lists, errors, end):
    part()
print(json.dumps(saw))
