# SPDX-License-Identifier: Apache-2.0
"""A module as Terraform's users write them, under the real AWS provider: function, role and all that hangs on them."""
import re

import pytest

from harness import zip_of
from terraform import Terraform

APP = "import os\ndef handler(e, c):\n    return [%r, os.environ['WORD'], open('/opt/word.txt').read()]\n"

CONFIGURATION = """
variable "code" { type = string }
variable "word" { type = string }
variable "memory" { type = number }
variable "share" { type = number }
variable "batch" { type = number }
variable "alias_version" { type = string }
variable "full" { type = bool }

locals {
  account = data.aws_caller_identity.me.account_id
  full    = var.full ? ["full"] : []
}

data "aws_caller_identity" "me" {}

resource "aws_iam_role" "worker" {
  name = "tf-function"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "lambda.amazonaws.com" } }]
  })
}

resource "aws_iam_role_policy_attachment" "logs" {
  role       = aws_iam_role.worker.name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
}

resource "aws_lambda_layer_version" "words" {
  layer_name               = "tf-words"
  filename                 = "layer.zip"
  source_code_hash         = filebase64sha256("layer.zip")
  description              = "words"
  license_info             = "Apache-2.0"
  compatible_runtimes      = ["python3.11", "python3.12"]
  compatible_architectures = ["x86_64"]
  #imported filename, skip_destroy, source_code_hash
}

resource "aws_lambda_layer_version_permission" "all" {
  layer_name     = aws_lambda_layer_version.words.layer_name
  version_number = aws_lambda_layer_version.words.version
  statement_id   = "all"
  action         = "lambda:GetLayerVersion"
  principal      = "*"
}

resource "aws_lambda_code_signing_config" "watched" {
  description = "level ${var.memory}"
  allowed_publishers {
    signing_profile_version_arns = ["arn:aws:signer:us-east-1:000000000000:/signing-profiles/tf/abcdefghij"]
  }
  policies {
    untrusted_artifact_on_deployment = "Warn"
  }
}

resource "aws_lambda_function" "worker" {
  function_name                  = "tf-worker"
  description                    = "memory ${var.memory}"
  role                           = aws_iam_role.worker.arn
  runtime                        = "python3.11"
  handler                        = "app.handler"
  filename                       = var.code
  source_code_hash               = filebase64sha256(var.code)
  timeout                        = 10
  memory_size                    = var.memory
  publish                        = true
  layers                         = [aws_lambda_layer_version.words.arn]
  reserved_concurrent_executions = 5
  code_signing_config_arn        = aws_lambda_code_signing_config.watched.arn
  environment {
    variables = { WORD = var.word }
  }
  ephemeral_storage {
    size = 600
  }
  tracing_config {
    mode = "PassThrough"
  }
  logging_config {
    log_format            = "JSON"
    application_log_level = "INFO"
    system_log_level      = "WARN"
  }
  dead_letter_config {
    target_arn = "arn:aws:sqs:us-east-1:${local.account}:dead"
  }
  tags = {
    memory = var.memory
    team   = "a b+c"
  }
  depends_on = [aws_iam_role_policy_attachment.logs]
  #imported filename, publish, source_code_hash
}

# has everything at first and nothing then
resource "aws_lambda_function" "plain" {
  function_name                  = "tf-plain"
  role                           = aws_iam_role.worker.arn
  runtime                        = "python3.11"
  handler                        = "app.handler"
  filename                       = "a.zip"
  description                    = var.full ? "full" : ""
  layers                         = var.full ? [aws_lambda_layer_version.words.arn] : []
  tags                           = var.full ? { first = "yes" } : {}
  kms_key_arn                    = var.full ? "arn:aws:kms:us-east-1:${local.account}:key/k" : null
  reserved_concurrent_executions = var.full ? 2 : -1
  code_signing_config_arn        = var.full ? aws_lambda_code_signing_config.watched.arn : null
  dynamic "environment" {
    for_each = local.full
    content {
      variables = { WORD = "first" }
    }
  }
  dynamic "dead_letter_config" {
    for_each = local.full
    content {
      target_arn = "arn:aws:sqs:us-east-1:${local.account}:dead"
    }
  }
  dynamic "vpc_config" {
    for_each = local.full
    content {
      subnet_ids         = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]
      security_group_ids = ["sg-0123456789abcdef0"]
    }
  }
  dynamic "file_system_config" {
    for_each = local.full
    content {
      arn              = "arn:aws:elasticfilesystem:us-east-1:${local.account}:access-point/fsap-0123456789abcdef0"
      local_mount_path = "/mnt/data"
    }
  }
  dynamic "tracing_config" {
    for_each = local.full
    content {
      mode = "Active"
    }
  }
  dynamic "logging_config" {
    for_each = local.full
    content {
      log_format = "JSON"
      log_group  = "/elsewhere"
    }
  }
  #imported filename, publish
}

resource "aws_lambda_function_url" "plain" {
  function_name      = aws_lambda_function.plain.function_name
  authorization_type = var.full ? "AWS_IAM" : "NONE"
  invoke_mode        = var.full ? "RESPONSE_STREAM" : "BUFFERED"
  dynamic "cors" {
    for_each = local.full
    content {
      allow_credentials = true
      allow_origins     = ["https://example.com"]
    }
  }
}

resource "aws_lambda_function_event_invoke_config" "plain" {
  function_name          = aws_lambda_function.plain.function_name
  maximum_retry_attempts = 0
  dynamic "destination_config" {
    for_each = local.full
    content {
      on_success {
        destination = "arn:aws:sns:us-east-1:${local.account}:done"
      }
    }
  }
}

resource "aws_lambda_event_source_mapping" "stream" {
  function_name                      = aws_lambda_function.plain.function_name
  event_source_arn                   = "arn:aws:kinesis:us-east-1:${local.account}:stream/tf"
  starting_position                  = "LATEST"
  enabled                            = false
  maximum_retry_attempts             = var.full ? 3 : -1
  parallelization_factor             = var.full ? 2 : 1
  bisect_batch_on_function_error     = var.full
  tumbling_window_in_seconds         = var.full ? 30 : 0
  maximum_batching_window_in_seconds = var.full ? 5 : 0
  tags                               = var.full ? { first = "yes" } : {}
  dynamic "filter_criteria" {
    for_each = local.full
    content {
      filter {
        pattern = jsonencode({ data = { n = [1] } })
      }
    }
  }
  dynamic "destination_config" {
    for_each = local.full
    content {
      on_failure {
        destination_arn = "arn:aws:sqs:us-east-1:${local.account}:dead"
      }
    }
  }
}

resource "aws_lambda_alias" "live" {
  name             = "live"
  description      = "share ${var.share}"
  function_name    = aws_lambda_function.worker.function_name
  function_version = var.alias_version
  dynamic "routing_config" {
    for_each = var.share > 0 ? [var.share] : []
    content {
      additional_version_weights = { (aws_lambda_function.worker.version) = routing_config.value }
    }
  }
}

resource "aws_lambda_permission" "rule" {
  statement_id   = "rule"
  action         = "lambda:InvokeFunction"
  function_name  = aws_lambda_function.worker.function_name
  qualifier      = aws_lambda_alias.live.name
  principal      = "events.amazonaws.com"
  source_arn     = "arn:aws:events:us-east-1:${local.account}:rule/r"
  source_account = local.account
}

resource "aws_lambda_permission" "public" {
  statement_id           = "public"
  action                 = "lambda:InvokeFunctionUrl"
  function_name          = aws_lambda_function.worker.function_name
  principal              = "*"
  function_url_auth_type = "NONE"
}

resource "aws_lambda_function_url" "worker" {
  function_name      = aws_lambda_function.worker.function_name
  authorization_type = "NONE"
  cors {
    allow_origins = ["https://example.com"]
    allow_methods = ["GET", "POST"]
    max_age       = var.memory
  }
}

resource "aws_lambda_provisioned_concurrency_config" "live" {
  function_name                     = aws_lambda_function.worker.function_name
  qualifier                         = aws_lambda_function.worker.version
  provisioned_concurrent_executions = 1
}

resource "aws_lambda_function_event_invoke_config" "live" {
  function_name                = aws_lambda_function.worker.function_name
  qualifier                    = aws_lambda_alias.live.name
  maximum_event_age_in_seconds = 60 + var.memory
  maximum_retry_attempts       = 1
  destination_config {
    on_failure {
      destination = "arn:aws:sqs:us-east-1:${local.account}:failed"
    }
  }
}

resource "aws_lambda_event_source_mapping" "queue" {
  function_name    = aws_lambda_alias.live.arn
  event_source_arn = "arn:aws:sqs:us-east-1:${local.account}:tf-queue"
  batch_size       = var.batch
  enabled          = false
  filter_criteria {
    filter {
      pattern = jsonencode({ body = { n = [1] } })
    }
  }
  function_response_types = ["ReportBatchItemFailures"]
  scaling_config {
    maximum_concurrency = 4
  }
}

resource "aws_lambda_event_source_mapping" "kafka" {
  function_name     = aws_lambda_function.plain.arn
  topics            = ["orders"]
  starting_position = "TRIM_HORIZON"
  batch_size        = var.batch
  enabled           = false
  self_managed_event_source {
    endpoints = {
      KAFKA_BOOTSTRAP_SERVERS = "127.0.0.1:1,127.0.0.1:2"
    }
  }
  self_managed_kafka_event_source_config {
    consumer_group_id = "tf"
  }
  source_access_configuration {
    type = "SASL_SCRAM_512_AUTH"
    uri  = "arn:aws:secretsmanager:us-east-1:${local.account}:secret:kafka"
  }
}

resource "aws_lambda_function_recursion_config" "plain" {
  function_name  = aws_lambda_function.plain.function_name
  recursive_loop = "Allow"
}

resource "aws_lambda_runtime_management_config" "plain" {
  function_name     = aws_lambda_function.plain.function_name
  qualifier         = "$LATEST"
  update_runtime_on = "FunctionUpdate"
}

data "aws_lambda_function" "seen" {
  function_name = aws_lambda_function.worker.function_name
  qualifier     = aws_lambda_alias.live.name
}

data "aws_lambda_invocation" "asked" {
  function_name = aws_lambda_function.worker.function_name
  qualifier     = aws_lambda_function.worker.version
  input         = jsonencode({})
}

output "answer" { value = jsondecode(data.aws_lambda_invocation.asked.result) }
output "account" { value = local.account }
output "version" { value = aws_lambda_function.worker.version }
output "alias_invoke_arn" { value = aws_lambda_alias.live.invoke_arn }
output "url" { value = aws_lambda_function_url.worker.function_url }
output "queue" { value = aws_lambda_event_source_mapping.queue.uuid }
output "kafka" { value = aws_lambda_event_source_mapping.kafka.uuid }
output "stream" { value = aws_lambda_event_source_mapping.stream.uuid }
output "signing" { value = aws_lambda_code_signing_config.watched.arn }
output "layer" { value = aws_lambda_layer_version.words.arn }
"""

