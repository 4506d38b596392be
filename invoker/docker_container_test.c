/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/docker_container.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/str.h"

static char secret_name[] = "PASSWORD", secret_value[] = "hunter2";
static struct env_var env[] = {{secret_name, secret_value}};

static struct sandbox_spec spec_make(void)
{
    return (struct sandbox_spec){.account = "000000000000",
                                 .name = "hello",
                                 .version = "$LATEST",
                                 .memory_mib = 256,
                                 .ephemeral_mib = 512,
                                 .env = env,
                                 .env_len = 1};
}

static char *config_text(const char *name_server, const char *code_dir, const char *layers_dir)
{
    static char *volumes[] = {(char *)"/data", (char *)"/tmp/", (char *)"/var/task",
                              (char *)"/opt/", NULL};
    char *name_servers[] = {(char *)name_server, NULL};
    struct sandbox_spec spec = spec_make();
    cJSON *config = docker_container_config(&(struct docker_container_options){
        .node = "n1",
        .life = "l1",
        .sandbox_id = "s1",
        .spec = &spec,
        .image = "sha256:1",
        .volumes = volumes,
        .name_servers = name_servers,
        .init_path = "/usr/lib/hearth/hearth-init",
        .run_dir = "/run/hearth/s1",
        .code_dir = code_dir,
        .layers_dir = layers_dir,
    });
    char *text = cJSON_PrintUnformatted(config);

    cJSON_Delete(config);
    return text;
}

static void test_nothing_is_left_open(void **state)
{
    static const char *const wanted[] = {
        "\"User\":\"993:990\"",
        "\"Entrypoint\":[\"/.hearth/init\"],\"Cmd\":[]",
        "\"Hostname\":\"sandbox\"",
        "\"ReadonlyRootfs\":true",
        "\"CapDrop\":[\"ALL\"]",
        "\"SecurityOpt\":[\"no-new-privileges\",\"seccomp={\\\"defaultAction\\\":\\\"SCMP_ACT_ERRNO",
        "\"NetworkMode\":\"none\"",
        "\"IpcMode\":\"none\"",
        "\"CgroupnsMode\":\"private\"",
        "\"Memory\":268435456,\"MemorySwap\":268435456,\"CpuShares\":148,\"PidsLimit\":1024",
        "\"AutoRemove\":true",
        "\"LogConfig\":{\"Type\":\"none\"}",
        "\"Healthcheck\":{\"Test\":[\"NONE\"]}",
        "\"/tmp\":\"rw,exec,nosuid,nodev,size=512m,mode=1777,uid=993,gid=990\"",
        "\"Source\":\"/run/hearth/s1\",\"Target\":\"/.hearth/run\",\"ReadOnly\":true}",
        "\"hearth.node\":\"n1\",\"hearth.life\":\"l1\",\"hearth.sandbox\":\"s1\"",
        "\"hearth.function\":\"hello\",\"hearth.version\":\"$LATEST\"",
        "\"Dns\":[\"127.0.0.1\"]",
        "\"/data\":\"ro,noexec,",
        "\"/var/task\":\"ro,noexec,",
        "\"/opt/\":\"ro,noexec,",
    };
    char *text = config_text("127.0.0.1", NULL, NULL);
    size_t i;

    (void)state;
    for (i = 0; i < ARRAY_LEN(wanted); i++)
        if (!strstr(text, wanted[i]))
            fail_msg("lacks %s: %s", wanted[i], text);
    assert_null(strstr(text, "/tmp/"));
    cJSON_free(text);
}

static void test_environment_values_do_not_reach_the_engine(void **state)
{
    char *text = config_text("127.0.0.1", NULL, NULL);

    (void)state;
    assert_null(strstr(text, secret_value));
    assert_null(strstr(text, secret_name));
    cJSON_free(text);
}

static void test_code_and_layers_are_mounted_read_only(void **state)
{
    char *text = config_text("169.254.78.1", "/data/code/00", "/data/code/01");

    (void)state;
    assert_non_null(strstr(text, "{\"Type\":\"bind\",\"Source\":\"/data/code/00\",\"Target\":"
                                 "\"/var/task\",\"ReadOnly\":true}"));
    assert_non_null(strstr(text, "{\"Type\":\"bind\",\"Source\":\"/data/code/01\",\"Target\":"
                                 "\"/opt\",\"ReadOnly\":true}"));
    assert_null(strstr(text, "\"/opt/\""));
    assert_non_null(strstr(text, "\"NetworkMode\":\"none\""));
    assert_non_null(strstr(text, "\"Dns\":[\"169.254.78.1\"]"));
    assert_null(strstr(text, "\"/var/task\":\"ro"));
    assert_non_null(strstr(text, "size=512m,mode=1777,uid=0,gid=0\""));
    cJSON_free(text);
}

static void test_cpu_follows_memory(void **state)
{
    (void)state;
    assert_int_equal(sandbox_cpu_shares(1769), 1024);
    assert_int_equal(sandbox_cpu_shares(128), 74);
    assert_int_equal(sandbox_cpu_shares(10240), 5927);
    assert_int_equal(sandbox_cpu_shares(1), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_is_left_open),
        cmocka_unit_test(test_environment_values_do_not_reach_the_engine),
        cmocka_unit_test(test_code_and_layers_are_mounted_read_only),
        cmocka_unit_test(test_cpu_follows_memory),
    };

    return cmocka_run_group_tests_name("docker_container", tests, NULL, NULL);
}
