#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Entry point of Hearth's base images. As in AWS's images, the first argument (CMD of the function's
# image) is the handler; with no argument an environment's _HANDLER counts.
if [ $# -ge 1 ]; then
    export _HANDLER="$1"
fi
if [ -z "$AWS_LAMBDA_RUNTIME_API" ]; then
    echo "lambda-entrypoint: AWS_LAMBDA_RUNTIME_API is not set. This image holds a Lambda runtime and no" \
        "emulator: deploy it as a function of Hearth, which serves that interface." >&2
    exit 1
fi
exec "${LAMBDA_RUNTIME_DIR:-/var/runtime}/bootstrap" "$@"
