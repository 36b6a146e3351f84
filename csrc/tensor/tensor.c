/* tensor.c -- storage and tensors: atomic reference counts and ownership. */
#include "tensor/tensor.h"

/* ---- storage ---------------------------------------------------------------------------------------------------- */

static pn_storage *fill(pn_storage *storage, pn_engine *engine, void *data, size_t bytes)
{
    *storage = (pn_storage){ .engine = engine, .data = data, .bytes = bytes };
    atomic_init(&storage->refs, 1);
    atomic_init(&storage->version, 0);
    return storage;
}

/* One allocation: the pn_storage, followed by its data at the next aligned address. */
pn_storage *pn_storage_new(pn_engine *engine, size_t bytes, pn_error *err)
{
    enum { HEAD = (sizeof(pn_storage) + PN_ALIGN - 1) / PN_ALIGN * PN_ALIGN };
    char *block = pn_mem_get(engine->memory, HEAD + bytes, err);
    return block ? fill((pn_storage *)(void *)block, engine, block + HEAD, bytes) : NULL;
}

pn_storage *pn_storage_borrow(pn_engine *engine, void *data, size_t bytes, bool readonly, void (*release)(void *),
                              void *owner, pn_error *err)
{
    pn_storage *storage = pn_mem_get(engine->memory, sizeof *storage, err);
    if (!storage)
        return NULL;
    fill(storage, engine, data, bytes);
    storage->readonly = readonly;
    storage->release = release;
    storage->owner = owner;
    return storage;
}

pn_storage *pn_storage_ref(pn_storage *storage)
{
    atomic_fetch_add_explicit(&storage->refs, 1, memory_order_relaxed);
    return storage;
}

void pn_storage_unref(pn_storage *storage)
{
    if (!storage || atomic_fetch_sub_explicit(&storage->refs, 1, memory_order_acq_rel) != 1)
        return;
    if (storage->release)
        storage->release(storage->owner);
    pn_mem_put(storage);
}

/* ---- tensors ----------------------------------------------------------------------------------------------------- */

pn_tensor *pn_tensor_shape_only(pn_engine *engine, const pn_view *shape, pn_error *err)
{
    pn_tensor *tensor = pn_mem_get(engine->memory, sizeof *tensor, err);
    if (!tensor)
        return NULL;
    *tensor = (pn_tensor){ .v = *shape, .engine = engine };
    atomic_init(&tensor->refs, 1);
    atomic_init(&tensor->slot, NULL);
    tensor->v.data = NULL;
    return tensor;
}

pn_tensor *pn_tensor_on(pn_storage *storage, size_t byte_offset, const pn_view *shape, pn_error *err)
{
    pn_assert(byte_offset + pn_view_bytes(shape) <= storage->bytes);
    pn_tensor *tensor = pn_tensor_shape_only(storage->engine, shape, err);
    if (!tensor)
        return NULL;
    tensor->storage = pn_storage_ref(storage);
    tensor->v.data = (char *)storage->data + byte_offset;
    return tensor;
}

pn_tensor *pn_tensor_new(pn_engine *engine, const pn_view *shape, pn_error *err)
{
    pn_storage *storage = pn_storage_new(engine, pn_view_bytes(shape), err);
    if (!storage)
        return NULL;
    pn_tensor *tensor = pn_tensor_on(storage, 0, shape, err);
    pn_storage_unref(storage);
    return tensor;
}

pn_tensor *pn_tensor_ref(pn_tensor *tensor)
{
    atomic_fetch_add_explicit(&tensor->refs, 1, memory_order_relaxed);
    return tensor;
}

void pn_tensor_unref(pn_tensor *tensor)
{
    if (!tensor || atomic_fetch_sub_explicit(&tensor->refs, 1, memory_order_acq_rel) != 1)
        return;
    pn_node *node = tensor->node;
    pn_slot_unref(tensor->slot);
    pn_storage_unref(tensor->storage);
    pn_mem_put(tensor);
    if (node)
        ((pn_node_head *)node)->unref(node); /* iterative, and nodes hold no tensors: safe at any depth */
}

pn_tensor *pn_tensor_detach(pn_tensor *tensor, pn_error *err)
{
    if (!tensor->storage)
        return pn_tensor_shape_only(tensor->engine, &tensor->v, err);
    return pn_tensor_on(tensor->storage, (size_t)((char *)tensor->v.data - (char *)tensor->storage->data), &tensor->v,
                        err);
}

int pn_tensor_require_grad(pn_tensor *tensor, pn_error *err)
{
    if (!pn_dtype_is_real(tensor->v.dtype))
        return pn_fail(err, PN_EDTYPE,
                       "requires_grad: only float32 and float64 tensors have gradients, this one is %s; "
                       "give it dtype 'float32'",
                       pn_dtype_name(tensor->v.dtype));
    if (tensor->node)
        return pn_fail(err, PN_ESTATE,
                       "requires_grad: this tensor is the result of an op; call keep_grad() to keep its gradient");
    if (tensor->slot)
        return 0;
    pn_slot *slot = pn_slot_new(tensor->engine, NULL, err);
    if (slot && !pn_slot_set(tensor, slot))
        pn_slot_unref(slot);
    return slot ? 0 : -1;
}

void pn_tensor_touch(pn_tensor *tensor) { atomic_fetch_add(&tensor->storage->version, 1); }
