# SPDX-License-Identifier: Apache-2.0
"""Says hello: one line in the log, and the event back to the caller."""


def handler(event, context):
    print("hello from", context.function_name, "with", context.memory_limit_in_mb, "MB")
    return {"hello": "from a container image", "event": event, "requestId": context.aws_request_id}
