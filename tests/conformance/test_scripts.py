# SPDX-License-Identifier: Apache-2.0
"""Our own scripts: each family of operations with all its members through its life, and every list page by page.

Each answer is held against the model by the fixture; here it is asserted that what was told is told back.
"""
import uuid

import pytest
from botocore.exceptions import ClientError

from case import ACCOUNT, PYTHON, REGION, Case
from harness import zip_of
from offered import needs

CSC_PUBLISHERS = {"SigningProfileVersionArns": [f"arn:aws:signer:{REGION}:{ACCOUNT}:/signing-profiles/test"]}


@pytest.fixture
def our(server, watcher, lam):
    return Case(server, watcher)


def refused(code, call, **kw):
    with pytest.raises(ClientError) as e:
        call(**kw)
    assert e.value.response["Error"]["Code"] == code, e.value.response
    return e.value.response


def pages(call, member, size, **kw):
    """All of a list, asked for in pages; each has at most @size and only the last has no NextMarker."""
    found, marker = [], {}
    while True:
        answer = call(MaxItems=size, **kw, **marker)
        assert len(answer[member]) <= size
        found += answer[member]
        if not answer.get("NextMarker"):
            return found
        assert len(found) <= 1000, "pages without end"
        marker = {"Marker": answer["NextMarker"]}


def paged(call, member, at_least, **kw):
    """The pages together are the whole list in the same order; a marker that is none is refused."""
    whole = call(**kw)[member]
    assert len(whole) >= at_least
    for size in (1, 2, len(whole) + 1):
        assert pages(call, member, size, **kw) == whole
    refused("InvalidParameterValueException", call, Marker="not a marker", **kw)


def published(our, fn, n):
    """Publishes n versions that differ."""
    for i in range(n):
        our.lam.update_function_configuration(FunctionName=fn, Description=f"version {i}")
        our.updated(fn)
        our.lam.publish_version(FunctionName=fn)


@needs("CreateFunction")
def test_function_tells_back_what_it_was_told(our):
    fn = our.name()
    told = {"Description": "all of it", "Timeout": 7, "MemorySize": 256, "EphemeralStorage": {"Size": 1024},
            "Environment": {"Variables": {"ONE": "1", "TWO": "zwei"}}, "TracingConfig": {"Mode": "PassThrough"},
            "LoggingConfig": {"LogFormat": "JSON", "ApplicationLogLevel": "DEBUG", "SystemLogLevel": "WARN",
                              "LogGroup": "/aws/lambda/other"}, "Architectures": ["x86_64"]}
    try:
        answer = our.create(fn, Tags={"team": "one"}, PackageType="Zip", **told)
    except ClientError as e:
        if "Hearth does not offer this yet" in str(e):
            pytest.xfail(str(e))
        raise
    our.active(fn)
    for got in (answer, our.lam.get_function_configuration(FunctionName=fn)):
        assert {k: got.get(k) for k in told} == told
    assert our.lam.get_function(FunctionName=fn)["Tags"] == {"team": "one"}
    changed = dict(told, Description="changed", Timeout=8, MemorySize=512, Environment={"Variables": {}})
    del changed["Architectures"]
    revision = our.lam.get_function_configuration(FunctionName=fn)["RevisionId"]
    refused("PreconditionFailedException", our.lam.update_function_configuration, FunctionName=fn,
            RevisionId=str(uuid.uuid4()), Timeout=9)
    answer = our.lam.update_function_configuration(FunctionName=fn, RevisionId=revision, **changed)
    our.updated(fn)
    for got in (answer, our.lam.get_function_configuration(FunctionName=fn)):
        assert {k: got.get(k) for k in changed if k != "Environment"} == \
            {k: v for k, v in changed.items() if k != "Environment"}
        assert not got.get("Environment", {}).get("Variables")
    refused("ResourceConflictException", our.create, FunctionName=fn)


@needs("CreateFunction", "ListFunctions")
def test_list_functions_page_by_page(our):
    for _ in range(3):
        our.create_plain(our.name())
    paged(our.lam.list_functions, "Functions", 3)


@needs("PublishVersion", "ListVersionsByFunction")
def test_list_versions_page_by_page(our):
    fn = our.name()
    our.create_plain(fn)
    published(our, fn, 3)
    versions = our.lam.list_versions_by_function(FunctionName=fn)["Versions"]
    assert [v["Version"] for v in versions] == ["$LATEST", "1", "2", "3"]
    paged(our.lam.list_versions_by_function, "Versions", 4, FunctionName=fn)


