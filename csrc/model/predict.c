/* predict.c -- predictions: batches prepared, run, and turned into probabilities or values.
 *
 * With flip, the answers are means over the images and their mirror images; a temperature divides the logits of that
 * mean.  (pyneural/evaluation/running.py and pooling.py.) */
#include <math.h>
#include <string.h>

#include "model/inside.h"

enum { MOST_ROWS = 500, WIDEST = 1 << 21 };

pn_index pn_model_rows(const pn_model *m) { return pn_max(1, pn_min(MOST_ROWS, WIDEST / pn_max(1, m->widest))); }

/* ---- small steps, each of which gives up its operand ------------------------------------------------------------- */

static pn_tensor *then(const pn_pass *pass, const pn_op *op, pn_tensor *x, pn_error *err)
{
    pn_tensor *y = x ? pn_run_op(pass, op, 1, &x, NULL, err) : NULL;
    pn_tensor_unref(x);
    return y;
}

static pn_tensor *then_number(const pn_pass *pass, const pn_op *op, pn_tensor *x, double b, pn_error *err)
{
    pn_tensor *y = x ? pn_run_number(pass, op, x, b, false, err) : NULL;
    pn_tensor_unref(x);
    return y;
}

static pn_tensor *then_cast(const pn_pass *pass, pn_tensor *x, pn_dtype dtype, pn_error *err)
{
    _Alignas(16) char params[PN_MAX_PARAM_BYTES] = { 0 };
    if (!x || x->v.dtype == dtype)
        return x;
    *(pn_dtype *)pn_op_field(&pn_op_cast, "dtype", params) = dtype;
    pn_tensor *y = pn_run_op(pass, &pn_op_cast, 1, &x, params, err);
    pn_tensor_unref(x);
    return y;
}

static pn_tensor *both(const pn_pass *pass, const pn_op *op, pn_tensor *a, pn_tensor *b, pn_error *err)
{
    pn_tensor *y = a && b ? pn_run_op(pass, op, 2, (pn_tensor *[]){ a, b }, NULL, err) : NULL;
    pn_tensor_unref(a);
    pn_tensor_unref(b);
    return y;
}

/* ---- answers of one pass ----------------------------------------------------------------------------------------- */

/* Probabilities of logits; of what is written as it is, itself.  Gives up its operand. */
static pn_tensor *answer(const pn_model *m, const pn_pass *pass, int head, pn_tensor *outputs, pn_error *err)
{
    if (m->written[head])
        return outputs;
    return then(pass, m->heads[head].task == PN_TASK_CLASSES ? &pn_op_softmax : &pn_op_sigmoid, outputs, err);
}

/* The outputs of a single pass; those of a regression in the units of its targets. */
static int run_once(const pn_model *m, const pn_pass *pass, pn_tensor *x, pn_tensor **out, pn_error *err)
{
    if (pn_plan_run(&m->plan, &m->network, pass, x, out, err))
        return -1;
    for (int h = 0; h < m->network.n_heads; h++) {
        if (!m->means[h])
            continue;
        pn_tensor *spread = pn_run_op(pass, &pn_op_mul, 2, (pn_tensor *[]){ out[h], m->deviations[h] }, NULL, err);
        pn_tensor_unref(out[h]);
        out[h] = spread ? pn_run_op(pass, &pn_op_add, 2, (pn_tensor *[]){ spread, m->means[h] }, NULL, err) : NULL;
        pn_tensor_unref(spread);
        if (!out[h])
            return -1;
    }
    return 0;
}

static int answer_once(const pn_model *m, const pn_pass *pass, pn_tensor *x, pn_tensor **out, pn_error *err)
{
    if (run_once(m, pass, x, out, err))
        return -1;
    int failed = 0;
    for (int h = 0; h < m->network.n_heads; h++) {
        if (!m->written[h] && m->heads[h].temperature != 1)
            out[h] = then_number(pass, &pn_op_mul, out[h], 1 / m->heads[h].temperature, err);
        out[h] = out[h] ? answer(m, pass, h, out[h], err) : NULL;
        failed |= !out[h];
    }
    return failed ? -1 : 0;
}

/* ---- means over an image and its mirror image -------------------------------------------------------------------- */

