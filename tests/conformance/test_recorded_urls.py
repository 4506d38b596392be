# SPDX-License-Identifier: Apache-2.0
"""Recorded: function URLs."""
import pytest

from case import NODE, recorded


@recorded("lambda_api", "TestLambdaUrl::test_url_config_lifecycle")
def test_url_config_lifecycle(case):
    fn, lam = case.name(), case.lam
    case.create_plain(fn)
    case.answer("url_creation", lam.create_function_url_config, FunctionName=fn, AuthType="NONE")
    case.answer("failed_duplication", lam.create_function_url_config, FunctionName=fn, AuthType="NONE")
    case.answer("get_url_config", lam.get_function_url_config, FunctionName=fn)
    case.answer("updated_url_config", lam.update_function_url_config, FunctionName=fn, AuthType="AWS_IAM")
    lam.delete_function_url_config(FunctionName=fn)
    case.answer("failed_getter", lam.get_function_url_config, FunctionName=fn)


@recorded("lambda_api", "TestLambdaUrl::test_url_config_exceptions")
def test_url_config_exceptions(case):
    fn, lam = case.name(), case.lam
    case.create_plain(fn, files=NODE, Runtime="nodejs20.x", Handler="lambda_handler.handler")
    case.answer("fn_version_result", lam.publish_version, FunctionName=fn)
    case.answer("create_alias_result", lam.create_alias, FunctionName=fn, FunctionVersion="1", Name="urlalias")
    asked = {
        "name_doesnotexist": {"FunctionName": "doesnotexist"},
        "arn_doesnotexist": {"FunctionName": case.arn("doesnotexist")},
        "name_doesnotexist_qualifier": {"FunctionName": "doesnotexist", "Qualifier": "1"},
        "qualifier_version": {"FunctionName": fn, "Qualifier": "1"},
        "qualifier_version_doesnotexist": {"FunctionName": fn, "Qualifier": "2"},
        "qualifier_alias_doesnotexist": {"FunctionName": fn, "Qualifier": "doesnotexist"},
        "qualifier_alias_doesnotmatch_arn": {"FunctionName": case.arn(fn, "urlalias"), "Qualifier": "doesnotexist"},
        "qualifier_latest": {"FunctionName": fn, "Qualifier": "$LATEST"},
        "config_doesnotexist": {"FunctionName": fn},
    }
    for verb in ("create", "get", "delete", "update"):
        for name, kw in asked.items():
            if verb == "create" and name == "config_doesnotexist":
                continue
            auth = {"AuthType": "NONE"} if verb in ("create", "update") else {}
            case.answer(f"{verb}_function_url_config_{name}", getattr(lam, f"{verb}_function_url_config"), **kw, **auth)


def open_url(case, fn):
    """A URL that anybody may call, as the cases about calling it make it."""
    lam = case.lam
    case.answer("create_lambda_url_config", lam.create_function_url_config, FunctionName=fn, AuthType="NONE")
    case.answer("add_permission", lam.add_permission, FunctionName=fn, StatementId="urlPermission", Principal="*",
                Action="lambda:InvokeFunctionUrl", FunctionUrlAuthType="NONE")


@pytest.mark.parametrize("returns", ["dict", "http-response", "http-response-json", "list-mixed", "string", "integer",
                                     "float", "boolean"])
@recorded("lambda", "TestLambdaURL::test_lambda_url_invocation[{returns}]", foreign=["lambda_url_invocation"])
def test_lambda_url_invocation(case, returns):
    fn = case.name()
    case.create_plain(fn)
    open_url(case, fn)


@recorded("lambda", "TestRequestIdHandling::test_request_id_invoke_url",
          foreign=["lambda_url_invocation", "end_log_entries"])
def test_request_id_invoke_url(case):
    fn = case.name()
    case.create_plain(fn)
    open_url(case, fn)


@recorded("lambda", "TestLambdaURL::test_lambda_url_invocation_exception")
def test_lambda_url_invocation_exception(case):
    fn = case.name()
    case.create_plain(fn)
    case.answer("get_fn_result", case.lam.get_function, FunctionName=fn)
    open_url(case, fn)


@recorded("lambda", "TestLambdaURL::test_lambda_url_invalid_invoke_mode")
def test_lambda_url_invalid_invoke_mode(case):
    fn = case.name()
    case.create_plain(fn)
    case.answer("invoke_function_invalid_invoke_type", case.lam.create_function_url_config, FunctionName=fn,
                AuthType="NONE", InvokeMode="UNKNOWN")
