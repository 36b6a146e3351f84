/* web.c -- what the module of exported pages offers to JavaScript (pyneural/apps/draw/web/engine.js).
 *
 * Compiled by emscripten only.  Functions that can fail return -1 or NULL; web_error has the sentence.  Nothing here
 * reads files or runs threads, and all memory is the engine's. */
#include <emscripten.h>
#include <string.h>

#include "graph/graph.h"
#include "kernels/digit.h"
#include "model/model.h"
#include "ops/op.h"

#define EXPORT(type) EMSCRIPTEN_KEEPALIVE type

typedef struct web {
    pn_engine *engine;
    pn_error error;
} web;

/* ---- the engine, memory and errors ------------------------------------------------------------------------------- */

EXPORT(web *) web_open(void)
{
    pn_engine *engine = pn_engine_new(&(pn_engine_options){ .threads = 1 }, NULL);
    web *w = engine ? pn_mem_get_zeroed(engine->memory, sizeof *w, NULL) : NULL;
    if (w)
        w->engine = engine;
    return w;
}

EXPORT(const char *) web_error(const web *w) { return w->error.text; }
EXPORT(void *) web_get(web *w, size_t bytes) { return pn_mem_get(w->engine->memory, bytes, &w->error); }
EXPORT(void) web_put(void *block) { pn_mem_put(block); }

/* ---- images ------------------------------------------------------------------------------------------------------ */

/* image: (H, W, channels); digit: 28 x 28.  Returns bits: 1 empty, 2 touches, 4 several, 8 faint. */
EXPORT(int) web_prepare(web *w, const uint8_t *image, int H, int W, int channels, uint8_t *digit)
{
    void *scratch = pn_mem_get(w->engine->memory, pn_digit_scratch(H, W), &w->error);
    if (!scratch)
        return -1;
    pn_digit did;
    pn_digit_prepare(image, H, W, channels, scratch, digit, &did);
    pn_mem_put(scratch);
    return did.empty ? 1 : did.touches << 1 | did.several << 2 | did.faint << 3;
}

static void *field(const pn_op *op, const char *name, void *params)
{
    for (int i = 0; i < op->n_params; i++)
        if (strcmp(op->params[i].name, name) == 0)
            return (char *)params + op->params[i].offset;
    __builtin_trap();
}

static pn_tensor *of_bytes(web *w, pn_dtype dtype, int ndim, const pn_index *shape, const void *bytes)
{
    pn_view view;
    if (pn_view_init(&view, dtype, ndim, shape, "web", &w->error))
        return NULL;
    pn_tensor *tensor = pn_tensor_new(w->engine, &view, &w->error);
    if (tensor)
        memcpy(tensor->v.data, bytes, (size_t)tensor->v.size * pn_dtype_size(dtype));
    return tensor;
}

/* out: n images (28, 28) as the op augment changes those in x, by their number: strengths are shift, rotate, scale and
 * shear. */
EXPORT(int) web_vary(web *w, const uint8_t *x, int n, const double *strengths, const int64_t *rows, uint8_t *out)
{
    static const char *const names[] = { "shift", "rotate", "scale", "shear" };
    _Alignas(8) char params[PN_MAX_PARAM_BYTES];
    memcpy(params, pn_op_augment.defaults, pn_op_augment.param_bytes);
    for (int i = 0; i < PN_COUNT(names); i++)
        *(double *)field(&pn_op_augment, names[i], params) = strengths[i];
    pn_tensor *images = of_bytes(w, PN_UINT8, 4, (pn_index[]){ n, PN_DIGIT_SIDE, PN_DIGIT_SIDE, 1 }, x);
    pn_tensor *numbers = of_bytes(w, PN_INT64, 1, (pn_index[]){ n }, rows), *y = NULL;
    const bool ok = images && numbers &&
                    pn_apply(w->engine, &pn_op_augment, 5, (pn_tensor *[]){ images, numbers, NULL, NULL, NULL }, params,
                             false, &y, &w->error) == 0;
    for (pn_index i = 0; ok && i < y->v.size; i++)
        out[i] = (uint8_t)(pn_min(pn_max((pn_index)(((const float *)y->v.data)[i] + 0.5f), 0), 255));
    pn_tensor_unref(y);
    pn_tensor_unref(numbers);
    pn_tensor_unref(images);
    return ok ? 0 : -1;
}

