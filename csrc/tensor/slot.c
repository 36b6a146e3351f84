/* slot.c -- slots, which store gradients, and claims on them; the rule is at the top of tensor.h. */
#include <sched.h>

#include "tensor/tensor.h"

/* ---- claims ------------------------------------------------------------------------------------------------------ */

static const char looking; /* its address is the owner during pn_owner_look */

pn_claimed pn_owner_claim(_Atomic(const void *) *owner, const void *by)
{
    for (const void *present = NULL; !atomic_compare_exchange_strong(owner, &present, by); present = NULL) {
        if (present != &looking)
            return present == by ? PN_CLAIM_OURS : PN_CLAIM_BUSY;
        sched_yield();
    }
    return PN_CLAIM_NEW;
}

bool pn_owner_look(_Atomic(const void *) *owner) { return pn_owner_claim(owner, &looking) == PN_CLAIM_NEW; }

int pn_slot_claim(pn_slot *slot, pn_claim *by)
{
    pn_slot *lead = slot->lead;
    const pn_claimed got = pn_owner_claim(&lead->owner, by);
    if (got == PN_CLAIM_NEW) {
        lead->next_lead = by->leads;
        by->leads = lead;
    }
    return got == PN_CLAIM_BUSY ? -1 : 0;
}

void pn_claim_release(pn_claim *by)
{
    while (by->leads) {
        pn_slot *lead = by->leads;
        by->leads = lead->next_lead;
        pn_owner_release(&lead->owner);
    }
}

int pn_slot_look(pn_slot *slot, pn_tensor **grad)
{
    if (!pn_owner_look(&slot->lead->owner))
        return -1;
    *grad = slot->grad ? pn_tensor_ref(slot->grad) : NULL;
    pn_owner_release(&slot->lead->owner);
    return 0;
}

/* ---- slots ------------------------------------------------------------------------------------------------------- */

pn_slot *pn_slot_new(pn_engine *engine, pn_slot *lead, pn_error *err)
{
    pn_slot *slot = pn_mem_get_zeroed(engine->memory, sizeof *slot, err);
    if (!slot)
        return NULL;
    atomic_init(&slot->refs, 1);
    atomic_init(&slot->wanted, true);
    atomic_init(&slot->owner, NULL);
    slot->lead = lead ? pn_slot_ref(lead) : slot;
    return slot;
}

pn_slot *pn_slot_ref(pn_slot *slot)
{
    atomic_fetch_add_explicit(&slot->refs, 1, memory_order_relaxed);
    return slot;
}

void pn_slot_unref(pn_slot *slot)
{
    while (slot && atomic_fetch_sub_explicit(&slot->refs, 1, memory_order_acq_rel) == 1) {
        pn_slot *lead = slot->lead == slot ? NULL : slot->lead;
        pn_tensor_unref(slot->grad); /* a gradient is not part of a graph, so this does not recurse */
        pn_mem_put(slot);
        slot = lead;
    }
}

bool pn_slot_set(pn_tensor *tensor, pn_slot *slot)
{
    pn_slot *none = NULL;
    return atomic_compare_exchange_strong(&tensor->slot, &none, slot);
}
