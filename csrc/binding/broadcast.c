/* broadcast.c -- broadcasts inputs for ops, which only accept inputs whose shapes are suffixes of one another.
 *
 * NumPy's rule gives the common shape S.  An input whose shape, without leading ones, is a suffix of S is left to the
 * op (reshaped if it has leading ones to remove); any other is expanded to S.  Both are ops, so gradients propagate. */
#include "binding/binding.h"

#include <string.h>

typedef struct shape {
    int n;
    pn_index v[PN_MAX_DIMS];
} shape;

static void *refuse(const pn_op *op, int n, pn_tensor *const *inputs)
{
    pn_text text[3]; /* no op broadcasts more than three inputs */
    int given = 0;
    for (int i = 0; i < n && given < 3; i++)
        if (inputs[i] && op->broadcasts >> i & 1)
            text[given++] = pn_view_text(&inputs[i]->v);
    if (given == 3)
        return PyErr_Format(PyExc_ValueError, "%s: shapes %s, %s and %s do not broadcast", op->name, text[0].s,
                            text[1].s, text[2].s);
    return PyErr_Format(PyExc_ValueError, "%s: shapes %s and %s do not broadcast", op->name, text[0].s, text[1].s);
}

static int common_shape(const pn_op *op, int n, pn_tensor *const *inputs, shape *all)
{
    all->n = 0;
    for (int i = 0; i < n; i++) {
        if (!inputs[i] || !(op->broadcasts >> i & 1))
            continue;
        const pn_view *v = &inputs[i]->v;
        for (; all->n < v->ndim; all->n++) { /* one more axis in front */
            memmove(all->v + 1, all->v, (size_t)all->n * sizeof *all->v);
            all->v[0] = 1;
        }
        for (int j = 1; j <= v->ndim; j++) {
            pn_index *length = &all->v[all->n - j];
            const pn_index own = v->shape[v->ndim - j];
            if (*length == 1)
                *length = own;
            else if (own != *length && own != 1) {
                refuse(op, n, inputs);
                return -1;
            }
        }
    }
    return 0;
}

/* Whether the axes of the input, from `from` on, are a suffix of S. */
static bool is_suffix(const pn_view *v, int from, const shape *all)
{
    const int n = v->ndim - from;
    return n <= all->n && memcmp(v->shape + from, all->v + all->n - n, (size_t)n * sizeof *all->v) == 0;
}

static int leading_ones(const pn_view *v)
{
    int ones = 0;
    while (ones < v->ndim && v->shape[ones] == 1)
        ones++;
    return ones;
}

/* The call that the inputs belong to. */
typedef struct fitting {
    const pn_state *s;
    bool record;
    uint64_t *owned;
} fitting;

static int replace(const fitting *f, pnb_op_index op, const shape *to, pn_tensor **input, int i)
{
    pn_list list = { .given = true, .n = to->n };
    pn_tensor *output;
    memcpy(list.v, to->v, (size_t)to->n * sizeof *to->v);
    if (pnb_apply(f->s, pn_ops[op], 1, input, &list, f->record, &output))
        return -1;
    if (*f->owned >> i & 1)
        pn_tensor_unref(*input);
    *f->owned |= (uint64_t)1 << i;
    *input = output;
    return 0;
}

static int fit(const fitting *f, const shape *all, pn_tensor **input, int i)
{
    const pn_view *v = &(*input)->v;
    if (is_suffix(v, 0, all))
        return 0;
    const int ones = leading_ones(v);
    if (!is_suffix(v, ones, all))
        return replace(f, PNB_expand, all, input, i);
    shape rest = { .n = v->ndim - ones };
    memcpy(rest.v, v->shape + ones, (size_t)rest.n * sizeof *rest.v);
    return replace(f, PNB_reshape, &rest, input, i);
}

int pnb_broadcast(const pn_state *s, const pn_op *op, int n, pn_tensor **inputs, bool record, uint64_t *owned)
{
    const fitting f = { s, record, owned };
    shape all;
    if (common_shape(op, n, inputs, &all))
        return -1;
    int largest = -1;
    for (int i = 0; i < n; i++) {
        if (!inputs[i] || !(op->broadcasts >> i & 1))
            continue;
        if (fit(&f, &all, &inputs[i], i))
            return -1;
        if (largest < 0 || inputs[i]->v.ndim > inputs[largest]->v.ndim)
            largest = i;
    }
    if (largest >= 0 && inputs[largest]->v.ndim < all.n) /* (1, 1) and (4,): no input has the common shape yet */
        return replace(&f, PNB_expand, &all, &inputs[largest], largest);
    return 0;
}
