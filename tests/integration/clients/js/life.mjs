// SPDX-License-Identifier: Apache-2.0
// The life of a function through the AWS SDK for JavaScript, step for step as life.py; prints what it saw.
//     node life.mjs NAME A.zip B.zip LAYER.zip      with AWS_ENDPOINT_URL, ROLE and keys in the environment
import crypto from "node:crypto";
import fs from "node:fs";
import { createRequire } from "node:module";
import * as sdk from "@aws-sdk/client-lambda";

const [FunctionName, ...paths] = process.argv.slice(2);
const archives = paths.map((path) => fs.readFileSync(path));
const Role = process.env.ROLE;
const version = createRequire(import.meta.url)("@aws-sdk/client-lambda/package.json").version;
const saw = { client: "JavaScript SDK " + version };
const client = new sdk.LambdaClient({ region: "us-east-1", maxAttempts: 1 });
const wait = { client, maxWaitTime: 60, minDelay: 1, maxDelay: 1 };
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const call = (name, input = {}) => client.send(new sdk[name + "Command"](input));
const code = { Runtime: "python3.11", Handler: "app.handler", Role };

async function error(name, input) {
  try {
    await call(name, input);
  } catch (e) {
    return [e.name, e.$metadata.httpStatusCode, e.message];
  }
  throw new Error(name + " was to fail");
}

async function until(name, input, member, good) {
  const end = Date.now() + 60000;
  for (;;) {
    const answer = await call(name, input);
    if (answer[member] === good) return answer;
    if (Date.now() > end) throw new Error(`${member} is not ${good} but ${answer[member]}`);
    await pause(100);
  }
}

async function invoke(Qualifier = "$LATEST") {
  const answer = await call("Invoke", { FunctionName, Qualifier, Payload: '{"n": 1}' });
  return [answer.ExecutedVersion, JSON.parse(answer.Payload.transformToString())];
}

