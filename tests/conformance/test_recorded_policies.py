# SPDX-License-Identifier: Apache-2.0
"""Recorded: resource policies."""
from case import recorded

INVOKE = "lambda:InvokeFunction"


def permit(case, fn, sid, service=None, **kw):
    return case.lam.add_permission(FunctionName=fn, StatementId=sid, Action=INVOKE,
                                   Principal=f"{service or sid}.amazonaws.com", **kw)


@recorded("lambda_api", "TestLambdaPermissions::test_create_multiple_lambda_permissions")
def test_create_multiple_lambda_permissions(case):
    fn = case.name()
    case.create_plain(fn)
    case.answer("add_permission_response_1", permit, case, fn, "logs")
    case.answer("add_permission_response_2", permit, case, fn, "kinesis")
    case.answer("policy_after_2_add", case.lam.get_policy, FunctionName=fn)


@recorded("lambda_api", "TestLambdaPermissions::test_lambda_permission_versioning")
def test_lambda_permission_versioning(case):
    fn, get = case.name(), case.lam.get_policy
    bucket = {"SourceArn": f"arn:aws:s3:::{case.name('bucket')}"}
    case.create_plain(fn)
    case.answer("add_permission", permit, case, fn, "s3", **bucket)
    case.answer("get_policy", get, FunctionName=fn)
    case.lam.publish_version(FunctionName=fn)
    case.answer("get_policy_after_publishing_latest", get, FunctionName=fn)
    case.answer("get_policy_after_publishing_new_version", get, FunctionName=fn, Qualifier="1")
    permit(case, fn, "s3", Qualifier="1", **bucket)
    case.answer("get_policy_after_adding_to_new_version", get, FunctionName=fn)
    permit(case, fn, "s3_2", "s3", **bucket)
    case.answer("get_policy_after_adding_2", get, FunctionName=fn)


@recorded("lambda_api", "TestLambdaPermissions::test_lambda_permission_fn_versioning")
def test_lambda_permission_fn_versioning(case):
    fn, alias, get = case.name(), "permission-alias", case.lam.get_policy
    bucket = {"SourceArn": f"arn:aws:s3:::{case.name('bucket')}"}
    case.create_plain(fn)
    case.answer("add_permission", permit, case, fn, "s3", **bucket)
    case.answer("get_policy", get, FunctionName=fn)
    case.answer("publish_version_result", case.lam.publish_version, FunctionName=fn)
    case.answer("get_function_result_after_publishing", case.lam.get_function, FunctionName=fn)
    case.answer("get_policy_after_publishing_latest", get, FunctionName=fn)
    case.answer("get_policy_after_publishing_new_version", get, FunctionName=fn, Qualifier="1")
    permit(case, case.arn(fn, "1"), "s3", **bucket)
    case.answer("get_policy_version", get, FunctionName=fn, Qualifier="1")
    created = case.answer("create_alias_response", case.lam.create_alias, FunctionName=fn, FunctionVersion="1", Name=alias)
    case.answer("get_alias", case.lam.get_alias, FunctionName=fn, Name=alias)
    case.answer("add_permission_alias_revision_exception", permit, case, fn, "s3", Qualifier=alias,
                RevisionId="00000000-0000-4000-8000-000000000000", **bucket)
    permit(case, fn, "s3", Qualifier=alias, RevisionId=created["RevisionId"], **bucket)
    case.answer("get_policy_alias", get, FunctionName=fn, Qualifier=alias)
    case.answer("get_policy_after_adding_to_new_version", get, FunctionName=fn)
    permit(case, fn, "s3_2", "s3", **bucket)
    case.answer("get_policy_after_adding_2", get, FunctionName=fn)


@recorded("lambda_api", "TestLambdaPermissions::test_permission_exceptions")
def test_permission_exceptions(case):
    fn, get, remove = case.name(), case.lam.get_policy, case.lam.remove_permission
    case.create_plain(fn)
    case.answer("add_permission_invalid_statement_id", permit, case, fn, "example.com", "s3")
    case.answer("add_permission_fn_qualifier_mismatch", permit, case, case.arn(fn, "alias-not-42"), "s3", Qualifier="42")
    case.answer("add_permission_fn_qualifier_latest", permit, case, fn, "s3", Qualifier="$LATEST")
    case.answer("add_permission_principal_invalid", case.lam.add_permission, FunctionName=fn, StatementId="lambda",
                Action=INVOKE, Principal="invalid.nonaws.com")
    case.answer("get_policy_fn_doesnotexist", get, FunctionName="doesnotexist")
    case.answer("get_policy_fn_version_doesnotexist", get, FunctionName=fn, Qualifier="42")
    case.answer("add_permission_fn_doesnotexist", permit, case, "doesnotexist", "s3")
    case.answer("remove_permission_policy_doesnotexist", remove, FunctionName=fn, StatementId="s3")
    case.answer("add_permission_fn_alias_doesnotexist", permit, case, fn, "s3", Qualifier="alias-doesnotexist")
    case.answer("add_permission_fn_version_doesnotexist", permit, case, fn, "s3", Qualifier="42")
    case.answer("add_permission_fn_qualifier_invalid", permit, case, fn, "s3", Qualifier="invalid-qualifier-with-?-char")
    case.answer("add_permission_fn_qualifier_valid_doesnotexist", permit, case, fn, "s3",
                Qualifier="valid-with-$-but-doesnotexist")
    permit(case, fn, "s3")
    case.answer("add_permission_conflicting_statement_id", permit, case, fn, "s3")
    case.answer("remove_permission_fn_doesnotexist", remove, FunctionName="doesnotexist", StatementId="s3")
    case.answer("remove_permission_fn_alias_doesnotexist", remove, FunctionName=fn, StatementId="s3",
                Qualifier="alias-doesnotexist")