/* ---- models ------------------------------------------------------------------------------------------------------ */

EXPORT(pn_model *) web_parse(web *w, const void *bytes, size_t size)
{
    return pn_model_parse(w->engine, "the model", bytes, size, &w->error);
}

/* 784-128-10, with its parameters initialised; it has no preprocessing yet. */
EXPORT(pn_model *) web_fresh(web *w, uint32_t seed) { return pn_model_new(w->engine, pn_model_mlp, seed, &w->error); }

EXPORT(void) web_free(pn_model *model) { pn_model_free(model); }
EXPORT(const char *) web_card(const pn_model *model) { return pn_model_read_facts(model)->card; }
EXPORT(double) web_parameters(const pn_model *model) { return (double)pn_model_read_facts(model)->n_parameters; }
EXPORT(int) web_layers(const pn_model *model) { return pn_model_n_layers(model); }
EXPORT(const char *) web_layer(const pn_model *model, int i) { return pn_model_read_layer(model, i).path; }
EXPORT(const char *) web_kind(const pn_model *model, int i) { return pn_model_read_layer(model, i).kind; }

/* out: n rows of probabilities for n images of bytes. */
EXPORT(int) web_predict(web *w, pn_model *model, const uint8_t *x, int n, float *out)
{
    return pn_model_predict(model, PN_UINT8, x, n, out, &w->error);
}

/* The maps of a layer for one image, (height, width, filters) in `shape`, in a block for web_put. */
EXPORT(float *) web_look(web *w, pn_model *model, const char *layer, const uint8_t *x, int32_t *shape)
{
    pn_tensor *maps = pn_model_look(model, layer, PN_UINT8, x, 1, &w->error);
    if (!maps)
        return NULL;
    const size_t bytes = (size_t)maps->v.size * sizeof(float);
    float *out = pn_mem_get(w->engine->memory, bytes, &w->error);
    if (out)
        memcpy(out, maps->v.data, bytes);
    for (int i = 0; i < 3; i++)
        shape[i] = maps->v.ndim == 4 ? (int32_t)maps->v.shape[1 + i] : 0;
    pn_tensor_unref(maps);
    return out;
}

EXPORT(size_t) web_snapshot_bytes(const pn_model *model) { return pn_model_snapshot_bytes(model); }
EXPORT(void) web_snapshot(const pn_model *model, void *to) { pn_model_snapshot(model, to); }
EXPORT(void) web_restore(pn_model *model, const void *from) { pn_model_restore(model, from); }

/* ---- training ---------------------------------------------------------------------------------------------------- */

EXPORT(int) web_learn_pixels(web *w, pn_model *model, const uint8_t *x, const int64_t *y, int n)
{
    return pn_model_learn_pixels(model, &(pn_examples){ .dtype = PN_UINT8, .x = x, .y = y, .n = n }, &w->error);
}

/* x and y are read in place until the training is freed.  Zeros are the defaults. */
EXPORT(pn_training *)
web_train(web *w, pn_model *model, const uint8_t *x, const int64_t *y, int n, int epochs, double rate, int batch,
          uint32_t seed)
{
    const pn_examples data = { .dtype = PN_UINT8, .x = x, .y = y, .n = n };
    return pn_training_new(
        model, &data,
        &(pn_training_options){ .epochs = epochs, .learning_rate = rate, .batch_size = batch, .seed = seed },
        &w->error);
}

/* out: loss, rows, correct, epoch, step, steps.  Returns 1, or 0 when all epochs are done. */
EXPORT(int) web_next(web *w, pn_training *training, double *out)
{
    pn_step step;
    const int more = pn_training_next(training, &step, &w->error);
    if (more == 1) {
        const double found[] = { step.loss,  (double)step.rows, (double)step.correct,
                                 step.epoch, (double)step.step, (double)step.steps };
        memcpy(out, found, sizeof found);
    }
    return more;
}

EXPORT(void) web_stop(pn_training *training) { pn_training_free(training); }