async function fetched(url) {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${url} answers ${answer.status}`);
  return crypto.createHash("sha256").update(Buffer.from(await answer.arrayBuffer())).digest("base64");
}

const updated = () => sdk.waitUntilFunctionUpdatedV2(wait, { FunctionName });

async function functions() {
  const made = await call("CreateFunction", {
    FunctionName, ...code, Code: { ZipFile: archives[0] }, Description: "first", Timeout: 10, MemorySize: 128,
    Environment: { Variables: { WORD: "one" } }, Tags: { team: "a b+c" },
  });
  saw.created = [made.State, made.Version, made.CodeSha256];
  await sdk.waitUntilFunctionExists(wait, { FunctionName });
  await sdk.waitUntilFunctionActiveV2(wait, { FunctionName });
  const got = await call("GetFunction", { FunctionName });
  const conf = got.Configuration;
  saw.got = [conf.State, conf.LastUpdateStatus, conf.Description, conf.Environment.Variables, got.Tags];
  saw.location = await fetched(got.Code.Location);
  saw.invoked = await invoke();
  const tail = await call("Invoke", { FunctionName, Payload: '{"n": 2}', LogType: "Tail" });
  saw.logged = Buffer.from(tail.LogResult, "base64").toString().includes("said 2\n");
  const next = await call("UpdateFunctionConfiguration", { FunctionName, MemorySize: 256, Environment: { Variables: { WORD: "two" } } });
  saw.updating = [next.MemorySize, next.Environment.Variables, next.LastUpdateStatus];
  await updated();
  saw.reinvoked = await invoke();
}

async function versions() {
  const one = await call("PublishVersion", { FunctionName, Description: "one" });
  await sdk.waitUntilPublishedVersionActive(wait, { FunctionName, Qualifier: one.Version });
  const conf = await call("UpdateFunctionCode", { FunctionName, ZipFile: archives[1] });
  await updated();
  const two = await call("PublishVersion", { FunctionName, Description: "two", CodeSha256: conf.CodeSha256 });
  const again = await call("PublishVersion", { FunctionName });
  await sdk.waitUntilPublishedVersionActive(wait, { FunctionName, Qualifier: two.Version });
  saw.published = [one.Version, one.Description, two.Version, again.Version, conf.CodeSha256];
  saw.versions_invoked = [await invoke("1"), await invoke("2")];
}

async function aliases() {
  const made = await call("CreateAlias", { FunctionName, Name: "live", FunctionVersion: "1" });
  saw.alias = [made.AliasArn, made.FunctionVersion, made.RoutingConfig ?? null, await invoke("live")];
  await call("UpdateAlias", { FunctionName, Name: "live", RoutingConfig: { AdditionalVersionWeights: { 2: 0.25 } } });
  saw.alias_weighted = (await call("GetAlias", { FunctionName, Name: "live" })).RoutingConfig.AdditionalVersionWeights;
  await call("UpdateAlias", { FunctionName, Name: "live", RoutingConfig: { AdditionalVersionWeights: {} }, FunctionVersion: "2" });
  saw.alias_moved = await invoke("live");
  await call("CreateAlias", { FunctionName, Name: "spare", FunctionVersion: "1", Description: "spare" });
}

async function policies() {
  const at = { FunctionName, Qualifier: "live" };
  const added = await call("AddPermission", {
    ...at, StatementId: "rule", Action: "lambda:InvokeFunction", Principal: "events.amazonaws.com",
    SourceArn: "arn:aws:events:us-east-1:000000000000:rule/r",
  });
  saw.statement = JSON.parse(added.Statement);
  saw.policy = JSON.parse((await call("GetPolicy", at)).Policy);
  await call("RemovePermission", { ...at, StatementId: "rule" });
  saw.policy_gone = await error("GetPolicy", at);
}

async function tags() {
  const Resource = (await call("GetFunctionConfiguration", { FunctionName })).FunctionArn;
  await call("TagResource", { Resource, Tags: { level: "2", odd: "ä=/" } });
  await call("UntagResource", { Resource, TagKeys: ["team"] });
  saw.tags = (await call("ListTags", { Resource })).Tags;
}

async function urls() {
  const at = { FunctionName, Qualifier: "live" };
  const made = await call("CreateFunctionUrlConfig", { ...at, AuthType: "NONE", Cors: { AllowOrigins: ["*"], MaxAge: 60 } });
  saw.url = [made.FunctionUrl, made.AuthType, made.Cors];
  await call("UpdateFunctionUrlConfig", { ...at, AuthType: "AWS_IAM", InvokeMode: "RESPONSE_STREAM" });
  const got = await call("GetFunctionUrlConfig", at);
  const listed = (await call("ListFunctionUrlConfigs", { FunctionName })).FunctionUrlConfigs;
  saw.url_updated = [got.AuthType, got.InvokeMode, got.FunctionUrl === made.FunctionUrl, listed.length];
  await call("DeleteFunctionUrlConfig", at);
  saw.url_gone = (await error("GetFunctionUrlConfig", at)).slice(0, 2);
}

async function eventSources() {
  const name = FunctionName + ":live";
  const EventSourceArn = "arn:aws:sqs:us-east-1:000000000000:" + FunctionName;
  const made = await call("CreateEventSourceMapping", {
    FunctionName: name, EventSourceArn, BatchSize: 5, Enabled: false, FilterCriteria: { Filters: [{ Pattern: '{"body": {"n": [1]}}' }] },
  });
  const { UUID } = made;
  saw.source = [made.State, made.BatchSize, made.FunctionArn, made.FilterCriteria.Filters[0].Pattern];
  await until("GetEventSourceMapping", { UUID }, "State", "Disabled");
  const changed = await call("UpdateEventSourceMapping", { UUID, BatchSize: 7 });
  const got = await until("GetEventSourceMapping", { UUID }, "State", "Disabled");
  const listed = (await call("ListEventSourceMappings", { EventSourceArn })).EventSourceMappings;
  saw.source_updated = [changed.State, got.BatchSize, listed.map((m) => m.UUID === UUID)];
  saw.source_deleted = (await call("DeleteEventSourceMapping", { UUID })).State;
  const end = Date.now() + 60000;
  while ((await call("ListEventSourceMappings", { FunctionName: name })).EventSourceMappings.length && Date.now() < end) await pause(100);
  saw.source_gone = (await error("GetEventSourceMapping", { UUID })).slice(0, 2);
}

async function layers() {
  const LayerName = FunctionName + "-words";
  const at = { LayerName, VersionNumber: 1 };
  const made = await call("PublishLayerVersion", {
    LayerName, Description: "words", Content: { ZipFile: archives[2] }, CompatibleRuntimes: ["python3.11"],
    CompatibleArchitectures: ["x86_64"], LicenseInfo: "Apache-2.0",
  });
  saw.layer = [made.LayerVersionArn, made.Version, made.CompatibleRuntimes, made.Content.CodeSha256];
  const got = await call("GetLayerVersion", at);
  const byArn = await call("GetLayerVersionByArn", { Arn: made.LayerVersionArn });
  saw.layer_got = [got.Description, byArn.LicenseInfo];
  saw.layer_location = await fetched(got.Content.Location);
  const all = (await call("ListLayers", { CompatibleRuntime: "python3.11" })).Layers;
  saw.layers = [
    all.filter((l) => l.LayerName === LayerName).map((l) => l.LatestMatchingVersion.Version),
    (await call("ListLayerVersions", { LayerName })).LayerVersions.map((v) => v.Version),
  ];
  await call("AddLayerVersionPermission", { ...at, StatementId: "all", Action: "lambda:GetLayerVersion", Principal: "*" });
  saw.layer_policy = JSON.parse((await call("GetLayerVersionPolicy", at)).Policy).Statement[0];
  await call("RemoveLayerVersionPermission", { ...at, StatementId: "all" });
  await call("UpdateFunctionConfiguration", { FunctionName, Layers: [made.LayerVersionArn] });
  await updated();
  await call("DeleteLayerVersion", at);
  saw.layer_gone = (await error("GetLayerVersion", at)).slice(0, 2);
  saw.layer_invoked = await invoke();
}

async function concurrency() {
  const at = { FunctionName, Qualifier: "live" };
  saw.reserved = (await call("PutFunctionConcurrency", { FunctionName, ReservedConcurrentExecutions: 5 })).ReservedConcurrentExecutions;
  saw.reserved_got = [
    (await call("GetFunctionConcurrency", { FunctionName })).ReservedConcurrentExecutions,
    (await call("GetFunction", { FunctionName })).Concurrency.ReservedConcurrentExecutions,
  ];
  const made = await call("PutProvisionedConcurrencyConfig", { ...at, ProvisionedConcurrentExecutions: 1 });
  const ready = await until("GetProvisionedConcurrencyConfig", at, "Status", "READY");
  const listed = (await call("ListProvisionedConcurrencyConfigs", { FunctionName })).ProvisionedConcurrencyConfigs;
  saw.provisioned = [made.Status, ready.AvailableProvisionedConcurrentExecutions, listed.map((p) => p.FunctionArn)];
  await call("DeleteProvisionedConcurrencyConfig", at);
  saw.provisioned_gone = (await error("GetProvisionedConcurrencyConfig", at)).slice(0, 2);
  await call("DeleteFunctionConcurrency", { FunctionName });
  saw.reserved_gone = (await call("GetFunctionConcurrency", { FunctionName })).ReservedConcurrentExecutions ?? null;
}

async function eventConfigs() {
  await call("PutFunctionEventInvokeConfig", { FunctionName, MaximumRetryAttempts: 1, MaximumEventAgeInSeconds: 100 });
  await call("UpdateFunctionEventInvokeConfig", { FunctionName, MaximumEventAgeInSeconds: 200 });
  const got = await call("GetFunctionEventInvokeConfig", { FunctionName });
  const listed = (await call("ListFunctionEventInvokeConfigs", { FunctionName })).FunctionEventInvokeConfigs;
  saw.event_config = [got.MaximumRetryAttempts, got.MaximumEventAgeInSeconds, listed.length];
  await call("DeleteFunctionEventInvokeConfig", { FunctionName });
  saw.event_config_gone = (await error("GetFunctionEventInvokeConfig", { FunctionName })).slice(0, 2);
}

async function pages(paginate, pageSize, member, of, input) {
  const found = [];
  for await (const page of paginate({ client, pageSize }, input)) found.push(page[member].map((x) => x[of]));
  return found;
}

async function lists() {
  for (const other of ["-x", "-y"]) {
    await call("CreateFunction", { FunctionName: FunctionName + other, ...code, Code: { ZipFile: archives[0] } });
  }
  const all = await pages(sdk.paginateListFunctions, 2, "Functions", "FunctionName", {});
  saw.functions = all.flat().filter((name) => name.startsWith(FunctionName));
  saw.versions = await pages(sdk.paginateListVersionsByFunction, 2, "Versions", "Version", { FunctionName });
  saw.aliases = await pages(sdk.paginateListAliases, 1, "Aliases", "Name", { FunctionName });
  saw.limits = Object.keys((await call("GetAccountSettings")).AccountLimit).sort();
}

async function errors() {
  saw.missing = await error("GetFunction", { FunctionName: FunctionName + "-none" });
  saw.conflict = await error("CreateFunction", { FunctionName, ...code, Code: { ZipFile: archives[0] } });
  saw.stale = await error("UpdateFunctionConfiguration", {
    FunctionName, Description: "x", RevisionId: "00000000-0000-4000-8000-000000000000",
  });
  saw.in_use = await error("DeleteFunction", { FunctionName, Qualifier: "2" });
}

async function end() {
  await call("DeleteAlias", { FunctionName, Name: "live" });
  await call("DeleteAlias", { FunctionName, Name: "spare" });
  await call("DeleteFunction", { FunctionName, Qualifier: "1" });
  saw.left = (await call("ListVersionsByFunction", { FunctionName })).Versions.map((v) => v.Version);
  for (const other of ["", "-x", "-y"]) await call("DeleteFunction", { FunctionName: FunctionName + other });
  saw.gone = [(await error("GetFunction", { FunctionName })).slice(0, 2), (await error("Invoke", { FunctionName })).slice(0, 2)];
}

for (const part of [functions, versions, aliases, policies, tags, urls, eventSources, layers, concurrency, eventConfigs, lists, errors, end]) {
  await part();
}
console.log(JSON.stringify(saw));
