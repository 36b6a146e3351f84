/* unreached.c -- after a sweep, zeros the gradient of every parameter that the loss did not reach. */
#include <string.h>

#include "graph/node.h"

static char *start(const pn_slot *slot) { return slot->grad->v.data; }

static pn_slot *merge_slots(pn_slot *a, pn_slot *b)
{
    pn_slot *head = NULL, **tail = &head;
    while (a && b) {
        pn_slot **first = start(a) < start(b) ? &a : &b;
        *tail = *first;
        tail = &(*first)->next;
        *first = (*first)->next;
    }
    *tail = a ? a : b;
    return head;
}

/* Removes the bound slots that were written from the list, and returns them sorted by address. */
static pn_slot *bound_by_address(pn_slot **slots)
{
    pn_slot *bins[48] = { NULL }, *rest = NULL, *sorted = NULL;
    while (*slots) {
        pn_slot *slot = *slots;
        *slots = slot->next;
        if (!slot->bound || slot->fresh) {
            slot->next = rest;
            rest = slot;
            continue;
        }
        slot->next = NULL;
        int i = 0;
        for (; bins[i]; i++) {
            slot = merge_slots(bins[i], slot);
            bins[i] = NULL;
        }
        bins[i] = slot;
    }
    for (int i = 0; i < 48; i++)
        sorted = bins[i] ? merge_slots(bins[i], sorted) : sorted;
    *slots = rest;
    return sorted;
}

/* Zeros all bytes between the written gradients in every gradient block reached. */
static void zero_unreached(pn_slot **slots)
{
    pn_slot *slot = bound_by_address(slots);
    while (slot) {
        const pn_storage *block = slot->grad->storage;
        char *done = block->data, *end = done + block->bytes;
        while (slot && slot->grad->storage == block) {
            if (start(slot) > done)
                memset(done, 0, (size_t)(start(slot) - done));
            done = start(slot) + pn_view_bytes(&slot->grad->v);
            pn_slot *next = slot->next;
            slot->next = *slots;
            *slots = slot;
            slot = next;
        }
        memset(done, 0, (size_t)(end - done));
    }
}

/* Zeros the gradient of every slot that was claimed but not written, because its node received no gradient. */
static void zero_untouched(pn_slot *slots)
{
    for (pn_slot *slot = slots; slot; slot = slot->next) {
        if (!slot->fresh || !slot->grad)
            continue;
        memset(slot->grad->v.data, 0, pn_view_bytes(&slot->grad->v));
        pn_tensor_touch(slot->grad);
    }
}

void pn_slots_zero_rest(pn_slot **slots)
{
    zero_untouched(*slots);
    zero_unreached(slots);
}
