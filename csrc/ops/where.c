/* where.c -- y = condition ? a : b, elementwise.  The gradient of each operand is dy where it was chosen, 0
 * elsewhere. */
#include "kernels/map.h"
#include "ops/op.h"

enum { CONDITION, A, B };

/* For the gradients of a and b: scratch for an operand that is broadcast. */
typedef struct plan {
    struct part {
        bool full; /* as large as y */
        size_t whole, work;
    } of[B + 1];
} plan;

static size_t plan_operand(const pn_call *c, int i, struct part *part)
{
    size_t total = 0;
    part->full = c->x[i]->size == c->y[0].size;
    if (part->full)
        return 0;
    part->whole = pn_part(&total, c->y[0].size, pn_call_item(c));
    part->work = pn_part(&total, 1, pn_call_sum_rows_work(c, c->y[0].size, c->x[i]->size));
    return total;
}

static int rule(pn_call *c, pn_error *err)
{
    if (c->x[CONDITION]->dtype != PN_UINT8)
        return pn_fail(err, PN_EDTYPE,
                       "where: condition is %s; give uint8 or a NumPy bool array, e.g. a comparison such as x > 0",
                       pn_dtype_name(c->x[CONDITION]->dtype));
    if (pn_call_check_promoted(c, err) || pn_call_output_widest(c, CONDITION, c->x[A]->dtype, err))
        return -1;
    c->keep_x = PN_KEEP_X(CONDITION);
    plan *p = c->plan;
    for (int i = A; i <= B; i++)
        if (c->wants[i])
            c->backward_scratch = pn_larger(c->backward_scratch, plan_operand(c, i, &p->of[i]));
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
    const struct part *p = &((const plan *)c->plan)->of[i];
    pn_select select = job(c);
    select.d = p->full ? c->dx[i] : pn_at(c->scratch, p->whole);
    select.add = p->full && c->add[i];
    (i == A ? c->k->select_da : c->k->select_db)(c->team, &select);
    if (!p->full)
        pn_call_sum_rows(c, select.d, select.n, c->x[i]->size, c->dx[i], c->add[i], pn_at(c->scratch, p->work));
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
    PN_PLAN(plan),
    .rule = rule,
    .forward = forward,
    .backward = backward,
};
