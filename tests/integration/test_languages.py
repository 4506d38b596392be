# SPDX-License-Identifier: Apache-2.0
"""AWS's runtime clients for Java, Go, Rust and C++, unmodified, in real sandboxes; Ruby and .NET as far as their images go."""
import base64
import json
import re
import time

import pytest

from harness import TOP, sample, wait_until

SAMPLES = TOP / "images/samples"
EXIT = "RequestId: {} Error: Runtime exited with error: exit status {}"


@pytest.fixture(scope="module")
def jar():
    return sample("java")


@pytest.fixture(scope="module", params=["go", "rust"])
def program(request):
    """A language that makes one static program, and the files of its archive."""
    return request.param, {"bootstrap": (sample(request.param), 0o755)}


@pytest.fixture(scope="module")
def cpp():
    return sample("cpp")


@pytest.fixture
def make_from(make_function):
    """Makes a function of an archive that is already one, or of files."""
    def make(name, code, runtime, handler="any.thing", **kw):
        return make_function(name, code, runtime=runtime, handler=handler, **kw)
    return make


def call(lam, name, payload, **kw):
    a = lam.invoke(FunctionName=name, Payload=json.dumps(payload, ensure_ascii=False).encode(), **kw)
    return a, json.load(a["Payload"])


def log_of(answer):
    return base64.b64decode(answer["LogResult"]).decode()


