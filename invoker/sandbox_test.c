/* SPDX-License-Identifier: Apache-2.0 */
/* A sandbox's life: states, answers, deadlines, ends. */
#include "invoker/sandbox_fixture.h"

/* ---- tests */

static void only_moves_of_the_table_are_allowed(void **state)
{
    static const char *const allowed[SANDBOX_STATE_MAX] = {
        /* to: creating, init, idle, busy, stopping, dead */
        [SANDBOX_CREATING] = "010011", [SANDBOX_INIT] = "001010", [SANDBOX_IDLE] = "000110",
        [SANDBOX_BUSY] = "001010",     [SANDBOX_STOPPING] = "000001", [SANDBOX_DEAD] = "000000",
    };
    int from, to;
    (void)state;

    for (from = 0; from < SANDBOX_STATE_MAX; from++)
        for (to = 0; to < SANDBOX_STATE_MAX; to++)
            assert_int_equal(sandbox_may_go((enum sandbox_state)from, (enum sandbox_state)to),
                             allowed[from][to] == '1');
}

static void event_and_answer_go_through(void **state)
{
    (void)state;
    come_up();
    assert_int_equal(sandbox_state(w.sb), SANDBOX_IDLE);
    assert_int_equal(sandbox_run(w.sb, &w.event), 0);
    runtime_hears("Lambda-Runtime-Aws-Request-Id: " ID "\r\n");
    runtime_prints("hello\nwithout end");
    runtime_posts("invocation/" ID "/response", "", "{\"ok\":1}");
    run_until(&w.answers, 1);
    assert_int_equal(w.outcome, INVOKE_OK);
    assert_body("{\"ok\":1}");
    assert_has(&w.tail,
               "START RequestId: " ID " Version: $LATEST\nhello\nwithout end\nEND RequestId: " ID
               "\nREPORT RequestId: " ID "\tDuration: ");
    assert_has(&w.tail, "\tMax Memory Used: 30 MB\tInit Duration: ");
    assert_int_equal(sandbox_state(w.sb), SANDBOX_BUSY); /* until it asks again */
    runtime_hears("202 Accepted");
    runtime_says(NEXT);
    run_until(&w.ready, 2);
    assert_int_equal(sandbox_run(w.sb, &w.event), 0);
    runtime_hears("{\"n\":1}");
    runtime_posts("invocation/" ID "/error", "Lambda-Runtime-Function-Error-Type: Runtime.Bad\r\n",
                  "{}");
    run_until(&w.answers, 2);
    assert_int_equal(w.outcome, INVOKE_FUNCTION_ERROR);
    assert_body("{}");
    assert_has(&w.tail, "Max Memory Used: 30 MB\tStatus: error\tError Type: Runtime.Bad\n");
}

static void answer_with_another_id_is_nobodys(void **state)
{
    (void)state;
    come_up_and_run();
    runtime_posts("invocation/another/response", "", "1");
    runtime_hears("InvalidRequestID");
    assert_int_equal(w.answers, 0);
    assert_true(sandbox_has_event(w.sb));
}

static void timeout_is_answered_and_ends_the_sandbox(void **state)
{
    (void)state;
    ((struct sandbox_spec *)ready_version_spec(w.ver))->timeout_s = 0; /* at once */
    come_up_and_run();
    run_until(&w.answers, 1);
    assert_int_equal(w.outcome, INVOKE_FUNCTION_ERROR);
    assert_body("{\"errorType\":\"Sandbox.Timedout\",\"errorMessage\":\"RequestId: " ID
                " Error: Task timed out after 0.00 seconds\"}");
    assert_has(&w.tail, "Z " ID " Task timed out after 0.00 seconds\nEND ");
    assert_has(&w.tail, "\tStatus: timeout\n");
    assert_true(w.launch->ended);
    run_until(&w.gone, 1);
    assert_int_equal(w.ending, 1);
}

static void exit_while_running_is_answered(void **state)
{
    (void)state;
    come_up_and_run();
    main_process_exits(3 << 8, 0);
    run_until(&w.answers, 1);
    assert_body("{\"errorType\":\"Runtime.ExitError\",\"errorMessage\":\"RequestId: " ID
                " Error: Runtime exited with error: exit status 3\"}");
    assert_has(&w.tail, "\nRequestId: " ID " Error: Runtime exited with error: exit status 3\n"
                        "Runtime.ExitError\nEND ");
    assert_has(&w.tail, "\tStatus: error\tError Type: Runtime.ExitError\n");
    assert_true(w.launch->ended);
}

static void out_of_memory_is_reported(void **state)
{
    (void)state;
    come_up_and_run();
    main_process_exits(SIGKILL, 1);
    run_until(&w.answers, 1);
    assert_body("{\"errorType\":\"Runtime.ExitError\",\"errorMessage\":\"RequestId: " ID
                " Error: Runtime exited with error: signal: killed\"}");
    assert_has(&w.tail, "\tStatus: error\tError Type: Runtime.OutOfMemory\n");
}