@needs("UpdateFunctionCode")
def test_dry_run_of_an_update_changes_nothing(our):
    fn = our.name()
    our.create_plain(fn)
    before = our.lam.get_function_configuration(FunctionName=fn)
    answer = our.lam.update_function_code(FunctionName=fn, DryRun=True,
                                          ZipFile=zip_of({"handler.py": "def handler(e, c):\n    return 3\n"}))
    assert answer["CodeSha256"] != before["CodeSha256"]
    after = our.lam.get_function_configuration(FunctionName=fn)
    assert (after["CodeSha256"], after["RevisionId"]) == (before["CodeSha256"], before["RevisionId"])
    refused("InvalidParameterValueException", our.lam.update_function_code, FunctionName=fn, ZipFile=b"no zip")


@needs("CreateAlias", "UpdateAlias", "ListAliases", "PublishVersion")
def test_aliases(our):
    fn, lam = our.name(), our.lam
    our.create_plain(fn)
    published(our, fn, 2)
    weights = {"AdditionalVersionWeights": {"2": 0.25}}
    made = lam.create_alias(FunctionName=fn, Name="a", FunctionVersion="1", Description="first", RoutingConfig=weights)
    assert made["RoutingConfig"] == weights and made["AliasArn"] == our.arn(fn, "a")
    for name in ("b", "c"):
        lam.create_alias(FunctionName=fn, Name=name, FunctionVersion="2")
    assert lam.get_alias(FunctionName=fn, Name="a")["RevisionId"] == made["RevisionId"]
    paged(lam.list_aliases, "Aliases", 3, FunctionName=fn)
    assert [a["Name"] for a in lam.list_aliases(FunctionName=fn, FunctionVersion="2")["Aliases"]] == ["b", "c"]
    refused("ResourceConflictException", lam.create_alias, FunctionName=fn, Name="a", FunctionVersion="1")
    refused("ResourceNotFoundException", lam.create_alias, FunctionName=fn, Name="d", FunctionVersion="9")
    refused("PreconditionFailedException", lam.update_alias, FunctionName=fn, Name="a", RevisionId=str(uuid.uuid4()),
            Description="changed")
    changed = lam.update_alias(FunctionName=fn, Name="a", RevisionId=made["RevisionId"], Description="changed",
                               FunctionVersion="2", RoutingConfig={"AdditionalVersionWeights": {}})
    assert changed["FunctionVersion"] == "2" and "RoutingConfig" not in changed
    assert changed["RevisionId"] != made["RevisionId"]
    lam.delete_alias(FunctionName=fn, Name="a")
    lam.delete_alias(FunctionName=fn, Name="a")
    refused("ResourceNotFoundException", lam.get_alias, FunctionName=fn, Name="a")


@needs("PutFunctionEventInvokeConfig", "ListFunctionEventInvokeConfigs", "PublishVersion")
def test_event_invoke_configs_page_by_page(our):
    fn = our.name()
    our.create_plain(fn)
    published(our, fn, 2)
    destinations = {"OnSuccess": {"Destination": our.queue()}, "OnFailure": {"Destination": our.queue()}}
    for qualifier in ("$LATEST", "1", "2"):
        got = our.lam.put_function_event_invoke_config(FunctionName=fn, Qualifier=qualifier, MaximumRetryAttempts=1,
                                                       MaximumEventAgeInSeconds=90, DestinationConfig=destinations)
        assert (got["MaximumRetryAttempts"], got["MaximumEventAgeInSeconds"]) == (1, 90)
        assert got["DestinationConfig"] == destinations
    paged(our.lam.list_function_event_invoke_configs, "FunctionEventInvokeConfigs", 3, FunctionName=fn)


