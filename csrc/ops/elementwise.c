/* elementwise.c -- the ops of kernels/elementwise.def: y = f(x), y = f(a, b) and comparisons.
 *
 * Everything here is made from that table's rows.  A binary operand may be the last axes of the other's shape (a
 * bias, a scalar); its gradient is then summed over the repeats, by way of a full-size gradient in scratch, except
 * that of add and sub, which is summed from dy itself. */
#include "ops/op.h"

enum { KEEP_NOTHING, KEEP_X, KEEP_Y, KEEP_AB, KEEP_BY };

/* ---- parameters of the few functions that have them ------------------------------------------------------------ */

typedef struct unary_params {
    double p[2];
} unary_params;

static const unary_params no_unary, leaky_relu_defaults = { { 0.01, 0 } };
static const pn_param pow_params[] = {
    PN_PARAM_ROW("exponent", no_unary, p[0], PN_P_FLOAT, true, "the constant power"),
};
static const pn_param clip_params[] = {
    PN_PARAM_ROW("low", no_unary, p[0], PN_P_FLOAT, true, "least value"),
    PN_PARAM_ROW("high", no_unary, p[1], PN_P_FLOAT, true, "greatest value, at least low"),
};
static const pn_param leaky_relu_params[] = {
    PN_PARAM_ROW("slope", no_unary, p[0], PN_P_FLOAT, false, "factor of negative values"),
};
static const pn_param gelu_params[] = {
    PN_PARAM_ROW("approximate", no_unary, p[0], PN_P_APPROXIMATE, false, "\"none\" (exact) or \"tanh\""),
};

/* FIELDS(FIELDS_name) is what follows `~,` where FIELDS_name is defined, and nothing elsewhere; SAMPLE likewise. */
#define REST(probe, ...) __VA_ARGS__
#define FIELDS(probe) REST(probe, )
#define SECOND(probe, second, ...) second
#define SAMPLE(probe) SECOND(probe, "", "")
#define TABLE(name, values) PN_PARAMS_OF(name##_params, values)
#define FIELDS_pow ~, TABLE(pow, no_unary)
#define FIELDS_clip ~, TABLE(clip, no_unary)
#define FIELDS_leaky_relu ~, TABLE(leaky_relu, leaky_relu_defaults)
#define FIELDS_gelu ~, TABLE(gelu, no_unary)
#define SAMPLE_pow ~, ", exponent=2"
#define SAMPLE_clip ~, ", low=0, high=0.75"

/* ---- y = f(x) -------------------------------------------------------------------------------------------------- */

/* Functions of integers take whole parameters, and powers that are integers again. */
static int check_whole(const pn_call *c, pn_error *err)
{
    const unary_params *params = c->params;
    for (int i = 0; i < c->op->n_params; i++) {
        const double p = params->p[i];
        if (!(p >= -0x1p53 && p <= 0x1p53 && (double)(int64_t)p == p) || (c->op == &pn_op_pow && p < 0))
            return pn_fail(err, PN_EVALUE, "%s: x is %s and %s is %g; give a whole number%s, or x.astype(\"float32\")",
                           c->op->name, pn_dtype_name(c->x[0]->dtype), c->op->params[i].name, p,
                           c->op == &pn_op_pow ? " from 0 up" : "");
    }
    return 0;
}

static int unary_rule(pn_call *c, int keep, pn_error *err)
{
    if (pn_call_check_promoted(c, err) || (!pn_dtype_is_real(c->x[0]->dtype) && check_whole(c, err)) ||
        pn_call_output_like(c, 0, c->x[0], err))
        return -1;
    const unary_params *params = c->params;
    if (c->op == &pn_op_clip && !(params->p[0] <= params->p[1]))
        return pn_fail(err, PN_EVALUE, "clip: low is %g and high is %g; give low <= high", params->p[0], params->p[1]);
    if (c->op == &pn_op_clip && c->x[0]->dtype == PN_UINT8 && (params->p[0] > UINT8_MAX || params->p[1] < 0))
        return pn_fail(err, PN_EVALUE,
                       "clip: no uint8 is from %g to %g; give bounds that reach 0 to 255, or "
                       "x.astype(\"int64\")",
                       params->p[0], params->p[1]);
    c->keep_x = keep == KEEP_X ? PN_KEEP_X(0) : 0;
    c->keep_y = keep == KEEP_Y ? PN_KEEP_Y(0) : 0;
    return 0;
}

