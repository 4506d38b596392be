# SPDX-License-Identifier: Apache-2.0
"""The AWS CLI, version 1 or 2, with the face of a boto3 client.

Each call is a command line, run by the CLI's own driver: `lam.get_function(FunctionName="f")` runs `aws lambda
get-function --function-name f` and reads what it printed. One process runs them all, since the start of one costs
most of a second.
"""
import contextlib
import io
import json
import os
import re
import tempfile

import awscli
from awscli.clidriver import create_clidriver
from botocore import xform_name

try:
    from awscli.botocore.exceptions import ClientError  # version 2 has a botocore of its own
except ImportError:
    from botocore.exceptions import ClientError

VERSION = "aws-cli " + awscli.__version__
_ERROR = re.compile(r"An error occurred \((\w+)\) when calling the (\w+) operation(?: \(.*?\))?: (.*)", re.S)


class Cli:
    """What a user of the command line has; `endpoint` stands before each command."""

    def __init__(self, endpoint):
        self.folder = tempfile.TemporaryDirectory()
        config = self._file("config", b"[default]\ncli_binary_format = raw-in-base64-out\n")
        os.environ.update(AWS_PAGER="", AWS_CONFIG_FILE=config, AWS_SHARED_CREDENTIALS_FILE="/dev/null", AWS_MAX_ATTEMPTS="1",
                          AWS_DEFAULT_REGION="us-east-1")
        self.driver = create_clidriver()
        self.before = ["--endpoint-url", endpoint, "--output", "json", "lambda"]

    def _run(self, command, *argv):
        out, err = Captured(), Captured()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                code = self.driver.main([*self.before, command, *argv])
            except SystemExit as e:  # its argument parser
                code = e.code
        text, complaint = out.text(), err.text()
        found = _ERROR.search(complaint)
        if code and found:
            raise ClientError({"Error": {"Code": found[1], "Message": found[3].strip()},
                               "ResponseMetadata": {"HTTPStatusCode": None}}, found[2])
        if code:
            raise RuntimeError(f"aws {command} {argv} ended with {code}: {complaint}")
        return json.loads(text) if text.strip() else {}

    def _file(self, name, data=b""):
        path = os.path.join(self.folder.name, name)
        with open(path, "wb") as f:
            f.write(data)
        return path

    def _arguments(self, arguments):
        """Members of a request as options of a command."""
        for where in ("Code", "Content"):
            if where in arguments:
                arguments = {**{k: v for k, v in arguments.items() if k != where}, **arguments[where]}
        argv = []
        for member, value in arguments.items():
            option = "--" + xform_name(member, "-")
            if value is True or value is False:
                argv.append(option if value else "--no-" + option[2:])
            elif isinstance(value, bytes):
                argv += [option, "fileb://" + self._file(member, value)]
            else:
                argv += [option, value if isinstance(value, str) else json.dumps(value)]
        return argv

    def __getattr__(self, operation):
        command = operation.replace("_", "-")

        def call(**arguments):
            return self._run(command, *self._arguments(arguments))

        call.__name__ = operation
        return call

    def invoke(self, Payload=b"", **arguments):
        """The one command that writes into a file."""
        path = self._file("answer")
        answer = self._run("invoke", *self._arguments(arguments), "--payload", Payload.decode(), path)
        with open(path, "rb") as f:
            return {**answer, "Payload": io.BytesIO(f.read())}

    @property
    def waiter_names(self):
        return [xform_name(name) for name in self.driver.session.get_waiter_model("lambda").waiter_names]

    def members(self, shape):
        """Of a request, as this version's model has it."""
        return self.driver.session.get_service_model("lambda").shape_for(shape).members

    def get_waiter(self, name):
        return Waiter(self, name.replace("_", "-"))

    def get_paginator(self, operation):
        return Paginator(self, operation)


class Captured(io.TextIOWrapper):
    """A standard stream in memory; the CLI writes text and bytes."""

    def __init__(self):
        super().__init__(io.BytesIO(), encoding="utf-8", write_through=True)

    def text(self):
        self.flush()
        return self.buffer.getvalue().decode()


class Waiter:
    def __init__(self, cli, command):
        self.cli, self.command = cli, command

    def wait(self, **arguments):
        self.cli._run("wait", self.command, *self.cli._arguments(arguments))


class Paginator:
    """The CLI fetches page by page and prints one list."""

    def __init__(self, cli, operation):
        self.cli, self.operation = cli, operation

    def paginate(self, PaginationConfig, **arguments):
        yield getattr(self.cli, self.operation)(PageSize=PaginationConfig["PageSize"], **arguments)


__all__ = ["Cli", "ClientError", "VERSION"]
