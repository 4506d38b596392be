/* SPDX-License-Identifier: Apache-2.0 */
/* Lists in pages: nothing twice, nothing left out, whatever a client sends as a marker. */
#include "controller/ops/page.h"
#include "controller/world_fixture.h"

static cJSON *input(const char *text)
{
    cJSON *json = cJSON_Parse(text);

    assert_non_null(json);
    return json;
}

static void the_size_of_a_page_is_what_was_asked_up_to_its_maximum(void **state)
{
    static const struct {
        const char *input;
        uint32_t max, limit;
    } cases[] = {
        {"{}", 50, 50},
        {"{\"MaxItems\":1}", 50, 1},
        {"{\"MaxItems\":49}", 50, 49},
        {"{\"MaxItems\":50}", 50, 50},
        {"{\"MaxItems\":10000}", 50, 50},
        {"{\"MaxItems\":0}", 50, 50},
        {"{\"MaxItems\":\"3\"}", 50, 50},
    };
    size_t i;

    (void)state;
    for (i = 0; i < ARRAY_LEN(cases); i++) {
        cJSON *json = input(cases[i].input);

        assert_int_equal(page_limit(json, cases[i].max), cases[i].limit);
        cJSON_Delete(json);
    }
}

static void markers_are_what_was_given_out_or_refused(void **state)
{
    static const struct {
        const char *marker, *after;
        int r;
    } cases[] = {
        {"", "", 0},
        {"YQ==", "a", 0},
        {"Zm46Mw==", "fn:3", 0},
        {"%%%", "", -ERR_BAD_REQUEST},
        {"not base64", "", -ERR_BAD_REQUEST},
    };
    struct error err;
    size_t i;

    (void)state;
    for (i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(buf_done) struct buf after = BUF_INIT(PAGE_MARKER_MAX);
        cJSON *json = cJSON_CreateObject();

        cJSON_AddStringToObject(json, "Marker", cases[i].marker);
        assert_int_equal(page_marker(json, &after, &err), cases[i].r);
        if (cases[i].r == 0)
            assert_true(str_is(buf_str(&after), cases[i].after));
        cJSON_Delete(json);
    }
    {
        CLEANUP(buf_done) struct buf after = BUF_INIT(PAGE_MARKER_MAX);
        CLEANUP(freep) char *text = calloc(1, 4 * PAGE_MARKER_MAX + 1);
        cJSON *json = cJSON_CreateObject();

        memset(text, 'A', 4 * PAGE_MARKER_MAX);
        cJSON_AddStringToObject(json, "Marker", text);
        assert_int_equal(page_marker(json, &after, &err), -ERR_BAD_REQUEST);
        cJSON_Delete(json);
    }
}

static bool is_odd(const cJSON *item, const void *arg)
{
    (void)arg;
    return (int)item->valuedouble % 2 == 1;
}

/* All pages of @all, as "a b, c d, e": each behind the one before it; @drop goes after the first. */
static void pages(const cJSON *all, unsigned limit, const char *drop, bool odd, char *ret,
                  size_t size)
{
    struct buf b = BUF_INIT(size - 1);
    cJSON *left = cJSON_Duplicate(all, 1);
    CLEANUP(freep) char *marker = NULL;
    const cJSON *item;

    do {
        cJSON *json = cJSON_CreateObject(), *in = cJSON_CreateObject();

        cJSON_AddNumberToObject(in, "MaxItems", limit);
        if (marker)
            cJSON_AddStringToObject(in, "Marker", marker);
        assert_int_equal(page_add_items(json, "Items", left, in, odd ? is_odd : NULL, NULL, NULL),
                         0);
        if (b.len)
            buf_append_str(&b, STR(", "));
        cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(json, "Items"))
            buf_printf(&b, item->prev->next ? " %d" : "%d", (int)item->valuedouble);
        free(marker);
        marker = NULL;
        item = cJSON_GetObjectItemCaseSensitive(json, "NextMarker");
        if (item)
            marker = str_dup(str_of(item->valuestring));
        if (drop)
            cJSON_DeleteItemFromObjectCaseSensitive(left, drop);
        cJSON_Delete(json);
        cJSON_Delete(in);
    } while (marker);
    snprintf(ret, size, "%.*s", STR_ARG(buf_str(&b)));
    buf_done(&b);
    cJSON_Delete(left);
}

