// SPDX-License-Identifier: Apache-2.0
// Runs AWS's runtime client on the handler that bootstrap found.
import { run } from "/var/runtime/node_modules/aws-lambda-ric/dist/index.mjs";

await run(process.env.LAMBDA_TASK_ROOT ?? "/var/task", process.env._HANDLER);
