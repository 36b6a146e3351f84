/* training.c -- trainings of models: the steps of pn.fit(model, (x, y), validation=None), one at a time.
 *
 * The order of the examples, the batches, the schedule, the random numbers of dropout and the loss are those of
 * pyneural/training/loop.py and batching/feed.py, so that the weights have the same bits. */
#include <math.h>
#include <string.h>

#include "base/rng.h"
#include "model/inside.h"

static const double PI = 3.14159265358979323846,
                    PEAK = 3; /* of one-cycle, by which the optimizer's rate is multiplied */

struct pn_training {
    pn_model *model;
    pn_examples data;
    pn_training_options options;
    pn_plan plan;
    pn_arena arena;
    pn_optimizer *optimizer;
    pn_tensor *labels; /* int64 (n) or (n, 1), borrowed */
    pn_tensor *order;  /* int64 (n): the rows in the order of this epoch */
    pn_index at;       /* where the next batch starts in it; 0: it has to be shuffled */
    int epoch;
    int64_t step;
    pn_index rows;        /* of the current batch */
    double loss, correct; /* sums over the epoch */
};

/* ---- making ------------------------------------------------------------------------------------------------------ */

static void release_nothing(void *owner) { (void)owner; }

static int check_labels(const pn_model *m, const pn_examples *data, pn_error *err)
{
    const pn_head *head = &m->heads[0];
    for (pn_index i = 0; i < data->n; i++)
        if (data->y[i] < 0 || data->y[i] >= head->n_classes)
            return pn_fail(err, PN_EVALUE, "training: label %td is %lld; give class numbers from 0 to %d", i,
                           (long long)data->y[i], head->n_classes - 1);
    return 0;
}

static int check(const pn_model *m, const pn_examples *data, const pn_training_options *o, pn_error *err)
{
    if (m->network.n_heads != 1 || m->by_hand ||
        (m->heads[0].task != PN_TASK_CLASSES && m->heads[0].task != PN_TASK_BINARY))
        return pn_fail(err, PN_ESTATE,
                       "training: %s has no classes or several heads; train a model with one head of classes", m->name);
    if (!m->parameters)
        return pn_fail(err, PN_ESTATE, "training: %s has no parameters", m->name);
    if (data->n < 1 || !data->x || !data->y)
        return pn_fail(err, PN_EVALUE, "training: there are no examples");
    if (o->epochs < 1 || o->batch_size < 1)
        return pn_fail(err, PN_EVALUE, "training: epochs is %d and batch_size %td; give whole numbers of at least 1",
                       o->epochs, o->batch_size);
    return check_labels(m, data, err);
}

static pn_optimizer *new_optimizer(const pn_model *m, const pn_training_options *o, pn_error *err)
{
    const pn_optimizer_kind *kind = pn_optimizer_find(o->optimizer);
    if (!kind) {
        pn_fail(err, PN_EVALUE, "training: the optimizer is '%s'; give sgd, rmsprop, adam or adamw", o->optimizer);
        return NULL;
    }
    pn_hyper hyper = kind->defaults;
    hyper.learning_rate = o->learning_rate;
    return pn_optimizer_new(m->engine, kind, &hyper, m->parameters, 0, NULL, err);
}

static int borrow_labels(pn_training *t, pn_error *err)
{
    pn_view v;
    const pn_index shape[] = { t->data.n, 1 };
    const int ndim = t->model->heads[0].task == PN_TASK_BINARY ? 2 : 1;
    if (pn_view_init(&v, PN_INT64, ndim, shape, "labels", err))
        return -1;
    pn_storage *storage = pn_storage_borrow(t->model->engine, (void *)(uintptr_t)t->data.y, pn_view_bytes(&v), true,
                                            release_nothing, NULL, err);
    t->labels = storage ? pn_tensor_on(storage, 0, &v, err) : NULL;
    pn_storage_unref(storage);
    if (!t->labels || pn_view_init(&v, PN_INT64, 1, shape, "order", err))
        return -1;
    t->order = pn_tensor_new(t->model->engine, &v, err);
    return t->order ? 0 : -1;
}

