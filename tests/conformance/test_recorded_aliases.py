# SPDX-License-Identifier: Apache-2.0
"""Recorded: aliases."""
from case import PYTHON_INDEX, recorded
from harness import zip_of


@recorded("lambda_api", "TestLambdaAlias::test_non_existent_alias_update")
def test_non_existent_alias_update(case):
    fn = case.name()
    case.answer("create_response", case.create, fn, files=PYTHON_INDEX, Handler="index.handler",
                Environment={"Variables": {"testenv": "staging"}})
    case.active(fn)
    case.answer("update_alias_response", case.lam.update_alias, FunctionName=fn, Name="non-existent",
                Description="changed")


def code(version):
    return zip_of({"handler.py": f"""
def handler(event, context):
    return {{"version_id": "{version}", "invoked_arn": context.invoked_function_arn,
            "version_from_ctx": context.function_version}}
"""})


@recorded("lambda", "TestLambdaAliases::test_lambda_alias_moving")
def test_lambda_alias_moving(case):
    fn, invoke = case.name(), case.lam.invoke
    case.answer("create_response", case.create, fn, Code={"ZipFile": code("version1")}, Description="No version :(")
    case.active(fn)
    case.lam.publish_version(FunctionName=fn, Description="First version description :)")
    case.active(fn, "1")
    case.answer("create_alias_response", case.lam.create_alias, FunctionName=fn, FunctionVersion="1", Name="alias1")
    case.answer("invocation_result_qualifier_v1", invoke, FunctionName=fn, Qualifier="alias1", Payload=b"{}")
    case.answer("invocation_result_qualifier_v1_arn", invoke, FunctionName=case.arn(fn, "alias1"), Payload=b"{}")
    case.answer("update_lambda_response", case.lam.update_function_code, FunctionName=fn, ZipFile=code("version2"))
    case.updated(fn)
    case.answer("invocation_result_qualifier_v1_after_update", invoke, FunctionName=fn, Qualifier="alias1", Payload=b"{}")
    case.answer("second_publish_response", case.lam.publish_version, FunctionName=fn,
                Description="Second version description :)")
    case.active(fn, "2")
    case.answer("invocation_result_qualifier_v1_after_publish", invoke, FunctionName=fn, Qualifier="alias1", Payload=b"{}")
    case.answer("update_alias_response", case.lam.update_alias, FunctionName=fn, FunctionVersion="2", Name="alias1")
    case.answer("invocation_result_qualifier_v2", invoke, FunctionName=fn, Qualifier="alias1", Payload=b"{}")
    case.answer("invocation_exc_not_existent", invoke, FunctionName=fn, Qualifier="non-existent-alias", Payload=b"{}")
