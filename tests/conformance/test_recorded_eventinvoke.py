# SPDX-License-Identifier: Apache-2.0
"""Recorded: configuration of asynchronous invocations."""
from case import recorded

ALIAS = "eventinvokealias"


@recorded("lambda_api", "TestLambdaEventInvokeConfig::test_lambda_eventinvokeconfig_lifecycle")
def test_lambda_eventinvokeconfig_lifecycle(case):
    fn, lam = case.name(), case.lam
    put, update, get = (lam.put_function_event_invoke_config, lam.update_function_event_invoke_config,
                        lam.get_function_event_invoke_config)
    case.create_plain(fn)
    case.answer("put_invokeconfig_retries_0", put, FunctionName=fn, MaximumRetryAttempts=0)
    case.answer("put_invokeconfig_eventage_60", put, FunctionName=fn, MaximumEventAgeInSeconds=60)
    case.answer("update_invokeconfig_eventage_nochange", update, FunctionName=fn, MaximumEventAgeInSeconds=60)
    case.answer("update_invokeconfig_retries", update, FunctionName=fn, MaximumRetryAttempts=1)
    case.answer("get_invokeconfig", get, FunctionName=fn)
    case.answer("get_invokeconfig_latest", get, FunctionName=fn, Qualifier="$LATEST")
    case.answer("list_single_invokeconfig", lam.list_function_event_invoke_configs, FunctionName=fn)
    case.answer("publish_version_result", lam.publish_version, FunctionName=fn)
    case.answer("get_invokeconfig_postpublish", get, FunctionName=fn, Qualifier="1")
    case.answer("put_published_invokeconfig", put, FunctionName=fn, Qualifier="1", MaximumEventAgeInSeconds=120)
    case.answer("get_published_invokeconfig", get, FunctionName=fn, Qualifier="1")
    lam.delete_function_event_invoke_config(FunctionName=fn)
    case.answer("list_paging_nolimit_postdelete", lam.list_function_event_invoke_configs, FunctionName=fn)


