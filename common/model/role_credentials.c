/* SPDX-License-Identifier: Apache-2.0 */
#include "common/model/role_credentials.h"

#include <stdlib.h>
#include <string.h>

#include "common/model/record.h"

#define EXPIRES_MAX 253402300799u /* the end of the year 9999 */

static struct role_credentials *make(void)
{
    struct role_credentials *c = calloc(1, sizeof(*c));

    if (!c)
        abort();
    return c;
}

static void wipe(char *s)
{
    if (s)
        explicit_bzero(s, strlen(s));
    free(s);
}

struct role_credentials *role_credentials_new(struct str access_key, struct str secret,
                                              struct str token, uint64_t expires_s)
{
    struct role_credentials *c = make();

    c->access_key = str_dup(access_key);
    c->secret = str_dup(secret);
    c->token = str_dup(token);
    c->expires_s = expires_s;
    return c;
}

int role_credentials_from_json(const cJSON *json, struct role_credentials **ret, struct error *err)
{
    struct role_credentials *c = make();
    int r = record_str(json, "access_key", &c->access_key, err);

    if (r == 0)
        r = record_str(json, "secret", &c->secret, err);
    if (r == 0)
        r = record_str(json, "token", &c->token, err);
    if (r == 0)
        r = record_u64(json, "expires", EXPIRES_MAX, &c->expires_s, err);
    if (r < 0) {
        role_credentials_free(c);
        return error_wrap(err, r, "credentials");
    }
    *ret = c;
    return 0;
}

cJSON *role_credentials_to_json(const struct role_credentials *credentials)
{
    cJSON *json = cJSON_CreateObject();

    record_add_str(json, "access_key", credentials->access_key);
    record_add_str(json, "secret", credentials->secret);
    record_add_str(json, "token", credentials->token);
    cJSON_AddNumberToObject(json, "expires", (double)credentials->expires_s);
    return json;
}

void role_credentials_free(struct role_credentials *credentials)
{
    if (!credentials)
        return;
    wipe(credentials->access_key);
    wipe(credentials->secret);
    wipe(credentials->token);
    free(credentials);
}
