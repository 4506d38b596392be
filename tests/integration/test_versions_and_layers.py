# SPDX-License-Identifier: Apache-2.0
"""Versions, aliases and layers of real functions: what is published runs, where aliases lead, what is at /opt."""
import collections
import json
import urllib.request

import pytest
from botocore.exceptions import ClientError

from harness import zip_of

TELL = """
import os
def handler(event, context):
    try:
        import layered
        layer = layered.NAME
    except ImportError:
        layer = None
    return {"code": "%s", "version": context.function_version, "arn": context.invoked_function_arn, "layer": layer}
"""


def code(name):
    return {"app.py": TELL % name}


def invoke(lam, name, qualifier=None):
    answer = lam.invoke(FunctionName=name, **({"Qualifier": qualifier} if qualifier else {}))
    assert "FunctionError" not in answer, answer["Payload"].read()
    payload = json.loads(answer["Payload"].read())
    assert answer["ExecutedVersion"] == payload["version"]
    return payload


def update(lam, name, **kw):
    answer = lam.update_function_code(FunctionName=name, **kw)
    lam.get_waiter("function_updated_v2").wait(FunctionName=name)
    return answer


def publish_layer(lam, name, files, **kw):
    return lam.publish_layer_version(LayerName=name, Content={"ZipFile": zip_of(files)}, **kw)


def test_a_version_stays_what_it_was(lam, make_function):
    make_function("va-fixed", code("one"), Publish=True)
    second = update(lam, "va-fixed", ZipFile=zip_of(code("two")), Publish=True)
    update(lam, "va-fixed", ZipFile=zip_of(code("three")))
    assert second["Version"] == "2"
    assert [invoke(lam, "va-fixed", q)["code"] for q in ("1", "2", "$LATEST", None)] == ["one", "two", "three", "three"]
    assert invoke(lam, "va-fixed", "1")["arn"].endswith(":function:va-fixed:1")
    lam.update_function_configuration(FunctionName="va-fixed", MemorySize=256)
    lam.get_waiter("function_updated_v2").wait(FunctionName="va-fixed")
    assert lam.get_function_configuration(FunctionName="va-fixed", Qualifier="2")["MemorySize"] == 128


def test_nothing_new_is_published_without_a_change(lam, make_function):
    make_function("va-same", code("one"))
    assert [lam.publish_version(FunctionName="va-same")["Version"] for _ in range(3)] == ["1", "1", "1"]
    update(lam, "va-same", ZipFile=zip_of(code("two")))
    assert lam.publish_version(FunctionName="va-same")["Version"] == "2"
    versions = lam.list_versions_by_function(FunctionName="va-same")["Versions"]
    assert [v["Version"] for v in versions] == ["$LATEST", "1", "2"]


def test_an_alias_leads_where_it_is_moved(lam, make_function):
    make_function("va-alias", code("one"), Publish=True)
    update(lam, "va-alias", ZipFile=zip_of(code("two")), Publish=True)
    lam.create_alias(FunctionName="va-alias", Name="live", FunctionVersion="1")
    assert invoke(lam, "va-alias", "live")["code"] == "one"
    lam.update_alias(FunctionName="va-alias", Name="live", FunctionVersion="2")
    for _ in range(20):  # from the moment that the update is answered
        answer = invoke(lam, "va-alias", "live")
        assert (answer["code"], answer["version"]) == ("two", "2")
    assert answer["arn"].endswith(":function:va-alias:live")


def test_a_weighted_alias_divides_its_invocations(lam, make_function):
    make_function("va-weight", code("one"), Publish=True)
    update(lam, "va-weight", ZipFile=zip_of(code("two")), Publish=True)
    lam.create_alias(FunctionName="va-weight", Name="canary", FunctionVersion="1",
                     RoutingConfig={"AdditionalVersionWeights": {"2": 0.3}})
    seen = collections.Counter(invoke(lam, "va-weight", "canary")["version"] for _ in range(300))
    assert set(seen) == {"1", "2"} and 50 <= seen["2"] <= 130, seen  # 90 expected, five sigma
    lam.update_alias(FunctionName="va-weight", Name="canary", RoutingConfig={"AdditionalVersionWeights": {}})
    assert {invoke(lam, "va-weight", "canary")["version"] for _ in range(30)} == {"1"}


