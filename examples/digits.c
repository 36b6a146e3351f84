/* digits.c -- handwritten digits from C: trains the network 784-128-10 on MNIST, tests it, and saves it.
 *
 *     digits train FOLDER MODEL [EPOCHS]     FOLDER holds the four IDX files, unpacked
 *     digits test FOLDER MODEL               MODEL may also be written by pn.save
 *
 * The training is the same as pn.fit(Sequential(Flatten(), Dense(128, "relu"), Dense(10)), data, validation=None), step
 * for step: the same random numbers, the same schedule, bit-identical weights. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/rng.h"
#include "files.h"
#include "mlp.h"

enum { BATCH = 64, TEST_BATCH = 500 };

static const double PI = 3.14159265358979323846, PEAK_RATE = 0.003;

static pn_tensor *make(pn_engine *engine, pn_dtype dtype, int ndim, const pn_index *shape, pn_error *err)
{
    pn_view v;
    return pn_view_init(&v, dtype, ndim, shape, "digits", err) ? NULL : pn_tensor_new(engine, &v, err);
}

/* Elements start..start+n-1 of a one-dimensional tensor, sharing its storage. */
static pn_tensor *part_of(pn_tensor *t, pn_index start, pn_index n, pn_error *err)
{
    pn_view v;
    if (pn_view_init(&v, t->v.dtype, 1, &n, "digits", err))
        return NULL;
    return pn_tensor_on(t->storage, (size_t)start * pn_dtype_size(t->v.dtype), &v, err);
}

/* ---- data -------------------------------------------------------------------------------------------------------- */

static int read_digits(pn_engine *engine, const char *folder, const char *part, mlp_digits *out, pn_error *err)
{
    char path[4096];
    *out = (mlp_digits){ .images = NULL };
    snprintf(path, sizeof path, "%s/%s-images-idx3-ubyte", folder, part);
    pn_tensor *images = files_read_idx(engine, path, 3, err), *labels = NULL;
    if (!images)
        return -1;
    const pn_index n = images->v.shape[0];
    pn_view flat;
    if (images->v.size != n * MLP_PIXELS)
        pn_fail(err, PN_ESHAPE, "%s: images are %s, expected (n, 28, 28)", path, pn_view_text(&images->v).s);
    else if (!pn_view_init(&flat, PN_UINT8, 2, (pn_index[]){ n, MLP_PIXELS }, "digits", err))
        out->images = pn_tensor_on(images->storage, 0, &flat, err);
    pn_tensor_unref(images);
    snprintf(path, sizeof path, "%s/%s-labels-idx1-ubyte", folder, part);
    if (!out->images || !(labels = files_read_idx(engine, path, 1, err)))
        return -1;
    if (labels->v.size != n)
        pn_fail(err, PN_ESHAPE, "%s: %td labels for %td images", path, labels->v.size, n);
    else if ((out->labels = make(engine, PN_INT64, 1, &n, err)))
        for (pn_index i = 0; i < n; i++)
            ((int64_t *)out->labels->v.data)[i] = ((uint8_t *)labels->v.data)[i];
    pn_tensor_unref(labels);
    return out->labels ? 0 : -1;
}

static void free_digits(mlp_digits *d)
{
    pn_tensor_unref(d->images);
    pn_tensor_unref(d->labels);
}

/* ---- training and testing ---------------------------------------------------------------------------------------- */

