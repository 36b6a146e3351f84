/* op.c -- functions that rules share, and the table of ops. */
#include "kernels/reduce.h"
#include "ops/op.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* ---- outputs ---------------------------------------------------------------------------------------------------- */

int pn_call_output(pn_call *c, int i, pn_dtype dtype, int ndim, const pn_index *shape, pn_error *err)
{
    return pn_view_init(&c->y[i], dtype, ndim, shape, c->op->name, err);
}

int pn_call_output_like(pn_call *c, int i, const pn_view *like, pn_error *err)
{
    return pn_call_output(c, i, like->dtype, like->ndim, like->shape, err);
}

static bool is_suffix(const pn_view *part, const pn_view *whole)
{
    if (part->ndim > whole->ndim)
        return false;
    const pn_index *end = whole->shape + (whole->ndim - part->ndim);
    return memcmp(part->shape, end, (size_t)part->ndim * sizeof *end) == 0;
}

int pn_call_output_widest(pn_call *c, int first, pn_dtype dtype, pn_error *err)
{
    int widest = first;
    for (int i = first + 1; i < c->n_in; i++)
        if (c->x[i]->ndim > c->x[widest]->ndim)
            widest = i;
    for (int i = first; i < c->n_in; i++) {
        if (is_suffix(c->x[i], c->x[widest]))
            continue;
        char a[64], b[64];
        return pn_fail(err, PN_ESHAPE,
                       "%s: %s is %s and %s is %s; give one shape, or one that is the last axes of the other "
                       "(expand repeats axes of length 1)",
                       c->op->name, pn_call_input_name(c, widest, a, sizeof a), pn_view_text(c->x[widest]).s,
                       pn_call_input_name(c, i, b, sizeof b), pn_view_text(c->x[i]).s);
    }
    return pn_call_output(c, 0, dtype, c->x[widest]->ndim, c->x[widest]->shape, err);
}

/* ---- checks ------------------------------------------------------------------------------------------------------ */

/* op->inputs holds the names in order; "tensors*" names input 3 "tensors[3]". */
const char *pn_call_input_name(const pn_call *c, int i, char *buffer, size_t size)
{
    const char *s = c->op->inputs;
    for (int skip = i; skip > 0 && strchr(s, ' '); skip--)
        s = strchr(s, ' ') + 1;
    const size_t length = strcspn(s, " ?*");
    if (s[length] == '*')
        snprintf(buffer, size, "%.*s[%d]", (int)length, s, i);
    else
        snprintf(buffer, size, "%.*s", (int)length, s);
    return buffer;
}

int pn_call_check_same_real(const pn_call *c, int i, int j, pn_error *err)
{
    char a[64], b[64];
    const pn_dtype first = c->x[i]->dtype, second = c->x[j]->dtype;
    if (first == second && pn_dtype_is_real(first))
        return 0;
    pn_call_input_name(c, i, a, sizeof a);
    pn_call_input_name(c, j, b, sizeof b);
    if (!pn_dtype_is_real(first) || !pn_dtype_is_real(second))
        return pn_fail(err, PN_EDTYPE, "%s: %s is %s; give float32 or float64 (astype(\"float32\") converts)",
                       c->op->name, pn_dtype_is_real(first) ? b : a,
                       pn_dtype_name(pn_dtype_is_real(first) ? second : first));
    return pn_fail(err, PN_EDTYPE, "%s: %s is %s, but %s is %s; give one dtype (astype(\"%s\") converts)", c->op->name,
                   b, pn_dtype_name(second), a, pn_dtype_name(first), pn_dtype_name(first));
}

int pn_call_check_real(const pn_call *c, pn_error *err)
{
    for (int i = 0; i < c->n_in; i++)
        if (c->x[i] && pn_call_check_same_real(c, 0, i, err))
            return -1;
    return 0;
}