@recorded("lambda_api", "TestLambdaEventInvokeConfig::test_lambda_eventinvokeconfig_exceptions")
def test_lambda_eventinvokeconfig_exceptions(case):
    fn, other, lam = case.name(), case.name("other"), case.lam
    arn, retry = case.arn(fn), {"MaximumRetryAttempts": 1}
    case.create_plain(fn)
    case.create_plain(other)

    def put(name, function=fn, **kw):
        case.answer(f"put_{name}", lam.put_function_event_invoke_config, FunctionName=function, **kw)

    def success(destination):
        return {"DestinationConfig": {"OnSuccess": {"Destination": destination}}}

    case.answer("fn_version_result", lam.publish_version, FunctionName=fn)
    case.answer("fn_alias_result", lam.create_alias, FunctionName=fn, FunctionVersion="1", Name=ALIAS)

    put("functionname_name_notfound", "doesnotexist", **retry)
    put("functionname_arn_notfound", case.arn("doesnotexist"), **retry)
    put("functionname_nootherargs")
    put("destination_lambda_doesntexist", **success(case.arn("doesnotexist")))
    put("destination_recursive", **success(arn))
    put("destination_other_lambda", **success(case.arn(other)))
    put("destination_invalid_service_arn", **success(arn.replace(":lambda:", ":iam:")))
    put("destination_success_no_destination_arn", DestinationConfig={"OnSuccess": {}})
    put("destination_failure_no_destination_arn", DestinationConfig={"OnFailure": {}})
    put("destination_invalid_arn_pattern",
        DestinationConfig={"OnFailure": {"Destination": arn.replace(":lambda:", ":_-/!lambda:")}})

    put("destination_latest", **retry)
    put("destination_latest_explicit_qualifier", Qualifier="$LATEST", **retry)
    put("destination_version", Qualifier="1", **retry)
    put("alias_functionname_qualifier", Qualifier=ALIAS, **retry)
    put("alias_doesnotexist", Qualifier="doesnotexist", **retry)
    put("alias_qualifiedarn", f"{arn}:{ALIAS}", **retry)
    put("alias_qualifiedarn_qualifier", f"{arn}:{ALIAS}", Qualifier=ALIAS, **retry)
    put("alias_qualifiedarn_qualifierconflict", f"{arn}:{ALIAS}", Qualifier="$LATEST", **retry)
    put("alias_shorthand", f"{fn}:{ALIAS}", **retry)
    put("alias_shorthand_qualifier", f"{fn}:{ALIAS}", Qualifier=ALIAS, **retry)
    put("alias_shorthand_qualifierconflict", f"{fn}:{ALIAS}", Qualifier="$LATEST", **retry)
    put("version_shorthand", f"{fn}:1", **retry)
    put("shorthand_qualifier_match", f"{fn}:$LATEST", Qualifier="$LATEST", **retry)
    put("shorthand_qualifier_mismatch_1", f"{fn}:$LATEST", Qualifier="1", **retry)
    put("shorthand_qualifier_mismatch_2", f"{fn}:$LATEST", Qualifier=ALIAS, **retry)
    put("shorthand_qualifier_mismatch_3", f"{fn}:1", Qualifier="$LATEST", **retry)

    put("maxevent_maxvalue_result", MaximumRetryAttempts=2, MaximumEventAgeInSeconds=21600)
    put("pre_overwrite", MaximumRetryAttempts=2, MaximumEventAgeInSeconds=60)
    put("post_overwrite", MaximumRetryAttempts=0)
    case.answer("second_overwrite_existing_response", lam.put_function_event_invoke_config, FunctionName=fn,
                MaximumRetryAttempts=0)
    case.answer("get_post_overwrite", lam.get_function_event_invoke_config, FunctionName=fn)
    case.answer("pre_update_response", lam.put_function_event_invoke_config, FunctionName=fn, MaximumRetryAttempts=2,
                MaximumEventAgeInSeconds=60)
    update = lam.update_function_event_invoke_config
    case.answer("update_response", update, FunctionName=fn, MaximumRetryAttempts=0)
    case.answer("update_response_existing", update, FunctionName=fn, MaximumRetryAttempts=0)
    case.answer("list_configs", lam.list_function_event_invoke_configs, FunctionName=fn)

    delete, get = lam.delete_function_event_invoke_config, lam.get_function_event_invoke_config
    case.answer("delete_latest", delete, FunctionName=fn)
    case.answer("delete_version", delete, FunctionName=fn, Qualifier="1")
    case.answer("delete_alias", delete, FunctionName=fn, Qualifier=ALIAS)
    case.answer("list_configs_postdelete", lam.list_function_event_invoke_configs, FunctionName=fn)
    case.answer("delete_function_not_found", delete, FunctionName=fn)
    case.answer("delete_function_doesnotexist", delete, FunctionName="doesnotexist")
    case.answer("list_function_doesnotexist", lam.list_function_event_invoke_configs, FunctionName="doesnotexist")
    case.answer("get_function_doesnotexist", get, FunctionName="doesnotexist")
    case.answer("get_qualifier_doesnotexist", get, FunctionName=fn, Qualifier="doesnotexist")
    case.answer("update_eventinvokeconfig_function_doesnotexist", update, FunctionName="doesnotexist",
                MaximumRetryAttempts=0)
    case.answer("get_eventinvokeconfig_doesnotexist", get, FunctionName=fn, Qualifier=ALIAS)
    case.answer("update_eventinvokeconfig_config_doesnotexist_with_qualifier", update, FunctionName=fn, Qualifier=ALIAS,
                MaximumRetryAttempts=0)
    case.answer("update_eventinvokeconfig_config_doesnotexist_without_qualifier", update, FunctionName=fn,
                MaximumRetryAttempts=0)