FIRST = {"code": "a.zip", "word": "one", "memory": 128, "share": 0, "batch": 5, "alias_version": "1", "full": "true"}
SECOND = {"code": "b.zip", "word": "two", "memory": 256, "share": 0.25, "batch": 7, "alias_version": "1", "full": "false"}


@pytest.fixture
def module(hearth):
    with Terraform(hearth.url, CONFIGURATION, AWS_ACCESS_KEY_ID=hearth.key[0], AWS_SECRET_ACCESS_KEY=hearth.key[1]) as tf:
        for name in "ab":
            (tf.folder / f"{name}.zip").write_bytes(zip_of({"app.py": APP % name}))
        (tf.folder / "layer.zip").write_bytes(zip_of({"word.txt": "layered"}))
        yield tf


def test_a_whole_module_lives_under_terraform(hearth, lam, module):
    module.apply(**FIRST)
    out = module.outputs()
    assert out["answer"] == ["a", "one", "layered"] and out["account"] == "000000000000" and out["version"] == "1"
    assert lam.get_provisioned_concurrency_config(FunctionName="tf-worker", Qualifier="1")["Status"] == "READY"
    module.no_changes(**FIRST)

    plan = module.plan(**SECOND)
    replaced = {address for address, actions in plan.items() if "delete" in actions}
    assert replaced == {"aws_lambda_provisioned_concurrency_config.live"}, plan  # its version is another
    module.apply(**SECOND)
    out = module.outputs()
    assert out["answer"] == ["b", "two", "layered"] and out["version"] == "2"
    assert lam.get_alias(FunctionName="tf-worker", Name="live")["RoutingConfig"] == {"AdditionalVersionWeights": {"2": 0.25}}
    plain = lam.get_function(FunctionName="tf-plain")
    assert not plain.get("Tags") and not plain["Configuration"].get("Layers") and not plain["Configuration"].get("DeadLetterConfig")
    assert lam.get_event_source_mapping(UUID=out["kafka"])["BatchSize"] == 7
    module.no_changes(**SECOND)

    taken_up(module, out)
    module.destroy(**SECOND)
    assert lam.list_functions()["Functions"] == [] and lam.list_layers()["Layers"] == []
    assert lam.list_event_source_mappings()["EventSourceMappings"] == []
    assert lam.list_code_signing_configs()["CodeSigningConfigs"] == []


