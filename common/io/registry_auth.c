/* SPDX-License-Identifier: Apache-2.0 */
#include "common/io/registry_auth.h"

#include <cjson/cJSON.h>
#include <string.h>

#include "common/base/base64.h"
#include "common/base/file.h"
#include "common/base/log.h"

#define AUTH_FILE_MAX (256u * 1024u)
#define AUTH_MAX 16384u
#define HUB_KEY "https://index.docker.io/v1/"

static char *dup_member(const cJSON *json, const char *key)
{
    const char *s = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, key));

    return s && *s ? str_dup(str_of(s)) : NULL;
}

/* "user:password" in base64. */
static void take_user_and_password(struct registry_auth *to, const char *auth)
{
    CLEANUP(buf_done) struct buf plain = BUF_INIT(AUTH_MAX);
    size_t colon;

    if (base64_decode(&plain, str_of(auth)) < 0)
        return;
    colon = str_find(buf_str(&plain), ':', 0);
    free(to->username);
    to->username = str_dup(str_sub(buf_str(&plain), 0, colon));
    to->password = str_dup(str_sub(buf_str(&plain), colon + 1, plain.len));
    if (plain.len)
        explicit_bzero(plain.ptr, plain.len);
}

/* The entry of config.json for @host: as it is, or as an URL of that host. */
static const cJSON *find_auth(const cJSON *auths, const char *host)
{
    CLEANUP(freep) char *https = str_printf("https://%s", host);
    CLEANUP(freep) char *http = str_printf("http://%s", host);
    const char *const keys[] = {host, https, http};
    const cJSON *found;

    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        if ((found = cJSON_GetObjectItemCaseSensitive(auths, keys[i])))
            return found;
    return NULL;
}

static bool read_entry(const cJSON *config, const char *key, struct registry_auth *ret)
{
    const cJSON *entry = find_auth(cJSON_GetObjectItemCaseSensitive(config, "auths"), key);
    char *both;

    if (!entry)
        return false;
    *ret = (struct registry_auth){.username = dup_member(entry, "username"),
                                  .password = dup_member(entry, "password"),
                                  .identity_token = dup_member(entry, "identitytoken"),
                                  .registry_token = dup_member(entry, "registrytoken"),
                                  .server = str_dup(str_of(key))};
    both = dup_member(entry, "auth");
    if (both && !ret->password)
        take_user_and_password(ret, both);
    if (both)
        explicit_bzero(both, strlen(both));
    free(both);
    return true;
}

bool registry_auth_load(const char *file, struct str host, struct registry_auth *ret)
{
    CLEANUP(buf_done) struct buf text = BUF_INIT(AUTH_FILE_MAX);
    CLEANUP(freep)
    char *key =
        str_is(host, "") || str_is(host, "docker.io") ? str_dup(STR(HUB_KEY)) : str_dup(host);
    struct error err;
    cJSON *config;
    bool found;

    if (file[0] == '\0')
        return false;
    if (file_read(file, &text, &err) < 0) {
        log_warn("docker", "no credentials, asking as anonymous", KV_ERR(&err));
        return false;
    }
    config = cJSON_ParseWithLength(text.ptr ? text.ptr : "", text.len);
    if (!config)
        log_warn("docker", "the file of credentials is not JSON", KV_STR("file", file));
    found = read_entry(config, key, ret);
    cJSON_Delete(config);
    if (text.len)
        explicit_bzero(text.ptr, text.len);
    return found;
}

void registry_auth_done(struct registry_auth *auth)
{
    char *secrets[] = {auth->username, auth->password, auth->identity_token, auth->registry_token};
    size_t i;

    for (i = 0; i < ARRAY_LEN(secrets); i++) {
        if (secrets[i])
            explicit_bzero(secrets[i], strlen(secrets[i]));
        free(secrets[i]);
    }
    free(auth->server);
    *auth = (struct registry_auth){0};
}
