# SPDX-License-Identifier: Apache-2.0
"""Recorded: functions and their configuration."""
import pytest

from case import ACCOUNT, PYTHON, PYTHON_INDEX, recorded
from harness import zip_of

OTHER_INDEX = {"index.py": "def handler(event, context):\n    return 'the second'\n"}


@recorded("lambda_api", "TestLambdaFunction::test_redundant_updates")
def test_redundant_updates(case):
    fn = case.name()
    case.answer("create_response", case.create_plain, fn, Description="Initial description")
    case.answer("first_update_result", case.lam.update_function_configuration, FunctionName=fn,
                Description="1st update description")
    case.updated(fn)
    case.answer("get_fn_config_result", case.lam.get_function_configuration, FunctionName=fn)
    case.answer("get_fn_result", case.lam.get_function, FunctionName=fn)
    case.answer("redundant_update_result", case.lam.update_function_configuration, FunctionName=fn,
                Description="1st update description")
    case.updated(fn)
    case.answer("get_fn_result_after_redundant_update", case.lam.get_function, FunctionName=fn)


@pytest.mark.parametrize("operation", [
    "delete_function", "get_function", "get_function_configuration", "get_function_url_config",
    "get_function_code_signing_config", "get_function_event_invoke_config", "get_function_concurrency"])
@recorded("lambda_api", "TestLambdaFunction::test_ops_on_nonexisting_fn[{operation}]")
def test_ops_on_nonexisting_fn(case, operation):
    case.answer("not_found_exception", getattr(case.lam, operation), FunctionName=case.name("nonexisting"))


@recorded("lambda_api", "TestLambdaFunction::test_lambda_code_location_s3")
def test_lambda_code_location_s3(case, s3_put):
    fn = case.name()
    bucket, key = s3_put(zip_of(PYTHON_INDEX))
    case.answer("create_response_s3", case.create, fn, Handler="index.handler", Code={"S3Bucket": bucket, "S3Key": key})
    case.active(fn)
    case.answer("get-function-response", case.lam.get_function, FunctionName=fn)
    bucket, key = s3_put(zip_of(OTHER_INDEX))
    case.answer("update-function-response", case.lam.update_function_code, FunctionName=fn, S3Bucket=bucket, S3Key=key)
    case.answer("get-function-response-updated", case.lam.get_function, FunctionName=fn)


@recorded("lambda_api", "TestLambdaFunction::test_vpc_config")
def test_vpc_config(case):
    fn = case.name()
    first = {"SubnetIds": ["subnet-0a1b2c3d4e5f60001"], "SecurityGroupIds": ["sg-0a1b2c3d4e5f60001"]}
    second = {"SubnetIds": ["subnet-0a1b2c3d4e5f60002"], "SecurityGroupIds": ["sg-0a1b2c3d4e5f60002"]}
    case.answer("create_response", case.create_plain, fn, MemorySize=256, Timeout=5, VpcConfig=first)
    case.answer("get_function_response", case.lam.get_function, FunctionName=fn)
    for step, config in (("update", second), ("delete", {"SubnetIds": [], "SecurityGroupIds": []})):
        case.answer(f"{step}_vpcconfig_update_response", case.lam.update_function_configuration, FunctionName=fn,
                    VpcConfig=config)
        case.updated(fn)
        case.answer(f"{step}_vpcconfig_get_function_response", case.lam.get_function, FunctionName=fn)


@recorded("lambda_api", "TestLambdaFunction::test_function_arns")
def test_function_arns(case):
    create = case.create
    case.answer("create-function-arn-response", case.create_plain, case.arn(case.name()))
    case.answer("create-function-partial-arn-response", case.create_plain, case.partial(case.name()),
                files={"handler.py": "def handler(event, context):\n    return 2\n"})
    case.answer("invalid_function_name_exc", create, "invalid:function:name")
    case.answer("long_function_name_exc", create, "a" * 65)
    case.answer("long_function_arn_exc", create, case.arn("a" * 170))
    case.answer("function_arn_other_region_exc", create, case.arn(case.name(), region="ap-southeast-1"))
    case.answer("function_arn_other_account_exc", create, case.arn(case.name(), account=str(int(ACCOUNT) + 222)
                                                                   .zfill(12)))


