# SPDX-License-Identifier: Apache-2.0
"""Recorded: code signing configurations."""
from case import ACCOUNT, REGION, recorded


@recorded("lambda_api", "TestCodeSigningConfig::test_function_code_signing_config")
def test_function_code_signing_config(case):
    fn, lam = case.name(), case.lam
    case.create_plain(fn)
    made = case.answer("create_code_signing_config", lam.create_code_signing_config,
                       Description="Testing CodeSigning Config",
                       AllowedPublishers={"SigningProfileVersionArns":
                                          [f"arn:aws:signer:{REGION}:{ACCOUNT}:/signing-profiles/test"]},
                       CodeSigningPolicies={"UntrustedArtifactOnDeployment": "Enforce"})
    arn = made["CodeSigningConfig"]["CodeSigningConfigArn"]
    case.answer("update_code_signing_config", lam.update_code_signing_config, CodeSigningConfigArn=arn,
                CodeSigningPolicies={"UntrustedArtifactOnDeployment": "Warn"})
    case.answer("get_code_signing_config", lam.get_code_signing_config, CodeSigningConfigArn=arn)
    case.answer("put_function_code_signing_config", lam.put_function_code_signing_config, CodeSigningConfigArn=arn,
                FunctionName=fn)
    case.answer("get_function_code_signing_config", lam.get_function_code_signing_config, FunctionName=fn)
    listed = lam.list_code_signing_configs()["CodeSigningConfigs"]
    case.note("list_code_signing_configs", [c for c in listed if c["CodeSigningConfigArn"] == arn][0])
    case.answer("list_functions_by_code_signing_config", lam.list_functions_by_code_signing_config,
                CodeSigningConfigArn=arn)
    case.answer("delete_function_code_signing_config", lam.delete_function_code_signing_config, FunctionName=fn)
    case.answer("delete_code_signing_config", lam.delete_code_signing_config, CodeSigningConfigArn=arn)
