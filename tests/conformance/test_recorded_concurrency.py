# SPDX-License-Identifier: Apache-2.0
"""Recorded: reserved and provisioned concurrency."""
import threading

from case import recorded

SLEEPER = {"handler.py": "import time\n\n\ndef handler(event, context):\n    time.sleep(event.get('wait', 0))\n"}


@recorded("lambda", "TestLambdaConcurrency::test_lambda_concurrency_crud")
def test_lambda_concurrency_crud(case):
    fn, lam = case.name(), case.lam
    case.create_plain(fn)
    case.answer("get_function_concurrency_default", lam.get_function_concurrency, FunctionName=fn)
    case.answer("put_function_concurrency", lam.put_function_concurrency, FunctionName=fn, ReservedConcurrentExecutions=0)
    case.answer("get_function_concurrency_updated", lam.get_function_concurrency, FunctionName=fn)
    lam.delete_function_concurrency(FunctionName=fn)
    case.answer("get_function_concurrency_deleted", lam.get_function_concurrency, FunctionName=fn)


@recorded("lambda", "TestLambdaConcurrency::test_reserved_concurrency_async_queue")
def test_reserved_concurrency_async_queue(case):
    fn, lam = case.name(), case.lam
    case.create_plain(fn, files=SLEEPER)
    case.answer("fn", lam.get_function_configuration, FunctionName=fn, Qualifier="$LATEST")
    case.answer("put_fn_concurrency", lam.put_function_concurrency, FunctionName=fn, ReservedConcurrentExecutions=1)

    def occupy():  # the one place may be taken by a question of ours at first
        while True:
            try:
                return lam.invoke(FunctionName=fn, Payload=b'{"wait": 6}')
            except lam.exceptions.TooManyRequestsException:
                pass
    busy = threading.Thread(target=occupy)
    busy.start()

    def throttled():
        try:
            lam.invoke(FunctionName=fn, Payload=b"{}")
        except lam.exceptions.TooManyRequestsException as e:
            return e.response
    try:
        case.note("too_many_requests_exc", case.until("the one place is taken", throttled, bool, 6))
    finally:
        busy.join()


def provision(case, fn, qualifier, n):
    return case.lam.put_provisioned_concurrency_config(FunctionName=fn, Qualifier=qualifier,
                                                       ProvisionedConcurrentExecutions=n)


def provisioned(case, fn, n):
    """Publishes a version, provisions it and waits until it is ready."""
    get = case.lam.get_provisioned_concurrency_config
    version = case.lam.publish_version(FunctionName=fn)["Version"]
    if "put_provisioned_5" in case.want:
        case.answer("put_provisioned_5", provision, case, fn, version, n)
        case.answer("get_provisioned_prewait", get, FunctionName=fn, Qualifier=version)
    else:
        provision(case, fn, version, n)
    case.note("get_provisioned_postwait", case.until("provisioned", lambda: get(FunctionName=fn, Qualifier=version),
                                                     lambda p: p["Status"] != "IN_PROGRESS", 90))
    return version


@recorded("lambda", "TestLambdaConcurrency::test_provisioned_concurrency")
def test_provisioned_concurrency(case):
    fn = case.name()
    case.create_plain(fn)
    provisioned(case, fn, 5)


@recorded("lambda", "TestLambdaConcurrency::test_lambda_provisioned_concurrency_scheduling")
def test_lambda_provisioned_concurrency_scheduling(case):
    fn = case.name()
    case.create_plain(fn)
    provisioned(case, fn, 1)


@recorded("lambda", "TestLambdaConcurrency::test_reserved_provisioned_overlap")
def test_reserved_provisioned_overlap(case):
    fn, lam = case.name(), case.lam
    case.create_plain(fn)
    first = provisioned(case, fn, 2)
    case.answer("reserved_lower_than_provisioned_exc", lam.put_function_concurrency, FunctionName=fn,
                ReservedConcurrentExecutions=1)
    lam.put_function_concurrency(FunctionName=fn, ReservedConcurrentExecutions=2)
    case.answer("get_concurrency", lam.get_function_concurrency, FunctionName=fn)
    case.answer("reserved_equals_provisioned_latest_invoke_exc", lam.invoke, FunctionName=fn, Payload=b"{}")
    case.answer("update_func_config", lam.update_function_configuration, FunctionName=fn, Timeout=15)
    case.updated(fn)
    second = lam.publish_version(FunctionName=fn)["Version"]
    case.answer("reserved_equals_provisioned_another_provisioned_exc", provision, case, fn, second, 1)
    case.answer("reserved_equals_provisioned_increase_provisioned_exc", provision, case, fn, first, 3)


@recorded("lambda_api", "TestLambdaProvisionedConcurrency::test_provisioned_concurrency_limits")
def test_provisioned_concurrency_limits(case):
    fn = case.name()
    case.create_plain(fn)
    version = case.lam.publish_version(FunctionName=fn)["Version"]
    free = case.lam.get_account_settings()["AccountLimit"]["UnreservedConcurrentExecutions"]
    case.answer("put_provisioned_concurrency_account_limit_exceeded", provision, case, fn, version, free + 1)
    case.answer("put_provisioned_concurrency_below_unreserved_min_value", provision, case, fn, version, free - 99)
