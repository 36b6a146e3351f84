/* run_model.c -- runs model files for tests/test_c_model.py: a command a line, answered by `ok ...` or `error ...`.
 *
 *     predict MODEL DTYPE N IN OUT       predictions of the numbers in a file
 *     look MODEL LAYER DTYPE N IN OUT    the output of a layer
 *     write MODEL OUT                    the file again
 *     facts MODEL                        what is known about it
 *     start MODEL OUT SEED               the file with new initial values
 *     train MODEL X LABELS N OUT EPOCHS OPTIMIZER SEED    MODEL may be `mlp`: a new one, which learns the preprocessing
 */
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/model.h"

typedef struct bytes {
    uint8_t *data;
    size_t size;
} bytes;

static bytes read_file(const char *path)
{
    bytes b = { .data = NULL };
    FILE *file = fopen(path, "rb");
    if (file && fseek(file, 0, SEEK_END) == 0) {
        b.size = (size_t)ftell(file);
        b.data = malloc(b.size + 1);
        rewind(file);
        if (fread(b.data, 1, b.size, file) != b.size)
            b.size = 0;
    }
    if (file)
        fclose(file);
    return b;
}

static bool write_file(const char *path, const void *data, size_t size)
{
    FILE *file = fopen(path, "wb");
    const bool good = file && fwrite(data, 1, size, file) == size;
    return file && fclose(file) == 0 && good;
}

static pn_dtype dtype_of(const char *name)
{
    for (pn_dtype dtype = PN_FLOAT32; dtype < PN_DTYPES; dtype++)
        if (strcmp(pn_dtype_name(dtype), name) == 0)
            return dtype;
    return PN_DTYPES;
}

static pn_model *load(pn_engine *engine, const char *path, pn_error *err)
{
    const bytes b = read_file(path);
    uint8_t *exact = malloc(b.size ? b.size : 1); /* a read past the end is seen */
    if (b.size)
        memcpy(exact, b.data, b.size);
    const char *slash = strrchr(path, '/');
    pn_model *model = pn_model_parse(engine, slash ? slash + 1 : path, exact, b.size, err);
    free(exact);
    free(b.data);
    return model;
}

static int predict(pn_model *m, char **w, pn_error *err)
{
    const pn_model_facts *facts = pn_model_read_facts(m);
    const pn_index n = atol(w[3]);
    size_t numbers = 0;
    for (int h = 0; h < facts->n_heads; h++)
        numbers += (size_t)(n * facts->heads[h].outputs);
    const size_t size = numbers * pn_dtype_size(facts->dtype);
    const bytes x = read_file(w[4]);
    void *out = malloc(size + 1);
    const int failed = pn_model_predict(m, dtype_of(w[2]), x.data, n, out, err) || !write_file(w[5], out, size);
    free(out);
    free(x.data);
    return failed;
}

static int look(pn_model *m, char **w, pn_error *err)
{
    const bytes x = read_file(w[5]);
    pn_tensor *t = pn_model_look(m, w[2], dtype_of(w[3]), x.data, atol(w[4]), err);
    const int failed = !t || !write_file(w[6], t->v.data, pn_view_bytes(&t->v));
    pn_tensor_unref(t);
    free(x.data);
    return failed;
}

static int write_again(pn_model *m, char **w, pn_error *err)
{
    pn_model_bytes b;
    int failed = pn_model_write(m, &b, err);
    failed = failed || !write_file(w[2], b.data, b.size);
    pn_mem_put(b.data);
    return failed;
}

static int run_training(pn_model *m, const pn_examples *data, char **w, pn_error *err)
{
    pn_step step;
    int more = 0;
    pn_training *t = pn_training_new(
        m, data, &(pn_training_options){ .epochs = atoi(w[6]), .optimizer = w[7], .seed = (uint64_t)atoll(w[8]) }, err);
    while (t && (more = pn_training_next(t, &step, err)) == 1)
        if (step.ends_epoch)
            printf("%d/%lld %.9g ", step.epoch, (long long)step.steps, step.loss);
    pn_training_free(t);
    return !t || more < 0;
}

