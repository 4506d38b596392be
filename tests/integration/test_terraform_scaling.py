# SPDX-License-Identifier: Apache-2.0
"""Scalable targets, policies and scheduled actions under Terraform."""
import boto3

from terraform import Terraform

DIMENSION = "lambda:function:ProvisionedConcurrency"

CONFIGURATION = """
variable "max" {}
variable "target" {}
variable "zone" {}

resource "aws_appautoscaling_target" "live" {
  service_namespace  = "lambda"
  resource_id        = "function:terraformed:live"
  scalable_dimension = "lambda:function:ProvisionedConcurrency"
  min_capacity       = 0
  max_capacity       = var.max
  tags               = { team = "a", max = var.max }
}

resource "aws_appautoscaling_policy" "tracking" {
  name               = "tracking"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.live.service_namespace
  resource_id        = aws_appautoscaling_target.live.resource_id
  scalable_dimension = aws_appautoscaling_target.live.scalable_dimension
  target_tracking_scaling_policy_configuration {
    target_value      = var.target
    scale_in_cooldown = 60
    predefined_metric_specification {
      predefined_metric_type = "LambdaProvisionedConcurrencyUtilization"
    }
  }
}

resource "aws_appautoscaling_scheduled_action" "mornings" {
  name               = "mornings"
  service_namespace  = aws_appautoscaling_target.live.service_namespace
  resource_id        = aws_appautoscaling_target.live.resource_id
  scalable_dimension = aws_appautoscaling_target.live.scalable_dimension
  schedule           = "cron(0 9 ? * MON-FRI *)"
  timezone           = var.zone
  start_time         = "2030-01-01T00:00:00Z"
  scalable_target_action {
    min_capacity = 1
    max_capacity = var.max
  }
}
"""


def test_a_target_with_its_policy_and_schedule_lives_under_terraform(hearth, lam, make_function):
    make_function("terraformed", {"app.py": "def handler(event, context):\n    return 1\n"})
    version = lam.publish_version(FunctionName="terraformed")["Version"]
    lam.create_alias(FunctionName="terraformed", Name="live", FunctionVersion=version)
    scaling = boto3.client("application-autoscaling", endpoint_url=hearth.url, region_name="us-east-1", aws_access_key_id="test",
                           aws_secret_access_key="test")
    before = {"max": 5, "target": 0.7, "zone": "Europe/Berlin"}
    after = {"max": 6, "target": 0.6, "zone": "UTC"}
    with Terraform(hearth.url, CONFIGURATION) as tf:
        tf.apply(**before)
        plan = tf.plan(**before)
        assert plan == {}, plan
        tf.apply(**after)
        policy, = scaling.describe_scaling_policies(ServiceNamespace="lambda")["ScalingPolicies"]
        assert policy["TargetTrackingScalingPolicyConfiguration"]["TargetValue"] == 0.6
        action, = scaling.describe_scheduled_actions(ServiceNamespace="lambda")["ScheduledActions"]
        assert (action["Timezone"], action["ScalableTargetAction"]) == ("UTC", {"MinCapacity": 1, "MaxCapacity": 6})
        tf.imports("aws_appautoscaling_target.live", f"lambda/function:terraformed:live/{DIMENSION}", **after)
        tf.no_changes(**after)
        tf.destroy(**after)
    assert scaling.describe_scalable_targets(ServiceNamespace="lambda")["ScalableTargets"] == []