@needs("CreateFunctionUrlConfig", "ListFunctionUrlConfigs", "CreateAlias")
def test_function_urls_page_by_page(our):
    fn, lam = our.name(), our.lam
    our.create_plain(fn)
    published(our, fn, 1)
    cors = {"AllowCredentials": True, "AllowHeaders": ["x-one"], "AllowMethods": ["GET", "POST"],
            "AllowOrigins": ["https://example.com"], "ExposeHeaders": ["x-two"], "MaxAge": 60}
    lam.create_function_url_config(FunctionName=fn, AuthType="AWS_IAM", InvokeMode="RESPONSE_STREAM", Cors=cors)
    for alias in ("one", "two"):
        lam.create_alias(FunctionName=fn, Name=alias, FunctionVersion="1")
        lam.create_function_url_config(FunctionName=fn, Qualifier=alias, AuthType="NONE")
    got = lam.get_function_url_config(FunctionName=fn)
    assert got["Cors"] == cors and got["InvokeMode"] == "RESPONSE_STREAM"
    paged(lam.list_function_url_configs, "FunctionUrlConfigs", 3, FunctionName=fn)
    got = lam.update_function_url_config(FunctionName=fn, Cors={}, InvokeMode="BUFFERED", AuthType="NONE")
    assert got["AuthType"] == "NONE" and got["InvokeMode"] == "BUFFERED"


@needs("PutProvisionedConcurrencyConfig", "ListProvisionedConcurrencyConfigs")
def test_provisioned_concurrency_page_by_page(our):
    fn, lam = our.name(), our.lam
    our.create_plain(fn)
    published(our, fn, 3)
    refused("ProvisionedConcurrencyConfigNotFoundException", lam.get_provisioned_concurrency_config, FunctionName=fn,
            Qualifier="1")
    for version in ("1", "2", "3"):
        lam.put_provisioned_concurrency_config(FunctionName=fn, Qualifier=version, ProvisionedConcurrentExecutions=1)
    for version in ("1", "2", "3"):
        our.until("provisioned", lambda v=version: lam.get_provisioned_concurrency_config(FunctionName=fn, Qualifier=v),
                  lambda p: p["Status"] == "READY", 90)
    paged(lam.list_provisioned_concurrency_configs, "ProvisionedConcurrencyConfigs", 3, FunctionName=fn)
    refused("InvalidParameterValueException", lam.put_provisioned_concurrency_config, FunctionName=fn,
            Qualifier="$LATEST", ProvisionedConcurrentExecutions=1)
    for version in ("1", "2", "3"):
        lam.delete_provisioned_concurrency_config(FunctionName=fn, Qualifier=version)
    assert lam.list_provisioned_concurrency_configs(FunctionName=fn)["ProvisionedConcurrencyConfigs"] == []


@needs("AddPermission", "GetPolicy", "RemovePermission")
def test_policy_with_every_member(our):
    import json
    fn, lam = our.name(), our.lam
    our.create_plain(fn)
    lam.add_permission(FunctionName=fn, StatementId="all", Action="lambda:InvokeFunction", Principal="s3.amazonaws.com",
                       SourceArn="arn:aws:s3:::bucket", SourceAccount=ACCOUNT, EventSourceToken="token")
    lam.add_permission(FunctionName=fn, StatementId="org", Action="lambda:InvokeFunction", Principal="*",
                       PrincipalOrgID="o-1234567890")
    got = lam.get_policy(FunctionName=fn)
    by_sid = {s["Sid"]: s for s in json.loads(got["Policy"])["Statement"]}
    assert by_sid["all"]["Condition"] == {"ArnLike": {"AWS:SourceArn": "arn:aws:s3:::bucket"}, "StringEquals": {
        "AWS:SourceAccount": ACCOUNT, "lambda:EventSourceToken": "token"}}
    assert by_sid["org"]["Condition"] == {"StringEquals": {"aws:PrincipalOrgID": "o-1234567890"}}
    refused("PreconditionFailedException", lam.remove_permission, FunctionName=fn, StatementId="all",
            RevisionId=str(uuid.uuid4()))
    lam.remove_permission(FunctionName=fn, StatementId="all", RevisionId=got["RevisionId"])
    refused("ResourceNotFoundException", lam.remove_permission, FunctionName=fn, StatementId="all")
    lam.remove_permission(FunctionName=fn, StatementId="org")
    refused("ResourceNotFoundException", lam.get_policy, FunctionName=fn)


