# SPDX-License-Identifier: Apache-2.0
"""The calls of Terraform's AWS provider, in its order and with its checks, where there is no Terraform.

Source: the provider's internal/service/lambda, version 5.100, as facts: what it asks, what it waits for, what it cannot
do without. Polls are made every tenth of a second instead of every five.
"""
import json
import time

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from harness import wait_until, zip_of

NAME = "replayed"
TRUST = json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}]})
BASIC = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
APP = "def handler(e, c):\n    return %r\n"


@pytest.fixture(scope="module")
def aws(hearth):
    def client(service):
        return boto3.client(service, endpoint_url=hearth.url, region_name="us-east-1", aws_access_key_id=hearth.key[0],
                            aws_secret_access_key=hearth.key[1], config=Config(retries={"max_attempts": 0}))
    return client


def code_of(call, **arguments):
    """The error that a call ends with."""
    with pytest.raises(ClientError) as e:
        call(**arguments)
    return e.value.response["Error"]["Code"]


# ---- the function ----

def read_function(lam, qualifier=None):
    """What each refresh asks; the provider fails when a part is missing."""
    at = {"FunctionName": NAME, **({"Qualifier": qualifier} if qualifier else {})}
    got = lam.get_function(**at)
    assert got["Code"] and got["Configuration"]
    versions, marker = [], {}
    while True:
        page = lam.list_versions_by_function(FunctionName=NAME, MaxItems=10000, **marker)
        versions += page["Versions"]
        if "NextMarker" not in page:
            break
        marker = {"Marker": page["NextMarker"]}
    assert [v["Version"] for v in versions] == ["$LATEST"] + sorted((v["Version"] for v in versions[1:]), key=int)
    lam.get_function_code_signing_config(FunctionName=NAME)  # in a region that has Signer: no error is let through
    conf = got["Configuration"]
    # what it puts into the state without asking whether it is there
    for member in ("RevisionId", "CodeSha256", "CodeSize", "LastModified", "LoggingConfig", "EphemeralStorage", "SnapStart",
                   "TracingConfig", "Architectures", "PackageType", "Timeout", "MemorySize", "State", "LastUpdateStatus"):
        assert conf.get(member) is not None, member
    return got, versions[-1]["Version"]


def wait_state(lam, member, pending, target, **at):
    """Polls as its state waiters do: any other state than these ends in an error."""
    def reached():
        state = lam.get_function_configuration(FunctionName=NAME, **at).get(member)
        assert state in pending + target, f"{member} is {state}"
        return state in target
    wait_until(f"{member} is {target}", reached, 60)


def publish(lam):
    """With its retry: a publication right behind an update may be refused as long as that is in progress."""
    def published():
        try:
            return lam.publish_version(FunctionName=NAME)["Version"]
        except ClientError as e:
            assert e.response["Error"]["Code"] == "ResourceConflictException" and "in progress" in str(e), e
    version = wait_until("a version can be published", published, 60)
    wait_state(lam, "LastUpdateStatus", ["InProgress"], ["Successful"], Qualifier=version)
    return version


def update(lam, archive, memory):
    lam.update_function_configuration(
        FunctionName=NAME, Description="", Handler="app.handler", MemorySize=memory, Role=ROLE_ARN, Runtime="python3.11", Timeout=10,
        Environment={"Variables": {}}, Layers=[], DeadLetterConfig={"TargetArn": ""}, FileSystemConfigs=[], KMSKeyArn="",
        TracingConfig={"Mode": "PassThrough"}, VpcConfig={"SubnetIds": [], "SecurityGroupIds": [], "Ipv6AllowedForDualStack": False},
        EphemeralStorage={"Size": 512}, LoggingConfig={"LogFormat": "Text", "LogGroup": f"/aws/lambda/{NAME}"})
    wait_state(lam, "LastUpdateStatus", ["InProgress"], ["Successful"])
    lam.update_function_code(FunctionName=NAME, ZipFile=archive, Architectures=["x86_64"], DryRun=False)
    wait_state(lam, "LastUpdateStatus", ["InProgress"], ["Successful"])


ROLE_ARN = "arn:aws:iam::000000000000:role/replayed"