static pn_tensor *mirrored(const pn_pass *pass, pn_tensor *x, pn_error *err)
{
    _Alignas(16) char params[PN_MAX_PARAM_BYTES] = { 0 };
    const pn_slices whole = {
        .n = 3, .start = { 0, 0, PTRDIFF_MAX }, .stop = { PTRDIFF_MAX, PTRDIFF_MAX, -PTRDIFF_MAX }, .step = { 1, 1, -1 }
    };
    memcpy(pn_op_field(&pn_op_slice, "slices", params), &whole, sizeof whole);
    return pn_run_op(pass, &pn_op_slice, 1, &x, params, err);
}

/* The mean of two, summed in float64. */
static pn_tensor *mean_of_two(const pn_pass *pass, pn_tensor *a, pn_tensor *b, pn_error *err)
{
    a = then_cast(pass, a, PN_FLOAT64, err);
    b = then_cast(pass, b, PN_FLOAT64, err);
    return then_cast(pass, then_number(pass, &pn_op_div, both(pass, &pn_op_add, a, b, err), 2, err), pass->dtype, err);
}

/* log((exp(a) + exp(b)) / 2) */
static pn_tensor *log_mean(const pn_pass *pass, pn_tensor *a, pn_tensor *b, pn_error *err)
{
    _Alignas(16) char axis0[PN_MAX_PARAM_BYTES], params[PN_MAX_PARAM_BYTES];
    const pn_list axes = { .given = true, .n = 1 };
    memcpy(axis0, pn_op_stack.defaults, pn_op_stack.param_bytes);
    *(pn_index *)pn_op_field(&pn_op_stack, "axis", axis0) = 0;
    memcpy(params, pn_op_logsumexp.defaults, pn_op_logsumexp.param_bytes);
    memcpy(pn_op_field(&pn_op_logsumexp, "axis", params), &axes, sizeof axes);
    pn_tensor *stacked = a && b ? pn_run_op(pass, &pn_op_stack, 2, (pn_tensor *[]){ a, b }, axis0, err) : NULL;
    pn_tensor *sum = stacked ? pn_run_op(pass, &pn_op_logsumexp, 1, &stacked, params, err) : NULL;
    pn_tensor_unref(a);
    pn_tensor_unref(b);
    pn_tensor_unref(stacked);
    return then_number(pass, &pn_op_sub, sum, log(2), err);
}

/* -softplus(x), or -softplus(-x): the logarithms of the two probabilities. */
static pn_tensor *log_share(const pn_pass *pass, pn_tensor *x, bool of_one, pn_error *err)
{
    pn_tensor *z = pn_tensor_ref(x);
    if (of_one)
        z = then(pass, &pn_op_neg, z, err);
    return then(pass, &pn_op_neg, then(pass, &pn_op_softplus, z, err), err);
}

/* The logits of the mean of the probabilities of two. */
static pn_tensor *logits_of_mean(const pn_pass *pass, pn_task_kind task, pn_tensor *const *x, pn_error *err)
{
    if (task == PN_TASK_CLASSES)
        return log_mean(pass, pn_run_op(pass, &pn_op_log_softmax, 1, &x[0], NULL, err),
                        pn_run_op(pass, &pn_op_log_softmax, 1, &x[1], NULL, err), err);
    pn_tensor *ones = log_mean(pass, log_share(pass, x[0], true, err), log_share(pass, x[1], true, err), err);
    pn_tensor *zeros = log_mean(pass, log_share(pass, x[0], false, err), log_share(pass, x[1], false, err), err);
    return both(pass, &pn_op_sub, ones, zeros, err);
}

static int answer_flipped(const pn_model *m, const pn_pass *pass, pn_tensor *x, pn_tensor **out, pn_error *err)
{
    const pn_head *head = &m->heads[0];
    pn_tensor *outputs[2] = { NULL, NULL }, *mirror = mirrored(pass, x, err);
    if (mirror && !run_once(m, pass, x, &outputs[0], err) && !run_once(m, pass, mirror, &outputs[1], err)) {
        if (!m->written[0] && head->temperature != 1) {
            pn_tensor *logits = logits_of_mean(pass, head->task, outputs, err);
            logits = then_number(pass, &pn_op_mul, logits, 1 / head->temperature, err);
            out[0] = logits ? answer(m, pass, 0, logits, err) : NULL;
        } else {
            pn_tensor *a = answer(m, pass, 0, pn_tensor_ref(outputs[0]), err);
            out[0] = mean_of_two(pass, a, answer(m, pass, 0, pn_tensor_ref(outputs[1]), err), err);
        }
    }
    pn_tensor_unref(mirror);
    pn_tensor_unref(outputs[0]);
    pn_tensor_unref(outputs[1]);
    return out[0] ? 0 : -1;
}

