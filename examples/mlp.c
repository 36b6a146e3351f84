/* mlp.c -- the network 784-128-10 with relu, from C.
 *
 * y = relu((x - mean) scale W1 + b1) W2 + b2: four segments of a block, and two ops between gather and the loss. */
#include "mlp.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "files.h"
#include "kernels/image.h"
#include "kernels/random.h"
#include "graph/graph.h"

enum { PARTS = 4 };

static const char *const part_names[PARTS] = { "dense_1/weight", "dense_1/bias", "dense_2/weight", "dense_2/bias" };

static void set_scaling(const mlp *net, double mean, double deviation)
{
    *(float *)net->mean->v.data = (float)mean;
    *(float *)net->scale->v.data = (float)(1 / deviation);
}

static pn_tensor *make_one(pn_engine *engine, pn_error *err)
{
    pn_view v;
    return pn_view_init(&v, PN_FLOAT32, 1, (pn_index[]){ 1 }, "mlp", err) ? NULL : pn_tensor_new(engine, &v, err);
}

int mlp_make(pn_engine *engine, mlp *net, pn_error *err)
{
    static const pn_index shapes[PARTS][2] = {
        { MLP_PIXELS, MLP_HIDDEN }, { MLP_HIDDEN }, { MLP_HIDDEN, MLP_CLASSES }, { MLP_CLASSES }
    };
    static const pn_group groups[PARTS] = { PN_GROUP_WEIGHT, PN_GROUP_BIAS, PN_GROUP_WEIGHT, PN_GROUP_BIAS };
    pn_view views[PARTS];
    *net = (mlp){ .engine = engine };
    for (int i = 0; i < PARTS; i++)
        if (pn_view_init(&views[i], PN_FLOAT32, i % 2 ? 1 : 2, shapes[i], part_names[i], err))
            return -1;
    net->block = pn_block_new(engine, PN_FLOAT32, PARTS, views, groups, err);
    net->mean = make_one(engine, err);
    net->scale = make_one(engine, err);
    return net->block && net->mean && net->scale ? 0 : -1;
}

void mlp_free(mlp *net)
{
    pn_block_unref(net->block);
    pn_tensor_unref(net->mean);
    pn_tensor_unref(net->scale);
}

/* Weights uniform in -a..a (He before relu, Glorot at the end), biases 0; inputs are normalised by the data's
 * moments. */
int mlp_start(const mlp *net, const mlp_digits *train, uint64_t seed, pn_error *err)
{
    const double a[PARTS] = { sqrt(6.0 / MLP_PIXELS), 0, sqrt(6.0 / (MLP_HIDDEN + MLP_CLASSES)), 0 };
    const pn_kernels *k = net->engine->kernels[PN_FLOAT32];
    double mean, deviation;
    pn_moments m = { .from = PN_UINT8,
                     .n = train->images->v.size,
                     .channels = 1,
                     .x = train->images->v.data,
                     .mean = &mean,
                     .deviation = &deviation };
    void *scratch = pn_mem_get(net->engine->memory, PN_SCRATCH_BYTES, err);
    m.work = pn_mem_get(net->engine->memory, k->moments_work(&m), err);
    const pn_team team = { .pool = net->engine->pool, .scratch = scratch };
    if (scratch && m.work) {
        k->moments(&team, &m);
        set_scaling(net, mean, deviation);
        for (int i = 0; i < PARTS; i += 2)
            k->random(&team, &(pn_random){ .f = PN_RANDOM_UNIFORM,
                                           .n = net->block->segments[i].length,
                                           .a = -a[i],
                                           .b = a[i],
                                           .key = pn_rng_key(seed, pn_rng_stream(part_names[i])),
                                           .y = net->block->segments[i].value->v.data });
    }
    const bool done = scratch && m.work;
    pn_mem_put(m.work);
    pn_mem_put(scratch);
    return done ? 0 : -1;
}

/* One op by name; linear's activation is the parameter at the offset that its table names. */
static pn_tensor *apply(const mlp *net, const char *name, pn_activation act, bool record, int n,
                        pn_tensor *const *inputs, pn_error *err)
{
    const pn_op *op = pn_op_find(name);
    _Alignas(16) char params[PN_MAX_PARAM_BYTES] = { 0 };
    pn_tensor *y = NULL;
    if (op->param_bytes)
        memcpy(params, op->defaults, op->param_bytes);
    for (int i = 0; i < op->n_params && act != PN_ACT_NONE; i++)
        if (strcmp(op->params[i].name, "activation") == 0)
            memcpy(params + op->params[i].offset, &act, sizeof act);
    return pn_apply(net->engine, op, n, inputs, params, record, &y, err) ? NULL : y;
}

