/* tensor.h -- tensors: a shape over shared, versioned storage; contiguous, row-major.
 *
 * A tensor without storage is shape-only: an op on it only runs its rule.
 * A tensor in a graph has either the node that computed it (and the index of that node's output) or, if it is a leaf
 * that requires a gradient, a slot in which backward stores the gradient.  A plain value has neither.
 *
 * The rule for slots, which threads share with or without the GIL:
 * 1. A tensor's slot is set once and lives as long as the tensor: anyone who holds the tensor may follow the pointer.
 *    Whether a gradient is wanted is a flag that may change at any time: a call reads it once and uses that value
 *    throughout.
 * 2. The contents of a slot belong to its claimant: a backward sweep or an optimizer's step, from beginning to end.
 *    Nobody waits for such a claim: a slot that another thread has claimed raises an error.  Reading a gradient takes a
 *    reference to it under a claim of a few instructions, for which others do wait (pn_slot_look).
 * 3. All slots of a block are claimed together, because a sweep writes all gradients of every block that it reaches. */
#ifndef PN_TENSOR_H
#define PN_TENSOR_H

#include "engine/engine.h"

/* ---- shapes and views ------------------------------------------------------------------------------------------ */

/* A tensor as kernels and rules see it: dtype, shape and data. */
typedef struct pn_view {
    void *data; /* NULL: shape-only, absent, or not kept for backward */
    pn_dtype dtype;
    int ndim;
    pn_index size; /* product of the shape */
    pn_index shape[PN_MAX_DIMS];
} pn_view;

/* Maximum size of a tensor in bytes: far larger than any memory, and small enough that sums of several sizes, and small
 * multiples, cannot overflow. */
#define PN_MAX_BYTES ((size_t)PTRDIFF_MAX >> (sizeof(size_t) > 4 ? 7 : 0))

size_t pn_dtype_size(pn_dtype dtype);
const char *pn_dtype_name(pn_dtype dtype); /* "float32" */
static inline bool pn_dtype_is_real(pn_dtype dtype) { return dtype <= PN_FLOAT64; }
static inline size_t pn_view_bytes(const pn_view *v) { return (size_t)v->size * pn_dtype_size(v->dtype); }

/* Fills v (data is NULL); checks the rank, that no length is negative and that the bytes can be addressed.  Messages
 * start with `who`. */
int pn_view_init(pn_view *v, pn_dtype dtype, int ndim, const pn_index *shape, const char *who, pn_error *err);
bool pn_view_same_shape(const pn_view *a, const pn_view *b);

/* "(64, 28, 28, 1)" */
typedef struct pn_text {
    char s[PN_MAX_DIMS * 24];
} pn_text;
pn_text pn_shape_text(int ndim, const pn_index *shape);
static inline pn_text pn_view_text(const pn_view *v) { return pn_shape_text(v->ndim, v->shape); }

/* ---- storage ---------------------------------------------------------------------------------------------------- */

typedef struct pn_storage {
    atomic_int refs;
    atomic_uint version; /* incremented by each write after the first; backward compares it */
    pn_engine *engine;
    void *data;
    size_t bytes;
    bool readonly;                /* a buffer of another owner, borrowed for reading only */
    void (*release)(void *owner); /* called once when the last reference is dropped; NULL: we own data */
    void *owner;
} pn_storage;

pn_storage *pn_storage_new(pn_engine *engine, size_t bytes, pn_error *err); /* uninitialised */
pn_storage *pn_storage_borrow(pn_engine *engine, void *data, size_t bytes, bool readonly, void (*release)(void *),
                              void *owner, pn_error *err); /* on failure release is not called */
pn_storage *pn_storage_ref(pn_storage *storage);
void pn_storage_unref(pn_storage *storage); /* NULL is allowed */

/* ---- tensors ----------------------------------------------------------------------------------------------------- */

typedef struct pn_node pn_node; /* graph/node.h; starts with a pn_node_head, the only part that is known here */
typedef struct pn_node_head {
    void (*unref)(pn_node *node);
} pn_node_head;
typedef struct pn_slot pn_slot;
typedef struct pn_tensor pn_tensor;

