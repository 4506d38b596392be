/* SPDX-License-Identifier: Apache-2.0 */
/*
 * controller_link.h - the link to the controller that leads: this node registers, fetches specifications and
 * code, prepares images and code on demand, and hears which generations are over.
 *
 * While the link is down, what is warm or known goes on; what has to be asked fails UNAVAILABLE.
 * When it is up again, the versions known here are checked one by one, because a retirement may
 * have been missed.
 *
 * Owns:    the link, the questions under way.
 * Borrows: the parts given to controller_link_start(); they outlive it.
 * Threads: loop thread only (archives are written on workers).
 * Errors:  by the callbacks of spec_cache.h and code_cache.h.
 * Source:  docs/internals/links.md.
 */
#ifndef HEARTH_INVOKER_CONTROLLER_LINK_H
#define HEARTH_INVOKER_CONTROLLER_LINK_H

#include "common/io/node_identity.h"
#include "common/model/link_address.h"
#include "invoker/code_cache.h"
#include "invoker/permit_link.h"
#include "invoker/provisions.h"
#include "invoker/spec_cache.h"

struct controller_link;

struct controller_link_options {
    struct loop *loop;
    const char *controller; /* "unix:/path", or several with commas between */
    const char *node; /* id of this node */
    struct link_address address; /* where gateways reach it, as advertise_choose() has it */
    struct node_identity *identity; /* its certificate for links over TCP */
    uint64_t memory_mib; /* for sandboxes */
};

struct controller_link_parts {
    struct image_store *images;
    struct code_cache *codes;
    struct spec_cache *specs;
    struct provisions *provisions;
    struct permit_link *permits;
};

/** All strings are borrowed until controller_link_free(). */
struct controller_link *controller_link_new(const struct controller_link_options *options);
/**
 * What an earlier process of this node left has ended: the node registers from now on. Who counts what runs takes what
 * that process ran for over then.
 */
void controller_link_may_register(struct controller_link *cl);
/** Begins to connect. -ERR_CONFIG when the address has the wrong form. */
int controller_link_start(struct controller_link *cl, const struct controller_link_parts *parts,
                          struct error *err);
/**
 * Questions under way end without an answer. Spec cache and code cache are freed before, so that
 * nobody waits for one. NULL is fine.
 */
void controller_link_free(struct controller_link *cl);

/** This node takes nothing new from now on: the controller is told, and told again on a new link. */
void controller_link_drain(struct controller_link *cl);
/** Nothing runs here any more: the controller may forget the node. */
void controller_link_leave(struct controller_link *cl);

/** For provisions_new(): tells the controller; @arg is the struct controller_link. */
void controller_link_tell_provisions(const struct provision_status *all, size_t len, void *arg);
/** For spec_cache_options.fetch; @arg is the struct controller_link. */
void controller_link_fetch_spec(const struct spec_key *key, spec_fetched_fn *done, void *done_arg,
                                void *arg);
/**
 * Asks whether the version of @key is still current: it is retired when it is not, else it gets the
 * new credentials that come with the answer. For role_renewal_options.ask; @arg is the struct
 * controller_link.
 */
void controller_link_check(const struct spec_key *key, void *arg);
/** For code_cache_options.fetch; @arg is the struct controller_link. */
void controller_link_fetch_code(struct code_fetch *fetch, const char *sha256, const char *path,
                                void *arg);

#endif