def test_the_provider_starts(aws):
    identity = aws("sts").get_caller_identity()
    assert identity["Account"] == "000000000000" and identity["Arn"].startswith("arn:aws:iam::000000000000:")


def test_a_role_is_made_read_and_removed(aws):
    iam = aws("iam")
    made = iam.create_role(RoleName=NAME, Path="/", AssumeRolePolicyDocument=TRUST, MaxSessionDuration=3600)["Role"]
    assert made["Arn"] == ROLE_ARN and made["RoleId"].startswith("AROA")
    read_role(iam, [])
    iam.attach_role_policy(RoleName=NAME, PolicyArn=BASIC)
    iam.put_role_policy(RoleName=NAME, PolicyName="inline", PolicyDocument=TRUST.replace("Principal", "Resource").replace(
        '{"Service": "lambda.amazonaws.com"}', '"*"'))
    read_role(iam, [BASIC])
    iam.delete_role_policy(RoleName=NAME, PolicyName="inline")


def read_role(iam, attached):
    role = iam.get_role(RoleName=NAME)["Role"]
    assert json.loads(TRUST) == role["AssumeRolePolicyDocument"]
    iam.list_role_policies(RoleName=NAME)
    assert [p["PolicyArn"] for p in iam.list_attached_role_policies(RoleName=NAME)["AttachedPolicies"]] == attached


def test_a_function_is_created_read_changed_and_read(aws):
    lam = aws("lambda")
    lam.create_function(
        FunctionName=NAME, Role=ROLE_ARN, Runtime="python3.11", Handler="app.handler", Code={"ZipFile": zip_of({"app.py": APP % "a"})},
        Description="", MemorySize=128, Timeout=10, PackageType="Zip", Publish=True, Architectures=["x86_64"], Tags={"team": "a b+c"},
        EphemeralStorage={"Size": 512}, TracingConfig={"Mode": "PassThrough"})
    wait_until("the function is active", lambda: lam.get_function(FunctionName=NAME)["Configuration"]["State"] in
               ("Active", "ActiveNonInvocable"), 60)
    lam.put_function_concurrency(FunctionName=NAME, ReservedConcurrentExecutions=5)
    got, version = read_function(lam)
    conf = got["Configuration"]
    assert version == "1" and got["Tags"] == {"team": "a b+c"} and got["Concurrency"] == {"ReservedConcurrentExecutions": 5}
    assert not conf.get("VpcConfig", {}).get("VpcId") and not conf.get("Layers") and not conf.get("DeadLetterConfig")
    assert conf["SnapStart"] == {"ApplyOn": "None", "OptimizationStatus": "Off"} and conf["TracingConfig"] == {"Mode": "PassThrough"}

    update(lam, zip_of({"app.py": APP % "b"}), 256)
    assert publish(lam) == "2"
    after, version = read_function(lam)
    assert version == "2" and after["Configuration"]["MemorySize"] == 256 and after["Configuration"]["Timeout"] == 10
    assert not after["Configuration"].get("Environment", {}).get("Variables")
    for member in ("Layers", "DeadLetterConfig", "FileSystemConfigs", "KMSKeyArn"):
        assert not after["Configuration"].get(member), f"an empty {member} comes back: each plan would show it"
    lam.tag_resource(Resource=conf["FunctionArn"], Tags={"level": "2"})
    lam.untag_resource(Resource=conf["FunctionArn"], TagKeys=["team"])
    assert read_function(lam)[0]["Tags"] == {"level": "2"}


# ---- what hangs on it ----

def test_an_alias(aws):
    lam = aws("lambda")
    lam.create_alias(FunctionName=NAME, Name="live", FunctionVersion="1", Description="", RoutingConfig={"AdditionalVersionWeights": {"2": 0.25}})
    assert lam.get_alias(FunctionName=NAME, Name="live")["RoutingConfig"]["AdditionalVersionWeights"] == {"2": 0.25}
    lam.update_alias(FunctionName=NAME, Name="live", FunctionVersion="2", Description="", RoutingConfig={"AdditionalVersionWeights": {}})
    assert not lam.get_alias(FunctionName=NAME, Name="live").get("RoutingConfig")