/* The one-cycle schedule: up over the first quarter of the steps, then down, along cosines (Smith & Topin 2018). */
static double one_cycle(int64_t step, int64_t steps)
{
    const double rise = fmax(1, 0.25 * (double)steps), s = (double)step;
    const double low = s < rise ? 0.04 : 0.001,
                 at = s < rise ? 1 - s / rise : (s - rise) / fmax(1, (double)steps - rise);
    return low + (1 - low) * 0.5 * (1 + cos(PI * at));
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* One pass over the data in this order; trains if there is an optimizer. */
static int pass(const mlp *net, const mlp_digits *d, pn_tensor *order, pn_optimizer *optimizer, int64_t steps,
                mlp_sums *mean, pn_error *err)
{
    const pn_index n = order->v.size, batch = optimizer ? BATCH : TEST_BATCH;
    *mean = (mlp_sums){ .loss = 0 };
    for (pn_index start = 0; start < n; start += batch) {
        if (optimizer)
            pn_optimizer_hyper(optimizer)->learning_rate = PEAK_RATE * one_cycle(pn_optimizer_steps(optimizer), steps);
        pn_tensor *rows = part_of(order, start, pn_min(batch, n - start), err);
        const int failed = mlp_batch(net, d, rows, optimizer, mean, err);
        pn_tensor_unref(rows);
        if (failed)
            return -1;
    }
    mean->loss /= (double)n;
    mean->accuracy /= (double)n;
    return 0;
}

/* In the format of pn.fit. */
static void print_epoch(int epoch, int epochs, double seconds, const mlp_sums *mean)
{
    char loss[32];
    snprintf(loss, sizeof loss, mean->loss < 0.0995 ? "%.3g" : "%.3f", mean->loss);
    printf("epoch %d/%d · %.1f s · loss %s · accuracy %.2f %%\n", epoch, epochs, seconds, loss, 100 * mean->accuracy);
    fflush(stdout);
}

static int train(const mlp *net, const mlp_digits *d, uint64_t seed, int epochs, mlp_sums *last, pn_error *err)
{
    const pn_index n = d->images->v.shape[0];
    pn_tensor *order = make(net->engine, PN_INT64, 1, &n, err);
    pn_optimizer *adam =
        order ? pn_optimizer_new(net->engine, pn_optimizer_find("adam"), NULL, net->block, 0, NULL, err) : NULL;
    int failed = !adam;
    for (int epoch = 0; epoch < epochs && !failed; epoch++) {
        const double begun = now();
        pn_rng_permutation(order->v.data, n, pn_rng_key(seed, pn_rng_stream("shuffle")), (uint32_t)epoch);
        failed = pass(net, d, order, adam, epochs * pn_ceil_div(n, BATCH), last, err);
        if (!failed)
            print_epoch(epoch + 1, epochs, now() - begun, last);
    }
    pn_optimizer_free(adam);
    pn_tensor_unref(order);
    return failed ? -1 : 0;
}

/* The accuracy with its 95 % interval (Wilson 1927). */
static int test(const mlp *net, const mlp_digits *d, pn_error *err)
{
    const pn_index n = d->images->v.shape[0];
    pn_tensor *order = make(net->engine, PN_INT64, 1, &n, err);
    mlp_sums mean = { .loss = 0 };
    for (pn_index i = 0; order && i < n; i++)
        ((int64_t *)order->v.data)[i] = i;
    const int failed = !order || pass(net, d, order, NULL, 0, &mean, err);
    pn_tensor_unref(order);
    if (failed)
        return -1;
    const double z = 1.959963984540054, N = (double)n, p = mean.accuracy, zz = z * z / N;
    const double middle = (p + zz / 2) / (1 + zz), half = z * sqrt(p * (1 - p) / N + zz / (4 * N)) / (1 + zz);
    printf("accuracy %.2f %% [%.2f, %.2f] · loss %.4f · n = %td\n", 100 * p, 100 * (middle - half),
           100 * (middle + half), mean.loss, n);
    return 0;
}

static int run(mlp *net, bool training, const char *folder, const char *path, int epochs, pn_error *err)
{
    mlp_digits d;
    mlp_sums last = { .loss = 0 };
    int failed = 0;
    if (training) {
        failed = read_digits(net->engine, folder, "train", &d, err) || mlp_start(net, &d, 0, err) ||
                 train(net, &d, 0, epochs, &last, err) || mlp_save(net, path, epochs, 0, &last, err);
        free_digits(&d);
    }
    if (failed || mlp_load(net, path, err))
        return -1;
    failed = read_digits(net->engine, folder, "t10k", &d, err) || test(net, &d, err);
    free_digits(&d);
    return failed ? -1 : 0;
}

int main(int argc, char **argv)
{
    const int epochs = argc == 5 ? atoi(argv[4]) : 5;
    const bool training = argc >= 4 && strcmp(argv[1], "train") == 0;
    if (argc < 4 || argc > 5 || epochs < 1 || (!training && strcmp(argv[1], "test") != 0)) {
        fprintf(stderr, "usage: digits train FOLDER MODEL [EPOCHS]\n       digits test FOLDER MODEL\n");
        return 2;
    }
    pn_error err = { .code = PN_OK };
    mlp net = { .engine = NULL };
    const char *isa = getenv("PYNEURAL_ISA"); /* as the package does, for bit-identical results */
    pn_engine *engine = pn_engine_new(&(pn_engine_options){ .isa = isa && *isa ? isa : NULL }, &err);
    const int failed = !engine || mlp_make(engine, &net, &err) || run(&net, training, argv[2], argv[3], epochs, &err);
    if (failed)
        fprintf(stderr, "%s\n", err.text);
    mlp_free(&net);
    pn_engine_free(engine);
    return failed;
}
