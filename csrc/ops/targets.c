/* targets.c -- functions shared by the losses and accuracy. */
#include "kernels/reduce.h"
#include "ops/targets.h"

#include <string.h>

/* ---- checks ---------------------------------------------------------------------------------------------------- */

static int complain(const pn_call *c, int i, pn_index row, int64_t label, pn_index classes, bool from_one,
                    pn_error *err)
{
    char name[64];
    pn_call_input_name(c, i, name, sizeof name);
    if (from_one)
        return pn_fail(err, PN_EVALUE, "%s: %s run 1..%td but class numbers start at 0 for %td classes: pass y - 1",
                       c->op->name, name, classes, classes);
    if (label < 0)
        return pn_fail(err, PN_EVALUE, "%s: target %lld at row %td is negative; class numbers are 0..%td", c->op->name,
                       (long long)label, row, classes - 1);
    return pn_fail(err, PN_EVALUE, "%s: target %lld at row %td is not below %td, the number of classes", c->op->name,
                   (long long)label, row, classes);
}

int pn_targets_check_classes(const pn_call *c, int i, pn_index classes, pn_optional ignore, pn_error *err)
{
    const int64_t *label = c->x[i]->data;
    const pn_index n = c->x[i]->size;
    pn_index bad = -1;
    int64_t least = INT64_MAX, most = INT64_MIN;
    if (pn_call_numbers_wrong(c, i, classes) < 0)
        return 0;
    for (pn_index r = 0; r < n; r++) {
        if (ignore.given && label[r] == ignore.v)
            continue;
        if (bad < 0 && (label[r] < 0 || label[r] >= classes))
            bad = r;
        least = label[r] < least ? label[r] : least;
        most = label[r] > most ? label[r] : most;
    }
    return bad < 0 ? 0 : complain(c, i, bad, label[bad], classes, least >= 1 && most == classes, err);
}

int pn_targets_check_rows(const pn_call *c, int i, int ndim, const pn_index *lead, pn_error *err)
{
    const pn_view *v = c->x[i];
    const bool column = v->ndim == ndim + 1 && v->shape[ndim] == 1;
    if ((v->ndim == ndim || column) && memcmp(v->shape, lead, (size_t)ndim * sizeof *lead) == 0)
        return 0;
    char name[64], first[64];
    return pn_fail(err, PN_ESHAPE, "%s: %s is %s, but %s is %s; give one value for each row: %s", c->op->name,
                   pn_call_input_name(c, i, name, sizeof name), pn_view_text(v).s,
                   pn_call_input_name(c, 0, first, sizeof first), pn_view_text(c->x[0]).s, pn_shape_text(ndim, lead).s);
}

int pn_targets_output(pn_call *c, pn_reduction how, int ndim, const pn_index *lead, pn_error *err)
{
    return pn_call_output(c, 0, c->k->real, how == PN_NONE ? ndim : 0, lead, err);
}

/* ---- the reduction --------------------------------------------------------------------------------------------- */

static pn_reduce total_of(pn_index n) { return (pn_reduce){ .f = PN_REDUCE_SUM, .outer = 1, .len = n, .inner = 1 }; }

size_t pn_targets_sum_work(const pn_call *c, pn_index n)
{
    const pn_reduce r = total_of(n);
    size_t total = PN_ALIGN; /* the sum itself comes first */
    pn_part(&total, 1, c->k->reduce_work(&r));
    return total;
}

double pn_targets_sum(const pn_call *c, const void *v, pn_index n, void *work)
{
    pn_reduce r = total_of(n);
    r.x = v;
    r.y = work;
    r.work = pn_at(work, PN_ALIGN);
    c->k->reduce_forward(c->team, &r);
    return pn_call_get(c, work);
}

void pn_targets_scale(const pn_call *c, pn_reduction how, pn_index rows, double divisor, void *scale)
{
    if (how == PN_NONE) {
        c->k->axpy(c->team, &(pn_axpy){ .n = rows, .a = 1, .x = c->dy[0], .y = scale });
        return;
    }
    const double dy = pn_call_get(c, c->dy[0]);
    c->k->fill(c->team, &(pn_fill){ .n = rows, .value = how == PN_MEAN ? dy / divisor : dy, .y = scale });
}