def test_a_permission(aws):
    lam = aws("lambda")
    rule = dict(FunctionName=NAME, Qualifier="live", StatementId="rule", Action="lambda:InvokeFunction", Principal="events.amazonaws.com",
                SourceArn="arn:aws:events:us-east-1:000000000000:rule/r")
    lam.add_permission(**rule)
    statement, = json.loads(lam.get_policy(FunctionName=NAME, Qualifier="live")["Policy"])["Statement"]
    # it takes the function and the qualifier from Resource, the account from Condition
    assert statement["Resource"].split(":function:")[1] == f"{NAME}:live" and statement["Sid"] == "rule"
    assert statement["Condition"]["ArnLike"]["AWS:SourceArn"] == rule["SourceArn"]
    assert code_of(lam.add_permission, **rule) == "ResourceConflictException"
    lam.remove_permission(FunctionName=NAME, Qualifier="live", StatementId="rule")
    assert code_of(lam.get_policy, FunctionName=NAME, Qualifier="live") == "ResourceNotFoundException"
    assert code_of(lam.remove_permission, FunctionName=NAME, Qualifier="live", StatementId="rule") == "ResourceNotFoundException"


def test_a_url(aws):
    lam = aws("lambda")
    made = lam.create_function_url_config(FunctionName=NAME, AuthType="NONE", InvokeMode="BUFFERED")
    # for a public URL the provider gives everyone leave to call it
    lam.add_permission(FunctionName=NAME, StatementId="FunctionURLAllowPublicAccess", Action="lambda:InvokeFunctionUrl", Principal="*",
                       FunctionUrlAuthType="NONE")
    got = lam.get_function_url_config(FunctionName=NAME)
    assert got["FunctionUrl"] == made["FunctionUrl"] and got["FunctionArn"].endswith(":function:" + NAME) and got["InvokeMode"] == "BUFFERED"
    lam.update_function_url_config(FunctionName=NAME, AuthType="NONE", Cors={"AllowOrigins": ["*"]}, InvokeMode="BUFFERED")
    lam.delete_function_url_config(FunctionName=NAME)
    assert code_of(lam.get_function_url_config, FunctionName=NAME) == "ResourceNotFoundException"


def test_provisioned_concurrency(aws):
    lam = aws("lambda")
    at = dict(FunctionName=NAME, Qualifier="2")
    lam.put_provisioned_concurrency_config(ProvisionedConcurrentExecutions=1, **at)

    def ready():
        status = lam.get_provisioned_concurrency_config(**at)["Status"]
        assert status in ("IN_PROGRESS", "READY"), status
        return status == "READY"
    wait_until("provisioned concurrency is ready", ready, 60)
    assert lam.get_provisioned_concurrency_config(**at)["AllocatedProvisionedConcurrentExecutions"] == 1
    lam.delete_provisioned_concurrency_config(**at)
    assert code_of(lam.get_provisioned_concurrency_config, **at) == "ProvisionedConcurrencyConfigNotFoundException"


def test_an_event_invoke_config(aws):
    lam = aws("lambda")
    at = dict(FunctionName=NAME, Qualifier="live")
    lam.put_function_event_invoke_config(MaximumRetryAttempts=1, MaximumEventAgeInSeconds=60, DestinationConfig={
        "OnFailure": {"Destination": "arn:aws:sqs:us-east-1:000000000000:failed"}}, **at)
    got = lam.get_function_event_invoke_config(**at)
    assert got["DestinationConfig"]["OnFailure"]["Destination"].endswith(":failed") and got["FunctionArn"].endswith(":live")
    lam.put_function_event_invoke_config(MaximumRetryAttempts=0, **at)  # an update puts the whole again
    got = lam.get_function_event_invoke_config(**at)
    assert got["MaximumRetryAttempts"] == 0 and not got.get("MaximumEventAgeInSeconds")
    lam.delete_function_event_invoke_config(**at)
    assert code_of(lam.get_function_event_invoke_config, **at) == "ResourceNotFoundException"


