# SPDX-License-Identifier: Apache-2.0
"""Terraform as a client: the real binary and the real AWS provider from a mirror folder on this machine.

    with Terraform(hearth.url, CONFIGURATION) as tf:
        tf.apply(name="x")
        tf.no_changes(name="x")

Nothing is fetched: the CLI configuration, written into a folder of the test's own, knows the mirror alone.
"""
import json
import os
import pathlib
import platform
import shutil
import subprocess
import tempfile

import pytest

PROVIDER = "registry.terraform.io/hashicorp/aws"
MIRRORS = [os.environ.get("HEARTH_TERRAFORM_MIRROR"), "/opt/tf-plugins", "/usr/local/share/terraform/plugins",
           "/usr/share/terraform/plugins", os.path.expanduser("~/.terraform.d/plugins")]

SETTINGS = """
terraform {
  required_providers {
    aws = {
      source = "hashicorp/aws"
    }
  }
}

provider "aws" {
  region = "us-east-1"
%s
}
"""


def mirror():
    """The folder that has the provider for this machine, or None."""
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    for folder in filter(None, MIRRORS):
        place = pathlib.Path(folder, PROVIDER)
        if list(place.glob(f"*/linux_{machine}")) or list(place.glob(f"*_linux_{machine}.zip")):
            return folder
    return None


def missing():
    """Why Terraform cannot run here, or None."""
    if not shutil.which("terraform"):
        return "there is no terraform"
    return None if mirror() else "there is no mirror folder with Terraform's AWS provider: HEARTH_TERRAFORM_MIRROR"


class Terraform:
    """One configuration in a folder of its own; skips the test where there is no Terraform."""

    def __init__(self, url, configuration, provider="", **environment):
        """`provider`: more lines of its block; `files` for the configuration go into `self.folder`."""
        reason = missing()
        if reason:
            pytest.skip(reason)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="hearth-terraform-"))
        (self.folder / "cli.tfrc").write_text(
            f'provider_installation {{\n  filesystem_mirror {{\n    path = "{mirror()}"\n    include = ["*/*"]\n  }}\n}}\n'
            "disable_checkpoint = true\n")
        self.provider = provider
        self.configure(configuration)
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "TF_"))}
        self.environment = dict(
            kept, TF_CLI_CONFIG_FILE=str(self.folder / "cli.tfrc"), TF_IN_AUTOMATION="1", TF_INPUT="0", CHECKPOINT_DISABLE="1",
            AWS_ENDPOINT_URL=url, AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="test", AWS_EC2_METADATA_DISABLED="true",
            AWS_CONFIG_FILE="/dev/null", AWS_SHARED_CREDENTIALS_FILE="/dev/null")
        self.environment.update(environment)
        self("init", "-no-color")

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        shutil.rmtree(self.folder, ignore_errors=True)

    def configure(self, configuration):
        """Another configuration for the resources that there are."""
        (self.folder / "main.tf").write_text(SETTINGS % self.provider + configuration)

    def __call__(self, *argv, ok=(0,), timeout=300):
        p = subprocess.run(["terraform", *map(str, argv)], cwd=self.folder, env=self.environment, text=True,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=timeout)
        assert p.returncode in ok, f"terraform {argv} ended with {p.returncode}\n{p.stdout}"
        return p

    @staticmethod
    def _variables(variables):
        return [x for k, v in variables.items() for x in ("-var", f"{k}={v}")]

    def apply(self, **variables):
        return self("apply", "-auto-approve", "-no-color", *self._variables(variables)).stdout

    def plan(self, **variables):
        """What would be done: {address: actions}; empty when nothing."""
        p = self("plan", "-no-color", "-detailed-exitcode", "-out=the.plan", *self._variables(variables), ok=(0, 2))
        if p.returncode == 0:
            return {}
        changes = json.loads(self("show", "-json", "the.plan").stdout).get("resource_changes", [])
        return {c["address"]: c["change"]["actions"] for c in changes if c["change"]["actions"] != ["no-op"]}

    def no_changes(self, **variables):
        p = self("plan", "-no-color", "-detailed-exitcode", *self._variables(variables), ok=(0, 2))
        assert p.returncode == 0, p.stdout

    def imports(self, address, name, **variables):
        """Forgets the resource and takes it up again from what the API shows."""
        self("state", "rm", address)
        self("import", "-no-color", *self._variables(variables), address, name)

    def destroy(self, **variables):
        return self("destroy", "-auto-approve", "-no-color", *self._variables(variables)).stdout

    def outputs(self):
        return {k: v["value"] for k, v in json.loads(self("output", "-json").stdout).items()}

    def resources(self):
        """{address: attributes} of the state."""
        root = json.loads(self("show", "-json").stdout).get("values", {}).get("root_module", {})
        return {r["address"]: r["values"] for r in root.get("resources", [])}
