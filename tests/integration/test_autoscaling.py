# SPDX-License-Identifier: Apache-2.0
"""Application Auto Scaling on Hearth's port: real clients, schedules that are due, targets that are exceeded."""
import concurrent.futures
import datetime
import itertools
import json
import threading
import time

import pytest

from harness import SLOW, wait_until

DIMENSION = "lambda:function:ProvisionedConcurrency"
METRIC = {"PredefinedMetricType": "LambdaProvisionedConcurrencyUtilization"}

APP = """
import time
def handler(event, context):
    time.sleep(event.get("sleep", 0))
    return context.function_version
"""


@pytest.fixture(scope="module")
def store():
    return {"HEARTH_SCALING_PERIOD": "1s"}


@pytest.fixture(scope="module")
def scaling(hearth):
    import boto3
    from botocore.config import Config
    return boto3.client("application-autoscaling", endpoint_url=hearth.url, region_name="us-east-1", aws_access_key_id="test",
                        aws_secret_access_key="test", config=Config(retries={"max_attempts": 0}))


@pytest.fixture
def alias(lam, make_function):
    """Makes a function with an alias that leads to its version 1; its resource id."""
    def make(name):
        make_function(name, {"app.py": APP}, Timeout=30)
        version = lam.publish_version(FunctionName=name)["Version"]
        lam.create_alias(FunctionName=name, Name="live", FunctionVersion=version)
        return f"function:{name}:live"
    return make


def of(resource):
    return {"ServiceNamespace": "lambda", "ResourceId": resource, "ScalableDimension": DIMENSION}


def capacity(lam, resource):
    """What is requested and what is there of it."""
    _, name, qualifier = resource.split(":")
    try:
        a = lam.get_provisioned_concurrency_config(FunctionName=name, Qualifier=qualifier)
    except lam.exceptions.ProvisionedConcurrencyConfigNotFoundException:
        return 0, 0
    return a["RequestedProvisionedConcurrentExecutions"], a["AllocatedProvisionedConcurrentExecutions"]


def soon(seconds):
    t = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
    return t.strftime("at(%Y-%m-%dT%H:%M:%S)")


def test_a_scheduled_action_changes_the_provisioned_concurrency(lam, scaling, alias):
    resource = alias("by-clock")
    scaling.register_scalable_target(**of(resource), MinCapacity=0, MaxCapacity=5)
    assert capacity(lam, resource) == (0, 0)
    scaling.put_scheduled_action(**of(resource), ScheduledActionName="up", Schedule=soon(3), ScalableTargetAction={"MinCapacity": 2, "MaxCapacity": 4})
    wait_until("it is 2", lambda: capacity(lam, resource) == (2, 2), 30)
    target = scaling.describe_scalable_targets(ServiceNamespace="lambda", ResourceIds=[resource])["ScalableTargets"][0]
    assert (target["MinCapacity"], target["MaxCapacity"]) == (2, 4)

    def causes():
        found = scaling.describe_scaling_activities(**of(resource))["ScalingActivities"]
        return [(a["StatusCode"], a["Cause"]) for a in found]
    wait_until("both are told", lambda: causes() == [("Successful", "minimum capacity was set to 2"),
                                                     ("Successful", "scheduled action name up was triggered")])
    # local time, of a zone that is far from UTC
    at = datetime.datetime.now(datetime.timezone(datetime.timedelta(hours=5, minutes=45))) + datetime.timedelta(seconds=2)
    scaling.put_scheduled_action(**of(resource), ScheduledActionName="down", Schedule=at.strftime("at(%Y-%m-%dT%H:%M:%S)"),
                                 Timezone="Asia/Kathmandu", ScalableTargetAction={"MinCapacity": 0, "MaxCapacity": 0})
    wait_until("it is 0", lambda: capacity(lam, resource) == (0, 0), 30)
    scaling.deregister_scalable_target(**of(resource))
    assert scaling.describe_scheduled_actions(ServiceNamespace="lambda")["ScheduledActions"] == []