static pn_training_options completed(const pn_training_options *given)
{
    pn_training_options o = given ? *given : (pn_training_options){ .epochs = 0 };
    o.optimizer = o.optimizer ? o.optimizer : "adam";
    o.epochs = o.epochs ? o.epochs : 5;
    o.batch_size = o.batch_size ? o.batch_size : 64;
    const pn_optimizer_kind *kind = pn_optimizer_find(o.optimizer);
    if (o.learning_rate == 0 && kind)
        o.learning_rate = kind->defaults.learning_rate * (o.constant ? 1 : PEAK);
    return o;
}

pn_training *pn_training_new(pn_model *m, const pn_examples *data, const pn_training_options *options, pn_error *err)
{
    const pn_training_options o = completed(options);
    const bool logits = false;
    if (check(m, data, &o, err))
        return NULL;
    pn_training *t = pn_mem_get_zeroed(m->engine->memory, sizeof *t, err);
    if (!t)
        return NULL;
    t->model = m;
    t->data = *data;
    t->options = o;
    t->arena.memory = m->engine->memory;
    if ((t->optimizer = new_optimizer(m, &o, err)) && borrow_labels(t, err) == 0 &&
        pn_plan_make(&t->plan, &m->network, &t->arena, &logits, err) == 0 &&
        pn_card_begin_training(m, o.seed, err) == 0)
        return t;
    pn_training_free(t);
    return NULL;
}

void pn_training_free(pn_training *t)
{
    if (!t)
        return;
    pn_optimizer_free(t->optimizer);
    pn_tensor_unref(t->labels);
    pn_tensor_unref(t->order);
    pn_arena_free(&t->arena);
    pn_mem_put(t);
}

pn_hyper *pn_training_hyper(pn_training *t) { return pn_optimizer_hyper(t->optimizer); }

/* ---- one step ---------------------------------------------------------------------------------------------------- */

static double number_in(const pn_tensor *scalar)
{
    return scalar->v.dtype == PN_FLOAT64 ? *(const double *)scalar->v.data : (double)*(const float *)scalar->v.data;
}

/* The logits of these rows, and their labels. */
static int run(const pn_training *t, const pn_pass *pass, pn_tensor **logits, pn_tensor **targets, pn_error *err)
{
    pn_model *m = t->model;
    const pn_pass plain = { .engine = m->engine, .dtype = m->network.dtype };
    pn_tensor *rows = pass->samples;
    pn_tensor *x = pn_model_prepare(m, t->data.dtype, t->data.x, t->data.n, rows, rows->v.size, err);
    const int failed = !x || pn_plan_run(&t->plan, &m->network, pass, x, logits, err);
    pn_tensor_unref(x);
    if (!failed)
        *targets = pn_run_op(&plain, &pn_op_gather, 2, (pn_tensor *[]){ t->labels, rows }, NULL, err);
    return *targets ? 0 : -1;
}

/* Computes the loss, and updates the parameters. */
static int learn(pn_training *t, const pn_pass *pass, pn_step *out, pn_error *err)
{
    const pn_pass plain = { .engine = pass->engine, .dtype = pass->dtype };
    const bool binary = t->model->heads[0].task == PN_TASK_BINARY;
    pn_tensor *both[2] = { NULL, NULL }, *loss = NULL, *accuracy = NULL;
    int failed = run(t, pass, &both[0], &both[1], err);
    if (!failed)
        failed = !(loss = pn_run_op(pass, binary ? &pn_op_binary_cross_entropy : &pn_op_cross_entropy, 2, both, NULL,
                                    err)) ||
                 !(accuracy = pn_run_op(&plain, &pn_op_accuracy, 2, both, NULL, err));
    if (!failed) {
        out->loss = number_in(loss);
        out->rows = t->rows;
        out->correct = (pn_index)llround(number_in(accuracy) * (double)out->rows);
        out->learning_rate = pn_optimizer_hyper(t->optimizer)->learning_rate;
        failed = isfinite(out->loss)
                     ? 0
                     : pn_fail(err, PN_EVALUE, "training: the loss became %g; lower the learning rate", out->loss);
        failed = failed || pn_backward(loss, &(pn_backward_options){ .seed = NULL }, err) ||
                 pn_optimizer_step(t->optimizer, err);
    }
    pn_tensor_unref(both[0]);
    pn_tensor_unref(both[1]);
    pn_tensor_unref(loss);
    pn_tensor_unref(accuracy);
    return failed ? -1 : 0;
}