static void answer_in_one_breath_with_the_exit_counts(void **state)
{
    (void)state;
    come_up_and_run();
    runtime_posts("invocation/" ID "/response", "", "7");
    main_process_exits(0, 0); /* the news of it come first */
    run_until(&w.answers, 1);
    assert_int_equal(w.outcome, INVOKE_OK);
    assert_body("7");
    run_until(&w.gone, 1);
    assert_int_equal(w.answers, 1);
}

static void death_while_idle_ends_it_at_once(void **state)
{
    struct error err;
    (void)state;

    come_up();
    error_set(&err, ERR_CLOSED, "PID 1 is gone");
    w.launch->handler->on_failed(&w.launch->base, LAUNCH_FAILED_DIED, &err, w.launch->arg);
    assert_int_equal(w.ending, 1);
    run_until(&w.gone, 1);
}

static void lost_connection_makes_it_unready_until_it_asks_again(void **state)
{
    (void)state;
    come_up();
    runtime_hang_up();
    run_until(&w.returning, 1);
    assert_int_equal(sandbox_state(w.sb), SANDBOX_BUSY);
    runtime_dial();
    runtime_says(NEXT);
    run_until(&w.ready, 2);
    assert_int_equal(sandbox_run(w.sb, &w.event), 0);
    runtime_hears("{\"n\":1}");
}

static void init_error_of_the_runtime_is_the_answer(void **state)
{
    (void)state;
    w.charge = true;
    create();
    runtime_dial();
    runtime_prints("the first try\n");
    runtime_posts("init/error", "", "{\"errorMessage\":\"at first\"}");
    restart();
    runtime_dial();
    runtime_prints("[ERROR] Runtime.ImportModuleError: no module\nwithout end");
    runtime_posts("init/error", "Lambda-Runtime-Function-Error-Type: Runtime.ImportModuleError\r\n",
                  "{\"errorMessage\":\"no module\"}");
    run_until(&w.answers, 1);
    assert_int_equal(w.failure, SANDBOX_FAILED_FUNCTION);
    assert_int_equal(w.outcome, INVOKE_FUNCTION_ERROR);
    assert_body("{\"errorMessage\":\"no module\"}");
    assert_has(&w.tail, "START RequestId: " ID " Version: $LATEST\n"
                        "the first try\n"
                        "[ERROR] Runtime.ImportModuleError: no module\nwithout end\n"
                        "END RequestId: " ID);
    assert_has(&w.tail, "\tStatus: error\tError Type: Runtime.ImportModuleError\n");
    run_until(&w.gone, 1);
}

static void exit_during_init_is_answered(void **state)
{
    (void)state;
    w.charge = true;
    create();
    main_process_exits(1, 0);
    restart();
    runtime_prints("bye\n");
    main_process_exits(0, 0);
    run_until(&w.answers, 1);
    assert_int_equal(w.launch->restarts, 1);
    assert_body("{\"errorType\":\"Runtime.ExitError\",\"errorMessage\":\"RequestId: " ID
                " Error: Runtime exited without providing a reason\"}");
    assert_has(&w.tail, "$LATEST\nbye\nRequestId: " ID " Error: Runtime exited without");
    run_until(&w.gone, 1);
}

static void program_that_cannot_run_is_an_invalid_entry_point(void **state)
{
    struct error err;
    (void)state;

    w.charge = true;
    create();
    error_set_errno(&err, ERR_BAD_REQUEST, ENOENT, "fork/exec prog");
    w.launch->handler->on_failed(&w.launch->base, LAUNCH_FAILED_ENTRYPOINT, &err, w.launch->arg);
    run_until(&w.answers, 1);
    assert_body("{\"errorType\":\"Runtime.InvalidEntrypoint\",\"errorMessage\":\"RequestId: " ID
                " Error: exec: \\\"prog\\\": executable file not found in $PATH\"}");
    run_until(&w.gone, 1);
}

static void init_that_takes_too_long_fails_the_start(void **state)
{
    (void)state;
    ((struct sandbox_spec *)ready_version_spec(w.ver))->timeout_s = 1;
    w.host.init_limit_us = MSEC(1);
    create();
    restart();
    run_until(&w.gone, 1);
    assert_int_equal(w.start_failures, 1);
    assert_int_equal(w.failure, SANDBOX_FAILED_INIT_TIMEOUT);
    assert_int_equal(w.ready, 0);
}

static void an_init_that_failed_is_tried_again_within_the_first_invocation(void **state)
{
    (void)state;
    create();
    main_process_exits(1, 0);
    run_until(&w.launch->restarts, 1);
    main_process_exits(SIGKILL, 0); /* of the first try: nobody's */
    runtime_dial();
    runtime_says(NEXT); /* likewise */
    restart();
    assert_int_equal(w.launch->gos, 1);
    runtime_dial();
    runtime_says(NEXT);
    run_until(&w.ready, 1);
    assert_int_equal(sandbox_run(w.sb, &w.event), 0);
    runtime_hears("{\"n\":1}");
    runtime_posts("invocation/" ID "/response", "", "7");
    run_until(&w.answers, 1);
    assert_body("7");
    assert_has(&w.tail, "REPORT RequestId: " ID "\tDuration: ");
    assert_null(strstr(w.tail.ptr, "Init Duration")); /* as it is in the duration */
}

