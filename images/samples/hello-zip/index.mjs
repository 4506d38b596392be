// SPDX-License-Identifier: Apache-2.0
// Zip function, handler index.handler, runtime nodejs20.x.

export const handler = async (event, context) => {
  console.log("hello from", context.functionName, "version", context.functionVersion);
  return { hello: "from a Node.js zip", event, requestId: context.awsRequestId };
};
