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

#include "files.h"
#include "model/model.h"

enum { PIXELS = 28 * 28, CLASSES = 10 };

/* Images (n, 28, 28) and their labels. */
typedef struct digits {
    pn_tensor *images, *labels;
} digits;

static pn_examples examples_of(const digits *d)
{
    const pn_view *images = &d->images->v;
    return (pn_examples){ .dtype = PN_UINT8, .x = images->data, .y = d->labels->v.data, .n = images->shape[0] };
}

/* ---- data -------------------------------------------------------------------------------------------------------- */

static int check_labels(const char *path, const pn_tensor *labels, pn_error *err)
{
    for (pn_index i = 0; i < labels->v.size; i++)
        if (((const int64_t *)labels->v.data)[i] >= CLASSES)
            return pn_fail(err, PN_EVALUE, "%s: label %td is not from 0 to 9", path, i);
    return 0;
}

static int read_digits(pn_engine *engine, const char *folder, const char *part, digits *out, pn_error *err)
{
    char path[4096];
    pn_view v;
    *out = (digits){ .images = NULL };
    snprintf(path, sizeof path, "%s/%s-images-idx3-ubyte", folder, part);
    if (!(out->images = files_read_idx(engine, path, 3, err)))
        return -1;
    const pn_index n = out->images->v.shape[0];
    if (out->images->v.size != n * PIXELS)
        return pn_fail(err, PN_ESHAPE, "%s: images are %s, expected (n, 28, 28)", path,
                       pn_view_text(&out->images->v).s);
    snprintf(path, sizeof path, "%s/%s-labels-idx1-ubyte", folder, part);
    pn_tensor *labels = files_read_idx(engine, path, 1, err);
    if (!labels)
        return -1;
    if (labels->v.size != n)
        pn_fail(err, PN_ESHAPE, "%s: %td labels for %td images", path, labels->v.size, n);
    else if (!pn_view_init(&v, PN_INT64, 1, &n, "digits", err) && (out->labels = pn_tensor_new(engine, &v, err)))
        for (pn_index i = 0; i < n; i++)
            ((int64_t *)out->labels->v.data)[i] = ((uint8_t *)labels->v.data)[i];
    pn_tensor_unref(labels);
    return out->labels ? check_labels(path, out->labels, err) : -1;
}

static void free_digits(digits *d)
{
    pn_tensor_unref(d->images);
    pn_tensor_unref(d->labels);
}

/* ---- training and testing ---------------------------------------------------------------------------------------- */

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* In the format of pn.fit. */
static void print_epoch(int epoch, int epochs, double seconds, double loss, double accuracy)
{
    char text[32];
    snprintf(text, sizeof text, loss < 0.0995 ? "%.3g" : "%.3f", loss);
    printf("epoch %d/%d · %.1f s · loss %s · accuracy %.2f %%\n", epoch, epochs, seconds, text, 100 * accuracy);
    fflush(stdout);
}

static int train(pn_model *model, const digits *d, int epochs, pn_error *err)
{
    const pn_examples data = examples_of(d);
    const double n = (double)data.n;
    double begun = now(), loss = 0, correct = 0;
    pn_step step;
    int more = -1;
    pn_training *training = NULL;
    if (!pn_model_learn_pixels(model, &data, err))
        training = pn_training_new(model, &data, &(pn_training_options){ .epochs = epochs }, err);
    while (training && (more = pn_training_next(training, &step, err)) == 1) {
        loss += step.loss * (double)step.rows;
        correct += (double)step.correct;
        if (!step.ends_epoch)
            continue;
        print_epoch(step.epoch + 1, epochs, now() - begun, loss / n, correct / n);
        begun = now();
        loss = correct = 0;
    }
    pn_training_free(training);
    return more;
}

/* The accuracy with its 95 % interval (Wilson 1927). */
static void print_test(pn_index n, pn_index correct, double loss)
{
    const double z = 1.959963984540054, N = (double)n, p = (double)correct / N, zz = z * z / N;
    const double middle = (p + zz / 2) / (1 + zz), half = z * sqrt(p * (1 - p) / N + zz / (4 * N)) / (1 + zz);
    printf("accuracy %.2f %% [%.2f, %.2f] · loss %.4f · n = %td\n", 100 * p, 100 * (middle - half),
           100 * (middle + half), loss / N, n);
}

static int test(pn_model *model, const digits *d, pn_error *err)
{
    const pn_examples data = examples_of(d);
    const pn_model_facts *facts = pn_model_read_facts(model);
    if (facts->input.size != PIXELS || facts->dtype != PN_FLOAT32 || facts->n_heads != 1 ||
        facts->heads[0].task != PN_TASK_CLASSES || facts->heads[0].outputs != CLASSES)
        return pn_fail(err, PN_EVALUE, "the model does not tell ten classes of 28 x 28 pixels apart");
    float *found = pn_mem_get(d->images->engine->memory, (size_t)data.n * CLASSES * sizeof *found, err);
    const int failed = !found || pn_model_predict(model, PN_UINT8, data.x, data.n, found, err);
    pn_index correct = 0;
    double loss = 0;
    for (pn_index i = 0; i < data.n && !failed; i++) {
        const float *row = found + i * CLASSES;
        correct += pn_model_decide(model, 0, row) == data.y[i];
        loss -= log((double)row[data.y[i]]);
    }
    if (!failed)
        print_test(data.n, correct, loss);
    pn_mem_put(found);
    return failed;
}

static int save(const pn_model *model, const char *path, pn_error *err)
{
    pn_model_bytes bytes;
    const int failed = pn_model_write(model, &bytes, err) || files_write(path, bytes.data, bytes.size, err);
    pn_mem_put(bytes.data);
    return failed;
}

static int train_and_save(pn_engine *engine, const char *folder, const char *path, int epochs, pn_error *err)
{
    digits d;
    pn_model *model = NULL;
    const int failed = read_digits(engine, folder, "train", &d, err) ||
                       !(model = pn_model_new(engine, pn_model_mlp, 0, err)) || train(model, &d, epochs, err) ||
                       save(model, path, err);
    pn_model_free(model);
    free_digits(&d);
    return failed;
}

static int load_and_test(pn_engine *engine, const char *folder, const char *path, pn_error *err)
{
    digits d;
    files_bytes bytes;
    if (files_read(engine->memory, path, &bytes, err))
        return -1;
    const char *slash = strrchr(path, '/');
    pn_model *model = pn_model_parse(engine, slash ? slash + 1 : path, bytes.data, bytes.size, err);
    pn_mem_put(bytes.data);
    if (!model)
        return -1;
    const int failed = read_digits(engine, folder, "t10k", &d, err) || test(model, &d, err);
    free_digits(&d);
    pn_model_free(model);
    return failed;
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
    const char *isa = getenv("PYNEURAL_ISA"); /* as the package does, for bit-identical results */
    pn_engine *engine = pn_engine_new(&(pn_engine_options){ .isa = isa && *isa ? isa : NULL }, &err);
    const int failed = !engine || (training && train_and_save(engine, argv[2], argv[3], epochs, &err)) ||
                       load_and_test(engine, argv[2], argv[3], &err);
    if (failed)
        fprintf(stderr, "%s\n", err.text);
    pn_engine_free(engine);
    return failed;
}
