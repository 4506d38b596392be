/* SPDX-License-Identifier: Apache-2.0 */
/*
 * list.h - an intrusive doubly linked ring: the head and each member hold a struct list_node.
 *
 * Owns:    nothing. A node that is in no list points to itself (list_init) so that
 *          list_remove() is harmless twice.
 * Threads: one at a time.
 */
#ifndef HEARTH_BASE_LIST_H
#define HEARTH_BASE_LIST_H

#include <stdbool.h>

#include "common/base/cleanup.h"

struct list_node {
    struct list_node *prev, *next;
};

static inline void list_init(struct list_node *n)
{
    n->prev = n->next = n;
}

static inline bool list_is_empty(const struct list_node *head)
{
    return head->next == head;
}

/** Whether @n is in a list. */
static inline bool list_is_linked(const struct list_node *n)
{
    return n->next != n;
}

static inline void list_insert_between(struct list_node *n, struct list_node *prev,
                                       struct list_node *next)
{
    n->prev = prev;
    n->next = next;
    prev->next = n;
    next->prev = n;
}

/** Puts @n at the end of @head's list. */
static inline void list_append(struct list_node *head, struct list_node *n)
{
    list_insert_between(n, head->prev, head);
}

/** Puts @n at the front of @head's list. */
static inline void list_prepend(struct list_node *head, struct list_node *n)
{
    list_insert_between(n, head, head->next);
}

static inline void list_remove(struct list_node *n)
{
    n->prev->next = n->next;
    n->next->prev = n->prev;
    list_init(n);
}

/** The first member of type @type, whose node is @member; NULL when the list is empty. */
#define LIST_FIRST(head, type, member)                                                             \
    (list_is_empty(head) ? NULL : CONTAINER_OF((head)->next, type, member))

#define LIST_FOREACH(head, node) for ((node) = (head)->next; (node) != (head); (node) = (node)->next)
/** As LIST_FOREACH; @node may be removed inside, @after may not. */
#define LIST_FOREACH_SAFE(head, node, after)                                                       \
    for ((node) = (head)->next, (after) = (node)->next; (node) != (head);                          \
         (node) = (after), (after) = (node)->next)

#endif
