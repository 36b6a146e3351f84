/* where.c -- y = condition ? a : b, elementwise.  The gradient of each operand is dy where it was chosen, 0
 * elsewhere. */
#include "ops/op.h"

enum { CONDITION, A, B };

typedef struct plan {
    size_t full, work, total;
} plan; /* scratch for a repeated operand's gradient */

static plan make_plan(const pn_call *c, int i)
{
    plan p = { .total = 0 };
    p.full = pn_part(&p.total, c->y[0].size, pn_call_item(c));
    p.work = pn_part(&p.total, 1, pn_call_sum_rows_work(c, c->y[0].size, c->x[i]->size));
    return p;
}

static int rule(pn_call *c, pn_error *err)
{
    if (c->x[CONDITION]->dtype != PN_UINT8)
        return pn_fail(err, PN_EDTYPE,
                       "where: condition is %s; give uint8 or a NumPy bool array, e.g. a comparison "
                       "such as x > 0",
                       pn_dtype_name(c->x[CONDITION]->dtype));
    if (pn_call_check_promoted(c, err) || pn_call_output_widest(c, CONDITION, c->x[A]->dtype, err))
        return -1;
    c->keep_x = PN_KEEP_X(CONDITION);
    for (int i = A; i <= B; i++)
        if (c->wants[i] && c->x[i]->size != c->y[0].size) {
            const size_t total = make_plan(c, i).total;
            c->backward_scratch = total > c->backward_scratch ? total : c->backward_scratch;
        }
    return 0;
}

static pn_select job(const pn_call *c)
{
    return (pn_select){ .n = c->y[0].size,
                        .nc = c->x[CONDITION]->size,
                        .na = c->x[A]->size,
                        .nb = c->x[B]->size,
                        .c = c->x[CONDITION]->data,
                        .a = c->x[A]->data,
                        .b = c->x[B]->data,
                        .y = c->y[0].data,
                        .dy = c->dy[0] };
}

static void forward(const pn_call *c)
{
    const pn_select select = job(c);
    c->k->select_forward(c->team, &select);
}

static void operand(const pn_call *c, int i)
{
    pn_select select = job(c);
    const bool full = c->x[i]->size == select.n;
    const plan p = make_plan(c, i);
    select.d = full ? c->dx[i] : pn_at(c->scratch, p.full);
    select.add = full && c->add[i];
    (i == A ? c->k->select_da : c->k->select_db)(c->team, &select);
    if (!full)
        pn_call_sum_rows(c, select.d, select.n, c->x[i]->size, c->dx[i], c->add[i], pn_at(c->scratch, p.work));
}

static void backward(const pn_call *c)
{
    for (int i = A; i <= B; i++)
        if (c->dx[i])
            operand(c, i);
}

const pn_op pn_op_where = {
    .name = "where",
    .inputs = "condition a b",
    .n_out = 1,
    .differentiable = true,
    .broadcasts = 7,
    .promotion = PN_EXACT,
    .promotes = 1 << A | 1 << B,
    .doc = "a where the condition holds, else b.\n\n"
           "condition: uint8 or bool; a, b: any; all of shapes that broadcast; returns the broadcast shape.\n\n"
           ">>> x = np.float32([-1, 2])\n"
           ">>> pn.ops.where(x > 0, x, np.float32(0)).numpy().tolist()\n[0.0, 2.0]",
    .rule = rule,
    .forward = forward,
    .backward = backward,
};
