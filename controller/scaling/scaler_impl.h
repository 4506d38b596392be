/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scaler_impl.h - what the files of the scaler share: scaler.c (targets in memory, steps),
 * scaler_capacity.c (how much there is, changes of it, activities), scaler_round.c (metrics).
 *
 * Owns:    see scaler.h. A struct scaled lives until it is gone and nothing that was asked for it is
 *          under way (@holds).
 * Threads: loop thread only.
 */
#ifndef HEARTH_CONTROLLER_SCALING_SCALER_IMPL_H
#define HEARTH_CONTROLLER_SCALING_SCALER_IMPL_H

#include "common/base/map.h"
#include "controller/controller.h"
#include "controller/scaling/scaler.h"
#include "controller/scaling/scaling_store.h"
#include "controller/scaling/tracking.h"

#define SCALER_RETRY_US SECONDS(1) /* of what Redis did not take */

/* The answers of what was asked may come after scaler_free(): calls of the controller's own are deferred. */
struct scaler {
    struct controller *c;
    struct zones *zones;
    struct map all; /* "account/resource" -> struct scaled */
    struct timer period;
    uint64_t period_us;
    bool is_stopped; /* nothing begins any more */
    bool is_freed; /* the memory goes with the last hold */
    unsigned holds; /* of all its targets */
    bool round_under_way;
};

/* A scalable target. */
struct scaled {
    struct scaler *s;
    char *account, *resource;
    struct str function, qualifier; /* of @resource */
    cJSON *doc;
    struct timer timer; /* the next step */
    struct timer watch; /* of @pending */
    cJSON *pending; /* the activity whose capacity is not there yet, or NULL */
    struct tracking tracking;
    unsigned holds;
    bool is_gone;
    bool is_busy; /* a step is under way */
};

void scaled_hold(struct scaled *t);
void scaled_release(struct scaled *t);
/** The next step, soon. */
void scaled_wake(struct scaled *t);
/** The step that was under way is over; the next one is @after_us away. */
void scaled_idle(struct scaled *t, uint64_t after_us);

/* ---- scaler_capacity.c ---- */

struct scaled_look {
    bool exists; /* the version or alias */
    char version[24]; /* that it leads to; "": there is none */
    uint64_t requested, allocated; /* 0: nothing is provisioned */
    bool has_failed; /* and no more will come */
    const char *reason; /* static; of that */
};

/** @err NULL: @look says how it is. Not called inside the call. */
typedef void scaled_look_fn(struct scaled *t, const struct scaled_look *look,
                            const struct error *err, void *arg);
void scaled_look(struct scaled *t, scaled_look_fn *done, void *arg);

/** @status: HTTP's, of the API; 500 and more: nothing is known of it. */
typedef void scaled_set_fn(struct scaled *t, int status, void *arg);
/** Makes @capacity the provisioned concurrency; the activity says that it is because of @cause. */
void scaled_set(struct scaled *t, uint64_t capacity, const char *cause, scaled_set_fn *done,
                void *arg);
/** Looks on whether the capacity of t->pending is there. */
void scaled_watch(struct scaled *t);
void scaled_on_watch(void *arg);
/** An activity of these texts, of now; the caller's. */
cJSON *scaled_activity(const char *description, const char *cause, const char *status,
                       const char *message);
/** Says that it ended now. */
void scaled_activity_end(cJSON *activity, const char *status, const char *message);

/* ---- scaler_round.c ---- */

/** A datapoint for each target that has a policy, and what follows from it. */
void scaler_round(struct scaler *s);

#endif