def check_environment(env, name, execution_env, handler, memory):
    """What AWS was recorded to set for these runtimes, and nothing beyond it."""
    assert not set(env) & {"PWD", "SHLVL", "OLDPWD"} or execution_env == "lambda-cpp"  # started by a bash of its own
    assert env.get("AWS_EXECUTION_ENV") == execution_env
    assert env["_HANDLER"] == handler and env["LAMBDA_TASK_ROOT"] == "/var/task" and env["LAMBDA_RUNTIME_DIR"] == "/var/runtime"
    assert env["LANG"] == "en_US.UTF-8" and env["TZ"] == ":UTC"
    assert env["PATH"] == "/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin"
    assert env["LD_LIBRARY_PATH"] == ("/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib")
    assert env["AWS_LAMBDA_FUNCTION_NAME"] == name and env["AWS_LAMBDA_FUNCTION_VERSION"] == "$LATEST"
    assert env["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == str(memory) and env["AWS_LAMBDA_INITIALIZATION_TYPE"] == "on-demand"
    assert env["AWS_LAMBDA_LOG_GROUP_NAME"] == f"/aws/lambda/{name}" and "[$LATEST]" in env["AWS_LAMBDA_LOG_STREAM_NAME"]
    assert env["AWS_REGION"] == env["AWS_DEFAULT_REGION"] == "us-east-1" and env["AWS_LAMBDA_RUNTIME_API"]
    assert env["TEST_KEY"] == "TEST_VAL"


ENV = {"Variables": {"TEST_KEY": "TEST_VAL"}}


# Java

@pytest.mark.parametrize("runtime", ["java17", "java21", "java25"])
def test_java_handlers_with_objects_and_streams(lam, make_from, jar, runtime):
    make_from("jpojo", jar, runtime, "hello.Greeter", MemorySize=256)
    a, r = call(lam, "jpojo", {"name": "Grüße", "times": 2, "unknown": [1]}, LogType="Tail")
    assert "FunctionError" not in a, r
    assert r["text"] == "hello Grüße Grüße" and r["arn"].endswith(":function:jpojo")
    assert r["requestId"] == a["ResponseMetadata"]["RequestId"] and 0 < r["remaining"] <= 10000
    assert "java says hello to Grüße\n" in log_of(a)
    lam.update_function_configuration(FunctionName="jpojo", Handler="hello.Trouble::property")
    lam.get_waiter("function_updated_v2").wait(FunctionName="jpojo")
    assert call(lam, "jpojo", "java.specification.version")[1] == runtime[4:6]
    lam.update_function_configuration(FunctionName="jpojo", Handler="hello.Echo")
    lam.get_waiter("function_updated_v2").wait(FunctionName="jpojo")
    a = lam.invoke(FunctionName="jpojo", Payload=b"{}")
    assert a["StatusCode"] == 200 and "FunctionError" not in a and a["Payload"].read() == b"{}"


def test_java_from_a_zip_with_its_jar_in_lib_and_a_method_as_handler(lam, make_from, jar):
    make_from("jlib", {"lib/hello.jar": jar}, "java17", "hello.Greeter::greet", MemorySize=256)
    assert call(lam, "jlib", {"name": "x"})[1]["text"] == "hello x"


def test_java_sees_the_environment_of_lambda(lam, make_from, jar):
    make_from("jenv", jar, "java17", "hello.Trouble::environment", MemorySize=256, Environment=ENV)
    a, env = call(lam, "jenv", None)
    assert "FunctionError" not in a, env
    check_environment(env, "jenv", "AWS_Lambda_java17", "hello.Trouble::environment", 256)


def test_java_logs_in_json(lam, make_from, jar):
    make_from("jjson", jar, "java21", "hello.Greeter::greet", MemorySize=256, LoggingConfig={"LogFormat": "JSON"})
    a, r = call(lam, "jjson", {"name": "you"}, LogType="Tail")
    started, said, report = [json.loads(line) for line in log_of(a).splitlines()]
    assert (started["type"], report["type"]) == ("platform.start", "platform.report")
    assert said["message"] == "java says hello to you\n" and said["AWSRequestId"] == a["ResponseMetadata"]["RequestId"]
    # what is logged without a level is INFO
    lam.update_function_configuration(FunctionName="jjson", LoggingConfig={"ApplicationLogLevel": "WARN"})
    lam.get_waiter("function_updated_v2").wait(FunctionName="jjson")
    assert "java says hello" not in log_of(call(lam, "jjson", {"name": "you"}, LogType="Tail")[0])


def test_java_exceptions_are_the_answer_and_the_sandbox_goes_on(hearth, lam, make_from, jar):
    make_from("jerr", jar, "java17", "hello.Trouble::fail", MemorySize=256)
    for _ in range(2):
        a, r = call(lam, "jerr", "no luck", LogType="Tail")
        assert a["FunctionError"] == "Unhandled"
        assert r["errorType"] == "java.lang.IllegalStateException" and r["errorMessage"] == "no luck"
        assert r["stackTrace"][0].startswith("hello.Trouble.fail(")
    assert "INIT_START" not in log_of(a) and "Init Duration" not in log_of(a)
    # The client writes the trace when it has handed the error in.
    words = "no luck: java.lang.IllegalStateException"
    rid = a["ResponseMetadata"]["RequestId"]
    wait_until("the trace is in the log", lambda: words in hearth.hearth("logs", "jerr", "--request-id", rid).stdout, 5)


def test_java_that_cannot_start_says_why(lam, make_from, jar):
    make_from("jbroken", jar, "java17", "hello.Broken::run", MemorySize=256)
    a, r = call(lam, "jbroken", "x")
    assert a["FunctionError"] == "Unhandled" and "no start today" in json.dumps(r), r
    make_from("jnone", jar, "java17", "hello.Nobody", MemorySize=256)
    a, r = call(lam, "jnone", "x")
    assert a["FunctionError"] == "Unhandled" and r["errorType"] == "java.lang.ClassNotFoundException", r
    assert r["errorMessage"] == "Class not found: hello.Nobody"


def test_java_that_exits_or_takes_too_long(lam, make_from, jar):
    make_from("jexit", jar, "java17", "hello.Trouble::exit", MemorySize=256)
    a, r = call(lam, "jexit", 3)
    assert a["FunctionError"] == "Unhandled"
    assert r == {"errorType": "Runtime.ExitError", "errorMessage": EXIT.format(a["ResponseMetadata"]["RequestId"], 3)}
    make_from("jslow", jar, "java17", "hello.Trouble::sleep", MemorySize=256, Timeout=2)
    assert call(lam, "jslow", 0)[1] == "slept"
    a, r = call(lam, "jslow", 30)
    assert a["FunctionError"] == "Unhandled" and r["errorType"] == "Sandbox.Timedout"
    assert r["errorMessage"].endswith("Task timed out after 2.00 seconds")


def test_java_heap_follows_the_memory_of_the_function(lam, make_from, jar):
    make_from("jmem", jar, "java17", "hello.Trouble::heap", MemorySize=512, Timeout=60)  # 128 MB are a fourteenth of a CPU
    assert 330 < call(lam, "jmem", None)[1] < 512
    lam.update_function_configuration(FunctionName="jmem", Environment={"Variables": {"JAVA_TOOL_OPTIONS": "-Xmx100m"}})
    lam.get_waiter("function_updated_v2").wait(FunctionName="jmem")
    assert 90 < call(lam, "jmem", None)[1] <= 100
    lam.update_function_configuration(FunctionName="jmem", Handler="hello.Trouble::fill", MemorySize=128, Environment={"Variables": {}})
    lam.get_waiter("function_updated_v2").wait(FunctionName="jmem")
    assert call(lam, "jmem", 20)[1] == 20
    a, r = call(lam, "jmem", 200)
    assert a["FunctionError"] == "Unhandled" and r["errorType"] == "java.lang.OutOfMemoryError", r


def test_java_under_a_wrapper(lam, make_from, jar):
    wrapper = '#!/bin/bash\nexport WRAPPED="$(basename "$1") $#"\nexec "$@" \n'
    make_from("jwrap", {"wrapper": (wrapper, 0o755), "lib/hello.jar": jar}, "java21", "hello.Trouble::environment", MemorySize=256,
              Environment={"Variables": {"AWS_LAMBDA_EXEC_WRAPPER": "/var/task/wrapper"}})
    a, env = call(lam, "jwrap", None)
    assert "FunctionError" not in a, env
    assert env["WRAPPED"].startswith("java ")


def test_java_as_a_container_image(hearth, lam, registry, make_function, jar):
    image = hearth.docker.build(f"{registry}/java:1", {"hello.jar": jar},
                                'FROM hearth/java:21\nCOPY hello.jar ${LAMBDA_TASK_ROOT}/lib/\nCMD ["hello.Greeter::greet"]\n')
    make_function("jimage", image=hearth.docker.push(image), MemorySize=256)
    a, r = call(lam, "jimage", {"name": "image"})
    assert "FunctionError" not in a and r["text"] == "hello image", r
    lam.update_function_configuration(FunctionName="jimage", ImageConfig={"Command": ["hello.Trouble::environment"]})
    lam.get_waiter("function_updated_v2").wait(FunctionName="jimage")
    env = call(lam, "jimage", None)[1]
    assert env["AWS_EXECUTION_ENV"] == "AWS_Lambda_Image" and env["_HANDLER"] == "hello.Trouble::environment"


# Go and Rust: one static program

def test_static_programs_answer(lam, make_from, program):
    language, files = program
    name = f"{language}-hello"
    make_from(name, files, "provided.al2023", "function.handler", Environment=ENV, MemorySize=128)
    for n in range(3):
        a, r = call(lam, name, {"text": f"grüße {n}", "env": n == 0}, LogType="Tail")
        assert "FunctionError" not in a, r
        assert r["text"] == f"grüße {n}" and r["requestId"] == a["ResponseMetadata"]["RequestId"]
        assert r["arn"].endswith(f":function:{name}") and 0 < r["remaining"] <= 10000
        assert f"{language} says grüße {n}" in log_of(a)
        if n == 0:
            check_environment(r["env"], name, None, "function.handler", 128)
    big = "y" * 5_000_000
    assert call(lam, name, {"text": big})[1]["text"] == big


def test_errors_of_static_programs_are_the_answer(lam, make_from, program):
    language, files = program
    make_from(f"{language}-err", files, "provided.al2023")
    a, r = call(lam, f"{language}-err", {"fail": "some_error_msg"})
    assert a["FunctionError"] == "Unhandled" and r["errorMessage"] == "some_error_msg", r
    assert {"go": "errorString", "rust": "Box<dyn core::error::Error"}[language] in r["errorType"], r
    assert call(lam, f"{language}-err", {"text": "on"})[1]["text"] == "on"
    a, r = call(lam, f"{language}-err", {"panic": "at the disco"})
    assert a["FunctionError"] == "Unhandled" and r["errorMessage"].endswith("at the disco"), r
    # Go's client ends the program after a panic, Rust's goes on; either way the next call is answered.
    assert call(lam, f"{language}-err", {"text": "on"})[1]["text"] == "on"


def test_static_programs_stream(lam, make_from, program):
    language, files = program
    name = f"{language}-stream"
    make_from(name, files, "provided.al2023", MemorySize=512)
    call(lam, name, {})
    # Rust's client writes what breaks a stream into the stream, instead of its trailers.
    for end in [{}, {"break": "no more"}][:2 if language == "go" else 1]:
        a = lam.invoke_with_response_stream(FunctionName=name, Payload=json.dumps(dict(end, lines=3)))
        at, text, complete = [], b"", None
        for event in a["EventStream"]:
            complete = event.get("InvokeComplete", complete)
            if "PayloadChunk" in event:
                at.append(time.monotonic())
                text += event["PayloadChunk"]["Payload"]
        assert time.monotonic() - at[0] > 0.9  # the first came long before the end
        if language == "rust":  # its client always begins with the head of an HTTP answer
            head, text = text.split(b"\0" * 8, 1)
            assert json.loads(head)["statusCode"] == 200
        assert text == b"line 0\nline 1\nline 2\n"
        assert ("ErrorCode" in complete) == bool(end), complete
        if end:
            assert json.loads(complete["ErrorDetails"])["errorMessage"] == "no more"
    a = lam.invoke(FunctionName=name, Payload=json.dumps({"lines": 2}))
    assert a["Payload"].read().endswith(b"line 0\nline 1\n") and "FunctionError" not in a
    if language == "go":
        a, r = call(lam, name, {"lines": 1, "break": "no more"})
        assert a["FunctionError"] == "Unhandled" and r["errorMessage"] == "no more", r


def test_static_programs_that_take_too_long_are_replaced(lam, make_from, program):
    language, files = program
    make_from(f"{language}-slow", files, "provided.al2023", Timeout=1)
    a, r = call(lam, f"{language}-slow", {"sleep": 20})
    assert a["FunctionError"] == "Unhandled" and r["errorType"] == "Sandbox.Timedout"
    assert call(lam, f"{language}-slow", {"text": "on"})[1]["text"] == "on"


# C++: the packager's zip brings its own C library

def test_cpp_answers_fails_and_is_replaced(lam, make_from, cpp):
    make_from("cpp-hello", cpp, "provided.al2023", "function.handler", Environment=ENV, Timeout=2)
    a, r = call(lam, "cpp-hello", "echo grüße", LogType="Tail")
    assert "FunctionError" not in a, r
    assert r["text"] == "grüße" and r["requestId"] == a["ResponseMetadata"]["RequestId"] and 0 < r["remaining"] <= 2000
    assert r["arn"].endswith(":function:cpp-hello") and "c++ says echo grüße" in log_of(a)
    env = call(lam, "cpp-hello", "env")[1]["env"]
    check_environment(env, "cpp-hello", "lambda-cpp", "function.handler", 128)  # so set by the packager's own bootstrap
    a, r = call(lam, "cpp-hello", "fail no luck")
    assert a["FunctionError"] == "Unhandled" and r["errorType"] == "HelloError" and r["errorMessage"] == "no luck", r
    a, r = call(lam, "cpp-hello", "throw it away")
    assert a["FunctionError"] == "Unhandled", r
    assert call(lam, "cpp-hello", "echo on")[1]["text"] == "on"
    a, r = call(lam, "cpp-hello", "sleep 20")
    assert a["FunctionError"] == "Unhandled" and r["errorType"] == "Sandbox.Timedout"
    assert call(lam, "cpp-hello", "echo on")[1]["text"] == "on"


# Ruby and .NET: on AWS's own images

@pytest.mark.parametrize("runtime,folder,files,handler", [
    ("ruby3.3", "ruby", ["app.rb"], "app.handler"),
    ("dotnet8", "dotnet", ["publish/hello.dll"], "hello::Hello.Function::Handle"),
])
def test_dockerfiles_of_ruby_and_dotnet_put_the_function_where_aws_images_look(docker, images, runtime, folder, files, handler):
    """On a base of ours: that the Dockerfile builds and where things land needs nothing of AWS's image."""
    there = {f: (SAMPLES / folder / f).read_bytes() if (SAMPLES / folder / f).exists() else b"x" for f in files}
    tag = f"hearth-test/{folder}:1"
    docker.build(tag, there, (SAMPLES / folder / "Dockerfile").read_text(), BASE="hearth/provided:al2023")
    try:
        assert json.loads(docker("inspect", "-f", "{{json .Config.Cmd}}", tag)) == [handler]
        assert docker("run", "--rm", "--network", "none", "--entrypoint", "ls", tag, "/var/task").split() == [f.split("/")[-1] for f in files]
    finally:
        docker("rmi", "-f", tag)


def test_a_ruby_function_runs_on_awss_image_or_says_which_image_is_missing(lam, make_function):
    files = {"app.rb": (SAMPLES / "ruby/app.rb").read_text()}
    make_function("ruby-hello", files, runtime="ruby3.3", handler="app.handler", wait=False)
    c = wait_until("it is made, or cannot be",
                   lambda: (c := lam.get_function_configuration(FunctionName="ruby-hello"))["State"] != "Pending" and c, 300)
    if c["State"] == "Failed":
        assert "public.ecr.aws/lambda/ruby:3.3" in c["StateReason"], c
        pytest.skip(f"AWS's image for Ruby cannot be pulled here: {c['StateReason'][:120]}")
    a, r = call(lam, "ruby-hello", {"text": "grüße"}, LogType="Tail")
    assert "FunctionError" not in a and r["text"] == "grüße" and "ruby says grüße" in log_of(a)
    a, r = call(lam, "ruby-hello", {"fail": "no luck"})
    assert a["FunctionError"] == "Unhandled" and r["errorMessage"] == "no luck"


# Python and Node.js of the other versions

@pytest.mark.parametrize("runtime,code,handler,version", [
    ("python3.13", {"app.py": "import os, sys\ndef handler(e, c): return ['%d.%d' % sys.version_info[:2], dict(os.environ)]"}, "app.handler", "3.13"),
    ("nodejs18.x", {"index.js": "exports.handler = async () => [process.version, process.env]"}, "index.handler", "v18."),
    ("nodejs20.x", {"index.js": "exports.handler = async () => [process.version, process.env]"}, "index.handler", "v20."),
])
def test_an_interpreter_is_of_the_version_that_its_runtime_names(lam, make_function, runtime, code, handler, version):
    name = "v-" + runtime.replace(".", "-")
    make_function(name, code, runtime=runtime, handler=handler, MemorySize=256)
    a, r = call(lam, name, {})
    assert "FunctionError" not in a and r[0].startswith(version), r
    env = r[1]
    assert env["AWS_EXECUTION_ENV"] == f"AWS_Lambda_{runtime}" and env["SHLVL"] == "0" and env["PWD"] == "/var/task"
    if runtime.startswith("python"):
        assert env["PYTHONPATH"] == "/var/runtime" and env["LC_CTYPE"] == "C.UTF-8"
    else:
        assert env["NODE_PATH"] == (f"/opt/nodejs/node{version[1:3]}/node_modules:/opt/nodejs/node_modules:"
                                    "/var/runtime/node_modules:/var/runtime:/var/task")


def test_no_runtime_is_mapped_to_another_version_than_it_names():
    """Images of ours are offered only under the version that is in them; provided has none."""
    runtimes = json.loads((TOP / "images/runtimes.json").read_text())["runtimes"]
    for name, runtime in runtimes.items():
        image = runtime.get("image", "")
        if image.startswith("hearth/") and not name.startswith("provided"):
            language, version = re.fullmatch(r"hearth/([a-z]+):([\d.]+)", image).groups()
            assert re.fullmatch(rf"{language}{re.escape(version)}(\.x|\.al2023)?", name), (name, image)
