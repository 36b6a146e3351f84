/* elementwise.c -- the ops of kernels/elementwise.def: y = f(x), y = f(a, b) and comparisons.
 *
 * Everything here is generated from the rows of that table.  The shape of one binary operand may be a suffix of the
 * other's (a bias, a scalar); its gradient is then computed in full size in scratch, and summed over the repetitions.
 * If the gradient reads dy alone, as for add and sub, dy is summed directly. */
#include <string.h>

#include "kernels/integers.h"
#include "kernels/map.h"
#include "ops/op.h"

/* ---- y = f(x) -------------------------------------------------------------------------------------------------- */

typedef struct unary_params {
    double p[PN_MAP_PARAMS];
} unary_params;

/* A row of the table, in the form that the functions below take. */
typedef struct unary_row {
    pn_unary_f f;
    int reads;
    int (*broken)(const double *p);        /* the first parameter whose condition is violated, or -1 */
    const char *conditions[PN_MAP_PARAMS]; /* their text */
} unary_row;

static int check_conditions(const pn_call *c, const unary_row *row, pn_error *err)
{
    const unary_params *params = c->params;
    const pn_param *name = c->op->params;
    const double *p = params->p;
    const int i = row->broken(p);
    if (i < 0)
        return 0;
    if (c->op->n_params == 1)
        return pn_fail(err, PN_EVALUE, "%s: %s is %g; give %s", c->op->name, name[0].name, p[0], row->conditions[i]);
    return pn_fail(err, PN_EVALUE, "%s: %s is %g and %s is %g; give %s", c->op->name, name[0].name, p[0], name[1].name,
                   p[1], row->conditions[i]);
}

/* For integers, parameters must be whole, a power must not be negative, and some uint8 must be within clip's bounds. */
static int check_integers(const pn_call *c, pn_error *err)
{
    const double *p = ((const unary_params *)c->params)->p;
    const bool is_power = strcmp(c->op->name, "pow") == 0;
    for (int i = 0; i < c->op->n_params; i++) {
        if (!(p[i] >= -0x1p53 && p[i] <= 0x1p53 && (double)(int64_t)p[i] == p[i]) || (is_power && p[i] < 0))
            return pn_fail(err, PN_EVALUE, "%s: x is %s and %s is %g; give a whole number%s, or x.astype(\"float32\")",
                           c->op->name, pn_dtype_name(c->x[0]->dtype), c->op->params[i].name, p[i],
                           is_power ? " from 0 up" : "");
    }
    if (c->op == &pn_op_clip && c->x[0]->dtype == PN_UINT8 && (p[0] > UINT8_MAX || p[1] < 0))
        return pn_fail(err, PN_EVALUE,
                       "clip: no uint8 is from %g to %g; give bounds that reach 0 to 255, or x.astype(\"int64\")", p[0],
                       p[1]);
    return 0;
}