int pn_call_check_promoted(const pn_call *c, pn_error *err)
{
    char a[64], b[64];
    const int first = __builtin_ctzll(c->op->promotes);
    const pn_dtype dtype = c->x[first]->dtype;
    for (int i = first; i < c->n_in; i++)
        if (c->op->promotes >> i & 1 && c->x[i]->dtype != dtype)
            return pn_fail(err, PN_EDTYPE, "%s: %s is %s, but %s is %s; give one dtype (astype(\"%s\") converts)",
                           c->op->name, pn_call_input_name(c, i, b, sizeof b), pn_dtype_name(c->x[i]->dtype),
                           pn_call_input_name(c, first, a, sizeof a), pn_dtype_name(dtype), pn_dtype_name(dtype));
    if (c->op->promotion == PN_REAL && !pn_dtype_is_real(dtype))
        return pn_fail(err, PN_EDTYPE, "%s: %s is %s; give float32 or float64 (astype(\"float32\") converts)",
                       c->op->name, pn_call_input_name(c, first, a, sizeof a), pn_dtype_name(dtype));
    return 0;
}

int pn_call_check_ndim(const pn_call *c, int i, int ndim, const char *layout, pn_error *err)
{
    char name[64];
    if (c->x[i]->ndim == ndim)
        return 0;
    return pn_fail(err, PN_ESHAPE, "%s: %s is %s, which has %d axes; give %d: %s", c->op->name,
                   pn_call_input_name(c, i, name, sizeof name), pn_view_text(c->x[i]).s, c->x[i]->ndim, ndim, layout);
}

int pn_call_check_shape(const pn_call *c, int i, int ndim, const pn_index *shape, pn_error *err)
{
    char name[64];
    if (c->x[i]->ndim == ndim && memcmp(c->x[i]->shape, shape, (size_t)ndim * sizeof *shape) == 0)
        return 0;
    return pn_fail(err, PN_ESHAPE, "%s: %s is %s; give %s", c->op->name, pn_call_input_name(c, i, name, sizeof name),
                   pn_view_text(c->x[i]).s, pn_shape_text(ndim, shape).s);
}

int pn_call_axis(const pn_call *c, int i, pn_index axis, int *out, pn_error *err)
{
    char name[64];
    const pn_index ndim = c->x[i]->ndim;
    if (axis < -ndim || axis >= ndim)
        return pn_fail(err, PN_ESHAPE, "%s: axis %td is not an axis of %s, which is %s", c->op->name, axis,
                       pn_call_input_name(c, i, name, sizeof name), pn_view_text(c->x[i]).s);
    *out = (int)(axis < 0 ? axis + ndim : axis);
    return 0;
}

int pn_call_refuse_grad(const pn_call *c, int i, pn_error *err)
{
    char name[64];
    if (!c->x[i] || !c->wants[i])
        return 0;
    pn_call_input_name(c, i, name, sizeof name);
    return pn_fail(err, PN_ESTATE, "%s: %s requires a gradient, but this op has none for it; give %s.detach()",
                   c->op->name, name, name);
}

pn_index pn_view_count(const pn_view *v, int from, int to)
{
    pn_index count = 1;
    for (int i = from; i < to; i++)
        count *= v->shape[i];
    return count;
}

enum { NUMBERS = 1024 }; /* checked together: they fit the L1 cache */

/* Whether all are in 0..n-1: no branches, so that it goes a vector at a time.  v | n - 1 - v is negative outside. */
static bool are_within(const int64_t *v, pn_index count, pn_index n)
{
    uint64_t outside = 0;
    for (pn_index k = 0; k < count; k++)
        outside |= (uint64_t)v[k] | ((uint64_t)(n - 1) - (uint64_t)v[k]);
    return outside >> 63 == 0;
}

pn_index pn_call_numbers_wrong(const pn_call *c, int i, pn_index n)
{
    const int64_t *v = c->x[i]->data;
    const pn_index size = v ? c->x[i]->size : 0;
    for (pn_index at = 0; at < size; at += NUMBERS) {
        const pn_index end = pn_min(at + NUMBERS, size);
        for (pn_index k = are_within(v + at, end - at, n) ? end : at; k < end; k++)
            if (v[k] < 0 || v[k] >= n)
                return k;
    }
    return -1;
}

