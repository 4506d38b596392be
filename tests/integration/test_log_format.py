# SPDX-License-Identifier: Apache-2.0
"""LoggingConfig in real sandboxes with AWS's own clients: both formats, every level, and how failures are told.

The expected records are those of AWS's logs: names, order of members and form of numbers. Levels are AWS's
table "System log level event mapping".
"""
import base64
import json
import re
import urllib.request

import pytest

from harness import wait_until

LEVELS = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"]
NUMBER = r"\d+\.\d{1,3}"
ID = "[0-9a-f-]{36}"
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
ARN = "arn:aws:lambda:us-east-1:000000000000:function:"

# Prints in every way a line can come: by the client's logger, by hand in each level, plain, without a level.
PYTHON = '''
import json, logging, os, sys, time
TIME = "2026-11-26T20:00:00.123Z"
def handler(event, context):
    log = logging.getLogger()
    for level in ("debug", "info", "warning", "error", "critical"):
        getattr(log, level)("logged")
    print("plain")
    for level in ("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"):
        print(json.dumps({"level": level, "timestamp": TIME, "message": "by hand"}))
    print(json.dumps({"message": "no level"}), file=sys.stderr)
    print(json.dumps({"level": "DEBUG", "message": "no time"}))
    if "sleep" in event:
        time.sleep(event["sleep"])
    if "exit" in event:
        os._exit(event["exit"])
    if "eat" in event:
        hog = []
        while True:
            hog.append(bytearray(os.urandom(1 << 20)))
    if "raise" in event:
        raise ValueError(event["raise"])
    return {k: v for k, v in os.environ.items() if k.startswith("AWS_LAMBDA_LOG")}
'''
NODE = '''
const time = "2026-11-26T20:00:00.123Z";
exports.handler = async (event) => {
    for (const level of ["trace", "debug", "info", "warn", "error"])
        console[level]("logged");
    console.log("logged");
    process.stdout.write("plain\\n");
    for (const level of ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"])
        process.stdout.write(JSON.stringify({level, timestamp: time, message: "by hand"}) + "\\n");
    process.stderr.write(JSON.stringify({message: "no level"}) + "\\n");
    process.stdout.write(JSON.stringify({level: "DEBUG", message: "no time"}) + "\\n");
    return Object.fromEntries(Object.entries(process.env).filter(([k]) => k.startsWith("AWS_LAMBDA_LOG")));
};
'''
CLIENTS = {
    "python3.13": ({"app.py": PYTHON}, ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"], "DEBUG INFO WARN ERROR FATAL"),
    "nodejs20.x": ({"app.js": NODE}, ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "INFO"], "TRACE DEBUG INFO WARN ERROR INFO"),
}


def json_log(application="INFO", system="INFO", **kw):
    return dict(LogFormat="JSON", ApplicationLogLevel=application, SystemLogLevel=system, **kw)


def invoke(lam, name, payload=None):
    """The answer, what the function gave, and the lines of the tail."""
    a = lam.invoke(FunctionName=name, Payload=json.dumps(payload or {}), LogType="Tail")
    return a, json.load(a["Payload"]), base64.b64decode(a["LogResult"]).decode().splitlines()


def configure(lam, name, **kw):
    lam.update_function_configuration(FunctionName=name, **kw)
    wait_until("it is updated",
               lambda: lam.get_function_configuration(FunctionName=name)["LastUpdateStatus"] == "Successful")


def records(hearth, name):
    with urllib.request.urlopen(f"{hearth.url}/_hearth/v1/logs/{name}", timeout=30) as f:
        return [json.loads(line) for line in f.read().decode().splitlines()]


def platform(lines):
    return [line for line in lines if line.startswith('{"time":')]


def types(lines):
    return [json.loads(line)["type"].removeprefix("platform.") for line in platform(lines)]


def assert_lines(lines, *patterns):
    """Each line is what its pattern says, to the byte."""
    assert len(lines) == len(patterns), lines
    for line, pattern in zip(lines, patterns):
        assert re.fullmatch(pattern, line), f"{line}\nis not\n{pattern}"


def record(kind, inside):
    return rf'{{"time":"{TIME}","type":"platform\.{kind}","record":{inside}}}'


def report(status, cold=True):
    init = rf',"initDurationMs":{NUMBER}' if cold else ""
    return record("report", rf'{{"requestId":"{ID}","metrics":{{"durationMs":{NUMBER},"billedDurationMs":\d+,'
                            rf'"memorySizeMB":\d+,"maxMemoryUsedMB":\d+{init}}},"status":{status}}}')


