/* test_audit.c -- an op that does not keep to what its rule says is named, for each way in which it may not. */
#include "graph/graph.h"
#include "harness.h"

typedef enum {
    RIGHT,
    SCRATCH_NOT_ASKED_FOR,
    SCRATCH_TOO_SMALL,
    SCRATCH_BEFORE_ITS_BEGINNING,
    SCRATCH_READ_UNWRITTEN,
    TASK_SCRATCH_READ_UNWRITTEN,
    SAVED_TOO_SMALL,
    SAVED_NOT_ASKED_FOR,
    OUTPUT_UNWRITTEN,
    FORWARD_MISTAKES, /* those before; those behind are backward's */
    INPUT_NOT_KEPT,
    OUTPUT_NOT_KEPT,
    BACK_SCRATCH_TOO_SMALL,
    GRADIENT_UNWRITTEN,
    GRADIENT_ADDED,
    SAVED_CHANGED,
    MISTAKES,
} mistake;

static const char *const sentences[MISTAKES] = {
    [SCRATCH_NOT_ASKED_FOR] = "wrong: forward writes outside the 0 bytes of scratch that its rule declares",
    [SCRATCH_TOO_SMALL] = "wrong: forward writes outside the 72 bytes of scratch that its rule declares",
    [SCRATCH_BEFORE_ITS_BEGINNING] = "wrong: forward writes outside the 80 bytes of scratch that its rule declares",
    [SCRATCH_READ_UNWRITTEN] = "wrong: forward reads scratch that it has not written",
    [TASK_SCRATCH_READ_UNWRITTEN] = "wrong: forward runs a task that reads its scratch before writing it",
    [SAVED_TOO_SMALL] = "wrong: forward writes outside the 72 bytes of saved memory that its rule declares",
    [SAVED_NOT_ASKED_FOR] = "wrong: forward writes outside the 0 bytes of saved memory that its rule declares",
    [OUTPUT_UNWRITTEN] = "wrong: forward leaves some of its output 0 unwritten",
    [INPUT_NOT_KEPT] = "wrong: backward reads its input b, which its rule does not keep (keep_x)",
    [OUTPUT_NOT_KEPT] = "wrong: backward reads its output 0, which its rule does not keep (keep_y)",
    [BACK_SCRATCH_TOO_SMALL] = "wrong: backward writes outside the 72 bytes of scratch that its rule declares",
    [GRADIENT_UNWRITTEN] = "wrong: backward adds to the gradient of b where it should write it, or leaves some of it "
                           "unwritten",
    [GRADIENT_ADDED] = "wrong: backward adds to the gradient of a where it should write it, or leaves some of it "
                       "unwritten",
    [SAVED_CHANGED] = "wrong: backward gives different results when it is run again: it changes memory that it "
                      "should only read",
};

/* ---- the op: y = a b, by way of scratch and of what it saves; made is what it does wrong ------------------------- */

enum { N = 10, BYTES = N * sizeof(double), A = 0, B };

static mistake made;

static int rule(pn_call *c, pn_error *err)
{
    c->keep_x = PN_KEEP_X(A) | (made == INPUT_NOT_KEPT ? 0 : PN_KEEP_X(B));
    c->keep_y = made == OUTPUT_NOT_KEPT ? 0 : PN_KEEP_Y(0);
    c->saved_bytes = BYTES;
    c->forward_scratch = c->backward_scratch = BYTES;
    if (made == SAVED_TOO_SMALL || made == SAVED_NOT_ASKED_FOR)
        c->saved_bytes = made == SAVED_TOO_SMALL ? BYTES - sizeof(double) : 0;
    if (made == SCRATCH_TOO_SMALL || made == SCRATCH_NOT_ASKED_FOR)
        c->forward_scratch = made == SCRATCH_TOO_SMALL ? BYTES - sizeof(double) : 0;
    if (made == BACK_SCRATCH_TOO_SMALL)
        c->backward_scratch = BYTES - sizeof(double);
    return pn_call_output_like(c, 0, c->x[A], err);
}

static void forward(const pn_call *c)
{
    const double *a = c->x[A]->data, *b = c->x[B]->data;
    double *y = c->y[0].data, *scratch = c->scratch, *saved = c->saved;
    for (int i = made == SCRATCH_READ_UNWRITTEN; i < N; i++)
        scratch[i] = a[i];
    for (int i = made == OUTPUT_UNWRITTEN; i < N; i++)
        y[i] = scratch[i] * b[i];
    for (int i = 0; i < N && saved; i++)
        saved[i] = 1;
    if (made == SCRATCH_BEFORE_ITS_BEGINNING)
        scratch[-1] = 0;
    if (made == TASK_SCRATCH_READ_UNWRITTEN)
        y[0] += ((const double *)c->team->scratch)[7];
}