def test_a_version_that_an_alias_leads_to_is_not_deleted(lam, make_function):
    make_function("va-held", code("one"), Publish=True)
    lam.create_alias(FunctionName="va-held", Name="a", FunctionVersion="1")
    with pytest.raises(ClientError) as e:
        lam.delete_function(FunctionName="va-held", Qualifier="1")
    assert e.value.response["Error"]["Code"] == "ResourceConflictException"
    lam.delete_alias(FunctionName="va-held", Name="a")
    assert invoke(lam, "va-held", "1")["version"] == "1"
    lam.delete_function(FunctionName="va-held", Qualifier="1")
    with pytest.raises(lam.exceptions.ResourceNotFoundException):
        lam.invoke(FunctionName="va-held", Qualifier="1")
    assert invoke(lam, "va-held")["code"] == "one"


def test_layers_are_merged_in_their_order(lam, make_function):
    first = publish_layer(lam, "va-first", {"python/layered.py": "NAME = 'first'", "only-first": "1"})
    second = publish_layer(lam, "va-second", {"python/layered.py": "NAME = 'second'"})
    arns = [first["LayerVersionArn"], second["LayerVersionArn"]]
    made = make_function("va-layers", code("x"), Layers=arns)
    assert [layer["Arn"] for layer in made["Layers"]] == arns
    assert invoke(lam, "va-layers")["layer"] == "second"
    lam.update_function_configuration(FunctionName="va-layers", Layers=arns[::-1])
    lam.get_waiter("function_updated_v2").wait(FunctionName="va-layers")
    assert invoke(lam, "va-layers")["layer"] == "first"
    lam.update_function_configuration(FunctionName="va-layers", Layers=[])
    lam.get_waiter("function_updated_v2").wait(FunctionName="va-layers")
    assert invoke(lam, "va-layers")["layer"] is None


def test_a_deleted_layer_version_serves_those_who_have_it(lam, make_function, hearth):
    layer = publish_layer(lam, "va-deleted", {"python/layered.py": "NAME = 'kept'"})
    make_function("va-keeper", code("x"), Layers=[layer["LayerVersionArn"]], Publish=True)
    lam.delete_layer_version(LayerName="va-deleted", VersionNumber=layer["Version"])
    lam.update_function_configuration(FunctionName="va-keeper", Description="a new sandbox")
    lam.get_waiter("function_updated_v2").wait(FunctionName="va-keeper")
    assert invoke(lam, "va-keeper")["layer"] == "kept"
    assert invoke(lam, "va-keeper", "1")["layer"] == "kept"
    with pytest.raises(ClientError) as e:  # but nobody else gets it any more
        lam.update_function_configuration(FunctionName="va-keeper", Layers=[layer["LayerVersionArn"]])
    assert "does not exist" in e.value.response["Error"]["Message"]
    again = publish_layer(lam, "va-deleted", {"python/layered.py": "NAME = 'new'"})
    assert again["Version"] == layer["Version"] + 1


def test_code_and_layer_locations_really_download(lam, make_function):
    files = {"python/layered.py": "NAME = 'there'"}
    layer = publish_layer(lam, "va-down", files)
    with urllib.request.urlopen(layer["Content"]["Location"]) as r:
        assert len(r.read()) == layer["Content"]["CodeSize"]
    make_function("va-download", code("one"), Publish=True)
    size = lam.get_function_configuration(FunctionName="va-download", Qualifier="1")["CodeSize"]
    with urllib.request.urlopen(lam.get_function(FunctionName="va-download", Qualifier="1")["Code"]["Location"]) as r:
        assert len(r.read()) == size


def test_all_versions_are_listed_page_by_page(lam, make_function):
    make_function("va-list", code("one"), Publish=True)
    update(lam, "va-list", ZipFile=zip_of(code("two")), Publish=True)
    pages = lam.get_paginator("list_functions").paginate(FunctionVersion="ALL", PaginationConfig={"PageSize": 2})
    arns = [f["FunctionArn"] for page in pages for f in page["Functions"]]
    mine = [a.split(":function:")[1] for a in arns if ":va-list" in a]
    assert mine == ["va-list:$LATEST", "va-list:1", "va-list:2"]
    assert len(arns) == len(set(arns))
