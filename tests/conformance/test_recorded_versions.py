# SPDX-License-Identifier: Apache-2.0
"""Recorded: versions."""
from case import PYTHON_INDEX, recorded
from harness import zip_of


@recorded("lambda_api", "TestLambdaVersions::test_version_lifecycle")
def test_version_lifecycle(case):
    fn = case.name()
    get, publish = case.lam.get_function, case.lam.publish_version
    case.answer("create_response", case.create, fn, files=PYTHON_INDEX, Handler="index.handler",
                Description="No version :(")
    case.active(fn)
    case.answer("get_function_result", get, FunctionName=fn)
    case.answer("list_versions_result", case.lam.list_versions_by_function, FunctionName=fn)
    case.answer("first_update_response", case.lam.update_function_configuration, FunctionName=fn,
                Description="First version :)")
    case.updated(fn)
    case.answer("first_update_get_function", get, FunctionName=fn)
    case.answer("first_publish_response", publish, FunctionName=fn, Description="First version description :)")
    case.active(fn, "1")
    case.answer("first_publish_get_function", get, FunctionName=fn, Qualifier="1")
    case.answer("first_publish_get_function_config", case.lam.get_function_configuration, FunctionName=fn, Qualifier="1")
    case.answer("second_update_response", case.lam.update_function_configuration, FunctionName=fn,
                Description="Second version :))")
    case.updated(fn)
    case.answer("first_publish_get_function_after_update", get, FunctionName=fn, Qualifier="1")
    case.answer("second_publish_response", publish, FunctionName=fn)
    case.answer("third_publish_response", publish, FunctionName=fn, Description="Third version description :)))")
    case.answer("list_versions_result_after_third_publish", case.lam.list_versions_by_function, FunctionName=fn)
    case.lam.delete_function(FunctionName=fn, Qualifier="1")
    case.answer("list_versions_result_after_deletion_of_first_version", case.lam.list_versions_by_function, FunctionName=fn)


@recorded("lambda_api", "TestLambdaVersions::test_publish_with_update")
def test_publish_with_update(case):
    fn = case.name()
    case.answer("create_response", case.create, fn, files=PYTHON_INDEX, Handler="index.handler")
    case.active(fn)
    case.answer("get_function_result", case.lam.get_function, FunctionName=fn)
    case.answer("update_function_code_result", case.lam.update_function_code, FunctionName=fn, Publish=True,
                ZipFile=zip_of({"index.py": "def handler(event, context):\n    return 'two'\n"}))
    case.answer("get_function_version_result", case.lam.get_function, FunctionName=fn, Qualifier="1")
    case.answer("get_function_latest_result", case.lam.get_function, FunctionName=fn, Qualifier="$LATEST")
