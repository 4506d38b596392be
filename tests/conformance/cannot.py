# SPDX-License-Identifier: Apache-2.0
"""The recorded answers that ours cannot equal, with reasons, and the recorded cases that no script asks for."""
import re

# (case, answer, reason): regular expressions of whole names. An answer that is here may differ.
CANNOT = [
    (r"lambda_common::.*test_introspection_invoke\[(java|ruby|dotnet|provided).*\]", "invocation_result_.*",
     "created, not invoked: ruby, dotnet and older java have no image among Hearth's own, and the others would need a "
     "compiler (tests/integration/test_languages.py looks at their environment)"),
    (r"lambda_common::.*test_introspection_invoke\[.*\]", "invocation_result_.*",
     "the Runtime API of a sandbox is at 127.0.0.1:9001 in its own network, on AWS at 169.254.100.1:9001, and so X-Ray's "
     "daemon would be"),
    (r"lambda::TestLambdaErrors::test_lambda_runtime_error", "invocation_error",
     "the stack trace has the paths and lines of AWS's own Python build"),
    (r"lambda::TestLambdaFeatures::test_basic_invoke", "lambda_(create|get)_fn(_2)?",
     "recorded before LoggingConfig, SnapStart and RuntimeVersionConfig were shown; newer recordings have them"),
    (r"lambda::TestLambdaBehavior::test_runtime_ulimits", "invoke_runtime_ulimits",
     "RLIMIT_NPROC counts the processes of all sandboxes of a node here, and RLIMIT_CORE stays 0 so that no core "
     "handler of the host stores a function's memory (docs/internals/sandboxes.md)"),
    (r"lambda_api::.*test_create_event_source_self_managed", "event-source-mapping-(default|values)",
     "recorded before EventSourceMappingArn was shown; newer recordings have it"),
    (r"lambda_api::TestLambdaFunction::test_lambda_code_location_s3", "get-function-response-updated",
     "asked while the update is under way: here it may be over by then"),
    (r"lambda_api::TestLambdaVersions::test_publish_with_update", "get_function_(latest|version)_result",
     "asked while the update is under way: here it may be over by then"),
    (r"lambda_api::.*test_lambda_permission_versioning",
     "get_policy_after_(publishing_latest|adding_to_new_version)",
     "recorded in 2022; newer recordings (test_lambda_permission_fn_versioning) keep the policy's revision when a "
     "version is published"),
    (r"lambda::TestLambdaBehavior::test_runtime_ulimits", "invoke_runtime_ulimits",
     "RLIMIT_NPROC counts the processes of all sandboxes of a node here, and RLIMIT_CORE stays 0 so that no core "
     "handler of the host stores a function's memory (docs/internals/sandboxes.md)"),
    (r"lambda_api::.*test_create_event_source_self_managed", "event-source-mapping-(default|values)",
     "recorded in September 2024; newer recordings of all other sources have the EventSourceMappingArn"),
]

# Recorded cases (area, regular expression of whole names, why there is no script).
NO_SCRIPT = [
    ("lambda_api", r".*(test_add_lambda_permission_optional_fields|TestPartialARNMatching::.*)", "no answer is recorded"),
    ("lambda", r"TestLambdaBaseFeatures::test_large_payloads|TestLambdaMultiAccounts::.*|.*test_lambda_large_response|"
               r".*test_lambda_url_invocation_custom_id.*", "no answer is recorded"),
    ("lambda", r"TestLambdaURL::test_lambda_url_echo_http_fixture_.*", "calls a function URL: the data path"),
    ("lambda", r"TestLambdaErrors::test_lambda_runtime_exit_segfault", "30 s of a crashed runtime: the data path"),
    ("lambda", r"TestLambdaBehavior::test_lambda_host_prefix_api_operation", "calls other services from a function"),
    ("lambda_common", r"TestLambdaCallingLocalstack::.*", "no answer is recorded"),
    ("lambda_runtimes", r"TestPythonRuntimes::.*", "no answer is recorded"),
    ("lambda_runtimes", r".*", "what runtimes do: the data path"),
    ("lambda_destinations", r".*test_maxeventage", "waits for minutes; the rule is tested in controller_async_test.c and "
                                                   "tests/integration/test_async.py"),
    ("lambda_integration_dynamodbstreams", r".*report_batch_item.*", "table and events only: the pollers"),
    ("lambda_integration_sqs", r".*plain-string-.*", "no answer is recorded"),
    ("lambda_integration_sqs", r"test_redrive_policy_with_failing_lambda|test_message_body_and_attributes.*|"
                               r"test_report_batch_item_failures_on_lambda_error", "queues only: the pollers"),
    ("lambda_integration_sqs", r"test_esm_with_not_existing_sqs_queue", "needs to know which queues exist: the pollers"),
]


def reason(case, answer):
    for where, which, why in CANNOT:
        if re.fullmatch(where, case) and re.fullmatch(which, answer):
            return why
    return None


def answers(case, names):
    return [n for n in names if reason(case, n)]


def why_no_script(area, key):
    for where, which, why in NO_SCRIPT:
        if where == area and re.fullmatch(which, key):
            return why
    return None
