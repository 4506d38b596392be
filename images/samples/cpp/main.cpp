// SPDX-License-Identifier: Apache-2.0
//
// Zip function for provided.al2023 with AWS's C++ runtime client: does what the event's first word says.
// The event is a JSON string, for C++ has no JSON of its own: "echo", "fail words", "throw", "sleep 5", "env".
#include <aws/lambda-runtime/runtime.h>

#include <cstdlib>
#include <iostream>
#include <stdexcept>
#include <string>
#include <thread>

extern char **environ;

using aws::lambda_runtime::invocation_request;
using aws::lambda_runtime::invocation_response;

static std::string quoted(std::string const &text)
{
    std::string out = "\"";
    char hex[8];

    for (unsigned char c : text) {
        if (c == '"' || c == '\\') {
            out += '\\';
            out += static_cast<char>(c);
        } else if (c < 0x20) {
            snprintf(hex, sizeof(hex), "\\u%04x", c);
            out += hex;
        } else {
            out += static_cast<char>(c);
        }
    }
    return out + '"';
}

static std::string environment()
{
    std::string out;

    for (char **var = environ; *var; var++) {
        std::string pair = *var;
        size_t eq = pair.find('=');
        if (eq == std::string::npos)
            continue;
        out += (out.empty() ? "" : ",") + quoted(pair.substr(0, eq)) + ":" + quoted(pair.substr(eq + 1));
    }
    return "{" + out + "}";
}

static invocation_response handle(invocation_request const &req)
{
    std::string const body = req.payload.size() >= 2 && req.payload.front() == '"'
                                 ? req.payload.substr(1, req.payload.size() - 2)
                                 : req.payload;
    std::string const word = body.substr(0, body.find(' '));
    std::string const rest = word.size() < body.size() ? body.substr(word.size() + 1) : "";

    std::cout << "c++ says " << body << std::endl;
    if (word == "fail")
        return invocation_response::failure(rest, "HelloError", "");
    if (word == "throw")
        throw std::runtime_error(rest);
    if (word == "sleep")
        std::this_thread::sleep_for(std::chrono::seconds(std::stoi(rest)));
    return invocation_response::success(
        "{\"hello\":\"from C++\",\"text\":" + quoted(rest) + ",\"requestId\":" + quoted(req.request_id) +
            ",\"arn\":" + quoted(req.function_arn) +
            ",\"remaining\":" + std::to_string(req.get_time_remaining().count()) +
            (word == "env" ? ",\"env\":" + environment() : "") + "}",
        "application/json");
}

int main()
{
    aws::lambda_runtime::run_handler(handle);
    return 0;
}
