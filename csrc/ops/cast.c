/* cast.c -- converts to another dtype; between reals the gradient is cast back. */
#include "kernels/convert.h"

#include "ops/op.h"

typedef struct cast_params {
    pn_dtype dtype;
} cast_params;

static const cast_params defaults;
static const pn_param params[] = {
    PN_REQUIRED(dtype, DTYPE, "\"float32\", \"float64\", \"uint8\" or \"int64\""),
};

static int rule(pn_call *c, pn_error *err)
{
    const cast_params *p = c->params;
    return pn_call_output(c, 0, p->dtype, c->x[0]->ndim, c->x[0]->shape, err);
}

static void forward(const pn_call *c)
{
    pn_convert_run(
        c->team,
        &(pn_convert){
            .from = c->x[0]->dtype, .to = c->y[0].dtype, .n = c->y[0].size, .x = c->x[0]->data, .y = c->y[0].data });
}

static void backward(const pn_call *c)
{
    if (c->dx[0])
        pn_convert_run(c->team, &(pn_convert){ .from = c->y[0].dtype,
                                               .to = c->x[0]->dtype,
                                               .n = c->y[0].size,
                                               .x = c->dy[0],
                                               .y = c->dx[0],
                                               .add = c->add[0] });
}

const pn_op pn_op_cast = {
    .name = "cast",
    .inputs = "x",
    .n_out = 1,
    .differentiable = true,
    .doc = "A copy in another dtype.\n\n"
           "x: any shape and dtype; returns the same shape.  float64 is rounded to the nearest float32.  A real is "
           "truncated to an\ninteger and clipped to the range of the dtype; NaN becomes 0.  int64 becomes uint8 modulo "
           "256.  Between float32 and\nfloat64 the gradient is cast back.\n\n"
           ">>> pn.ops.cast(np.float32([1.5, -2.5]), \"int64\").numpy().tolist()\n[1, -2]",
    PN_PARAMS,
    .rule = rule,
    .forward = forward,
    .backward = backward,
};