@needs("TagResource", "ListTags", "UntagResource")
def test_tags(our):
    fn, lam = our.name(), our.lam
    our.create_plain(fn)
    arn = our.arn(fn)
    lam.tag_resource(Resource=arn, Tags={"a": "1", "b": "2", "ä/ö": "value with = and :"})
    lam.tag_resource(Resource=arn, Tags={"b": "3"})
    lam.untag_resource(Resource=arn, TagKeys=["a", "unknown"])
    assert lam.list_tags(Resource=arn)["Tags"] == {"b": "3", "ä/ö": "value with = and :"}


@needs("PublishLayerVersion", "ListLayers", "ListLayerVersions", "AddLayerVersionPermission")
def test_layers_page_by_page(our):
    lam, content = our.lam, {"ZipFile": zip_of({"python/a.py": "a = 1\n"})}
    names = [our.name("layer") for _ in range(3)]
    for name in names:
        lam.publish_layer_version(LayerName=name, Content=content, CompatibleRuntimes=["python3.12"],
                                  CompatibleArchitectures=["arm64"])
    for _ in range(2):
        lam.publish_layer_version(LayerName=names[0], Content=content)
    paged(lam.list_layers, "Layers", 3)
    paged(lam.list_layer_versions, "LayerVersions", 3, LayerName=names[0])
    assert [v["Version"] for v in lam.list_layer_versions(LayerName=names[0])["LayerVersions"]] == [3, 2, 1]
    assert {layer["LayerName"] for layer in lam.list_layers(CompatibleRuntime="python3.12")["Layers"]} >= set(names[1:])
    assert not {layer["LayerName"] for layer in lam.list_layers(CompatibleArchitecture="x86_64")["Layers"]} & set(names[1:])
    about = {"LayerName": names[0], "VersionNumber": 1}
    refused("ResourceNotFoundException", lam.get_layer_version_policy, **about)
    one = lam.add_layer_version_permission(StatementId="one", Action="lambda:GetLayerVersion", Principal="*", **about)
    refused("ResourceConflictException", lam.add_layer_version_permission, StatementId="one",
            Action="lambda:GetLayerVersion", Principal="*", **about)
    refused("PreconditionFailedException", lam.remove_layer_version_permission, StatementId="one",
            RevisionId=str(uuid.uuid4()), **about)
    assert lam.get_layer_version_policy(**about)["RevisionId"] == one["RevisionId"]
    lam.remove_layer_version_permission(StatementId="one", RevisionId=one["RevisionId"], **about)


@needs("CreateEventSourceMapping", "ListEventSourceMappings")
def test_event_source_mappings_page_by_page(our):
    fn, other, lam = our.name(), our.name(), our.lam
    our.create_plain(fn)
    our.create_plain(other)
    queue = our.queue()
    made = [lam.create_event_source_mapping(FunctionName=fn, EventSourceArn=our.queue(), Enabled=False) for _ in range(2)]
    made += [lam.create_event_source_mapping(FunctionName=n, EventSourceArn=queue, Enabled=False) for n in (fn, other)]
    refused("ResourceConflictException", lam.create_event_source_mapping, FunctionName=fn, EventSourceArn=queue)
    paged(lam.list_event_source_mappings, "EventSourceMappings", 4)
    paged(lam.list_event_source_mappings, "EventSourceMappings", 3, FunctionName=fn)
    found = lam.list_event_source_mappings(EventSourceArn=queue)["EventSourceMappings"]
    assert {m["UUID"] for m in found} == {m["UUID"] for m in made[2:]}


@needs("CreateCodeSigningConfig", "ListCodeSigningConfigs", "ListFunctionsByCodeSigningConfig")
def test_code_signing_configs_page_by_page(our):
    lam = our.lam
    arns = [lam.create_code_signing_config(AllowedPublishers=CSC_PUBLISHERS, Description=f"config {i}")
            ["CodeSigningConfig"]["CodeSigningConfigArn"] for i in range(3)]
    paged(lam.list_code_signing_configs, "CodeSigningConfigs", 3)
    lam.update_code_signing_config(CodeSigningConfigArn=arns[0], Description="changed",
                                   CodeSigningPolicies={"UntrustedArtifactOnDeployment": "Warn"})
    for _ in range(3):
        fn = our.name()
        our.create_plain(fn)
        lam.put_function_code_signing_config(FunctionName=fn, CodeSigningConfigArn=arns[0])
    paged(lam.list_functions_by_code_signing_config, "FunctionArns", 3, CodeSigningConfigArn=arns[0])
    refused("ResourceConflictException", lam.delete_code_signing_config, CodeSigningConfigArn=arns[0])


