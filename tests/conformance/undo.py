# SPDX-License-Identifier: Apache-2.0
"""Removes what a client created, latest first."""
from botocore.exceptions import ClientError

UNDO = {  # operation that creates: how what it made is removed
    "CreateFunction": lambda lam, a: lam.delete_function(FunctionName=a["FunctionArn"].split(":")[6]),
    "PublishLayerVersion": lambda lam, a: lam.delete_layer_version(LayerName=a["LayerArn"], VersionNumber=a["Version"]),
    "CreateEventSourceMapping": lambda lam, a: lam.delete_event_source_mapping(UUID=a["UUID"]),
    "CreateCodeSigningConfig": lambda lam, a: lam.delete_code_signing_config(
        CodeSigningConfigArn=a["CodeSigningConfig"]["CodeSigningConfigArn"]),
}
GONE = ("ResourceNotFoundException", "ResourceInUseException")


class Undo:
    def __init__(self, client):
        self.client = client
        self.made = []

    def __enter__(self):
        self.client.meta.events.register("after-call.lambda", self._remember)
        return self

    def _remember(self, parsed, model, http_response, **_):
        if model.name in UNDO and http_response.status_code < 300:
            self.made.append((model.name, dict(parsed)))

    def __exit__(self, *_):
        self.client.meta.events.unregister("after-call.lambda", self._remember)
        configs_last = sorted(reversed(self.made), key=lambda m: m[0] == "CreateCodeSigningConfig")
        for operation, answer in configs_last:
            try:
                UNDO[operation](self.client, answer)
            except ClientError as e:
                if e.response["Error"]["Code"] not in GONE:
                    raise