def taken_up(module, out):
    """Forgets everything, imports it into a fresh state and finds nothing to do.

    What is no property of a thing but of how it is made (from which file) cannot be read back: the provider would make
    the layer anew for it.
    """
    names = {
        "aws_iam_role.worker": "tf-function",
        "aws_iam_role_policy_attachment.logs": "tf-function/arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole",
        "aws_lambda_layer_version.words": out["layer"],
        "aws_lambda_layer_version_permission.all": "tf-words,1",
        "aws_lambda_code_signing_config.watched": out["signing"],
        "aws_lambda_function.worker": "tf-worker",
        "aws_lambda_function.plain": "tf-plain",
        "aws_lambda_alias.live": "tf-worker/live",
        "aws_lambda_permission.rule": "tf-worker:live/rule",
        "aws_lambda_permission.public": "tf-worker/public",
        "aws_lambda_function_url.worker": "tf-worker",
        "aws_lambda_provisioned_concurrency_config.live": "tf-worker,2",
        "aws_lambda_function_event_invoke_config.live": "tf-worker:live",
        "aws_lambda_event_source_mapping.queue": out["queue"],
        "aws_lambda_event_source_mapping.kafka": out["kafka"],
        "aws_lambda_event_source_mapping.stream": out["stream"],
        "aws_lambda_function_url.plain": "tf-plain",
        "aws_lambda_function_event_invoke_config.plain": "tf-plain",
        "aws_lambda_function_recursion_config.plain": "tf-plain",
        "aws_lambda_runtime_management_config.plain": "tf-plain,$LATEST",
    }
    (module.folder / "terraform.tfstate").rename(module.folder / "before.tfstate")
    ignoring = re.sub("#imported (.*)", r"lifecycle { ignore_changes = [\1] }", CONFIGURATION)
    module.configure(ignoring + "".join(f'\nimport {{\n  to = {a}\n  id = "{i}"\n}}\n' for a, i in names.items()))
    imported = module.apply(**SECOND)
    assert f"Plan: {len(names)} to import, 0 to add, 0 to change, 0 to destroy." in imported, imported
    module.configure(ignoring)
    module.no_changes(**SECOND)
