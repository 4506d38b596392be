/* SPDX-License-Identifier: Apache-2.0 */
/* What streams promise while the link is up. */
#include "common/io/link_test_ends.h"

static void both_sides_learn_who_the_other_is(void **state)
{
    (void)state;
    assert_true(link_is_up(t.client));
    assert_string_equal(t.seen_by_client.role, "invoker");
    assert_string_equal(t.seen_by_client.id, "node \"7\"");
    assert_string_equal(t.seen_by_server.role, "gateway");
    assert_string_equal(t.seen_by_server.id, "g-1");
    assert_ptr_equal(link_user(t.accepted), &t);
}

static void a_question_and_its_answer(void **state)
{
    struct talk talk;

    (void)state;
    open_talk(&talk, STR("head"), STR("question"), true);
    WAIT_FOR(t.taken.ended);
    assert_true(str_is(buf_str(&t.taken.head), "head"));
    assert_true(str_is(buf_str(&t.taken.data), "question"));
    t.inside = true;
    link_stream_answer(t.taken.s, STR("result"), STR("answer"), true);
    t.inside = false;
    WAIT_FOR(talk.ended);
    assert_true(str_is(buf_str(&talk.head), "result"));
    assert_true(str_is(buf_str(&talk.data), "answer"));
    assert_int_equal(t.client->stream_count, 0);
    assert_int_equal(t.accepted->stream_count, 0);
    assert_int_equal(talk.resets + t.taken.resets, 0);
    talk_done(&talk);
}

static void the_accepting_side_can_open_streams_too(void **state)
{
    struct talk talk;

    (void)state;
    talk_init(&talk);
    t.mode = MODE_ECHO;
    talk.s = link_open(t.accepted, LINK_CALL, STR("h"), STR("x"), true, &talk_ops, &talk);
    WAIT_FOR(talk.ended);
    assert_true(str_is(buf_str(&talk.head), "h"));
    assert_true(str_is(buf_str(&talk.data), "x"));
    talk_done(&talk);
}

static void empty_messages_are_messages(void **state)
{
    struct talk talk;

    (void)state;
    t.mode = MODE_ECHO;
    open_talk(&talk, STR(""), STR(""), true);
    WAIT_FOR(talk.ended);
    assert_int_equal(talk.head.len + talk.data.len, 0);
    talk_done(&talk);
}

static void six_megabytes_go_both_ways_unharmed(void **state)
{
    enum { LEN = 6 * 1024 * 1024 };
    CLEANUP(freep) char *bytes = make_bytes(LEN, 1);
    CLEANUP(freep) char *head = make_bytes(LINK_HEAD_MAX, 2);
    struct talk talk;

    (void)state;
    t.mode = MODE_ECHO;
    open_talk(&talk, str_from(head, LINK_HEAD_MAX), str_from(bytes, LEN), true);
    assert_true(link_stream_queued(talk.s) > 0);
    WAIT_FOR(talk.ended);
    assert_int_equal(talk.head.len, LINK_HEAD_MAX);
    assert_memory_equal(talk.head.ptr, head, LINK_HEAD_MAX);
    assert_int_equal(talk.data.len, LEN);
    assert_memory_equal(talk.data.ptr, bytes, LEN);
    assert_int_equal(talk.drains, 1);
    assert_int_equal(t.client->stream_count, 0);
    assert_int_equal(t.accepted->stream_count, 0);
    talk_done(&talk);
}

static void a_receiver_that_gives_no_credit_stops_the_sender_at_the_window(void **state)
{
    enum { LEN = 1024 * 1024 };
    CLEANUP(freep) char *bytes = make_bytes(LEN, 3);
    struct talk talk;

    (void)state;
    t.taken.hold = true;
    open_talk(&talk, STR("h"), str_from(bytes, LEN), true);
    settle();
    assert_int_equal(t.taken.data.len, LINK_WINDOW);
    assert_int_equal(link_stream_queued(talk.s), LEN - LINK_WINDOW);
    assert_int_equal(talk.drains, 0);
    t.inside = true;
    t.taken.hold = false;
    link_stream_consumed(t.taken.s, LINK_WINDOW);
    t.inside = false;
    WAIT_FOR(t.taken.ended);
    assert_int_equal(t.taken.data.len, LEN);
    assert_memory_equal(t.taken.data.ptr, bytes, LEN);
    assert_int_equal(talk.drains, 1);
    link_stream_reset(t.taken.s, ERR_INTERNAL);
    WAIT_FOR(talk.resets == 1);
    talk_done(&talk);
}

static void a_small_stream_passes_a_big_one(void **state)
{
    enum { LEN = 6 * 1024 * 1024 };
    CLEANUP(freep) char *bytes = make_bytes(LEN, 4);
    struct talk big, small;

    (void)state;
    t.mode = MODE_ECHO;
    open_talk(&big, STR("b"), str_from(bytes, LEN), true);
    open_talk(&small, STR("s"), STR("quick"), true);
    WAIT_FOR(big.ended && small.ended);
    assert_true(small.ended_at < big.ended_at);
    assert_true(str_is(buf_str(&small.data), "quick"));
    assert_memory_equal(big.data.ptr, bytes, LEN);
    talk_done(&big);
    talk_done(&small);
}