static void pages_are_in_order_and_complete(void **state)
{
    static const struct {
        unsigned limit;
        const char *drop;
        bool odd;
        const char *pages;
    } cases[] = {
        {10, NULL, false, "1 2 3 4 5"}, {5, NULL, false, "1 2 3 4 5"},
        {2, NULL, false, "1 2, 3 4, 5"}, {1, NULL, false, "1, 2, 3, 4, 5"},
        {2, NULL, true, "1 3, 5"}, {2, "b", false, "1 2, 3 4, 5"}, /* the last of the page */
        {2, "c", false, "1 2, 4 5"}, {2, "a", false, "1 2, 3 4, 5"}, {4, "e", false, "1 2 3 4, "},
    };
    cJSON *all = input("{\"c\":3,\"a\":1,\"e\":5,\"b\":2,\"d\":4}");
    char text[100];
    size_t i;

    (void)state;
    for (i = 0; i < ARRAY_LEN(cases); i++) {
        pages(all, cases[i].limit, cases[i].drop, cases[i].odd, text, sizeof(text));
        assert_string_equal(text, cases[i].pages);
    }
    cJSON_Delete(all);
}

/* ---- through the API ---- */

/* Names in the answer's list @list, by member @name; adds them to @b. */
static void gather(struct buf *b, const char *list, const char *name)
{
    const cJSON *item;

    assert_int_equal(got.status, 200);
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(got.json, list))
        buf_printf(b, "%.*s ", STR_ARG(cjson_str(item, name)));
}

/* @text as a value in a query; the caller frees it. */
static char *as_query(const char *text)
{
    struct buf b = BUF_INIT(4 * PAGE_MARKER_MAX);

    for (; *text; text++)
        buf_printf(&b, *text == '=' || *text == '+' || *text == '/' ? "%%%02X" : "%c", *text);
    return buf_take(&b);
}

/* Every page of a list, one item each; names with blanks between. @between is called after each. */
static void walk(const char *path, const char *query, const char *list, const char *name,
                 void (*between)(unsigned page), const char *expected)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(4096);
    CLEANUP(freep) char *marker = str_dup(STR(""));
    unsigned page = 0;

    do {
        CLEANUP(freep)
        char *q = str_printf("%s%sMaxItems=1%s%s", query, *query ? "&" : "",
                             *marker ? "&Marker=" : "", marker);

        lambda("GET", path, q, "");
        gather(&b, list, name);
        free(marker);
        marker = as_query(member("NextMarker"));
        if (between)
            between(++page);
    } while (*marker);
    assert_string_equal(b.len ? (buf_append_char(&b, '\0'), b.ptr) : "", expected);
}

static void delete_the_one_just_listed(unsigned page)
{
    static const char *const names[] = {"a", "b", "c"};

    if (page <= 3)
        on_fn("DELETE", names[page - 1], "", "", "");
}

static void lists_survive_deletions_between_their_pages(void **state)
{
    char zip[2000];
    static const char *const names[] = {"a", "b", "c"};
    size_t i;
    int round;

    (void)state;
    need_server();
    invoker_connect();
    zip_base64("one", zip, sizeof(zip));
    for (round = 0; round < 2; round++) {
        for (i = 0; i < 3; i++) {
            assert_int_equal(create_zip(names[i], zip, ",\"Publish\":true"), 201);
            wait_for(names[i], "State", "Active");
        }
        if (round == 0) {
            walk(FN, "", "Functions", "FunctionName", NULL, "a b c ");
            walk(FN, "FunctionVersion=ALL", "Functions", "FunctionName", NULL, "a a b b c c ");
            walk(FN "/a/versions", "", "Versions", "Version", NULL, "$LATEST 1 ");
            walk(FN, "", "Functions", "FunctionName", delete_the_one_just_listed, "a b c ");
        } else {
            /* with each function goes the rest of its versions, and nothing of the next */
            walk(FN, "FunctionVersion=ALL", "Functions", "FunctionName",
                 delete_the_one_just_listed, "a b c ");
        }
    }
    lambda("GET", FN, "Marker=%25%25", "");
    assert_int_equal(got.status, 400);
    lambda("GET", FN, "FunctionVersion=ALL&Marker=YTpuYW4%3D", ""); /* a:nan */
    assert_int_equal(got.status, 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_size_of_a_page_is_what_was_asked_up_to_its_maximum),
        cmocka_unit_test(markers_are_what_was_given_out_or_refused),
        cmocka_unit_test(pages_are_in_order_and_complete),
        WORLD_TEST(lists_survive_deletions_between_their_pages),
    };

    log_begin("page_test");
    return cmocka_run_group_tests_name("page", tests, NULL, NULL);
}
