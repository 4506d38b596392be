# SPDX-License-Identifier: Apache-2.0
"""Zip function, handler app.handler, runtime python3.11 or python3.13."""


def handler(event, context):
    print("hello from", context.function_name, "version", context.function_version)
    return {"hello": "from a Python zip", "event": event, "requestId": context.aws_request_id}