/* Logits and targets of the examples of these rows. */
static int forward(const mlp *net, const mlp_digits *d, pn_tensor *rows, bool record, pn_tensor **logits,
                   pn_tensor **targets, pn_error *err)
{
    const pn_segment *s = net->block->segments;
    pn_tensor *x =
        apply(net, "gather", PN_ACT_NONE, false, 4, (pn_tensor *[]){ d->images, rows, net->mean, net->scale }, err);
    pn_tensor *h =
        x ? apply(net, "linear", PN_ACT_RELU, record, 3, (pn_tensor *[]){ x, s[0].value, s[1].value }, err) : NULL;
    *logits =
        h ? apply(net, "linear", PN_ACT_NONE, record, 3, (pn_tensor *[]){ h, s[2].value, s[3].value }, err) : NULL;
    *targets = *logits ? apply(net, "gather", PN_ACT_NONE, false, 2, (pn_tensor *[]){ d->labels, rows }, err) : NULL;
    pn_tensor_unref(x);
    pn_tensor_unref(h);
    return *targets ? 0 : -1;
}

int mlp_batch(const mlp *net, const mlp_digits *d, pn_tensor *rows, pn_optimizer *optimizer, mlp_sums *sums,
              pn_error *err)
{
    pn_tensor *logits = NULL, *targets = NULL, *loss = NULL, *accuracy = NULL;
    int failed = -1;
    if (!rows || forward(net, d, rows, optimizer != NULL, &logits, &targets, err))
        goto done;
    loss = apply(net, "cross_entropy", PN_ACT_NONE, optimizer != NULL, 2, (pn_tensor *[]){ logits, targets }, err);
    accuracy = loss ? apply(net, "accuracy", PN_ACT_NONE, false, 2, (pn_tensor *[]){ logits, targets }, err) : NULL;
    if (!accuracy || (optimizer && (pn_backward(loss, &(pn_backward_options){ .seed = NULL }, err) ||
                                    pn_optimizer_step(optimizer, err))))
        goto done;
    sums->loss += (double)*(float *)loss->v.data * (double)rows->v.size;
    sums->accuracy += (double)*(float *)accuracy->v.data * (double)rows->v.size;
    failed = 0;
done:
    pn_tensor_unref(logits);
    pn_tensor_unref(targets);
    pn_tensor_unref(loss);
    pn_tensor_unref(accuracy);
    return failed;
}

/* ---- the model file ---------------------------------------------------------------------------------------------- */

static const char card_text[] =
    "{\"architecture\":{\"config\":{\"dtype\":\"float32\"},\"kind\":\"Sequential\",\"layers\":["
    "{\"config\":{},\"kind\":\"Flatten\",\"name\":\"flatten_1\"},"
    "{\"config\":{\"activation\":\"relu\",\"units\":128},\"kind\":\"Dense\",\"name\":\"dense_1\"},"
    "{\"config\":{\"units\":10},\"kind\":\"Dense\",\"name\":\"dense_2\"}],\"name\":null},"
    "\"best_epoch\":%d,\"data\":\"mnist\",\"data_hash\":\"\",\"epochs\":%d,\"format\":1,"
    "\"input_shape\":[28,28,1],\"loss\":\"cross_entropy\","
    "\"metrics\":{\"accuracy\":%.9g,\"loss\":%.9g},\"prepare\":\"digit\","
    "\"preprocessing\":{\"deviation\":[%.17g],\"dtype\":\"uint8\",\"kind\":\"dataset\",\"mean\":[%.17g]},"
    "\"seed\":%llu,\"task\":{\"classes\":[],\"kind\":\"classes\",\"outputs\":10,\"threshold\":0.5},"
    "\"versions\":{\"pyneural\":\"0.1.0\"}}";

int mlp_save(const mlp *net, const char *path, int epochs, uint64_t seed, const mlp_sums *last, pn_error *err)
{
    static const int sorted[PARTS] = { 1, 0, 3, 2 };
    files_entry entries[PARTS];
    char card[2048];
    for (int i = 0; i < PARTS; i++) {
        entries[i].v = net->block->segments[sorted[i]].value->v;
        snprintf(entries[i].name, sizeof entries[i].name, "%s", part_names[sorted[i]]);
    }
    snprintf(card, sizeof card, card_text, epochs, epochs, last->accuracy, last->loss,
             1 / (double)*(float *)net->scale->v.data, (double)*(float *)net->mean->v.data, (unsigned long long)seed);
    return files_write_model(net->engine->memory, path, PARTS, entries, card, err);
}

int mlp_load(const mlp *net, const char *path, pn_error *err)
{
    files_model model;
    double mean, deviation;
    if (files_read_model(net->engine->memory, path, &model, err))
        return -1;
    int failed = files_card_number(model.card, "preprocessing mean", &mean, err) ||
                 files_card_number(model.card, "preprocessing deviation", &deviation, err);
    for (int i = 0; i < PARTS && !failed; i++)
        failed = files_copy_entry(&model, part_names[i], net->block->segments[i].value, err);
    if (!failed)
        set_scaling(net, mean, deviation);
    files_free_model(&model);
    return failed ? -1 : 0;
}