def test_an_event_source_mapping(aws):
    lam = aws("lambda")
    made = lam.create_event_source_mapping(FunctionName=f"{NAME}:live", EventSourceArn="arn:aws:sqs:us-east-1:000000000000:q", Enabled=False,
                                           Tags={"team": "t"})
    uuid = made["UUID"]

    def settled(target):
        def check():
            state = lam.get_event_source_mapping(UUID=uuid)["State"]
            assert state in ("Creating", "Disabling", "Enabling", "Updating", target), state
            return state == target
        wait_until(f"the mapping is {target}", check, 60)
    settled("Disabled")
    got = lam.get_event_source_mapping(UUID=uuid)
    assert got["FunctionArn"].endswith(f"{NAME}:live") and got["BatchSize"] == 10 and got["EventSourceMappingArn"].endswith(uuid)
    assert lam.list_tags(Resource=got["EventSourceMappingArn"])["Tags"] == {"team": "t"}
    lam.update_event_source_mapping(UUID=uuid, BatchSize=7, FunctionName=f"{NAME}:live", Enabled=False)
    settled("Disabled")
    lam.delete_event_source_mapping(UUID=uuid)

    def gone():
        try:
            assert lam.get_event_source_mapping(UUID=uuid)["State"] == "Deleting"
        except lam.exceptions.ResourceNotFoundException:
            return True
    wait_until("the mapping is gone", gone, 60)


def test_a_layer_with_its_permission(aws):
    lam = aws("lambda")
    made = lam.publish_layer_version(LayerName=NAME, Description="", LicenseInfo="", Content={"ZipFile": zip_of({"x": "y"})})
    at = dict(LayerName=made["LayerVersionArn"].rsplit(":", 1)[0], VersionNumber=made["Version"])  # by ARN when imported
    assert lam.get_layer_version(**at)["Content"]["CodeSha256"] == made["Content"]["CodeSha256"]
    lam.add_layer_version_permission(LayerName=NAME, VersionNumber=1, StatementId="all", Action="lambda:GetLayerVersion", Principal="*")
    got = lam.get_layer_version_policy(LayerName=NAME, VersionNumber=1)
    assert json.loads(got["Policy"])["Statement"][0]["Sid"] == "all" and got["RevisionId"]
    lam.remove_layer_version_permission(LayerName=NAME, VersionNumber=1, StatementId="all")
    assert code_of(lam.get_layer_version_policy, LayerName=NAME, VersionNumber=1) == "ResourceNotFoundException"
    lam.delete_layer_version(LayerName=NAME, VersionNumber=1)
    assert code_of(lam.get_layer_version, LayerName=NAME, VersionNumber=1) == "ResourceNotFoundException"


def test_a_code_signing_config(aws):
    lam = aws("lambda")
    arn = lam.create_code_signing_config(
        AllowedPublishers={"SigningProfileVersionArns": ["arn:aws:signer:us-east-1:000000000000:/signing-profiles/p/abcdefghij"]},
        CodeSigningPolicies={"UntrustedArtifactOnDeployment": "Warn"})["CodeSigningConfig"]["CodeSigningConfigArn"]
    lam.put_function_code_signing_config(FunctionName=NAME, CodeSigningConfigArn=arn)
    assert lam.get_function_code_signing_config(FunctionName=NAME)["CodeSigningConfigArn"] == arn
    lam.delete_function_code_signing_config(FunctionName=NAME)
    assert not lam.get_function_code_signing_config(FunctionName=NAME).get("CodeSigningConfigArn")
    lam.delete_code_signing_config(CodeSigningConfigArn=arn)
    assert code_of(lam.get_code_signing_config, CodeSigningConfigArn=arn) == "ResourceNotFoundException"


def test_everything_is_removed(aws):
    lam, iam = aws("lambda"), aws("iam")
    lam.delete_alias(FunctionName=NAME, Name="live")
    lam.delete_alias(FunctionName=NAME, Name="live")  # no error where it is gone
    lam.delete_function(FunctionName=NAME)
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if code_of(lam.get_function, FunctionName=NAME) == "ResourceNotFoundException":
            break
    assert code_of(lam.delete_function, FunctionName=NAME) == "ResourceNotFoundException"
    # a role that has nothing left: it asks for all that could stand in the way
    assert iam.list_instance_profiles_for_role(RoleName=NAME)["InstanceProfiles"] == []
    for policy in iam.list_attached_role_policies(RoleName=NAME)["AttachedPolicies"]:
        iam.detach_role_policy(RoleName=NAME, PolicyArn=policy["PolicyArn"])
    iam.delete_role(RoleName=NAME)
    assert code_of(iam.get_role, RoleName=NAME) == "NoSuchEntity"
