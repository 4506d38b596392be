# SPDX-License-Identifier: Apache-2.0
"""Many at once: every answer belongs to its request."""
import concurrent.futures
import json

from harness import wait_until

APP = """
import time
def handler(event, context):
    if event.get("sleep"):
        time.sleep(event["sleep"])
    return {"f": context.function_name, "n": event["n"], "id": context.aws_request_id}
"""


def call(lam, name, n, sleep=0):
    a = lam.invoke(FunctionName=name, Payload=json.dumps({"n": n, "sleep": sleep}))
    r = json.load(a["Payload"])
    assert "FunctionError" not in a, r
    assert r == {"f": name, "n": n, "id": a["ResponseMetadata"]["RequestId"]}
    return r["id"]


def test_ten_functions_a_hundred_invocations_each(hearth, lam, make_function):
    names = [f"many-{i}" for i in range(10)]
    for name in names:
        make_function(name, {"app.py": APP + f"# {name}\n"}, Timeout=60)
    with concurrent.futures.ThreadPoolExecutor(1000) as pool:
        client = hearth.client(connections=1000)
        jobs = [pool.submit(call, client, name, n) for n in range(100) for name in names]
        ids = [j.result() for j in jobs]
    assert len(set(ids)) == 1000
    for name in names:
        assert len(hearth.sandboxes(function=name)) <= 100


def test_invocations_begin_at_ten_times_the_concurrency_a_second(lam, make_function):
    make_function("paced", {"app.py": APP}, Timeout=60)
    lam.put_function_concurrency(FunctionName="paced", ReservedConcurrentExecutions=1)
    call(lam, "paced", 0)

    def reason(n):
        try:
            call(lam, "paced", n)
        except lam.exceptions.TooManyRequestsException as e:
            return e.response["Reason"]
        return None

    # two, as one that runs is another reason; how fast they come is up to the machine
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        wait_until("they came too fast", lambda: "ReservedFunctionInvocationRateLimitExceeded" in pool.map(reason, range(40)))
    wait_until("it may run again", lambda: reason(1) is None)


def test_sandboxes_begun_at_once_outlive_the_time_they_have_to_connect(hearth, make_function):
    make_function("patient", {"app.py": APP}, Timeout=60)
    client = hearth.client(connections=16)
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda n: call(client, "patient", n, sleep=11), range(16)))