const int64_t *pn_call_numbers(const pn_call *c, int i, pn_index n, const pn_optional *ignore, void *to)
{
    const int64_t *from = c->x[i]->data;
    const pn_index size = c->x[i]->size;
    int64_t *v = to;
    for (pn_index at = 0; at < size; at += NUMBERS) {
        const pn_index end = pn_min(at + NUMBERS, size);
        memcpy(v + at, from + at, (size_t)(end - at) * sizeof *v);
        for (pn_index k = are_within(v + at, end - at, n) ? end : at; k < end; k++)
            if ((v[k] < 0 || v[k] >= n) && !(ignore && ignore->given && v[k] == ignore->v))
                v[k] = 0;
    }
    return v;
}

/* ---- scratch, and gradients of repeated operands --------------------------------------------------------------- */

size_t pn_part(size_t *total, pn_index n, size_t item)
{
    const size_t offset = *total;
    size_t bytes;
    if (__builtin_mul_overflow((size_t)n, item, &bytes) ||
        __builtin_add_overflow(bytes, (size_t)PN_ALIGN - 1, &bytes) ||
        __builtin_add_overflow(offset, bytes & ~((size_t)PN_ALIGN - 1), total))
        *total = SIZE_MAX;
    return offset;
}

double pn_call_get(const pn_call *c, const void *reals)
{
    return c->k->real == PN_FLOAT64 ? *(const double *)reals : (double)*(const float *)reals;
}

void pn_call_set(const pn_call *c, void *reals, double value)
{
    if (c->k->real == PN_FLOAT64)
        *(double *)reals = value;
    else
        *(float *)reals = (float)value;
}

static pn_reduce row_sums(pn_index n, pn_index period)
{
    return (pn_reduce){ .f = PN_REDUCE_SUM, .outer = 1, .len = period > 0 ? n / period : 0, .inner = period };
}

size_t pn_call_sum_rows_work(const pn_call *c, pn_index n, pn_index period)
{
    const pn_reduce r = row_sums(n, period);
    return c->k->reduce_work(&r);
}

void pn_call_sum_rows(const pn_call *c, const void *full, pn_index n, pn_index period, void *d, bool add, void *work)
{
    pn_reduce r = row_sums(n, period);
    r.x = full;
    r.y = d;
    r.add = add;
    r.work = work;
    c->k->reduce_forward(c->team, &r);
}

pn_copy pn_copy_back(const pn_copy *copy)
{
    pn_copy back = *copy;
    for (int i = 0; i < copy->ndim; i++) {
        back.src_stride[i] = copy->dst_stride[i];
        back.dst_stride[i] = copy->src_stride[i];
    }
    return back;
}

void pn_call_pass(const pn_call *c, int i)
{
    if (c->dx[i])
        c->k->axpy(c->team, &(pn_axpy){ .n = c->x[i]->size, .a = 1, .x = c->dy[0], .y = c->dx[i], .add = c->add[i] });
}

/* ---- the table ------------------------------------------------------------------------------------------------- */

const pn_op *const pn_ops[] = {
#define OP(name) &pn_op_##name,
#include "ops/ops.def"
#undef OP
};

const int pn_ops_count = (int)(sizeof pn_ops / sizeof *pn_ops);

const pn_op *pn_op_find(const char *name)
{
    for (int i = 0; i < pn_ops_count; i++)
        if (strcmp(pn_ops[i]->name, name) == 0)
            return pn_ops[i];
    return NULL;
}

const pn_param *pn_op_param(const pn_op *op, const char *name)
{
    for (int i = 0; i < op->n_params; i++)
        if (strcmp(op->params[i].name, name) == 0)
            return &op->params[i];
    return NULL;
}

void *pn_op_field(const pn_op *op, const char *name, void *params)
{
    const pn_param *param = pn_op_param(op, name);
    return param ? (char *)params + param->offset : NULL;
}
