/* gather.c -- y[r] = (x[rows[r]] - mean) * scale: gathers a batch from a dataset, converted to float and normalised.
 *
 * x: (n, ...) uint8, float or int64; rows: int64 (m,); mean, scale: one number, or one per channel (last axis);
 * y: (m, ...) with the dtype of x, or for uint8 the dtype in the parameter.  It is for data and has no gradient. */
#include "kernels/image.h"
#include "ops/op.h"

#include <string.h>

enum { X, ROWS, MEAN, SCALE };

typedef struct gather_params {
    pn_dtype dtype;
} gather_params;

static const gather_params defaults = { .dtype = PN_FLOAT32 };
static const pn_param params[] = {
    PN_PARAM(dtype, DTYPE, "the dtype that uint8 becomes; floats and int64 keep theirs"),
};

static pn_dtype real(const pn_call *c)
{
    const gather_params *p = c->params;
    if (c->x[X] && pn_dtype_is_real(c->x[X]->dtype))
        return c->x[X]->dtype;
    return p->dtype == PN_FLOAT64 ? PN_FLOAT64 : PN_FLOAT32;
}

static int check_normalising(const pn_call *c, pn_error *err)
{
    const pn_view *x = c->x[X];
    if (!c->x[MEAN] != !c->x[SCALE])
        return pn_fail(err, PN_EVALUE, "gather: %s is missing; give both mean and scale, or neither",
                       c->x[MEAN] ? "scale" : "mean");
    if (c->x[MEAN] && x->dtype == PN_INT64)
        return pn_fail(err, PN_EDTYPE, "gather: x is int64, which is not normalised; leave out mean and scale");
    for (int i = MEAN; i <= SCALE && c->x[i]; i++) {
        const char *name = i == MEAN ? "mean" : "scale";
        if (c->x[i]->dtype != c->k->real)
            return pn_fail(err, PN_EDTYPE, "gather: %s is %s; give %s, as the result is", name,
                           pn_dtype_name(c->x[i]->dtype), pn_dtype_name(c->k->real));
        const bool each = c->x[i]->ndim == 1 && x->ndim > 1 && c->x[i]->shape[0] == x->shape[x->ndim - 1];
        if (!each && c->x[i]->size != 1)
            return pn_fail(err, PN_ESHAPE,
                           "gather: %s is %s; give one number, or one for each of the last axis of x, which is %s",
                           name, pn_view_text(c->x[i]).s, pn_view_text(x).s);
        if (c->x[i]->size != c->x[MEAN]->size)
            return pn_fail(err, PN_ESHAPE, "gather: mean is %s and scale is %s; give one shape",
                           pn_view_text(c->x[MEAN]).s, pn_view_text(c->x[SCALE]).s);
    }
    return 0;
}

static int check_rows(const pn_call *c, pn_error *err)
{
    const pn_view *rows = c->x[ROWS];
    if (rows->dtype != PN_INT64)
        return pn_fail(err, PN_EDTYPE, "gather: rows is %s; give int64 row numbers", pn_dtype_name(rows->dtype));
    if (pn_call_check_ndim(c, ROWS, 1, "(m,)", err))
        return -1;
    const pn_index n = c->x[X]->shape[0], wrong = pn_call_numbers_wrong(c, ROWS, n);
    if (wrong < 0)
        return 0;
    return pn_fail(err, PN_EVALUE, "gather: rows[%td] is %lld, but x has rows 0..%td (x is %s)", wrong,
                   (long long)((const int64_t *)rows->data)[wrong], n - 1, pn_view_text(c->x[X]).s);
}

static int rule(pn_call *c, pn_error *err)
{
    const pn_view *x = c->x[X];
    if (x->ndim < 1)
        return pn_fail(err, PN_ESHAPE, "gather: x needs at least 1 axis, the rows; got a scalar");
    if (check_rows(c, err) || check_normalising(c, err))
        return -1;
    pn_view y = *x;
    y.dtype = x->dtype == PN_INT64 ? PN_INT64 : c->k->real;
    y.shape[0] = c->x[ROWS]->size;
    c->forward_scratch = pn_view_bytes(c->x[ROWS]);
    return pn_call_output_like(c, 0, &y, err);
}

static void forward(const pn_call *c)
{
    const pn_view *x = c->x[X], *mean = c->x[MEAN], *scale = c->x[SCALE];
    const pn_index n = c->x[ROWS]->size, len = pn_view_count(x, 1, x->ndim);
    const int64_t *rows = pn_call_numbers(c, ROWS, x->shape[0], NULL, c->scratch);
    if (x->dtype == PN_INT64) {
        for (pn_index r = 0; r < n; r++)
            memcpy((int64_t *)c->y[0].data + r * len, (const int64_t *)x->data + rows[r] * len,
                   (size_t)len * sizeof(int64_t));
        return;
    }
    c->k->gather(c->team, &(pn_gather){ .from = x->dtype,
                                        .rows = n,
                                        .len = len,
                                        .channels = mean ? mean->size : 1,
                                        .index = rows,
                                        .x = x->data,
                                        .mean = mean ? mean->data : NULL,
                                        .scale = scale ? scale->data : NULL,
                                        .y = c->y[0].data });
}

const pn_op pn_op_gather = {
    .name = "gather",
    .inputs = "x rows mean? scale?",
    .n_out = 1,
    .differentiable = false,
    .doc = "A batch of rows, as floats and normalised: (x[rows] - mean) * scale; it has no gradient.\n\n"
           "x: (n, ...) uint8, float or int64; rows: int64 (m,); mean, scale: one number, or one for each of the last "
           "axis;\n"
           "returns (m, ...): uint8 becomes dtype, other dtypes are kept.\n\n"
           ">>> images = np.full((10, 28, 28, 1), 255, \"uint8\")\n"
           ">>> pn.ops.gather(images, np.array([3, 1]), np.float32(0), np.float32(1 / 255)).shape\n(2, 28, 28, 1)",
    PN_PARAMS,
    .real = real,
    .rule = rule,
    .forward = forward,
};