def runtime_done(status):
    return record("runtimeDone", rf'{{"requestId":"{ID}","status":{status},"metrics":{{"durationMs":{NUMBER},"producedBytes":\d+}}}}')


def start(name):
    return record("start", rf'{{"requestId":"{ID}","functionArn":"{ARN}{name}","version":"\$LATEST"}}')


@pytest.mark.parametrize("runtime", CLIENTS)
def test_clients_write_json_and_lines_below_the_level_are_left_out(hearth, lam, make_function, runtime):
    files, written, meant = CLIENTS[runtime]
    name = "log-levels-" + runtime[:4]
    make_function(name, files, runtime=runtime, LoggingConfig={"LogFormat": "JSON"})
    for level in LEVELS:
        least = LEVELS.index(level)
        configure(lam, name, LoggingConfig={"ApplicationLogLevel": level})
        a, env, lines = invoke(lam, name)
        assert env["AWS_LAMBDA_LOG_FORMAT"] == "JSON" and env["AWS_LAMBDA_LOG_LEVEL"] == level
        own = [line for line in lines if line not in platform(lines)]
        logged = [json.loads(line) for line in own if '"logged"' in line]
        assert [m["level"] for m in logged] == [w for w, m in zip(written, meant.split()) if LEVELS.index(m) >= least], level
        assert all(m["requestId"] == a["ResponseMetadata"]["RequestId"] and m["timestamp"] for m in logged)
        assert [json.loads(line)["level"] for line in own if "by hand" in line] == LEVELS[least:], level
        # what has no level, or no time, is INFO; what is no JSON has none and stays
        assert [("no level" in t, "no time" in t) for t in ["\n".join(own)]] == [(least <= 2, least <= 2)], level
        assert "plain" in own
        assert types(lines) == ["start", "report"]
    stored = [r["message"] for r in records(hearth, name)]
    assert sum('"by hand"' in m for m in stored) == 6 + 5 + 4 + 3 + 2 + 1  # Kafka and files get no more than the tail


def test_text_is_as_ever(hearth, lam, make_function):
    make_function("log-text", {"app.py": PYTHON}, runtime="python3.13")
    a, env, lines = invoke(lam, "log-text")
    assert set(env) == {"AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME"}
    assert lines[0].startswith("START RequestId: ") and lines[-1].startswith("REPORT RequestId: ")
    assert sum('"by hand"' in line for line in lines) == 6 and types(lines) == []
    assert re.search(rf"\[ERROR\]\t{TIME}\t{ID}\tlogged", "\n".join(lines))


def test_system_records_by_level(hearth, lam, make_function):
    make_function("log-system", {"app.py": PYTHON}, runtime="python3.13", LoggingConfig=json_log("FATAL", "DEBUG"))
    a, _, lines = invoke(lam, "log-system")
    assert_lines(platform(lines), start("log-system"), runtime_done('"success"'), report('"success"'))
    everything = [r["message"] for r in records(hearth, "log-system") if r["stream"] == "platform"]
    assert_lines(everything[:3],
                 record("initStart", r'{"initializationType":"on-demand","phase":"init","runtimeVersion":"python3\.13","functionName":'
                                     r'"log-system","functionVersion":"\$LATEST","instanceId":"\d{4}/\d\d/\d\d/log-system'
                                     r'\[\$LATEST\][0-9a-f]{32}","instanceMaxMemory":134217728}'),
                 record("initRuntimeDone", '{"initializationType":"on-demand","phase":"init","status":"success"}'),
                 record("initReport", rf'{{"initializationType":"on-demand","phase":"init","status":"success","metrics":{{"durationMs":{NUMBER}}}}}'))
    a, _, lines = invoke(lam, "log-system", {"raise": "x"})
    assert a["FunctionError"] == "Unhandled"
    error = r'"error","errorType":"Runtime\.Unknown"'  # as REPORT in text has it
    assert_lines(platform(lines), start("log-system"), runtime_done(error), report(error, cold=False))
    configure(lam, "log-system", LoggingConfig={"SystemLogLevel": "INFO"})
    assert types(invoke(lam, "log-system")[2]) == ["start", "report"]
    assert types(invoke(lam, "log-system", {"raise": "x"})[2]) == ["start", "runtimeDone", "report"]
    configure(lam, "log-system", LoggingConfig={"SystemLogLevel": "WARN"})
    assert types(invoke(lam, "log-system")[2]) == []
    assert types(invoke(lam, "log-system", {"raise": "x"})[2]) == ["runtimeDone", "report"]