static void backward(const pn_call *c)
{
    const double *y = c->y[0].data, *dy = c->dy[0];
    double *scratch = c->scratch, *saved = c->saved, *da = c->dx[A], *db = c->dx[B];
    const double *a = c->x[A]->data, *b = c->x[B]->data;
    for (int i = 0; i < N; i++)
        scratch[i] = dy[i] * saved[i];
    for (int i = 0; i < N; i++)
        da[i] = scratch[i] * b[i] + (c->add[A] || made == GRADIENT_ADDED ? da[i] : 0);
    for (int i = made == GRADIENT_UNWRITTEN; i < N; i++)
        db[i] = scratch[i] * a[i] + 0 * y[i] + (c->add[B] ? db[i] : 0);
    if (made == OUTPUT_NOT_KEPT)
        db[0] = y[0];
    if (made == SAVED_CHANGED)
        saved[0] *= 2;
}

static const pn_op op = {
    .name = "wrong",
    .inputs = "a b",
    .n_out = 1,
    .differentiable = true,
    .rule = rule,
    .forward = forward,
    .backward = backward,
};

/* ---- tests ------------------------------------------------------------------------------------------------------- */

static pn_engine *engine;

static pn_tensor *leaf(void)
{
    pn_error error;
    pn_view shape;
    pn_view_init(&shape, PN_FLOAT64, 1, &(pn_index){ N }, "test", &error);
    pn_tensor *t = pn_tensor_new(engine, &shape, &error);
    for (int i = 0; i < N; i++)
        ((double *)t->v.data)[i] = 1 + i;
    pn_tensor_require_grad(t, &error);
    return t;
}

static int sweep(pn_tensor *y, pn_tensor *seed, pn_error *error)
{
    return pn_backward(y, &(pn_backward_options){ .seed = seed, .accumulate = true }, error);
}

/* What it says of the op; "" where nothing. */
static const char *try_op(mistake m, bool *forward_failed)
{
    static pn_error error;
    pn_tensor *a = leaf(), *b = leaf(), *y = NULL;
    error.text[0] = 0;
    made = m;
    *forward_failed = pn_apply(engine, &op, 2, (pn_tensor *[]){ a, b }, NULL, true, &y, &error) != 0;
    if (!*forward_failed) {
        sweep(y, a, &error);
        pn_tensor_unref(y);
    }
    pn_tensor_unref(a);
    pn_tensor_unref(b);
    return error.text;
}

TEST(an_op_that_keeps_to_its_rule_gives_what_it_gives_without_the_audit)
{
    pn_error error;
    engine = pn_engine_new(&(pn_engine_options){ .threads = 1 }, &error);
    double sums[2] = { 0, 0 };
    for (int audit = 0; audit < 2; audit++) {
        pn_tensor *a = leaf(), *b = leaf(), *y = NULL;
        made = RIGHT;
        engine->audit = audit;
        for (int again = 0; again < 2; again++) { /* gradients are written, then added to */
            REQUIRE(pn_apply(engine, &op, 2, (pn_tensor *[]){ a, b }, NULL, true, &y, &error) == 0);
            REQUIRE(sweep(y, a, &error) == 0);
            pn_tensor_unref(y);
        }
        for (int i = 0; i < N; i++)
            sums[audit] += (i + 1) * ((double *)a->slot->grad->v.data)[i] + ((double *)b->slot->grad->v.data)[i];
        pn_tensor_unref(a);
        pn_tensor_unref(b);
    }
    CHECK(sums[0] > 0);
    CHECK_CLOSE(sums[1], sums[0], 0);
    pn_engine_free(engine);
}

TEST(each_mistake_is_named)
{
    pn_error error;
    engine = pn_engine_new(&(pn_engine_options){ .threads = 1 }, &error);
    engine->audit = true;
    bool forward_failed;
    CHECK_TEXT(try_op(RIGHT, &forward_failed), "");
    for (mistake m = RIGHT + 1; m < MISTAKES; m++)
        if (m != FORWARD_MISTAKES) {
            CHECK_TEXT(try_op(m, &forward_failed), sentences[m]);
            CHECK_INT(forward_failed, m < FORWARD_MISTAKES);
        }
    pn_engine_free(engine);
}

TESTS(an_op_that_keeps_to_its_rule_gives_what_it_gives_without_the_audit, each_mistake_is_named)
