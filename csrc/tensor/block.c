/* block.c -- lays out tensors in one allocation, and their gradients in another. */
#include <string.h>

#include "kernels/kernels.h"
#include "kernels/update.h"
#include "tensor/block.h"

enum { SEGMENT_STEP = 16 }; /* elements: a segment starts on a cache line in either real */

/* Computes the offsets of all segments; returns the total length, or -1 on overflow. */
static pn_index lay_out(pn_index n, const pn_view *shapes, pn_segment *segments)
{
    pn_index length = 0;
    for (pn_index i = 0; i < n; i++) {
        segments[i].offset = length;
        segments[i].length = shapes[i].size;
        if (__builtin_add_overflow(length, pn_ceil_div(shapes[i].size, SEGMENT_STEP) * SEGMENT_STEP, &length))
            return -1;
    }
    return length <= PTRDIFF_MAX / (pn_index)sizeof(double) ? length : -1;
}

static pn_storage *zeros(pn_block *block, pn_error *err)
{
    const size_t bytes = (size_t)block->length * pn_dtype_size(block->dtype);
    pn_storage *storage = pn_storage_new(block->engine, bytes, err);
    if (storage)
        memset(storage->data, 0, bytes);
    return storage;
}

/* Makes the segment's view of the values and, unless it is state, the slot with its view of the gradients. */
static int make_segment(pn_block *block, pn_segment *segment, const pn_view *shape, pn_error *err)
{
    const size_t byte_offset = (size_t)segment->offset * pn_dtype_size(block->dtype);
    segment->value = pn_tensor_on(block->values, byte_offset, shape, err);
    if (!segment->value)
        return -1;
    if (segment->group == PN_GROUP_STATE)
        return 0;
    pn_slot *first = segment == block->segments ? NULL : block->segments[0].value->slot;
    pn_slot *slot = pn_slot_new(block->engine, first, err);
    if (!slot)
        return -1;
    pn_slot_set(segment->value, slot);
    slot->grad = pn_tensor_on(block->grads, byte_offset, shape, err);
    slot->bound = true;
    return slot->grad ? 0 : -1;
}

pn_block *pn_block_new(pn_engine *engine, pn_dtype dtype, pn_index n, const pn_view *shapes, const pn_group *groups,
                       pn_error *err)
{
    pn_block *block = pn_mem_get_zeroed(engine->memory, sizeof *block + (size_t)n * sizeof *block->segments, err);
    if (!block)
        return NULL;
    atomic_init(&block->refs, 1);
    block->engine = engine;
    block->dtype = dtype;
    block->n_segments = n;
    block->length = lay_out(n, shapes, block->segments);
    if (block->length < 0) {
        pn_fail(err, PN_ESHAPE, "block: %td tensors would need more bytes than can be addressed", n);
        goto fail;
    }
    const bool state = n > 0 && groups[0] == PN_GROUP_STATE;
    if (!(block->values = zeros(block, err)) || (!state && !(block->grads = zeros(block, err))))
        goto fail;
    for (pn_index i = 0; i < n; i++) {
        pn_view shape = shapes[i];
        shape.dtype = dtype;
        block->segments[i].group = groups[i];
        if (make_segment(block, &block->segments[i], &shape, err))
            goto fail;
    }
    return block;
fail:
    pn_block_unref(block);
    return NULL;
}

void pn_block_set_trainable(pn_block *block, pn_index i, bool trainable)
{
    pn_slot *slot = block->segments[i].value->slot;
    if (slot) /* state has none */
        atomic_store_explicit(&slot->wanted, trainable, memory_order_relaxed);
}

void pn_block_blend(pn_block *block, const pn_block *from, double rate)
{
    const pn_team team = { .pool = block->engine->pool, .flush = block->dtype == PN_FLOAT32 };
    const pn_blend job = { .n = block->length, .rate = rate, .x = from->values->data, .y = block->values->data };
    pn_assert(from != block && from->length == block->length && from->dtype == block->dtype);
    block->engine->kernels[block->dtype]->blend(&team, &job);
    if (block->n_segments > 0)
        pn_tensor_touch(block->segments[0].value); /* all share one storage */
}

pn_block *pn_block_ref(pn_block *block)
{
    atomic_fetch_add_explicit(&block->refs, 1, memory_order_relaxed);
    return block;
}

void pn_block_unref(pn_block *block)
{
    if (!block || atomic_fetch_sub_explicit(&block->refs, 1, memory_order_acq_rel) != 1)
        return;
    for (pn_index i = 0; i < block->n_segments; i++)
        pn_tensor_unref(block->segments[i].value);
    pn_storage_unref(block->values);
    pn_storage_unref(block->grads);
    pn_mem_put(block);
}