@recorded("lambda_api", "TestLoggingConfig::test_advanced_logging_configuration_format_switch")
def test_advanced_logging_configuration_format_switch(case):
    fn = case.name()
    case.answer("create_response", case.create_plain, fn, MemorySize=256, Timeout=5)
    case.answer("get_function_response", case.lam.get_function, FunctionName=fn)
    case.answer("function_config", case.lam.get_function_configuration, FunctionName=fn)
    for suffix, form in (("", "JSON"), ("_v2", "Text")):
        case.answer("updated_config" + suffix, case.lam.update_function_configuration, FunctionName=fn,
                    LoggingConfig={"LogFormat": form})
        case.updated(fn)
        case.answer("received_config" + suffix, case.lam.get_function_configuration, FunctionName=fn)


@pytest.mark.parametrize("runtime", ["java8", "go1.x", "provided", "ruby2.7", "nodejs14.x", "python3.7", "dotnetcore3.1",
                                     "nodejs12.x"])
@recorded("lambda_api", "TestRuntimeValidation::test_create_deprecated_function_runtime_with_validation_enabled[{runtime}]")
def test_create_deprecated_function_runtime(case, runtime):
    case.answer("deprecation_error", case.create, case.name(), Runtime=runtime)


SNAPSTART_HANDLERS = {"java11": "echo.Handler", "java17": "echo.Handler", "java21": "echo.Handler",
                      "java25": "echo.Handler", "python3.12": "handler.handler", "python3.13": "handler.handler",
                      "dotnet8": "dotnet::Dotnet.Function::FunctionHandler",
                      "dotnet10": "dotnet::Dotnet.Function::FunctionHandler"}


@pytest.mark.parametrize("runtime", SNAPSTART_HANDLERS)
@recorded("lambda_api", "TestLambdaSnapStart::test_snapstart_update_function_configuration[{runtime}]")
def test_snapstart_update_function_configuration(case, runtime):
    fn = case.name()
    case.answer("create_function_response", case.create, fn, Runtime=runtime, Handler=SNAPSTART_HANDLERS[runtime],
                MemorySize=1024, Timeout=5)
    case.active(fn)
    case.answer("update_function_response", case.lam.update_function_configuration, FunctionName=fn,
                SnapStart={"ApplyOn": "PublishedVersions"})


@recorded("lambda_api", "TestLambdaRecursion::test_put_function_recursion_config_invalid_value")
def test_put_function_recursion_config_invalid_value(case):
    fn = case.name()
    case.create_plain(fn)
    case.answer("put_recursion_invalid_value_error", case.lam.put_function_recursion_config, FunctionName=fn,
                RecursiveLoop="InvalidValue")


@recorded("lambda", "TestLambdaBaseFeatures::test_lambda_different_iam_keys_environment")
def test_lambda_different_iam_keys_environment(case):
    case.answer("create-result", case.create_plain, case.name())


@recorded("lambda", "TestLambdaBehavior::test_mixed_architecture")
def test_mixed_architecture(case):
    fn = case.name()
    case.answer("create_function_response", case.create_plain, fn)
    case.answer("update_function_code_response", case.lam.update_function_code, FunctionName=fn,
                ZipFile=zip_of(PYTHON), Architectures=["arm64"])


@recorded("lambda", "TestLambdaCleanup::test_recreate_function")
def test_recreate_function(case):
    fn = case.name()
    files = {"lambda_echo.py": PYTHON["handler.py"]}
    case.answer("create_function_response_one", case.create_plain, fn, files=files, Handler="lambda_echo.handler")
    case.lam.delete_function(FunctionName=fn)
    case.answer("create_function_response_two", case.create_plain, fn, files=files, Handler="lambda_echo.handler")



def wrapper_runtimes():
    import recordings
    if not recordings.there():
        return []
    stem = "TestLambdaRuntimesCommon::test_runtime_wrapper_invoke["
    return [k[len(stem):-1] for k in recordings.load("lambda_common") if k.startswith(stem)]


@pytest.mark.parametrize("runtime", wrapper_runtimes())
@recorded("lambda_common", "TestLambdaRuntimesCommon::test_runtime_wrapper_invoke[{runtime}]")
def test_runtime_wrapper_invoke(case, runtime):
    """Only what CreateFunction answered is recorded, with a handler that each language names in its own way."""
    handler = case.want["create_function_result"]["Handler"]
    case.answer("create_function_result", case.create, case.name(), Runtime=runtime, Handler=handler, MemorySize=1024,
                Environment={"Variables": {"AWS_LAMBDA_EXEC_WRAPPER": "/var/task/environment_wrapper"}})
