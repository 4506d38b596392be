# SPDX-License-Identifier: Apache-2.0
"""Recorded: sizes and the account's settings."""
import io
import random
import zipfile

from case import recorded


@recorded("lambda_api", "TestLambdaSizeLimits::test_oversized_lambda")
def test_oversized_lambda(case):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as z:
        z.writestr("handler.py", "def handler(event, context):\n    pass\n")
        with z.open("large", "w") as f:
            for _ in range(251):
                f.write(bytes(1 << 20))
    case.answer("invalid_param_exc", case.create, case.name(), Code={"ZipFile": packed.getvalue()})


@recorded("lambda_api", "TestLambdaSizeLimits::test_lambda_envvars_near_limit_succeeds")
def test_lambda_envvars_near_limit_succeeds(case):
    case.answer("successful_create_fn_result", case.create_plain, case.name(),
                Environment={"Variables": {"LARGE_VAR": "x" * 4080}})


@recorded("lambda_api", "TestLambdaAccountSettings::test_account_settings")
def test_account_settings(case):
    got = case.lam.get_account_settings()
    case.note("acc_settings_modded", {"AccountLimit": sorted(got["AccountLimit"]),
                                      "AccountUsage": sorted(got["AccountUsage"]),
                                      "ResponseMetadata": got["ResponseMetadata"]})


@recorded("lambda_api", "TestLambdaAccountSettings::test_account_settings_total_code_size_config_update")
def test_account_settings_total_code_size_config_update(case):
    fn = case.name()

    def used():
        return case.lam.get_account_settings()["AccountUsage"]["TotalCodeSize"]

    at_first = used()
    noise = "# " + "".join(random.Random(1).choices("0123456789abcdef", k=1000)) + "\n"
    case.create_plain(fn, files={"handler.py": noise + "def handler(event, context):\n    pass\n"})
    created = used()
    case.note("is_total_code_size_diff_create_function_more_than_200", created - at_first > 200)
    case.lam.update_function_configuration(FunctionName=fn, Description="another description")
    case.updated(fn)
    updated = used()
    case.note("total_code_size_diff_update_function_configuration", updated - created)
    case.lam.publish_version(FunctionName=fn)
    case.note("is_total_code_size_diff_publish_version_after_config_update_more_than_200", used() - updated > 200)