static void streams_that_are_big_share_the_link(void **state)
{
    enum { LEN = 3 * 1024 * 1024, COUNT = 4 };
    CLEANUP(freep) char *bytes = make_bytes(LEN, 5);
    struct talk talks[COUNT];
    size_t i, least;

    (void)state;
    t.mode = MODE_ECHO;
    for (i = 0; i < COUNT; i++)
        open_talk(&talks[i], STR("h"), str_from(bytes, LEN), true);
    WAIT_FOR(t.ends >= 1); /* several may end in one turn */
    for (i = 0, least = LEN; i < COUNT; i++)
        if (talks[i].data.len < least)
            least = talks[i].data.len;
    assert_true(least > LEN / 2); /* none was kept waiting for the others */
    WAIT_FOR(t.ends == COUNT);
    for (i = 0; i < COUNT; i++) {
        assert_memory_equal(talks[i].data.ptr, bytes, LEN);
        talk_done(&talks[i]);
    }
}

static void a_thousand_streams_at_once_get_their_own_answers(void **state)
{
    enum { COUNT = 1000 };
    static struct talk talks[COUNT];
    char text[32];
    size_t i;

    (void)state;
    t.mode = MODE_ECHO;
    for (i = 0; i < COUNT; i++) {
        snprintf(text, sizeof(text), "stream %zu", i);
        open_talk(&talks[i], str_of(text), str_of(text), true);
    }
    WAIT_FOR(t.ends == COUNT);
    for (i = 0; i < COUNT; i++) {
        snprintf(text, sizeof(text), "stream %zu", i);
        assert_true(str_is(buf_str(&talks[i].head), text));
        assert_true(str_is(buf_str(&talks[i].data), text));
        talk_done(&talks[i]);
    }
    assert_int_equal(t.client->stream_count, 0);
}

static void ids_start_again_when_they_are_used_up(void **state)
{
    struct talk parked, talks[3];
    size_t i;

    (void)state;
    t.taken.hold = true;
    open_talk(&parked, STR("h"), STR(""), false); /* id 1 stays in use */
    settle();
    t.mode = MODE_ECHO;
    t.client->next_id = UINT32_MAX - 2;
    for (i = 0; i < 3; i++)
        open_talk(&talks[i], STR("h"), STR("x"), true);
    assert_int_equal(talks[1].s->id, UINT32_MAX);
    assert_int_equal(talks[2].s->id, 3);
    WAIT_FOR(t.ends == 3);
    for (i = 0; i < 3; i++)
        talk_done(&talks[i]);
    talk_done(&parked);
}

static void a_reset_by_the_opener_reaches_the_other_side_once(void **state)
{
    struct talk talk;

    (void)state;
    open_talk(&talk, STR("h"), STR("x"), false);
    WAIT_FOR(t.taken.data.len == 1);
    t.inside = true;
    link_stream_reset(talk.s, ERR_TIMEOUT);
    t.inside = false;
    WAIT_FOR(t.taken.resets == 1);
    assert_int_equal(t.taken.why.code, ERR_TIMEOUT);
    settle();
    assert_int_equal(talk.resets, 0); /* whoever resets is not told */
    assert_int_equal(t.taken.resets, 1);
    assert_int_equal(t.client->stream_count + t.accepted->stream_count, 0);
    talk_done(&talk);
}

static void a_reset_by_the_accepting_side_reaches_the_opener_once(void **state)
{
    struct talk talk;

    (void)state;
    open_talk(&talk, STR("h"), STR("x"), false);
    WAIT_FOR(t.taken.data.len == 1);
    link_stream_reset(t.taken.s, ERR_STALE);
    link_stream_send(talk.s, STR("more"), true); /* crosses the reset */
    WAIT_FOR(talk.resets == 1);
    assert_int_equal(talk.why.code, ERR_STALE);
    settle();
    assert_int_equal(talk.resets, 1);
    assert_true(link_is_up(t.client));
    talk_done(&talk);
}

static void a_stream_that_nobody_takes_is_reset(void **state)
{
    struct talk talk;

    (void)state;
    t.mode = MODE_IGNORE;
    open_talk(&talk, STR("h"), STR("x"), true);
    WAIT_FOR(talk.resets == 1);
    assert_int_equal(talk.why.code, ERR_UNSUPPORTED);
    talk_done(&talk);
}

static void an_answer_may_come_before_the_question_has_ended(void **state)
{
    struct talk talk;

    (void)state;
    open_talk(&talk, STR("h"), STR("part"), false);
    WAIT_FOR(t.taken.data.len == 4);
    link_stream_answer(t.taken.s, STR("early"), STR_NULL, true);
    WAIT_FOR(talk.ended);
    assert_false(t.taken.ended);
    link_stream_send(talk.s, STR("rest"), true);
    WAIT_FOR(t.taken.ended);
    assert_true(str_is(buf_str(&t.taken.data), "partrest"));
    assert_int_equal(t.client->stream_count + t.accepted->stream_count, 0);
    talk_done(&talk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(both_sides_learn_who_the_other_is),
        TEST(a_question_and_its_answer),
        TEST(the_accepting_side_can_open_streams_too),
        TEST(empty_messages_are_messages),
        TEST(six_megabytes_go_both_ways_unharmed),
        TEST(a_receiver_that_gives_no_credit_stops_the_sender_at_the_window),
        TEST(a_small_stream_passes_a_big_one),
        TEST(streams_that_are_big_share_the_link),
        TEST(a_thousand_streams_at_once_get_their_own_answers),
        TEST(ids_start_again_when_they_are_used_up),
        TEST(a_reset_by_the_opener_reaches_the_other_side_once),
        TEST(a_reset_by_the_accepting_side_reaches_the_opener_once),
        TEST(a_stream_that_nobody_takes_is_reset),
        TEST(an_answer_may_come_before_the_question_has_ended),
    };

    return RUN_OVER_BOTH("link", tests);
}
