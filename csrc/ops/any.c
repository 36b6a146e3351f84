/* any.c -- any and all: whether some, or every, value along the axes is nonzero.  NaN counts as nonzero.
 *
 * They are the maximum and the minimum of x != 0, computed by the uint8 kernels.  Of no values, any is 0 and all is
 * 1. */
#include "kernels/map.h"
#include "kernels/reduce.h"
#include "ops/axes.h"

#include <string.h>

typedef struct any_params {
    pn_list axis;
    bool keepdims;
} any_params;

static const any_params defaults;
static const pn_param params[] = {
    PN_PARAM(axis, AXES, PN_AXIS_DOC),
    PN_PARAM(keepdims, BOOL, PN_KEEPDIMS_DOC),
};

typedef struct plan {
    pn_axes axes;
    size_t truths, permuted, total; /* scratch */
} plan;

static int rule(pn_call *c, pn_error *err)
{
    const any_params *p = c->params;
    plan *made = c->plan;
    unsigned mask;
    if (pn_call_check_promoted(c, err) || pn_axes_mask(c, 0, &p->axis, &mask, err) ||
        pn_axes_output(c, PN_UINT8, mask, p->keepdims, err))
        return -1;
    *made = (plan){ .axes = pn_axes_plan(c->x[0], mask) };
    made->axes.order.item = 1;
    made->truths = pn_part(&made->total, c->x[0]->size, 1);
    made->permuted = pn_part(&made->total, made->axes.permuted ? c->x[0]->size : 0, 1);
    c->forward_scratch = made->total;
    return 0;
}

static void reduce(const pn_call *c, pn_reduce_f f, bool of_none)
{
    static const double zero; /* 0 in every dtype */
    const plan *p = c->plan;
    const pn_kernels *bytes = pn_kernels_for(c->k->isa, PN_UINT8);
    const pn_index n = c->x[0]->size;
    pn_reduce job = { .f = f, PN_AXES_SIZES(&p->axes), .x = pn_at(c->scratch, p->truths), .y = c->y[0].data };
    if (job.len == 0) {
        memset(job.y, of_none, (size_t)c->y[0].size);
        return;
    }
    c->k->compare(c->team, &(pn_compare){ .f = PN_C_not_equal,
                                          .n = n,
                                          .na = n,
                                          .nb = 1,
                                          .a = c->x[0]->data,
                                          .b = &zero,
                                          .y = pn_at(c->scratch, p->truths) });
    if (p->axes.permuted) {
        pn_copy copy = p->axes.order;
        copy.src = job.x;
        job.x = copy.dst = pn_at(c->scratch, p->permuted);
        bytes->copy(c->team, &copy);
    }
    bytes->reduce_forward(c->team, &job);
}

static void any_forward(const pn_call *c) { reduce(c, PN_REDUCE_MAX, false); }
static void all_forward(const pn_call *c) { reduce(c, PN_REDUCE_MIN, true); }

#define TRUTH(op_, doc_, example_)                                                                              \
    const pn_op pn_op_##op_ = {                                                                                 \
        .name = #op_,                                                                                           \
        .inputs = "x",                                                                                          \
        .n_out = 1,                                                                                             \
        .differentiable = false,                                                                                \
        .promotion = PN_EXACT,                                                                                  \
        .promotes = 1,                                                                                          \
        .doc = doc_ "\n\nx: any shape and dtype; returns uint8, x's shape without the axes (or with length 1: " \
                    "keepdims).\n\n" example_,                                                                  \
        PN_PARAMS,                                                                                              \
        PN_PLAN(plan),                                                                                          \
        .rule = rule,                                                                                           \
        .forward = op_##_forward,                                                                               \
    };

TRUTH(any, "1 where some value along the axes is not 0, else 0; of no values 0.",
      ">>> pn.ops.any(np.float32([[0, 2], [0, 0]]), axis=1).numpy().tolist()\n[1, 0]")
TRUTH(all, "1 where no value along the axes is 0, else 0; of no values 1.",
      ">>> pn.ops.all(np.float32([[1, 2], [1, 0]]), axis=1).numpy().tolist()\n[1, 0]")