def test_failures_are_told_in_json(hearth, lam, make_function):
    make_function("log-fails", {"app.py": PYTHON}, runtime="python3.13", Timeout=1, MemorySize=128,
                  LoggingConfig=json_log("FATAL", "WARN"))
    _, _, lines = invoke(lam, "log-fails", {"sleep": 5})
    assert_lines(platform(lines), record("fault", rf'"{TIME} {ID} Task timed out after 1\.00 seconds"'),
                 runtime_done('"timeout"'), report('"timeout"'))
    _, _, lines = invoke(lam, "log-fails", {"exit": 3})
    assert_lines(platform(lines), record("fault", rf'"RequestId: {ID} Error: Runtime exited with error: exit status 3"'),
                 runtime_done(r'"failure","errorType":"Runtime\.ExitError"'), report(r'"error","errorType":"Runtime\.ExitError"'))
    configure(lam, "log-fails", Timeout=20)
    _, _, lines = invoke(lam, "log-fails", {"eat": True})
    assert_lines(platform(lines), record("fault", rf'"RequestId: {ID} Error: Runtime exited with error: signal: killed"'),
                 runtime_done(r'"failure","errorType":"Runtime\.OutOfMemory"'), report(r'"error","errorType":"Runtime\.OutOfMemory"'))
    assert not [r for r in records(hearth, "log-fails") if re.match("START|END|REPORT|INIT_", r["message"])]


def test_an_init_that_fails_is_told_in_json(hearth, lam, make_function):
    make_function("log-init", {"app.py": "import nothing_of_this_name"}, runtime="python3.13", LoggingConfig=json_log("ERROR", "WARN"))
    a, answer, lines = invoke(lam, "log-init")
    assert answer["errorType"] == "Runtime.ImportModuleError"
    told = [json.loads(line) for line in lines if '"level"' in line]
    assert told and told[0]["level"] == "ERROR" and "nothing_of_this_name" in told[0]["errorMessage"]
    everything = [r["message"] for r in records(hearth, "log-init") if r["stream"] == "platform"]
    status = r'"error","errorType":"Runtime\.ImportModuleError"'
    assert re.fullmatch(record("initRuntimeDone", rf'{{"initializationType":"on-demand","phase":"init","status":{status}}}'), everything[0])
    assert re.fullmatch(record("initReport", rf'{{"initializationType":"on-demand","phase":"init","status":{status},"metrics":{{"durationMs":{NUMBER}}}}}'),
                        everything[1])
    assert types(everything)[-1] == "report" and "error" in everything[-1]


def test_a_change_is_a_change_of_configuration(hearth, lam, make_function):
    """New sandboxes from the first invocation on; streams of a shared group have the function's name."""
    make_function("log-change", {"app.py": PYTHON}, runtime="python3.13")
    _, before, lines = invoke(lam, "log-change")
    assert types(lines) == [] and re.fullmatch(r"\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}", before["AWS_LAMBDA_LOG_STREAM_NAME"])
    configure(lam, "log-change", LoggingConfig=json_log(LogGroup="/shared/group"))
    a, after, lines = invoke(lam, "log-change")
    assert types(lines) == ["start", "report"]
    assert after["AWS_LAMBDA_LOG_GROUP_NAME"] == "/shared/group"
    assert re.fullmatch(r"\d{4}/\d\d/\d\d/log-change\[\$LATEST\][0-9a-f]{32}", after["AWS_LAMBDA_LOG_STREAM_NAME"])
    mine = [r for r in records(hearth, "log-change") if r["request_id"] == a["ResponseMetadata"]["RequestId"]]
    assert {(r["log_group"], r["log_stream"]) for r in mine} == {("/shared/group", after["AWS_LAMBDA_LOG_STREAM_NAME"])}
    shown = hearth.hearth("logs", "log-change", "--request-id", mine[0]["request_id"]).stdout.splitlines()
    assert [line.split(" ", 1)[1] for line in shown] == [r["message"] for r in mine]  # as they are, and in their order
    version = lam.publish_version(FunctionName="log-change")["Version"]
    configure(lam, "log-change", LoggingConfig={"LogFormat": "Text"})
    assert types(invoke(lam, "log-change")[2]) == []
    assert types(invoke(lam, f"log-change:{version}")[2]) == ["start", "report"]  # a version keeps its own
