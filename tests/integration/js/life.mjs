// SPDX-License-Identifier: Apache-2.0
// The life of a function through the AWS SDK for JavaScript; prints one JSON line.
import fs from "node:fs";
import {
  LambdaClient, CreateFunctionCommand, DeleteFunctionCommand, GetFunctionCommand, InvokeCommand, ListFunctionsCommand,
  UpdateFunctionConfigurationCommand, waitUntilFunctionActiveV2, waitUntilFunctionUpdatedV2,
} from "@aws-sdk/client-lambda";

const client = new LambdaClient({ region: "us-east-1", credentials: { accessKeyId: "a", secretAccessKey: "b" } });
const FunctionName = "from-js";
const wait = { client, maxWaitTime: 60, minDelay: 1, maxDelay: 1 };
const created = await client.send(new CreateFunctionCommand({
  FunctionName, Role: process.env.ROLE, Runtime: "python3.11", Handler: "app.handler", Timeout: 10,
  Code: { ZipFile: fs.readFileSync(process.argv[2]) },
}));
await waitUntilFunctionActiveV2(wait, { FunctionName });
const answer = await client.send(new InvokeCommand({ FunctionName, Payload: JSON.stringify({ n: 20 }), LogType: "Tail" }));
await client.send(new UpdateFunctionConfigurationCommand({ FunctionName, Environment: { Variables: { PLUS: "2" } } }));
await waitUntilFunctionUpdatedV2(wait, { FunctionName });
const again = await client.send(new InvokeCommand({ FunctionName, Payload: JSON.stringify({ n: 20 }) }));
const listed = await client.send(new ListFunctionsCommand({}));
await client.send(new DeleteFunctionCommand({ FunctionName }));
let gone;
try {
  await client.send(new GetFunctionCommand({ FunctionName }));
} catch (e) {
  gone = e.name;
}
console.log(JSON.stringify({
  state: created.State, answer: answer.Payload.transformToString(), log: Buffer.from(answer.LogResult, "base64").toString(),
  again: again.Payload.transformToString(), listed: listed.Functions.map((f) => f.FunctionName), gone,
}));