static void start_that_the_launcher_refuses_fails_later(void **state)
{
    (void)state;
    w.refuse_start = true;
    w.sb = sandbox_start(&w.host, w.ver, false);
    assert_int_equal(w.start_failures, 0);
    run_until(&w.gone, 1);
    assert_int_equal(w.start_failures, 1);
    assert_int_equal(w.failure, SANDBOX_FAILED_NODE);
}

static void stop_answers_what_runs(void **state)
{
    (void)state;
    come_up_and_run();
    sandbox_stop(w.sb, "test");
    sandbox_stop(w.sb, "test");
    run_until(&w.gone, 1);
    assert_int_equal(w.answers, 1);
    assert_int_equal(w.outcome, INVOKE_REFUSED);
    assert_int_equal(w.ending, 1);
}

/* Who has the answer may begin another run in its place. */
static void an_answer_of_ours_waits_for_the_last_process(void **state)
{
    static const char *const cases[] = {"timeout", "exit", "stop", "kill"};
    size_t i;

    (void)state;
    for (i = 0; i < ARRAY_LEN(cases); i++) {
        w.lingers = true;
        if (i == 0)
            ((struct sandbox_spec *)ready_version_spec(w.ver))->timeout_s = 0;
        come_up_and_run();
        if (i == 1)
            main_process_exits(1 << 8, 0); /* its children go on */
        else if (i == 2)
            sandbox_stop(w.sb, "test");
        else if (i == 3)
            sandbox_host_kill_runs(&w.host, "test");
        run_until(&w.ending, 1);
        assert_true(w.launch->ended);
        assert_int_equal(w.answers, 0);
        assert_true(sandbox_has_event(w.sb));
        processes_die();
        assert_int_equal(w.answers, 1);
        assert_int_equal(w.gone, 0);
        assert_has(&w.tail, "REPORT RequestId: " ID);
        all_is_removed();
        run_until(&w.gone, 1);
        assert_int_equal(w.answers, 1);
        assert_int_equal(world_end(state), 0);
        assert_int_equal(world_make(state), 0);
    }
}

static void what_pays_for_a_failed_start_waits_for_it_too(void **state)
{
    (void)state;
    w.charge = w.lingers = true;
    create();
    main_process_exits(1, 0);
    restart();
    main_process_exits(1 << 8, 0);
    run_until(&w.ending, 1);
    assert_int_equal(w.answers, 0);
    processes_die();
    assert_int_equal(w.answers, 1);
    assert_body("{\"errorType\":\"Runtime.ExitError\",\"errorMessage\":\"RequestId: " ID
                " Error: Runtime exited with error: exit status 1\"}");
    all_is_removed();
    run_until(&w.gone, 1);
}

/* The news of the death may be faster than those of the exit are believed. */
static void a_death_that_comes_first_keeps_no_answer_back(void **state)
{
    (void)state;
    w.lingers = true;
    come_up_and_run();
    main_process_exits(1 << 8, 0);
    launch_end(&w.launch->base);
    processes_die();
    run_until(&w.answers, 1);
    assert_int_equal(w.outcome, INVOKE_FUNCTION_ERROR);
    all_is_removed();
    run_until(&w.gone, 1);
}

/* The node stops before the engine has said a word: nobody is told that it is over. */
static void what_may_run_still_is_not_answered(void **state)
{
    (void)state;
    w.lingers = true;
    come_up_and_run();
    sandbox_stop(w.sb, "test");
    sandbox_host_done(&w.host);
    assert_int_equal(w.gone, 1);
    assert_int_equal(w.answers, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_moves_of_the_table_are_allowed),
        TEST(event_and_answer_go_through),
        TEST(answer_with_another_id_is_nobodys),
        TEST(timeout_is_answered_and_ends_the_sandbox),
        TEST(exit_while_running_is_answered),
        TEST(out_of_memory_is_reported),
        TEST(answer_in_one_breath_with_the_exit_counts),
        TEST(death_while_idle_ends_it_at_once),
        TEST(lost_connection_makes_it_unready_until_it_asks_again),
        TEST(init_error_of_the_runtime_is_the_answer),
        TEST(exit_during_init_is_answered),
        TEST(program_that_cannot_run_is_an_invalid_entry_point),
        TEST(init_that_takes_too_long_fails_the_start),
        TEST(an_init_that_failed_is_tried_again_within_the_first_invocation),
        TEST(start_that_the_launcher_refuses_fails_later),
        TEST(stop_answers_what_runs),
        TEST(an_answer_of_ours_waits_for_the_last_process),
        TEST(what_pays_for_a_failed_start_waits_for_it_too),
        TEST(a_death_that_comes_first_keeps_no_answer_back),
        TEST(what_may_run_still_is_not_answered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
