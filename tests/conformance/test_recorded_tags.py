# SPDX-License-Identifier: Apache-2.0
"""Recorded: tags."""
from case import recorded


def tags(n):
    return {f"{i}_key": f"{i}_value" for i in range(n)}


@recorded("lambda_api", "TestLambdaTag::test_tag_nonexisting_resource")
def test_tag_nonexisting_resource(case):
    fn, lam = case.name(), case.lam
    case.create_plain(fn)
    case.answer("pre_delete_get_function", lam.get_function, FunctionName=fn)
    lam.delete_function(FunctionName=fn)
    arn = case.arn(fn)
    case.answer("not_found_exception_tag", lam.tag_resource, Resource=arn, Tags={"A": "a", "B": "b"})
    case.answer("not_found_exception_untag", lam.untag_resource, Resource=arn, TagKeys=["A", "B"])
    case.answer("not_found_exception_list", lam.list_tags, Resource=arn)


@recorded("lambda_api", "TestLambdaTags::test_tag_exceptions")
def test_tag_exceptions(case):
    fn, lam = case.name(), case.lam
    case.create_plain(fn)
    arn, tag = case.arn(fn), {"key": "value"}
    case.answer("tag_lambda_invalidarn", lam.tag_resource, Resource="arn:aws:something", Tags=tag)
    case.answer("tag_lambda_doesnotexist", lam.tag_resource, Resource=case.arn("doesnotexist"), Tags=tag)
    case.answer("tag_lambda_qualifier_doesnotexist", lam.tag_resource, Resource=case.arn(fn, "v1"), Tags=tag)
    case.answer("list_tag_lambda_empty", lam.list_tags, Resource=arn)
    case.answer("untag_nomatch", lam.untag_resource, Resource=arn, TagKeys=["somekey"])
    case.answer("untag_empty_keys", lam.untag_resource, Resource=arn, TagKeys=[])
    case.answer("tag_empty_tags", lam.tag_resource, Resource=arn, Tags={})


@recorded("lambda_api", "TestLambdaTags::test_tag_limits")
def test_tag_limits(case):
    fn, lam = case.name(), case.lam
    case.create_plain(fn)
    arn = case.arn(fn)
    case.answer("tag_lambda_too_many_tags", lam.tag_resource, Resource=arn, Tags=tags(51))
    case.answer("tag_response", lam.tag_resource, Resource=arn, Tags=tags(50))
    case.answer("list_tags_response", lam.list_tags, Resource=arn)
    case.answer("get_fn_response", lam.get_function, FunctionName=fn)
    case.answer("tag_lambda_too_many_tags_additional", lam.tag_resource, Resource=arn, Tags={"a_key": "a_value"})
    case.answer("create_function_invalid_tags", case.create, case.name(), Tags=tags(51))


@recorded("lambda_api", "TestLambdaTags::test_tag_versions")
def test_tag_versions(case):
    fn, lam = case.name(), case.lam
    case.create_plain(fn)
    lam.publish_version(FunctionName=fn)
    case.answer("tag_resource_exception", lam.tag_resource, Resource=case.arn(fn, "1"), Tags={"key": "value"})
    case.answer("tag_resource_latest_exception", lam.tag_resource, Resource=case.arn(fn, "$LATEST"), Tags={"key": "value"})
