/* SPDX-License-Identifier: Apache-2.0 */
#include "common/proto/containerd_wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/proto/protobuf.h"


static void requests_are_as_the_services_want_them(void **state)
{
    const struct containerd_auth auth = {.username = STR("who"), .password = STR("pw")};
    const struct str labels[] = {STR("a"), STR("1"), STR("b"), STR("2")};
    struct buf b = BUF_INIT(1000);

    (void)state;
    assert_int_equal(containerd_put_pull(&b, STR("r/x:1"), &auth), 0);
    assert_true(str_eq(buf_str(&b), STR("\x0a\x07\x0a\x05r/x:1\x12\x09\x0a\x03who\x12\x02pw")));
    buf_clear(&b);
    assert_int_equal(containerd_put_pull(&b, STR("r/x:1"), NULL), 0);
    assert_true(str_eq(buf_str(&b), STR("\x0a\x07\x0a\x05r/x:1")));
    buf_clear(&b);
    assert_int_equal(containerd_put_view(&b, STR("o"), STR("k"), STR("p"), labels, 4), 0);
    assert_true(str_eq(buf_str(&b), STR("\x0a\x01o\x12\x01k\x1a\x01p\x22\x06\x0a\x01"
                                        "a\x12\x01"
                                        "1\x22\x06\x0a\x01"
                                        "b\x12\x01"
                                        "2")));
    buf_done(&b);
}

static void an_image_is_told_with_all_its_digests(void **state)
{
    const struct str answer = STR("\x0a\x11\x0a\x03idx\x12\x01t\x1a\x02"
                                  "d1\x20\x80\x01\x1a\x00");
    struct containerd_image image;
    struct str digest;
    size_t at = 0;

    (void)state;
    assert_int_equal(containerd_get_image_status(answer, &image), 0);
    assert_true(str_is(image.id, "idx") && image.size == 128);
    assert_true(containerd_image_digest(&image, &at, &digest) && str_is(digest, "d1"));
    assert_true(containerd_image_digest(&image, &at, &digest) && digest.len == 0);
    assert_false(containerd_image_digest(&image, &at, &digest));
    /* there is none */
    assert_int_equal(containerd_get_image_status(STR(""), &image), 0);
    assert_int_equal(image.id.len, 0);
    assert_int_equal(containerd_get_image_status(STR("\x0a\x02\x0a\x09"), &image), -ERR_PROTOCOL);
}

static void the_target_of_a_name_and_the_names_of_snapshots_are_read(void **state)
{
    struct str rest = STR("\x0a\x03\x0a\x01"
                          "a\x0a\x05\x12\x01p\x0a\x00"),
               name;

    (void)state;
    assert_true(str_is(containerd_get_image_target(STR("\x0a\x08\x1a\x06\x0a\x01m\x12\x01z")), "z"));
    assert_int_equal(containerd_get_image_target(STR("\x0a\x02\x1a\x00")).len, 0);
    assert_true(str_is(containerd_get_content(STR("\x08\x01\x12\x02{}")), "{}"));
    assert_int_equal(containerd_next_snapshot(&rest, &name), 1);
    assert_true(str_is(name, "a"));
    assert_int_equal(containerd_next_snapshot(&rest, &name), 1);
    assert_int_equal(name.len, 0);
    assert_int_equal(containerd_next_snapshot(&rest, &name), 0);
}

static void a_plugin_is_asked_for_and_read(void **state)
{
    struct buf b = BUF_INIT(1000);
    struct containerd_plugin plugin;

    (void)state;
    assert_int_equal(containerd_put_plugin(&b, STR("t.v1"), STR("cri")), 0);
    assert_true(str_eq(buf_str(&b), STR("\x0a\x12type==t.v1,id==cri")));
    buf_done(&b);
    assert_int_equal(containerd_get_plugin(STR(""), &plugin), 0);
    assert_false(plugin.is_there);
    assert_int_equal(containerd_get_plugin(STR("\x0a\x05\x12\x03"
                                               "cri"),
                                           &plugin),
                     0);
    assert_true(plugin.is_there && plugin.failure.len == 0);
    assert_int_equal(containerd_get_plugin(STR("\x0a\x0d\x12\x03"
                                               "cri\x3a\x06\x08\x02\x12\x02no"),
                                           &plugin),
                     0);
    assert_true(plugin.is_there && str_is(plugin.failure, "no"));
    assert_int_equal(containerd_get_plugin(STR("\x0a\x09\x12"), &plugin), -ERR_PROTOCOL);
}

/* One mount of a ViewSnapshotResponse. */
static void put_mount(struct buf *b, const char *type, const char *source, const char *option)
{
    CLEANUP(buf_done) struct buf mount = BUF_INIT(1000);

    protobuf_put(&mount, 1, str_of(type));
    protobuf_put(&mount, 2, str_of(source));
    protobuf_put(&mount, 4, STR("ro"));
    protobuf_put(&mount, 4, str_of(option));
    protobuf_put(b, 1, buf_str(&mount));
}

static void only_folders_are_taken_from_mounts(void **state)
{
    static const struct {
        const char *type, *source, *option, *folders;
    } rows[] = {
        {"overlay", "overlay", "lowerdir=/b:/a", "/b:/a"},
        {"bind", "/a", "rbind", "/a"},
        {"overlay", "overlay", "index=off", NULL},
        {"overlay", "overlay", "lowerdir=b:a", NULL},
        {"bind", "", "rbind", NULL},
        {"btrfs", "/dev/sda", "subvol=1", NULL},
        {"", "", "", NULL},
    };
    struct buf b = BUF_INIT(4000);
    struct str folders;
    struct error err;
    size_t i;

    (void)state;
    for (i = 0; i < ARRAY_LEN(rows); i++) {
        buf_clear(&b);
        put_mount(&b, rows[i].type, rows[i].source, rows[i].option);
        if (rows[i].folders) {
            assert_int_equal(containerd_get_folders(buf_str(&b), &folders, &err), 0);
            assert_true(str_is(folders, rows[i].folders));
        } else {
            assert_int_equal(containerd_get_folders(buf_str(&b), &folders, &err), -ERR_UNSUPPORTED);
        }
    }
    buf_clear(&b);
    put_mount(&b, "bind", "/a", "ro");
    put_mount(&b, "bind", "/b", "ro");
    assert_int_equal(containerd_get_folders(buf_str(&b), &folders, &err), -ERR_UNSUPPORTED);
    assert_int_equal(containerd_get_folders(STR("\x0a\x09"), &folders, &err), -ERR_PROTOCOL);
    buf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_are_as_the_services_want_them),
        cmocka_unit_test(an_image_is_told_with_all_its_digests),
        cmocka_unit_test(a_plugin_is_asked_for_and_read),
        cmocka_unit_test(the_target_of_a_name_and_the_names_of_snapshots_are_read),
        cmocka_unit_test(only_folders_are_taken_from_mounts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