def test_errors_have_the_names_that_clients_know(lam, scaling, alias):
    resource = alias("erring")
    with pytest.raises(scaling.exceptions.ObjectNotFoundException, match="No scalable target registered for service namespace: lambda"):
        scaling.deregister_scalable_target(**of(resource))
    with pytest.raises(scaling.exceptions.ValidationException, match="Function not found"):
        scaling.register_scalable_target(**of("function:erring:none"), MinCapacity=0, MaxCapacity=1)
    with pytest.raises(scaling.exceptions.ValidationException, match="Unsupported service namespace"):
        scaling.register_scalable_target(ServiceNamespace="dynamodb", ResourceId="table/x", ScalableDimension="dynamodb:table:ReadCapacityUnits",
                                         MinCapacity=0, MaxCapacity=1)
    with pytest.raises(scaling.exceptions.InvalidNextTokenException):
        scaling.describe_scaling_policies(ServiceNamespace="lambda", NextToken="none")
    with pytest.raises(scaling.exceptions.ClientError, match="does not offer the operation GetPredictiveScalingForecast") as e:
        scaling.get_predictive_scaling_forecast(**of(resource), PolicyName="p", StartTime=0, EndTime=1)
    assert e.value.response["Error"]["Code"] == "UnknownOperationException"


def test_the_command_line_reads_and_writes_all_of_it(hearth, lam, alias):
    resource = alias("typed")
    cli = ("application-autoscaling", )
    where = ("--service-namespace", "lambda", "--resource-id", resource, "--scalable-dimension", DIMENSION)
    arn = hearth.aws(*cli, "register-scalable-target", *where, "--min-capacity", "0", "--max-capacity", "3", "--tags", "team=a")["ScalableTargetARN"]
    assert hearth.aws(*cli, "list-tags-for-resource", "--resource-arn", arn) == {"Tags": {"team": "a"}}
    policy = {"TargetValue": 0.7, "PredefinedMetricSpecification": METRIC}
    put = hearth.aws(*cli, "put-scaling-policy", *where, "--policy-name", "seventy", "--policy-type", "TargetTrackingScaling",
                     "--target-tracking-scaling-policy-configuration", json.dumps(policy))
    assert put["PolicyARN"].endswith(":policyName/seventy") and put["Alarms"] == []
    hearth.aws(*cli, "put-scheduled-action", *where, "--scheduled-action-name", "mornings", "--schedule", "cron(0 9 ? * MON-FRI *)",
               "--timezone", "Europe/Berlin", "--scalable-target-action", "MinCapacity=1,MaxCapacity=3")
    action, = hearth.aws(*cli, "describe-scheduled-actions", "--service-namespace", "lambda", "--resource-id", resource)["ScheduledActions"]
    assert (action["Schedule"], action["Timezone"]) == ("cron(0 9 ? * MON-FRI *)", "Europe/Berlin")
    found, = hearth.aws(*cli, "describe-scaling-policies", "--service-namespace", "lambda")["ScalingPolicies"]
    assert found["TargetTrackingScalingPolicyConfiguration"] == policy
    hearth.aws(*cli, "deregister-scalable-target", *where)
    assert hearth.aws(*cli, "describe-scalable-targets", "--service-namespace", "lambda") == {"ScalableTargets": []}


def test_a_target_that_is_exceeded_scales_out_and_back_in(hearth, lam, scaling, alias):
    resource = alias("tracked")
    scaling.register_scalable_target(**of(resource), MinCapacity=1, MaxCapacity=4)
    wait_until("the least is there", lambda: capacity(lam, resource) == (1, 1), 30)
    scaling.put_scaling_policy(**of(resource), PolicyName="seventy", PolicyType="TargetTrackingScaling", TargetTrackingScalingPolicyConfiguration={
        "TargetValue": 0.7, "PredefinedMetricSpecification": METRIC})
    over = threading.Event()

    def load():
        while not over.is_set():
            lam.invoke(FunctionName="tracked", Qualifier="live", Payload=json.dumps({"sleep": 0.2}))

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        running = [pool.submit(load) for _ in range(2)]
        try:  # 1 of 1 is in use, then 2 of 2: 2 / 0.7 is 3
            wait_until("it has scaled out", lambda: capacity(lam, resource) == (3, 3), 40)
            time.sleep(3 * SLOW)
            assert capacity(lam, resource) == (3, 3)  # 2 of 3 is no more than 0.7, and no less than nine tenths of it
        finally:
            over.set()
        for r in running:
            r.result()
    wait_until("it has scaled in", lambda: capacity(lam, resource)[0] == 1, 60)

    def ways():
        """Newest first, each way once where it came several times in a row."""
        causes = [a["Cause"] for a in scaling.describe_scaling_activities(**of(resource))["ScalingActivities"]]
        return [way for way, _ in itertools.groupby(next(w for w in ("above", "below", "minimum") if w in c) for c in causes)]
    wait_until("all of it is told", lambda: ways() == ["below", "above", "minimum"])
    scaling.deregister_scalable_target(**of(resource))
