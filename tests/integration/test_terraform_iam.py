# SPDX-License-Identifier: Apache-2.0
"""Roles and policies as Terraform makes them: apply, nothing left to do, change in place, import, destroy."""
import json

import pytest

from terraform import Terraform

CONFIGURATION = """
variable "level" {
  type = string
}

variable "seconds" {
  type    = number
  default = 3600
}

resource "aws_iam_role" "worker" {
  name                 = "tf-worker"
  path                 = "/team/"
  description          = "level ${var.level}"
  max_session_duration = var.seconds
  permissions_boundary = aws_iam_policy.shared.arn
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = var.level == "1" ? "lambda.amazonaws.com" : "edgelambda.amazonaws.com" }
    }]
  })
  tags = {
    level = var.level
    team  = "a b+c"
  }
}

resource "aws_iam_role_policy" "inline" {
  name = "inline"
  role = aws_iam_role.worker.id
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = ["s3:GetObject"], Resource = "arn:aws:s3:::bucket-${var.level}/*" }]
  })
}

resource "aws_iam_policy" "shared" {
  name        = "tf-shared"
  description = "shared"
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sqs:*", Resource = "arn:aws:sqs:*:*:queue-${var.level}" }]
  })
  tags = {
    level = var.level
  }
}

resource "aws_iam_role_policy_attachment" "shared" {
  role       = aws_iam_role.worker.name
  policy_arn = aws_iam_policy.shared.arn
}

data "aws_iam_policy" "basic" {
  name = "AWSLambdaBasicExecutionRole"
}

resource "aws_iam_role_policy_attachment" "basic" {
  role       = aws_iam_role.worker.name
  policy_arn = data.aws_iam_policy.basic.arn
}

data "aws_iam_role" "seen" {
  name = aws_iam_role.worker.name
}

output "arn" {
  value = data.aws_iam_role.seen.arn
}
"""

ROLE_ARN = "arn:aws:iam::000000000000:role/team/tf-worker"
POLICY_ARN = "arn:aws:iam::000000000000:policy/tf-shared"
BASIC_ARN = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"


@pytest.fixture
def iam(hearth):
    import boto3
    from botocore.config import Config
    return boto3.client("iam", endpoint_url=hearth.url, region_name="us-east-1", aws_access_key_id="test",
                        aws_secret_access_key="test", config=Config(retries={"max_attempts": 0}))


def test_a_role_with_its_policies_lives_under_terraform(hearth, iam):
    with Terraform(hearth.url, CONFIGURATION) as tf:
        tf.apply(level="1")
        tf.no_changes(level="1")
        assert tf.outputs()["arn"] == ROLE_ARN
        role = iam.get_role(RoleName="tf-worker")["Role"]
        assert role["Description"] == "level 1" and {"Key": "team", "Value": "a b+c"} in role["Tags"]
        assert role["AssumeRolePolicyDocument"]["Statement"][0]["Principal"] == {"Service": "lambda.amazonaws.com"}
        assert {p["PolicyArn"] for p in iam.list_attached_role_policies(RoleName="tf-worker")["AttachedPolicies"]} == {POLICY_ARN, BASIC_ARN}

        plan = tf.plan(level="2", seconds=7200)
        assert plan and all(actions == ["update"] for a, actions in plan.items() if not a.startswith("data.")), plan
        tf.apply(level="2", seconds=7200)
        tf.no_changes(level="2", seconds=7200)
        assert iam.get_role(RoleName="tf-worker")["Role"]["RoleId"] == role["RoleId"]
        assert iam.get_role(RoleName="tf-worker")["Role"]["MaxSessionDuration"] == 7200
        assert iam.get_policy(PolicyArn=POLICY_ARN)["Policy"]["DefaultVersionId"] == "v2"
        inline = iam.get_role_policy(RoleName="tf-worker", PolicyName="inline")["PolicyDocument"]
        assert inline["Statement"][0]["Resource"] == "arn:aws:s3:::bucket-2/*"

        variables = {"level": "2", "seconds": 7200}
        tf.imports("aws_iam_role.worker", "tf-worker", **variables)
        tf.imports("aws_iam_role_policy.inline", "tf-worker:inline", **variables)
        tf.imports("aws_iam_policy.shared", POLICY_ARN, **variables)
        tf.imports("aws_iam_role_policy_attachment.basic", f"tf-worker/{BASIC_ARN}", **variables)
        tf.no_changes(**variables)

        tf.destroy(**variables)
        assert iam.list_roles()["Roles"] == [] and iam.list_policies(Scope="Local")["Policies"] == []