static int train(pn_model *m, char **w, pn_error *err)
{
    const bytes x = read_file(w[2]), y = read_file(w[3]);
    const pn_examples data = { .dtype = PN_UINT8, .x = x.data, .y = (const int64_t *)(void *)y.data, .n = atol(w[4]) };
    const bool fresh = strcmp(w[1], "mlp") == 0;
    const int failed =
        (fresh && (pn_model_start(m, (uint64_t)atoll(w[8]), err) || pn_model_learn_pixels(m, &data, err))) ||
        run_training(m, &data, w, err) || write_again(m, (char *[]){ NULL, NULL, w[5] }, err);
    free(x.data);
    free(y.data);
    return failed;
}

static int start(pn_model *m, char **w, pn_error *err)
{
    return pn_model_start(m, (uint64_t)atoll(w[3]), err) || write_again(m, w, err);
}

static int tell(pn_model *m, char **w, pn_error *err)
{
    const pn_model_facts *f = pn_model_read_facts(m);
    (void)w, (void)err;
    printf("%s %s pixels=%d preprocess=%d prepare='%s' flip=%d parameters=%td", pn_dtype_name(f->dtype),
           pn_view_text(&f->input).s, f->takes_pixels, f->preprocess, f->prepare, f->flip, f->n_parameters);
    for (int h = 0; h < f->n_heads; h++) {
        printf(" head='%s' task=%d outputs=%td threshold=%g temperature=%g classes=", f->heads[h].name,
               f->heads[h].task, f->heads[h].outputs, f->heads[h].threshold, f->heads[h].temperature);
        for (int c = 0; c < f->heads[h].n_classes; c++)
            printf("%s|", f->heads[h].classes[c]);
    }
    for (int i = 0; i < pn_model_n_layers(m); i++) {
        const pn_layer_facts layer = pn_model_read_layer(m, i);
        printf(" %s:%s:%s", layer.path, layer.kind, pn_view_text(&layer.output).s);
    }
    printf(" ");
    return 0;
}

static int run(pn_engine *engine, char **w, pn_error *err)
{
    static const struct {
        const char *name;
        int (*run)(pn_model *m, char **w, pn_error *err);
    } commands[] = { { "predict", predict }, { "look", look },   { "write", write_again },
                     { "facts", tell },      { "train", train }, { "start", start } };
    pn_model *m = strcmp(w[1], "mlp") == 0 ? pn_model_new(engine, pn_model_mlp, 0, err) : load(engine, w[1], err);
    int failed = !m;
    for (size_t i = 0; m && i < sizeof commands / sizeof *commands; i++)
        if (strcmp(commands[i].name, w[0]) == 0)
            failed = commands[i].run(m, w, err);
    pn_model_free(m);
    return failed;
}

int main(void)
{
    char line[4096];
    pn_error err;
    setlocale(LC_ALL, ""); /* as programs with windows do: numbers may have a decimal comma */
    const char *isa = getenv("PYNEURAL_ISA"), *threads = getenv("PYNEURAL_THREADS");
    pn_engine *engine = pn_engine_new(
        &(pn_engine_options){ .isa = isa && *isa ? isa : NULL, .threads = threads ? atoi(threads) : 0 }, &err);
    const size_t before = engine ? pn_memory_read_stats(engine->memory).live_blocks : 0;
    while (engine && fgets(line, sizeof line, stdin)) {
        char *w[9] = { NULL };
        int n = 0;
        for (char *word = strtok(line, "\t\n"); word && n < 9; word = strtok(NULL, "\t\n"))
            w[n++] = word;
        err = (pn_error){ .code = PN_OK, .text = "no message" };
        if (run(engine, w, &err))
            printf("error %d %s", err.code, err.text);
        else
            printf("ok");
        if (pn_memory_read_stats(engine->memory).live_blocks != before)
            printf(" and memory is left");
        printf("\n");
        fflush(stdout);
    }
    pn_engine_free(engine);
    return !engine;
}