@needs("PutFunctionRecursionConfig", "GetFunctionRecursionConfig")
def test_recursion_config(our):
    fn, lam = our.name(), our.lam
    our.create_plain(fn)
    assert lam.get_function_recursion_config(FunctionName=fn)["RecursiveLoop"] == "Terminate"
    assert lam.put_function_recursion_config(FunctionName=fn, RecursiveLoop="Allow")["RecursiveLoop"] == "Allow"
    assert lam.get_function_recursion_config(FunctionName=fn)["RecursiveLoop"] == "Allow"


@needs("PutRuntimeManagementConfig", "GetRuntimeManagementConfig")
def test_runtime_management_config(our):
    fn, lam = our.name(), our.lam
    our.create_plain(fn)
    assert lam.get_runtime_management_config(FunctionName=fn)["UpdateRuntimeOn"] == "Auto"
    for mode in ("FunctionUpdate", "Auto"):
        lam.put_runtime_management_config(FunctionName=fn, UpdateRuntimeOn=mode)
        assert lam.get_runtime_management_config(FunctionName=fn)["UpdateRuntimeOn"] == mode
    refused("InvalidParameterValueException", lam.put_runtime_management_config, FunctionName=fn, UpdateRuntimeOn="Manual")


@needs("PutFunctionConcurrency", "GetAccountSettings")
def test_reserved_concurrency_keeps_a_hundred_free(our):
    fn, lam = our.name(), our.lam
    our.create_plain(fn)
    free = lam.get_account_settings()["AccountLimit"]["UnreservedConcurrentExecutions"]
    refused("InvalidParameterValueException", lam.put_function_concurrency, FunctionName=fn,
            ReservedConcurrentExecutions=free - 99)
    lam.put_function_concurrency(FunctionName=fn, ReservedConcurrentExecutions=free - 100)
    assert lam.get_function(FunctionName=fn)["Concurrency"] == {"ReservedConcurrentExecutions": free - 100}
    assert lam.get_account_settings()["AccountLimit"]["UnreservedConcurrentExecutions"] == 100
    lam.delete_function_concurrency(FunctionName=fn)


@needs("CreateFunction", "UpdateFunctionCode")
@pytest.mark.parametrize("name", ["name", "partial", "full"])
def test_a_function_is_found_by_each_form_of_its_name(our, name):
    """Also the two of TestPartialARNMatching, which recorded no answer."""
    fn = our.name()
    our.create_plain(fn)
    form = {"name": fn, "partial": our.partial(fn), "full": our.arn(fn)}[name]
    assert our.lam.get_function(FunctionName=form)["Configuration"]["FunctionArn"] == our.arn(fn)
    assert our.lam.update_function_configuration(FunctionName=form, Description=name)["Description"] == name
    our.updated(fn)
    assert our.lam.update_function_code(FunctionName=form, ZipFile=zip_of(PYTHON))["FunctionName"] == fn
    refused("ResourceNotFoundException", our.lam.get_function, FunctionName=our.arn(fn, region="eu-west-1"))


@needs("Invoke")
def test_dry_run_of_an_invocation_answers_without_a_body(our):
    fn = our.name()
    our.create_plain(fn)
    got = our.lam.invoke(FunctionName=fn, InvocationType="DryRun")
    assert got["StatusCode"] == 204 and got["Payload"].read() == b""
    refused("ResourceNotFoundException", our.lam.invoke, FunctionName=our.name(), InvocationType="DryRun")


@needs("InvokeAsync")
def test_an_event_is_taken_by_either_operation(our):
    fn = our.name()
    our.create_plain(fn)
    got = our.lam.invoke_async(FunctionName=fn, InvokeArgs=b'{"n": 1}')
    assert got["Status"] == 202 and got["ResponseMetadata"]["RequestId"]
    got = our.lam.invoke(FunctionName=fn, InvocationType="Event", Payload=b'{"n": 2}')
    assert got["StatusCode"] == 202 and got["Payload"].read() == b"" and "ExecutedVersion" not in got
    refused("ResourceNotFoundException", our.lam.invoke_async, FunctionName=our.name(), InvokeArgs=b"{}")
    refused("InvalidRequestContentException", our.lam.invoke_async, FunctionName=fn, InvokeArgs=b"{")
