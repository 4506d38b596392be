/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/placement_index.h"

#include <stdlib.h>

#define LEAST_LOG2 7 /* of 128 MiB, the smallest sandbox: below it is class 0 */

/* Four classes for each doubling: the two bits behind the first one. */
static uint32_t class_of(int64_t mib)
{
    uint32_t log2, class;

    if (mib < 1 << LEAST_LOG2)
        return 0;
    log2 = 63 - (uint32_t)__builtin_clzll((unsigned long long)mib);
    class = 1 + (log2 - LEAST_LOG2) * 4 + (uint32_t)((mib >> (log2 - 2)) & 3);
    return class < PLACE_CLASSES ? class : PLACE_CLASSES - 1;
}

void place_index_done(struct place_index *index)
{
    size_t i;

    for (i = 0; i < PLACE_CLASSES; i++)
        free(index->classes[i].spots);
    *index = (struct place_index){0};
}

void place_index_remove(struct place_index *index, struct place_spot *spot)
{
    struct place_class *class = &index->classes[spot->class];

    if (!spot->is_in)
        return;
    class->spots[spot->at] = class->spots[--class->len];
    class->spots[spot->at]->at = spot->at;
    if (class->len == 0)
        index->used &= ~(1ull << spot->class);
    spot->is_in = false;
}

void place_index_set(struct place_index *index, struct place_spot *spot, int64_t mib)
{
    uint32_t number = class_of(mib);
    struct place_class *class = &index->classes[number];

    if (spot->is_in && spot->class == number)
        return;
    place_index_remove(index, spot);
    if (class->len == class->cap) {
        class->cap = class->cap ? class->cap * 2 : 8;
        class->spots = realloc(class->spots, class->cap * sizeof(*class->spots));
        if (!class->spots)
            abort();
    }
    spot->is_in = true;
    spot->class = number;
    spot->at = class->len;
    class->spots[class->len++] = spot;
    index->used |= 1ull << number;
}

const struct place_class *place_index_top(const struct place_index *index, uint32_t below,
                                          int64_t mib, uint32_t *ret_class)
{
    uint32_t least = class_of(mib), top;
    uint64_t used = below < PLACE_CLASSES ? index->used & ((1ull << below) - 1) : index->used;

    if (!used)
        return NULL;
    top = 63 - (uint32_t)__builtin_clzll(used);
    if (top < least)
        return NULL;
    *ret_class = top;
    return &index->classes[top];
}
