/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/parked.h"

#include <string.h>

static void on_client_gone(struct pending *p)
{
    CONTAINER_OF(p, struct parked, pending)->req = NULL;
}

void parked_begin(struct parked *parked, struct list_node *all, struct http_req *req,
                  const char *request_id)
{
    parked->pending.on_client_gone = on_client_gone;
    parked->req = req;
    memcpy(parked->request_id, request_id, UUID_MAX);
    list_append(all, &parked->node);
    http_set_user(req, &parked->pending);
}

void parked_end(struct parked *parked)
{
    list_remove(&parked->node);
}
