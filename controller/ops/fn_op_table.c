/* SPDX-License-Identifier: Apache-2.0 */
/* One row for each operation on a function that is one step (fn_op.h). */
#include "controller/ops/fn_op.h"

#define ROW(op) [LAMBDA_OP_##op]
#define URL_ROW .kind = FN_NAME_PLAIN, .wants = FN_WANT(FN_URLS)
#define EVENT_ROW .kind = FN_NAME_NAMESPACED, .wants = FN_WANT(FN_EVENT_CONFIGS)
#define POLICY_ROW .kind = FN_NAME_NAMESPACED, .wants = FN_WANT(FN_POLICIES)
#define TAGS_ROW .kind = FN_NAME_NAMESPACED
#define RUNTIME_ROW                                                                                \
    .kind = FN_NAME_NAMESPACED, .qualifier = FN_QUALIFIER_EXISTS,                                  \
    .wants = FN_WANT(FN_RUNTIME_CONFIGS)
#define ALIAS_ROW(more) .kind = FN_NAME_PLAIN, .wants = FN_WANT(FN_ALIASES) | (more)
#define RESERVED_ROW .kind = FN_NAME_PLAIN, .wants = FN_WANT(FN_PROVISIONED) | FN_WANT_ACCOUNT
#define PROVISIONED_ROW(more) .kind = FN_NAME_PLAIN, .wants = FN_WANT(FN_PROVISIONED) | (more)

static const struct fn_op rows[LAMBDA_OP_MAX] = {
    /* versions */
    ROW(PublishVersion) = {op_publish_version, .kind = FN_NAME_PLAIN,
                           .wants = FN_WANT_LAST | FN_WANT_ACCOUNT},
    /* with a qualifier: one version */
    ROW(DeleteFunction) = {op_delete_version, ALIAS_ROW(FN_WANT(FN_PROVISIONED))},

    /* aliases */
    ROW(CreateAlias) = {op_create_alias, ALIAS_ROW(FN_WANT(FN_VERSION_BYTES))},
    ROW(GetAlias) = {op_get_alias, ALIAS_ROW(0)},
    ROW(ListAliases) = {op_list_aliases, ALIAS_ROW(0)},
    ROW(UpdateAlias) = {op_update_alias,
                        ALIAS_ROW(FN_WANT(FN_VERSION_BYTES) | FN_WANT(FN_PROVISIONED))},
    ROW(DeleteAlias) = {op_delete_alias, ALIAS_ROW(FN_WANT(FN_URLS) | FN_WANT(FN_PROVISIONED))},

    /* resource policies */
    ROW(AddPermission) = {op_add_permission, POLICY_ROW},
    ROW(GetPolicy) = {op_get_policy, POLICY_ROW, .missing = op_get_policy_missing},
    ROW(RemovePermission) = {op_remove_permission, POLICY_ROW,
                             .missing = op_remove_permission_missing},

    /* tags */
    ROW(TagResource) = {op_tag_function, TAGS_ROW},
    ROW(UntagResource) = {op_untag_function, TAGS_ROW},
    ROW(ListTags) = {op_list_function_tags, TAGS_ROW},

    /* asynchronous invocations */
    ROW(PutFunctionEventInvokeConfig) = {op_put_event_config, EVENT_ROW,
                                         .missing = op_event_config_no_function,
                                         .others = op_event_config_others},
    ROW(UpdateFunctionEventInvokeConfig) = {op_update_event_config, EVENT_ROW,
                                            .missing = op_event_config_no_function,
                                            .others = op_event_config_others},
    ROW(GetFunctionEventInvokeConfig) = {op_get_event_config, EVENT_ROW,
                                         .missing = op_event_config_missing},
    ROW(DeleteFunctionEventInvokeConfig) = {op_delete_event_config, EVENT_ROW,
                                            .missing = op_event_config_missing},
    ROW(ListFunctionEventInvokeConfigs) = {op_list_event_configs, EVENT_ROW,
                                           .missing = op_event_config_no_function},

    /* URLs */
    ROW(CreateFunctionUrlConfig) = {op_create_url, URL_ROW, .missing = op_url_no_function},
    ROW(GetFunctionUrlConfig) = {op_get_url, URL_ROW, .missing = op_url_no_resource},
    ROW(ListFunctionUrlConfigs) = {op_list_urls, URL_ROW, .missing = op_url_no_function},
    ROW(UpdateFunctionUrlConfig) = {op_update_url, URL_ROW, .missing = op_url_no_function},
    ROW(DeleteFunctionUrlConfig) = {op_delete_url, URL_ROW, .missing = op_url_no_resource},

    /* code signing */
    ROW(PutFunctionCodeSigningConfig) = {op_put_code_signing, .kind = FN_NAME_NAMESPACED,
                                         .before = op_before_put_code_signing},
    ROW(GetFunctionCodeSigningConfig) = {op_get_code_signing, .kind = FN_NAME_NAMESPACED},
    ROW(DeleteFunctionCodeSigningConfig) = {op_delete_code_signing, .kind = FN_NAME_NAMESPACED},

    /* settings */
    ROW(GetFunctionRecursionConfig) = {op_get_recursion, .kind = FN_NAME_PLAIN},
    ROW(PutFunctionRecursionConfig) = {op_put_recursion, .kind = FN_NAME_PLAIN},
    ROW(GetRuntimeManagementConfig) = {op_get_runtime_management, RUNTIME_ROW},
    ROW(PutRuntimeManagementConfig) = {op_put_runtime_management, RUNTIME_ROW},

    /* concurrency */
    ROW(PutFunctionConcurrency) = {op_put_concurrency, RESERVED_ROW},
    ROW(GetFunctionConcurrency) = {op_get_concurrency, .kind = FN_NAME_PLAIN},
    ROW(DeleteFunctionConcurrency) = {op_delete_concurrency, RESERVED_ROW},
    ROW(PutProvisionedConcurrencyConfig) =
        {op_put_provisioned, PROVISIONED_ROW(FN_WANT(FN_ALIASES) | FN_WANT_ACCOUNT),
         .missing = fn_op_no_qualifier},
    ROW(GetProvisionedConcurrencyConfig) = {op_get_provisioned, PROVISIONED_ROW(0),
                                            .missing = fn_op_no_qualifier},
    ROW(DeleteProvisionedConcurrencyConfig) = {op_delete_provisioned, PROVISIONED_ROW(0),
                                               .missing = fn_op_no_qualifier},
    ROW(ListProvisionedConcurrencyConfigs) = {op_list_provisioned,
                                              PROVISIONED_ROW(FN_WANT(FN_ALIASES))},
};

const struct fn_op *fn_op_find(enum lambda_op_id id)
{
    return &rows[id];
}
