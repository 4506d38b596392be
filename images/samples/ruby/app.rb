# SPDX-License-Identifier: Apache-2.0
# Handler app.handler, runtime ruby3.3, as a zip or as an image.

def handler(event:, context:)
  puts "ruby says #{event['text']}"
  raise event["fail"] if event["fail"]
  { hello: "from Ruby", text: event["text"], requestId: context.aws_request_id }
end