/* Where a gradient is stored: shared by a leaf (or an intermediate tensor that keeps its gradient) and its graph. */
struct pn_slot {
    atomic_int refs;
    atomic_bool wanted;          /* false: frozen; no gradient is computed, and optimizers skip it */
    pn_slot *lead;               /* the slot that is claimed for this one: the first of its block, or itself */
    _Atomic(const void *) owner; /* of a lead: its claimant, or NULL; the fields below belong to the claimant */
    pn_slot *next_lead;          /* in the claimant's list */
    pn_tensor *grad;             /* NULL: none yet */
    bool bound;                  /* grad is a view of a gradient block, always written in place; never changes */
    bool visited;                /* by the claimant */
    bool fresh;                  /* nothing written yet: the first contribution overwrites the old value */
    pn_slot *next;               /* in the sweep's list */
};

struct pn_tensor {
    atomic_int refs;
    pn_view v;
    pn_engine *engine;
    pn_storage *storage;     /* NULL: shape-only */
    pn_node *node;           /* the node that computes it, or NULL */
    int output;              /* which output of node */
    _Atomic(pn_slot *) slot; /* of a leaf that requires a gradient, or of a tensor that keeps its gradient */
};

/* All return new references, or NULL and set err on failure. */
pn_tensor *pn_tensor_new(pn_engine *engine, const pn_view *shape, pn_error *err); /* own storage, uninitialised */
pn_tensor *pn_tensor_shape_only(pn_engine *engine, const pn_view *shape, pn_error *err);
pn_tensor *pn_tensor_on(pn_storage *storage, size_t byte_offset, const pn_view *shape,
                        pn_error *err); /* shares storage */
pn_tensor *pn_tensor_ref(pn_tensor *tensor);
void pn_tensor_unref(pn_tensor *tensor); /* iterative: safe for graphs of any depth */

/* The same values outside the graph, sharing storage. */
pn_tensor *pn_tensor_detach(pn_tensor *tensor, pn_error *err);

static inline bool pn_tensor_wants_grad(const pn_tensor *t)
{
    if (t->node)
        return true;
    const pn_slot *slot = atomic_load_explicit(&t->slot, memory_order_acquire);
    return slot && atomic_load_explicit(&slot->wanted, memory_order_relaxed);
}
int pn_tensor_require_grad(pn_tensor *tensor, pn_error *err); /* gives a leaf of a real dtype a slot */
void pn_tensor_touch(pn_tensor *tensor);                      /* after a write to its storage: increments the version */

/* ---- slots: see the rule at the top ------------------------------------------------------------------------------ */

pn_slot *pn_slot_new(pn_engine *engine, pn_slot *lead, pn_error *err); /* lead: NULL for itself */
pn_slot *pn_slot_ref(pn_slot *slot);
void pn_slot_unref(pn_slot *slot); /* NULL is allowed */

/* Gives the tensor a slot if it has none; returns false if it has one. */
bool pn_slot_set(pn_tensor *tensor, pn_slot *slot);

/* The slots that a sweep or a step has claimed; its address identifies the claimant.  Holds no references: the slots
 * are kept alive by others. */
typedef struct pn_claim {
    pn_slot *leads;
} pn_claim;

int pn_slot_claim(pn_slot *slot, pn_claim *by); /* 0: claimed; -1: another thread has claimed it */
void pn_claim_release(pn_claim *by);            /* releases all of its slots */

/* Sets *grad to a new reference to the gradient, or to NULL if there is none; -1: another thread has claimed it. */
int pn_slot_look(pn_slot *slot, pn_tensor **grad);

/* Claims on the owner field of a slot or a node. */
typedef enum { PN_CLAIM_BUSY = -1, PN_CLAIM_OURS, PN_CLAIM_NEW } pn_claimed;
pn_claimed pn_owner_claim(_Atomic(const void *) *owner, const void *by);
bool pn_owner_look(_Atomic(const void *) *owner); /* for a few instructions; false: another has claimed it */
static inline void pn_owner_release(_Atomic(const void *) *owner) { atomic_store(owner, NULL); }

#endif
