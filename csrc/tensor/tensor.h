/* tensor.h -- tensors: a shape over shared, versioned storage; contiguous, row-major.
 *
 * A tensor without storage is shape-only: an op on it runs its rule alone.
 * Its place in the graph is either a node that computes it (with the number of that node's output), or, for a leaf that
 * wants a gradient, a slot in which backward leaves it; neither for a plain value.
 *
 * The rule for slots, which threads share, with the GIL or without:
 * 1. A tensor's slot is set once and stays as long as the tensor: who has the tensor may follow it.  Whether a gradient
 *    is wanted there is a flag, which may change at any time: a call reads it once and keeps to its answer.
 * 2. What a slot holds belongs to who has claimed it: a sweep, or an optimizer's step, from its beginning to its end.
 *    Nobody waits for a claim: a slot that another thread has is an error with a sentence.  To look at a gradient is to
 *    take a reference to it, under a claim of a few instructions that others do wait for (pn_slot_look).
 * 3. The slots of a block are claimed as one, because a sweep writes all gradients of a block that it reaches. */
#ifndef PN_TENSOR_H
#define PN_TENSOR_H

#include "engine/engine.h"

/* ---- shapes and views ------------------------------------------------------------------------------------------ */

/* What kernels and rules see of a tensor: its kind, shape and bytes. */
typedef struct pn_view {
    void *data; /* NULL: shape-only, absent, or not kept for backward */
    pn_dtype dtype;
    int ndim;
    pn_index size; /* product of the shape */
    pn_index shape[PN_MAX_DIMS];
} pn_view;

/* Bytes of a tensor, at most: far beyond any memory, and so far below what counts can hold that sums of several, and
 * small multiples, cannot overflow. */
#define PN_MAX_BYTES ((size_t)PTRDIFF_MAX >> (sizeof(size_t) > 4 ? 7 : 0))

size_t pn_dtype_size(pn_dtype dtype);
const char *pn_dtype_name(pn_dtype dtype); /* "float32" */
static inline bool pn_dtype_is_real(pn_dtype dtype) { return dtype <= PN_FLOAT64; }
static inline size_t pn_view_bytes(const pn_view *v) { return (size_t)v->size * pn_dtype_size(v->dtype); }

/* Fills v (data NULL) and checks rank, signs and that the bytes fit an address; `who` opens the message. */
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
    atomic_uint version; /* rises with each write after the first; backward compares */
    pn_engine *engine;
    void *data;
    size_t bytes;
    bool readonly;                /* somebody else's buffer, lent for reading */
    void (*release)(void *owner); /* called once when the last reference goes; NULL: data is ours */
    void *owner;
} pn_storage;

pn_storage *pn_storage_new(pn_engine *engine, size_t bytes, pn_error *err); /* not cleared */
pn_storage *pn_storage_borrow(pn_engine *engine, void *data, size_t bytes, bool readonly, void (*release)(void *),
                              void *owner, pn_error *err); /* on failure release is not called */
pn_storage *pn_storage_ref(pn_storage *storage);
void pn_storage_unref(pn_storage *storage); /* NULL is allowed */

/* ---- tensors ----------------------------------------------------------------------------------------------------- */

typedef struct pn_node pn_node; /* graph/node.h; begins with a pn_node_head, all that this floor knows of it */
typedef struct pn_node_head {
    void (*unref)(pn_node *node);
} pn_node_head;
typedef struct pn_slot pn_slot;
typedef struct pn_tensor pn_tensor;

/* Where a gradient is left: shared by a leaf (or an intermediate tensor that asked) and the graph that feeds it. */
struct pn_slot {
    atomic_int refs;
    atomic_bool wanted;          /* false: frozen; no gradient is computed, no optimizer looks at it */
    pn_slot *lead;               /* whose claim is this one's, too: its block's first slot, or itself */
    _Atomic(const void *) owner; /* of a lead: who has claimed it, or NULL; what follows is the owner's */
    pn_slot *next_lead;          /* that the owner has claimed */
    pn_tensor *grad;             /* NULL: none yet */
    bool bound;                  /* grad is a view of a gradient block: always written in place; never changes */
    bool met;                    /* by the owner already */
    bool fresh;                  /* nothing written yet: the first contribution replaces what is there */
    pn_slot *next;               /* in the sweep's list */
};

struct pn_tensor {
    atomic_int refs;
    pn_view v;
    pn_engine *engine;
    pn_storage *storage;     /* NULL: shape-only */
    pn_node *node;           /* the node that computes it, or NULL */
    int output;              /* which output of node */
    _Atomic(pn_slot *) slot; /* a leaf that requires a gradient, or a tensor asked to keep its own */
};

/* New references throughout; NULL and err on failure. */
pn_tensor *pn_tensor_new(pn_engine *engine, const pn_view *shape, pn_error *err); /* own storage, not cleared */
pn_tensor *pn_tensor_shape_only(pn_engine *engine, const pn_view *shape, pn_error *err);
pn_tensor *pn_tensor_on(pn_storage *storage, size_t byte_offset, const pn_view *shape,
                        pn_error *err); /* shares storage */
pn_tensor *pn_tensor_ref(pn_tensor *tensor);
void pn_tensor_unref(pn_tensor *tensor); /* iterative: any depth of graph */

/* The same values outside the graph, sharing storage. */
pn_tensor *pn_tensor_detach(pn_tensor *tensor, pn_error *err);

static inline bool pn_tensor_wants_grad(const pn_tensor *t)
{
    if (t->node)
        return true;
    const pn_slot *slot = atomic_load_explicit(&t->slot, memory_order_acquire);
    return slot && atomic_load_explicit(&slot->wanted, memory_order_relaxed);
}
int pn_tensor_require_grad(pn_tensor *tensor, pn_error *err); /* a leaf of a real dtype: gives it a slot */
void pn_tensor_touch(pn_tensor *tensor);                      /* its storage was written: the version rises */

/* ---- slots: the rule is at the top ------------------------------------------------------------------------------ */

pn_slot *pn_slot_new(pn_engine *engine, pn_slot *lead, pn_error *err); /* lead: NULL for its own */
pn_slot *pn_slot_ref(pn_slot *slot);
void pn_slot_unref(pn_slot *slot); /* NULL is allowed */

/* Gives the tensor a slot, if it has none; false: it had one. */
bool pn_slot_set(pn_tensor *tensor, pn_slot *slot);

/* What a sweep or a step has claimed: its address is the owner's name.  The claimed stay alive by other references. */
typedef struct pn_claim {
    pn_slot *leads;
} pn_claim;

int pn_slot_claim(pn_slot *slot, pn_claim *by); /* 0: it is by's; -1: another thread has it */
void pn_claim_let_go(pn_claim *by);             /* of all */

/* A new reference to the gradient, or NULL where there is none; -1: another thread has claimed it. */
int pn_slot_look(pn_slot *slot, pn_tensor **grad);

/* The claim itself, on a slot's or a node's owner field. */
typedef enum { PN_CLAIM_BUSY = -1, PN_CLAIM_OURS, PN_CLAIM_NEW } pn_claimed;
pn_claimed pn_owner_claim(_Atomic(const void *) *owner, const void *by);
bool pn_owner_look(_Atomic(const void *) *owner); /* for a few instructions; false: it is claimed */
static inline void pn_owner_let_go(_Atomic(const void *) *owner) { atomic_store(owner, NULL); }

#endif
