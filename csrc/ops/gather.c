/* gather.c -- y[r] = (x[rows[r]] - mean) * scale: gathers a batch from a dataset, converted to float and normalised.
 *
 * x: (n, ...) uint8, float or int64; rows: int64 (m,); mean, scale: one number, or one per channel (last axis);
 * y: (m, ...) with the dtype of x, or for uint8 the dtype in the parameter.  It is for data and has no gradient. */
#include "kernels/image.h"
#include "ops/gathering.h"

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
    return pn_gathering_real(c, p->dtype);
}

static int rule(pn_call *c, pn_error *err)
{
    const pn_view *x = c->x[X];
    if (x->ndim < 1)
        return pn_fail(err, PN_ESHAPE, "gather: x needs at least 1 axis, the rows; got a scalar");
    if (pn_gathering_check_rows(c, ROWS, err) || pn_gathering_check_normalising(c, MEAN, err))
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