static int step_on(pn_training *t, pn_tensor *rows, uint32_t epoch, pn_step *out, pn_error *err)
{
    const pn_pass pass = { .engine = t->model->engine,
                           .dtype = t->model->network.dtype,
                           .record = true,
                           .training = true,
                           .seed = t->options.seed,
                           .epoch = (pn_index)epoch,
                           .samples = rows };
    *out = (pn_step){ .epoch = t->epoch };
    t->rows = rows->v.size;
    return learn(t, &pass, out, err);
}

int pn_training_step(pn_training *t, const int64_t *rows, pn_index n, uint32_t epoch, pn_step *out, pn_error *err)
{
    pn_view v;
    for (pn_index i = 0; i < n; i++)
        if (rows[i] < 0 || rows[i] >= t->data.n)
            return pn_fail(err, PN_EVALUE, "training: row %lld is not from 0 to %td", (long long)rows[i],
                           t->data.n - 1);
    if (n < 1 || pn_view_init(&v, PN_INT64, 1, &n, "rows", err))
        return pn_fail(err, PN_EVALUE, "training: there are no rows");
    pn_tensor *copy = pn_tensor_new(t->model->engine, &v, err);
    if (!copy)
        return -1;
    memcpy(copy->v.data, rows, (size_t)n * sizeof *rows);
    const int failed = step_on(t, copy, epoch, out, err);
    pn_tensor_unref(copy);
    return failed;
}

/* ---- a whole training -------------------------------------------------------------------------------------------- */

/* Where the batch that starts there ends: a single leftover example joins the batch before it. */
static pn_index end_of(const pn_training *t, pn_index start)
{
    const pn_index n = t->data.n, size = t->options.batch_size, end = pn_min(n, start + size);
    return size > 1 && n - end == 1 ? n : end;
}

static int64_t steps_in_epoch(const pn_training *t)
{
    const pn_index n = t->data.n, size = t->options.batch_size, all = pn_ceil_div(n, size);
    return all - (size > 1 && all > 1 && n % size == 1);
}

/* Up over the first quarter of the steps, then down, along cosines (Smith & Topin 2018). */
static double one_cycle(int64_t step, int64_t steps)
{
    const double rise = fmax(1, 0.25 * (double)steps), s = (double)step;
    const bool rising = s < rise;
    const double low = rising ? 0.04 : 0.001;
    const double at = rising ? 1 - s / rise : (s - rise) / fmax(1, (double)steps - rise);
    return low + (1 - low) * 0.5 * (1 + cos(PI * at));
}

static pn_tensor *rows_of(const pn_training *t, pn_index start, pn_index end, pn_error *err)
{
    pn_view v;
    const pn_index n = end - start;
    if (pn_view_init(&v, PN_INT64, 1, &n, "rows", err))
        return NULL;
    return pn_tensor_on(t->order->storage, (size_t)start * sizeof(int64_t), &v, err);
}

static void finish_epoch(pn_training *t)
{
    pn_card_count_epoch(t->model, t->loss / (double)t->data.n, t->correct / (double)t->data.n);
    t->loss = t->correct = 0;
    t->at = 0;
    t->epoch++;
}

int pn_training_next(pn_training *t, pn_step *out, pn_error *err)
{
    const int64_t steps = t->options.epochs * steps_in_epoch(t);
    const uint32_t epoch = (uint32_t)t->model->epochs;
    if (t->epoch == t->options.epochs)
        return 0;
    if (t->at == 0)
        pn_rng_permutation(t->order->v.data, t->data.n, pn_rng_key(t->options.seed, pn_rng_stream("shuffle")), epoch);
    const pn_index end = end_of(t, t->at);
    pn_tensor *rows = rows_of(t, t->at, end, err);
    pn_hyper *hyper = pn_optimizer_hyper(t->optimizer);
    hyper->learning_rate = t->options.learning_rate * (t->options.constant ? 1 : one_cycle(t->step, steps));
    const int failed = !rows || step_on(t, rows, epoch, out, err);
    pn_tensor_unref(rows);
    if (failed)
        return -1;
    out->step = t->step++;
    out->steps = steps;
    out->ends_epoch = end == t->data.n;
    t->loss += out->loss * (double)out->rows;
    t->correct += (double)out->correct;
    t->at = end;
    if (out->ends_epoch)
        finish_epoch(t);
    return 1;
}