static pn_unary unary_job(const pn_call *c, pn_unary_f f)
{
    pn_unary job = { .f = f,
                     .n = c->y[0].size,
                     .x = c->x[0]->data,
                     .y = c->y[0].data,
                     .dy = c->dy[0],
                     .dx = c->dx[0],
                     .add = c->add[0] };
    const unary_params *params = c->params;
    for (int i = 0; i < c->op->n_params; i++)
        job.p[i] = params->p[i];
    return job;
}

static void unary_forward(const pn_call *c, pn_unary_f f)
{
    const pn_unary job = unary_job(c, f);
    c->k->unary_forward(c->team, &job);
}

static void unary_backward(const pn_call *c, pn_unary_f f)
{
    const pn_unary job = unary_job(c, f);
    if (job.dx)
        c->k->unary_backward(c->team, &job);
}

/* ---- y = f(a, b) ----------------------------------------------------------------------------------------------- */

typedef struct binary_plan {
    size_t full, sums, work, total;
} binary_plan; /* scratch, for operand i's gradient */

static bool is_sum(pn_binary_f f) { return f == PN_B_add || f == PN_B_sub; }

static binary_plan plan_operand(const pn_call *c, pn_binary_f f, int i)
{
    const pn_index n = c->y[0].size, period = c->x[i]->size;
    binary_plan plan = { .total = 0 };
    if (!is_sum(f))
        plan.full = pn_part(&plan.total, n, pn_call_item(c));
    else if (f == PN_B_sub && i == 1)
        plan.sums = pn_part(&plan.total, period, pn_call_item(c));
    plan.work = pn_part(&plan.total, 1, pn_call_sum_rows_work(c, n, period));
    return plan;
}

static int binary_rule(pn_call *c, pn_binary_f f, int keep, pn_error *err)
{
    if (pn_call_check_promoted(c, err) || pn_call_output_widest(c, 0, c->x[0]->dtype, err))
        return -1;
    c->keep_x = (keep == KEEP_AB ? PN_KEEP_X(0) : 0) | (keep == KEEP_NOTHING ? 0 : PN_KEEP_X(1));
    c->keep_y = keep == KEEP_BY ? PN_KEEP_Y(0) : 0;
    for (int i = 0; i < 2; i++)
        if (c->wants[i] && c->x[i]->size != c->y[0].size) {
            const size_t total = plan_operand(c, f, i).total;
            c->backward_scratch = total > c->backward_scratch ? total : c->backward_scratch;
        }
    return 0;
}

static pn_binary binary_job(const pn_call *c, pn_binary_f f)
{
    return (pn_binary){ .f = f,
                        .n = c->y[0].size,
                        .na = c->x[0]->size,
                        .nb = c->x[1]->size,
                        .a = c->x[0]->data,
                        .b = c->x[1]->data,
                        .y = c->y[0].data,
                        .dy = c->dy[0] };
}

static void binary_forward(const pn_call *c, pn_binary_f f)
{
    const pn_binary job = binary_job(c, f);
    c->k->binary_forward(c->team, &job);
}

static void full_gradient(const pn_call *c, pn_binary_f f, int i, void *d, bool add)
{
    pn_binary job = binary_job(c, f);
    job.d = d;
    job.add = add;
    (i == 0 ? c->k->binary_da : c->k->binary_db)(c->team, &job);
}

/* The gradient of an operand that was repeated. */
static void summed_gradient(const pn_call *c, pn_binary_f f, int i)
{
    const pn_index n = c->y[0].size, period = c->x[i]->size;
    const binary_plan plan = plan_operand(c, f, i);
    void *work = pn_at(c->scratch, plan.work);
    if (!is_sum(f)) {
        void *full = pn_at(c->scratch, plan.full);
        full_gradient(c, f, i, full, false);
        pn_call_sum_rows(c, full, n, period, c->dx[i], c->add[i], work);
    } else if (f == PN_B_sub && i == 1) {
        void *sums = pn_at(c->scratch, plan.sums);
        pn_call_sum_rows(c, c->dy[0], n, period, sums, false, work);
        c->k->axpy(c->team, &(pn_axpy){ .n = period, .a = -1, .x = sums, .y = c->dx[i], .add = c->add[i] });
    } else {
        pn_call_sum_rows(c, c->dy[0], n, period, c->dx[i], c->add[i], work);
    }
}

static void binary_backward(const pn_call *c, pn_binary_f f)
{
    for (int i = 0; i < 2; i++) {
        if (!c->dx[i])
            continue;
        if (c->x[i]->size == c->y[0].size)
            full_gradient(c, f, i, c->dx[i], c->add[i]);
        else
            summed_gradient(c, f, i);
    }
}

/* ---- comparisons ----------------------------------------------------------------------------------------------- */

