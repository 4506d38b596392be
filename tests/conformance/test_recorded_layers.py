# SPDX-License-Identifier: Apache-2.0
"""Recorded: layers."""
from case import recorded
from harness import zip_of

CONTENT = {"python/hearth_layer.py": "there = True\n"}


def publish(case, layer, **kw):
    return case.lam.publish_layer_version(LayerName=layer, Content={"ZipFile": zip_of(CONTENT)}, **kw)


def layer_arn(layer, version=None, region="us-east-1"):
    from case import ACCOUNT
    return f"arn:aws:lambda:{region}:{ACCOUNT}:layer:{layer}" + (f":{version}" if version else "")


@recorded("lambda_api", "TestLambdaLayer::test_layer_exceptions")
def test_layer_exceptions(case):
    layer, lam = case.name("layer"), case.lam
    case.answer("publish_result", publish, case, layer, CompatibleRuntimes=["python3.12"],
                CompatibleArchitectures=["x86_64"])
    case.answer("list_layers_exc_compatibleruntime_invalid", lam.list_layers, CompatibleRuntime="runtimedoesnotexist")
    case.answer("list_layers_exc_compatiblearchitecture_invalid", lam.list_layers,
                CompatibleArchitecture="archdoesnotexist")
    case.answer("list_nonexistent_layer", lam.list_layer_versions, LayerName="doesnotexist")
    get, delete = lam.get_layer_version, lam.delete_layer_version
    case.answer("get_layer_version_exc_layer_doesnotexist", get, LayerName="doesnotexist", VersionNumber=1)
    for word, number in (("negative", -1), ("zero", 0), ("2", 2)):
        case.answer(f"get_layer_version_exc_layer_version_doesnotexist_{word}", get, LayerName=layer, VersionNumber=number)
    by_arn = lam.get_layer_version_by_arn
    case.answer("get_layer_version_by_arn_exc_invalidarn", by_arn, Arn=layer_arn(layer))
    case.answer("get_layer_version_by_arn_exc_nonexistentversion", by_arn, Arn=layer_arn(layer, 2))
    case.answer("delete_nonexistent_response", delete, LayerName="doesnotexist", VersionNumber=1)
    case.answer("delete_nonexistent_version_response", delete, LayerName=layer, VersionNumber=2)
    case.answer("delete_layer_response", delete, LayerName=layer, VersionNumber=1)
    case.answer("delete_layer_again_response", delete, LayerName=layer, VersionNumber=1)
    case.answer("delete_layer_version_exc_layerversion_invalid_version", delete, LayerName=layer, VersionNumber=-1)
    case.answer("publish_empty_result", publish, case, case.name("layer"), CompatibleRuntimes=[],
                CompatibleArchitectures=[])
    case.answer("publish_layer_version_exc_invalid_runtime_arch", publish, case, case.name("layer"),
                CompatibleRuntimes=["invalidruntime"], CompatibleArchitectures=["invalidarch"])
    case.answer("publish_layer_version_exc_partially_invalid_values", publish, case, case.name("layer"),
                CompatibleRuntimes=["invalidruntime", "invalidruntime2", "nodejs20.x"],
                CompatibleArchitectures=["invalidarch", "x86_64"])


@recorded("lambda_api", "TestLambdaLayer::test_layer_lifecycle")
def test_layer_lifecycle(case):
    fn, layer, lam = case.name(), case.name("layer"), case.lam
    about = {"Description": "what-is-in-it", "LicenseInfo": "Apache-2.0", "CompatibleRuntimes": ["python3.12"],
             "CompatibleArchitectures": ["x86_64"]}
    case.create_plain(fn)
    case.answer("get_fn_result", lam.get_function, FunctionName=fn)
    case.answer("get_fn_config_result", lam.get_function_configuration, FunctionName=fn)
    case.answer("publish_result", publish, case, layer, **about)
    case.answer("publish_result_2", publish, case, layer, **about)
    case.answer("update_fn_config", lam.update_function_configuration, FunctionName=fn, Layers=[layer_arn(layer, 1)])
    case.updated(fn)
    case.answer("get_fn_config", lam.get_function_configuration, FunctionName=fn)
    case.answer("get_layer_ver_result", lam.get_layer_version, LayerName=layer, VersionNumber=1)
    case.answer("get_layer_by_arn_version", lam.get_layer_version_by_arn, Arn=layer_arn(layer, 1))
    case.answer("list_layer_versions_predelete", lam.list_layer_versions, LayerName=layer)
    case.answer("delete_layer_1", lam.delete_layer_version, LayerName=layer, VersionNumber=1)
    case.answer("get_fn_config_postdelete", lam.get_function_configuration, FunctionName=fn)
    case.answer("delete_layer_2", lam.delete_layer_version, LayerName=layer, VersionNumber=2)
    case.answer("list_layer_versions_postdelete", lam.list_layer_versions, LayerName=layer)
    case.answer("publish_result_3", publish, case, layer, **about)


@recorded("lambda_api", "TestLambdaLayer::test_layer_function_exceptions")
def test_layer_function_exceptions(case):
    fn, layer, lam = case.name(), case.name("layer"), case.lam
    for name in ("publish_result", "publish_result_2", "publish_result_3"):
        case.answer(name, publish, case, layer, CompatibleRuntimes=[], CompatibleArchitectures=["x86_64"])
    case.create_plain(fn)
    case.answer("get_fn_result", lam.get_function, FunctionName=fn)
    one, two, three = (layer_arn(layer, i) for i in (1, 2, 3))

    def refused(name, *layers):
        case.answer(name, lam.update_function_configuration, FunctionName=fn, Layers=list(layers))

    refused("two_layer_versions_single_function_exc", one, two)
    refused("three_layer_versions_single_function_exc", one, two, three)
    refused("two_identical_layer_versions_single_function_exc", one, one)
    refused("add_nonexistent_layer_exc", layer_arn("doesnotexist", 1))
    refused("add_nonexistent_layer_version_exc", layer_arn(layer, 9))
    refused("add_layer_arn_without_version_exc", layer_arn(layer))
    case.answer("create_function_with_layer_in_different_region", case.create, case.name(),
                Layers=[layer_arn(layer, 1, region="us-west-2")])


@recorded("lambda_api", "TestLambdaLayer::test_layer_function_quota_exception")
def test_layer_function_quota_exception(case):
    layers = [case.name("layer") for _ in range(6)]
    for layer in layers:
        publish(case, layer)
    case.answer("create_function_with_six_layers", case.create, case.name(), Layers=[layer_arn(n, 1) for n in layers])