OTHER_FORMS = """
data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com", "edgelambda.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "use" {
  statement {
    actions   = ["s3:GetObject"]
    resources = ["*"]
  }
}

resource "aws_iam_role" "whole" {
  name_prefix           = "tf-whole-"
  assume_role_policy    = data.aws_iam_policy_document.trust.json
  force_detach_policies = true
  managed_policy_arns   = ["arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess"]
  inline_policy {
    name   = "inside"
    policy = data.aws_iam_policy_document.use.json
  }
}

resource "aws_iam_role" "plain" {
  name               = "tf-plain"
  assume_role_policy = data.aws_iam_policy_document.trust.json
}

resource "aws_iam_policy" "use" {
  name_prefix = "tf-use-"
  path        = "/some/path/"
  policy      = data.aws_iam_policy_document.use.json
}

resource "aws_iam_policy_attachment" "use" {
  name       = "use"
  roles      = [aws_iam_role.plain.name]
  policy_arn = aws_iam_policy.use.arn
}

resource "aws_iam_role_policies_exclusive" "plain" {
  role_name    = aws_iam_role.plain.name
  policy_names = []
}

data "aws_iam_roles" "found" {
  name_regex = "^tf-plain$"
  depends_on = [aws_iam_role.plain]
}

output "found" {
  value = data.aws_iam_roles.found.names
}
"""


def test_the_other_forms_of_policies_in_terraform(hearth, iam):
    with Terraform(hearth.url, OTHER_FORMS) as tf:
        tf.apply()
        tf.no_changes()
        assert tf.outputs()["found"] == ["tf-plain"]
        arn = tf.resources()["aws_iam_policy.use"]["arn"]
        assert arn.startswith("arn:aws:iam::000000000000:policy/some/path/tf-use-")
        iam.put_role_policy(RoleName="tf-plain", PolicyName="stray", PolicyDocument=json.dumps(
            {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}))
        assert tf.plan() == {"aws_iam_role_policies_exclusive.plain": ["update"]}
        tf.apply()
        assert iam.list_role_policies(RoleName="tf-plain")["PolicyNames"] == []
        tf.destroy()
        assert iam.list_roles()["Roles"] == []


def test_an_sdk_reads_what_it_wrote(iam):
    trust = {"Version": "2012-10-17",
             "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
    names = [f"sdk-{i:02}" for i in range(7)]
    for name in names:
        role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust), Tags=[{"Key": "ä", "Value": "ö"}])["Role"]
        assert role["AssumeRolePolicyDocument"] == trust and role["CreateDate"].tzinfo
    pages = list(iam.get_paginator("list_roles").paginate(PaginationConfig={"PageSize": 3}))
    assert len(pages) == 3 and [r["RoleName"] for p in pages for r in p["Roles"]] == names
    assert iam.list_role_tags(RoleName="sdk-00")["Tags"] == [{"Key": "ä", "Value": "ö"}]
    with pytest.raises(iam.exceptions.EntityAlreadyExistsException):
        iam.create_role(RoleName=names[0], AssumeRolePolicyDocument=json.dumps(trust))
    with pytest.raises(iam.exceptions.MalformedPolicyDocumentException):
        iam.create_role(RoleName="other", AssumeRolePolicyDocument="{")
    with pytest.raises(iam.exceptions.NoSuchEntityException) as e:
        iam.get_role(RoleName="nobody")
    assert e.value.response["Error"]["Message"] == "The role with name nobody cannot be found."
    assert e.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404
    with pytest.raises(iam.exceptions.ClientError) as e:
        iam.create_user(UserName="u")
    assert e.value.response["Error"]["Code"] == "InvalidAction" and "CreateUser" in str(e.value)
    iam.get_waiter("role_exists").wait(RoleName=names[0])
    for name in names:
        iam.delete_role(RoleName=name)
    everything = [p for page in iam.get_paginator("list_policies").paginate(Scope="AWS", PaginationConfig={"PageSize": 10})
                  for p in page["Policies"]]
    assert len({p["Arn"] for p in everything}) == len(everything) > 20
    for policy in everything:
        document = iam.get_policy_version(PolicyArn=policy["Arn"], VersionId=policy["DefaultVersionId"])["PolicyVersion"]["Document"]
        assert document["Version"] == "2012-10-17" and document["Statement"]
