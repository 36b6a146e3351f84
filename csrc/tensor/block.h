/* block.h -- blocks: all parameters of a model in one allocation, their gradients in another, its state in a third. */
#ifndef PN_BLOCK_H
#define PN_BLOCK_H

#include "tensor/tensor.h"

/* How the optimizer treats a segment. */
typedef enum {
    PN_GROUP_WEIGHT,
    PN_GROUP_BIAS /* biases and norm parameters: no weight decay */,
    PN_GROUP_STATE /* no gradient */
} pn_group;

typedef struct pn_segment {
    pn_index offset, length; /* elements; offsets are multiples of 16 elements, padding holds zeros */
    pn_group group;
    pn_tensor *value; /* a view of the block's storage; a leaf with a bound gradient, unless STATE */
} pn_segment;

typedef struct pn_block {
    atomic_int refs;
    pn_engine *engine;
    pn_dtype dtype;
    pn_storage *values, *grads; /* grads: NULL for a state block */
    pn_index length;            /* elements in total, including padding */
    pn_index n_segments;
    pn_segment segments[];
} pn_block;

/* One segment per shape, filled with zeros.  Either every group is STATE or none is. */
pn_block *pn_block_new(pn_engine *engine, pn_dtype dtype, pn_index n, const pn_view *shapes, const pn_group *groups,
                       pn_error *err);
/* false: no gradient is computed for the segment, and the optimizer skips it.  May be called at any time, on any
 * thread. */
void pn_block_set_trainable(pn_block *block, pn_index i, bool trainable);
static inline bool pn_segment_trains(const pn_segment *segment) { return pn_tensor_wants_grad(segment->value); }
/* values += rate (those of `from` - values): a running mean.  Both blocks have one layout and dtype. */
void pn_block_blend(pn_block *block, const pn_block *from, double rate);
pn_block *pn_block_ref(pn_block *block);
void pn_block_unref(pn_block *block);

#endif