static int unary_rule(pn_call *c, const unary_row *row, pn_error *err)
{
    if (pn_call_check_promoted(c, err) || check_conditions(c, row, err) ||
        (!pn_dtype_is_real(c->x[0]->dtype) && check_integers(c, err)) || pn_call_output_like(c, 0, c->x[0], err))
        return -1;
    c->keep_x = row->reads & PN_READS_X ? PN_KEEP_X(0) : 0;
    c->keep_y = row->reads & PN_READS_Y ? PN_KEEP_Y(0) : 0;
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

typedef struct binary_row {
    pn_binary_f f;
    int reads[2]; /* of the gradient of each operand */
} binary_row;

static bool reads_dy_alone(const binary_row *row, int i) { return (row->reads[i] & ~PN_READS_DY) == 0; }

typedef struct operand_plan {
    size_t full, sums, work, total;
} operand_plan; /* scratch, for operand i's gradient */

static operand_plan plan_operand(const pn_call *c, const binary_row *row, int i)
{
    const pn_index n = c->y[0].size, period = c->x[i]->size;
    operand_plan plan = { .total = 0 };
    if (!reads_dy_alone(row, i))
        plan.full = pn_part(&plan.total, n, pn_call_item(c));
    else if (row->reads[i] != PN_READS_DY)
        plan.sums = pn_part(&plan.total, period, pn_call_item(c));
    plan.work = pn_part(&plan.total, 1, pn_call_sum_rows_work(c, n, period));
    return plan;
}

static int binary_rule(pn_call *c, const binary_row *row, pn_error *err)
{
    if (pn_call_check_promoted(c, err) || pn_call_output_widest(c, 0, c->x[0]->dtype, err))
        return -1;
    for (int i = 0; i < 2; i++) {
        if (!c->wants[i])
            continue;
        c->keep_x |= (row->reads[i] & PN_READS_A ? PN_KEEP_X(0) : 0) | (row->reads[i] & PN_READS_B ? PN_KEEP_X(1) : 0);
        c->keep_y |= row->reads[i] & PN_READS_Y ? PN_KEEP_Y(0) : 0;
        if (c->x[i]->size != c->y[0].size)
            c->backward_scratch = pn_larger(c->backward_scratch, plan_operand(c, row, i).total);
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

static void operand_gradient(const pn_call *c, int i, const pn_binary *job)
{
    (i == 0 ? c->k->binary_da : c->k->binary_db)(c->team, job);
}

/* The gradient of an operand that was broadcast. */
static void summed_gradient(const pn_call *c, const binary_row *row, int i)
{
    const pn_index n = c->y[0].size, period = c->x[i]->size;
    const operand_plan plan = plan_operand(c, row, i);
    void *work = pn_at(c->scratch, plan.work);
    pn_binary job = binary_job(c, row->f);
    if (!reads_dy_alone(row, i)) {
        job.d = pn_at(c->scratch, plan.full);
        operand_gradient(c, i, &job);
        pn_call_sum_rows(c, job.d, n, period, c->dx[i], c->add[i], work);
    } else if (row->reads[i] == PN_READS_DY) {
        pn_call_sum_rows(c, c->dy[0], n, period, c->dx[i], c->add[i], work);
    } else {
        void *sums = pn_at(c->scratch, plan.sums);
        pn_call_sum_rows(c, c->dy[0], n, period, sums, false, work);
        operand_gradient(c, i, &(pn_binary){ .f = row->f, .n = period, .dy = sums, .d = c->dx[i], .add = c->add[i] });
    }
}

static void binary_backward(const pn_call *c, const binary_row *row)
{
    for (int i = 0; i < 2; i++) {
        if (!c->dx[i])
            continue;
        pn_binary job = binary_job(c, row->f);
        job.d = c->dx[i];
        job.add = c->add[i];
        if (c->x[i]->size == c->y[0].size)
            operand_gradient(c, i, &job);
        else
            summed_gradient(c, row, i);
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

/* ---- one op per row -------------------------------------------------------------------------------------------- */

/* What a parameter gives: a default, a number of that name, a check, its text, a row of the op's list, and an argument
 * in the example. */
#define ANY true
#define VALUE(i, name, kind, value, ...) value,
#define NUMBER(i, name, ...) const double name __attribute__((unused)) = p[i];
#define CHECK(i, name, kind, value, condition, ...) \
    if (!(condition))                               \
        return i;
#define CONDITION(i, name, kind, value, condition, ...) #condition,
#define PARAM(i, name, kind, value, condition, doc) PARAM_##kind(i, #name, doc)
#define EXAMPLE(i, name, kind, value, ...) EXAMPLE_##kind(name, value)

#define PARAM_FLOAT(i, name, doc) PN_PARAM_ROW(name, (*(const unary_params *)NULL), p[i], PN_P_FLOAT, false, doc),
#define PARAM_REQUIRED(i, name, doc) PN_PARAM_ROW(name, (*(const unary_params *)NULL), p[i], PN_P_FLOAT, true, doc),
#define PARAM_APPROXIMATE(i, name, doc) \
    PN_PARAM_ROW(name, (*(const unary_params *)NULL), p[i], PN_P_APPROXIMATE, false, doc),
#define EXAMPLE_FLOAT(name, value) ""
#define EXAMPLE_REQUIRED(name, value) ", " #name "=" #value
#define EXAMPLE_APPROXIMATE(name, value) ""

#define UNARY(op_, doc_, ns, y, back_ns, reads_, dx, ...)                                                          \
    static int op_##_broken(__attribute__((unused)) const double *p)                                               \
    {                                                                                                              \
        PN_EACH_PARAM(NUMBER, ##__VA_ARGS__)                                                                       \
        PN_EACH_PARAM(CHECK, ##__VA_ARGS__)                                                                        \
        return -1;                                                                                                 \
    }                                                                                                              \
    static const unary_row op_##_row = { .f = PN_U_##op_,                                                          \
                                         .reads = PN_READS_##reads_,                                               \
                                         .broken = op_##_broken,                                                   \
                                         .conditions = { PN_EACH_PARAM(CONDITION, ##__VA_ARGS__) } };              \
    static const double op_##_values[] = { PN_EACH_PARAM(VALUE, ##__VA_ARGS__) };                                  \
    static const pn_param op_##_params[] = { PN_EACH_PARAM(PARAM, ##__VA_ARGS__) };                                \
    static int op_##_rule(pn_call *c, pn_error *err) { return unary_rule(c, &op_##_row, err); }                    \
    static void op_##_forward(const pn_call *c) { unary_forward(c, PN_U_##op_); }                                  \
    static void op_##_backward(const pn_call *c) { unary_backward(c, PN_U_##op_); }                                \
    const pn_op pn_op_##op_ = {                                                                                    \
        .name = #op_,                                                                                              \
        .inputs = "x",                                                                                             \
        .n_out = 1,                                                                                                \
        .differentiable = true,                                                                                    \
        .doc = "Elementwise: " doc_ ".\n\nx: any shape; returns the same shape.\n\n"                               \
               ">>> pn.ops." #op_ "(np.float32([0.5, 1.0])" PN_EACH_PARAM(EXAMPLE, ##__VA_ARGS__) ").shape\n(2,)", \
        PN_PARAMS_OF(op_##_params, op_##_values),                                                                  \
        .rule = op_##_rule,                                                                                        \
        .forward = op_##_forward,                                                                                  \
        .backward = op_##_backward,                                                                                \
        .overwrites = true,                                                                                        \
        .in_place = true,                                                                                          \
        .promotion = PN_INTEGER_UNARIES >> PN_U_##op_ & 1 ? PN_EXACT : PN_REAL,                                    \
        .promotes = 1,                                                                                             \
    };

#define BINARY(op_, doc_, ns, y, a_ns, a_reads, da, b_ns, b_reads, db)                                            \
    static const binary_row op_##_row = { .f = PN_B_##op_, .reads = { PN_READS_##a_reads, PN_READS_##b_reads } }; \
    static int op_##_rule(pn_call *c, pn_error *err) { return binary_rule(c, &op_##_row, err); }                  \
    static void op_##_forward(const pn_call *c) { binary_forward(c, PN_B_##op_); }                                \
    static void op_##_backward(const pn_call *c) { binary_backward(c, &op_##_row); }                              \
    const pn_op pn_op_##op_ = {                                                                                   \
        .name = #op_,                                                                                             \
        .inputs = "a b",                                                                                          \
        .n_out = 1,                                                                                               \
        .differentiable = true,                                                                                   \
        .broadcasts = 3,                                                                                          \
        .in_place = true,                                                                                         \
        .promotion = PN_INTEGER_BINARIES >> PN_B_##op_ & 1 ? PN_EXACT : PN_REAL,                                  \
        .promotes = 3,                                                                                            \
        .passes = (PN_READS_##a_reads == PN_READS_DY) | (PN_READS_##b_reads == PN_READS_DY) << 1,                 \
        .doc = "Elementwise: " doc_ ".\n\na, b: any shapes that broadcast; returns the broadcast shape.\n\n"      \
               ">>> pn.ops." #op_ "(np.ones((2, 3), \"float32\"), np.float32([1, 2, 3])).shape\n(2, 3)",          \
        .rule = op_##_rule,                                                                                       \
        .forward = op_##_forward,                                                                                 \
        .backward = op_##_backward,                                                                               \
    };

#define COMPARE(op_, doc_, mask)                                                          \
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