/* ---- all batches ------------------------------------------------------------------------------------------------- */

/* Rows start..start + rows - 1: writes their answers into each head's part of `to`. */
static int predict_batch(pn_model *m, pn_tensor *x, pn_tensor **out, char *to, pn_index start, pn_index n,
                         pn_error *err)
{
    const pn_pass pass = { .engine = m->engine, .dtype = m->network.dtype };
    const pn_index item = (pn_index)pn_dtype_size(pass.dtype);
    const int failed = m->flip ? answer_flipped(m, &pass, x, out, err) : answer_once(m, &pass, x, out, err);
    for (int h = 0; h < m->network.n_heads; h++) {
        if (!failed)
            memcpy(to + start * m->heads[h].outputs * item, out[h]->v.data, pn_view_bytes(&out[h]->v));
        to += n * m->heads[h].outputs * item;
        pn_tensor_unref(out[h]);
        out[h] = NULL;
    }
    return failed;
}

int pn_model_predict(pn_model *m, pn_dtype from, const void *x, pn_index n, void *out, pn_error *err)
{
    const pn_index rows = n == 1 ? 1 : pn_model_rows(m);
    const pn_index stride = m->network.input.size * (pn_index)pn_dtype_size(from);
    if (n < 0)
        return pn_fail(err, PN_EVALUE, "%s: n is %td; give the number of inputs", m->name, n);
    pn_tensor **answers = pn_mem_get_zeroed(m->engine->memory, (size_t)m->network.n_heads * sizeof(pn_tensor *), err);
    int failed = !answers;
    for (pn_index start = 0; start < n && !failed; start += rows) {
        const pn_index some = pn_min(rows, n - start);
        pn_tensor *batch = pn_model_prepare(m, from, (const char *)x + start * stride, some, NULL, some, err);
        failed = !batch || predict_batch(m, batch, answers, out, start, n, err);
        pn_tensor_unref(batch);
    }
    pn_mem_put(answers);
    return failed ? -1 : 0;
}

int pn_model_decide(const pn_model *m, int head, const void *row)
{
    const pn_head *h = &m->heads[head];
    const bool wide = m->network.dtype == PN_FLOAT64;
    int best = 0;
    if (h->task == PN_TASK_VALUES || h->task == PN_TASK_LABELS)
        return -1;
    if (h->task == PN_TASK_BINARY || (h->outputs == 2 && h->threshold != 0.5)) {
        const pn_index one = h->outputs - 1;
        return (wide ? ((const double *)row)[one] : (double)((const float *)row)[one]) >= h->threshold;
    }
    for (int i = 1; i < (int)h->outputs; i++)
        if (wide ? ((const double *)row)[i] > ((const double *)row)[best]
                 : ((const float *)row)[i] > ((const float *)row)[best])
            best = i;
    return best;
}

/* ---- looking inside ---------------------------------------------------------------------------------------------- */

/* The node of the layer's first call, or -1. */
static pn_index find_node(const pn_network *net, const char *layer)
{
    for (pn_index i = 0; i < net->n_nodes; i++)
        if (strcmp(net->nodes[i].layer->path, layer) == 0)
            return i;
    return -1;
}

pn_tensor *pn_model_look(pn_model *m, const char *layer, pn_dtype from, const void *x, pn_index n, pn_error *err)
{
    pn_network part = m->network;
    pn_network_head head = { .name = "", .value = 1 + find_node(&part, layer) };
    const pn_pass pass = { .engine = m->engine, .dtype = part.dtype };
    pn_arena arena = { .memory = m->engine->memory };
    pn_plan plan;
    pn_tensor *y = NULL;
    if (head.value == 0) {
        pn_fail(err, PN_EVALUE, "%s: the model has no layer %s", m->name, layer);
        return NULL;
    }
    part.n_heads = 1;
    part.heads = &head;
    part.n_nodes = head.value;
    pn_tensor *batch = pn_model_prepare(m, from, x, n, NULL, n, err);
    if (batch && pn_plan_make(&plan, &part, &arena, (bool[]){ true }, err) == 0)
        (void)pn_plan_run(&plan, &part, &pass, batch, &y, err);
    pn_tensor_unref(batch);
    pn_arena_free(&arena);
    return y;
}
