/* gathering.c -- checks of row numbers, and of means and scales, for ops that gather a batch. */
#include "ops/gathering.h"

enum { X };

typedef struct name {
    char s[64];
} name;

/* The name of an input, for a message: only a call that fails takes the time to write it. */
static name name_of(const pn_call *c, int i)
{
    name found;
    pn_call_input_name(c, i, found.s, sizeof found.s);
    return found;
}

pn_dtype pn_gathering_real(const pn_call *c, pn_dtype asked)
{
    if (c->x[X] && pn_dtype_is_real(c->x[X]->dtype))
        return c->x[X]->dtype;
    return asked == PN_FLOAT64 ? PN_FLOAT64 : PN_FLOAT32;
}

int pn_gathering_check_rows(const pn_call *c, int i, pn_error *err)
{
    const pn_view *rows = c->x[i];
    if (rows->dtype != PN_INT64)
        return pn_fail(err, PN_EDTYPE, "%s: %s is %s; give int64 row numbers", c->op->name, name_of(c, i).s,
                       pn_dtype_name(rows->dtype));
    if (pn_call_check_ndim(c, i, 1, "(m,)", err))
        return -1;
    const pn_index n = c->x[X]->shape[0], wrong = pn_call_numbers_wrong(c, i, n);
    if (wrong < 0)
        return 0;
    return pn_fail(err, PN_EVALUE, "%s: %s[%td] is %lld, but x has rows 0..%td (x is %s)", c->op->name, name_of(c, i).s,
                   wrong, (long long)((const int64_t *)rows->data)[wrong], n - 1, pn_view_text(c->x[X]).s);
}

int pn_gathering_check_normalising(const pn_call *c, int i, pn_error *err)
{
    const pn_view *x = c->x[X], *const both[] = { c->x[i], c->x[i + 1] };
    if (!both[0] != !both[1])
        return pn_fail(err, PN_EVALUE, "%s: %s is missing; give both %s and %s, or neither", c->op->name,
                       name_of(c, both[0] ? i + 1 : i).s, name_of(c, i).s, name_of(c, i + 1).s);
    if (both[0] && x->dtype == PN_INT64)
        return pn_fail(err, PN_EDTYPE, "%s: x is int64, which is not normalised; leave out %s and %s", c->op->name,
                       name_of(c, i).s, name_of(c, i + 1).s);
    for (int j = 0; j < 2 && both[j]; j++) {
        if (both[j]->dtype != c->k->real)
            return pn_fail(err, PN_EDTYPE, "%s: %s is %s; give %s, as the result is", c->op->name, name_of(c, i + j).s,
                           pn_dtype_name(both[j]->dtype), pn_dtype_name(c->k->real));
        const bool each = both[j]->ndim == 1 && x->ndim > 1 && both[j]->shape[0] == x->shape[x->ndim - 1];
        if (!each && both[j]->size != 1)
            return pn_fail(err, PN_ESHAPE,
                           "%s: %s is %s; give one number, or one for each of the last axis of x, which is %s",
                           c->op->name, name_of(c, i + j).s, pn_view_text(both[j]).s, pn_view_text(x).s);
        if (both[j]->size != both[0]->size)
            return pn_fail(err, PN_ESHAPE, "%s: %s is %s and %s is %s; give one shape", c->op->name, name_of(c, i).s,
                           pn_view_text(both[0]).s, name_of(c, i + 1).s, pn_view_text(both[1]).s);
    }
    return 0;
}