static int compare_rule(pn_call *c, pn_error *err)
{
    return pn_call_check_promoted(c, err) || pn_call_output_widest(c, 0, PN_UINT8, err) ? -1 : 0;
}

static void compare_forward(const pn_call *c, pn_compare_f f)
{
    c->k->compare(c->team, &(pn_compare){ .f = f,
                                          .n = c->y[0].size,
                                          .na = c->x[0]->size,
                                          .nb = c->x[1]->size,
                                          .a = c->x[0]->data,
                                          .b = c->x[1]->data,
                                          .y = c->y[0].data });
}

/* ---- one op a row ---------------------------------------------------------------------------------------------- */

#define UNARY(op_, keep, y, dx, doc_)                                                                                  \
    static int op_##_rule(pn_call *c, pn_error *err) { return unary_rule(c, KEEP_##keep, err); }                       \
    static void op_##_forward(const pn_call *c) { unary_forward(c, PN_U_##op_); }                                      \
    static void op_##_backward(const pn_call *c) { unary_backward(c, PN_U_##op_); }                                    \
    const pn_op pn_op_##op_ = { .name = #op_,                                                                          \
                                .inputs = "x",                                                                         \
                                .n_out = 1,                                                                            \
                                .differentiable = true,                                                                \
                                .doc =                                                                                 \
                                    "Elementwise: " doc_ ".\n\nx: any shape; returns the same shape.\n\n"              \
                                    ">>> pn.ops." #op_ "(np.float32([0.5, 1.0])" SAMPLE(SAMPLE_##op_) ").shape\n(2,)", \
                                .rule = op_##_rule,                                                                    \
                                .forward = op_##_forward,                                                              \
                                .backward = op_##_backward,                                                            \
                                .overwrites = true,                                                                    \
                                .in_place = true,                                                                      \
                                .promotion = PN_INTEGER_UNARIES >> PN_U_##op_ & 1 ? PN_EXACT : PN_REAL,                \
                                .promotes = 1,                                                                         \
                                FIELDS(FIELDS_##op_) };

#define BINARY(op_, keep, y, da, db, doc_)                                                                    \
    static int op_##_rule(pn_call *c, pn_error *err) { return binary_rule(c, PN_B_##op_, KEEP_##keep, err); } \
    static void op_##_forward(const pn_call *c) { binary_forward(c, PN_B_##op_); }                            \
    static void op_##_backward(const pn_call *c) { binary_backward(c, PN_B_##op_); }                          \
    const pn_op pn_op_##op_ = {                                                                               \
        .name = #op_,                                                                                         \
        .inputs = "a b",                                                                                      \
        .n_out = 1,                                                                                           \
        .differentiable = true,                                                                               \
        .broadcasts = 3,                                                                                      \
        .in_place = true,                                                                                     \
        .promotion = PN_INTEGER_BINARIES >> PN_B_##op_ & 1 ? PN_EXACT : PN_REAL,                              \
        .promotes = 3,                                                                                        \
        .passes = PN_B_##op_ == PN_B_add   ? 3                                                                \
                  : PN_B_##op_ == PN_B_sub ? 1                                                                \
                                           : 0,                                                               \
        .doc = "Elementwise: " doc_ ".\n\na, b: any shapes that broadcast; returns the broadcast shape.\n\n"  \
               ">>> pn.ops." #op_ "(np.ones((2, 3), \"float32\"), np.float32([1, 2, 3])).shape\n(2, 3)",      \
        .rule = op_##_rule,                                                                                   \
        .forward = op_##_forward,                                                                             \
        .backward = op_##_backward,                                                                           \
    };

#define COMPARE(op_, mask, doc_)                                                          \
    static void op_##_forward(const pn_call *c) { compare_forward(c, PN_C_##op_); }       \
    const pn_op pn_op_##op_ = {                                                           \
        .name = #op_,                                                                     \
        .inputs = "a b",                                                                  \
        .n_out = 1,                                                                       \
        .differentiable = false,                                                          \
        .broadcasts = 3,                                                                  \
        .promotion = PN_COMPARED,                                                         \
        .promotes = 3,                                                                    \
        .doc = "Elementwise: " doc_ "; it has no gradient.\n\n"                           \
               "a, b: any shapes that broadcast; returns the broadcast shape, uint8.\n\n" \
               ">>> pn.ops." #op_ "(np.float32([1, 2]), 2.0).dtype\n'uint8'",             \
        .rule = compare_rule,                                                             \
        .forward = op_##_forward,                                                         \
    };

#include "kernels/elementwise.def"
