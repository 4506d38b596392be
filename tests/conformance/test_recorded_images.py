# SPDX-License-Identifier: Apache-2.0
"""Recorded: container images, pulled from a real registry on loopback instead of ECR."""
import pytest

from case import PYTHON, recorded
from harness import zip_of

DOCKERFILE = "FROM hearth/python:3.13\nCOPY which /which\nCMD [\"app.handler\"]\n"
ENV = {"Environment": {"Variables": {"CUSTOM_ENV": "test"}}}


@pytest.fixture(scope="session")
def repositories(images, registry):
    """Two repositories whose images are not the same."""
    return [images.push(images.build(f"{registry}/conformance/{n}:latest", {"which": n}, DOCKERFILE))
            for n in ("first", "second")]


def looked_at(case, fn, name):
    case.answer(name.format("code"), case.lam.get_function, FunctionName=fn)
    case.answer(name.format("config"), case.lam.get_function_configuration, FunctionName=fn)


@recorded("lambda_api", "TestLambdaImages::test_lambda_image_crud")
def test_lambda_image_crud(case, repositories):
    fn, lam = case.name(), case.lam
    case.answer("create-image-response", case.create, fn, PackageType="Image", Code={"ImageUri": repositories[0]}, **ENV)
    case.active(fn)
    looked_at(case, fn, "get-function-{}-response")
    case.answer("image-to-zipfile-error", lam.update_function_code, FunctionName=fn, ZipFile=zip_of(PYTHON))
    case.answer("update-function-code-response", lam.update_function_code, FunctionName=fn, ImageUri=repositories[1])
    case.updated(fn)
    looked_at(case, fn, "get-function-{}-response-after-update")


@recorded("lambda_api", "TestLambdaImages::test_lambda_image_and_image_config_crud")
def test_lambda_image_and_image_config_crud(case, repositories):
    fn, lam = case.name(), case.lam
    config = {"EntryPoint": ["sh"], "Command": ["-c", "echo test"], "WorkingDirectory": "/app1"}
    case.answer("create-image-with-config-response", case.create, fn, PackageType="Image",
                Code={"ImageUri": repositories[0]}, ImageConfig=config, **ENV)
    case.active(fn)
    looked_at(case, fn, "get-function-{}-with-config-response")
    case.answer("update-function-code-response", lam.update_function_configuration, FunctionName=fn,
                ImageConfig={"Command": ["-c", "echo test1"], "WorkingDirectory": "/app1"})
    case.updated(fn)
    looked_at(case, fn, "get-function-{}-response-after-update")
    case.answer("update-function-code-delete-imageconfig-response", lam.update_function_configuration, FunctionName=fn,
                ImageConfig={})
    case.updated(fn)
    looked_at(case, fn, "get-function-{}-response-after-delete-imageconfig")


@recorded("lambda_api", "TestLambdaImages::test_lambda_zip_file_to_image")
def test_lambda_zip_file_to_image(case, repositories):
    fn, lam = case.name(), case.lam
    case.answer("create-image-response", case.create, fn)
    case.active(fn)
    looked_at(case, fn, "get-function-{}-response")
    case.answer("zipfile-to-image-error", lam.update_function_code, FunctionName=fn, ImageUri=repositories[0])
    looked_at(case, fn, "get-function-{}-response-after-update")


@recorded("lambda_api", "TestLambdaImages::test_lambda_image_versions")
def test_lambda_image_versions(case, repositories):
    fn, lam = case.name(), case.lam
    publish, update = lam.publish_version, lam.update_function_configuration
    case.answer("create_image_response", case.create, fn, PackageType="Image", Code={"ImageUri": repositories[0]},
                Publish=True, **ENV)
    case.active(fn)
    case.answer("get_function_result", lam.get_function, FunctionName=fn)
    case.answer("list_versions_result", lam.list_versions_by_function, FunctionName=fn)
    case.answer("first_update_response", update, FunctionName=fn, Description="Second version :)")
    case.updated(fn)
    got = case.answer("first_update_get_function", lam.get_function, FunctionName=fn)
    sha256 = got["Configuration"]["CodeSha256"]
    case.answer("invalid_sha_publish", publish, FunctionName=fn, CodeSha256="a" * 64)
    case.answer("first_publish_response", publish, FunctionName=fn, Description="Second version description :)",
                CodeSha256=sha256)
    case.answer("second_update_response", update, FunctionName=fn, Description="Third version :)")
    case.updated(fn)
    case.answer("second_update_get_function", lam.get_function, FunctionName=fn)
    case.answer("second_publish_response", publish, FunctionName=fn, Description="Third version description :)",
                CodeSha256=sha256)
