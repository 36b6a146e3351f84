/* model.c -- models: made of a file or a card, described, written, freed. */
#include <string.h>

#include "model/inside.h"
#include "model/setting.h"

enum { FORMAT = 2 }; /* the newest that this program reads */

/* ---- tensors ----------------------------------------------------------------------------------------------------- */

pn_tensor *pn_model_tensor(const pn_model *m, const char *path)
{
    for (pn_index i = 0; i < m->n_tensors; i++)
        if (strcmp(m->tensors[i]->path, path) == 0)
            return m->tensors[i]->value;
    return NULL;
}

static int list_tensors(pn_model *m, pn_error *err)
{
    const pn_network *net = &m->network;
    pn_index n = 0;
    for (pn_index i = 0; i < net->n_layers; i++)
        n += net->layers[i]->n_tensors;
    m->tensors = pn_arena_get(&m->arena, (size_t)n * sizeof *m->tensors, err);
    if (!m->tensors)
        return -1;
    for (pn_index i = 0; i < net->n_layers; i++)
        for (int k = 0; k < net->layers[i]->n_tensors; k++)
            m->tensors[m->n_tensors++] = &net->layers[i]->tensors[k];
    return 0;
}

/* The block of the parameters, or of the state; the tensors become its segments. */
static int allocate(pn_model *m, bool state, pn_block **block, pn_error *err)
{
    const size_t most = (size_t)m->n_tensors;
    pn_view *shapes = pn_arena_get(&m->arena, most * sizeof *shapes, err);
    pn_group *groups = shapes ? pn_arena_get(&m->arena, most * sizeof *groups, err) : NULL;
    pn_index n = 0;
    if (!groups)
        return -1;
    for (pn_index i = 0; i < m->n_tensors; i++)
        if ((m->tensors[i]->group == PN_GROUP_STATE) == state) {
            shapes[n] = m->tensors[i]->value->v;
            groups[n++] = m->tensors[i]->group;
        }
    if (n == 0)
        return 0;
    *block = pn_block_new(m->engine, m->network.dtype, n, shapes, groups, err);
    n = 0;
    for (pn_index i = 0; *block && i < m->n_tensors; i++)
        if ((m->tensors[i]->group == PN_GROUP_STATE) == state) {
            pn_tensor_unref(m->tensors[i]->value);
            m->tensors[i]->value = pn_tensor_ref((*block)->segments[n].value);
            m->n_parameters += state ? 0 : (*block)->segments[n].length;
            n++;
        }
    return *block ? 0 : -1;
}

static void freeze(const pn_model *m)
{
    pn_index segment = 0;
    for (pn_index i = 0; i < m->network.n_layers; i++) {
        const pn_layer *layer = m->network.layers[i];
        for (int k = 0; k < layer->n_tensors; k++)
            if (layer->tensors[k].group != PN_GROUP_STATE)
                pn_block_set_trainable(m->parameters, segment++, layer->trainable);
    }
}

/* ---- making ------------------------------------------------------------------------------------------------------ */

static int check_format(const pn_json *card, pn_error *err)
{
    pn_json value;
    pn_index format;
    if (!pn_json_get(card, "format", &value) || pn_json_size(&value, &format) || format < 1)
        return pn_fail(err, PN_EVALUE, "its description of the model is damaged (its format)");
    if (format > FORMAT)
        return pn_fail(err, PN_EVALUE, "it was written by a newer pyneural (format %td, this one reads %d)", format,
                       FORMAT);
    if (pn_json_get(card, "ensemble", &value))
        return pn_fail(err, PN_EVALUE,
                       "it is an ensemble of several models, which only Python reads; save one of them");
    return 0;
}

static int read_input(pn_model *m, const pn_json *card, pn_error *err)
{
    pn_json value;
    pn_list shape;
    pn_view v;
    bool good =
        pn_json_get(card, "input_shape", &value) && pn_setting_list(value, &shape) == 0 && shape.n < PN_MAX_DIMS;
    for (int i = 0; good && i < shape.n; i++)
        good = shape.v[i] > 0;
    if (!good || pn_view_init(&v, m->network.dtype, shape.n, shape.v, "input", NULL) ||
        (m->network.has_input && !pn_view_same_shape(&v, &m->network.input)))
        return pn_fail(err, PN_EVALUE, "its description of the model is damaged (its input_shape)");
    m->network.input = v;
    return 0;
}

/* All but the values of the tensors. */
static int construct(pn_model *m, pn_error *err)
{
    const pn_json card = { .at = m->card, .end = m->card + strlen(m->card) };
    pn_pass pass = { .engine = m->engine, .arena = &m->arena };
    pn_json architecture, whole = card;
    if (pn_json_skip(&whole))
        return pn_fail(err, PN_EVALUE, "its description of the model is damaged (it is not JSON)");
    if (check_format(&card, err))
        return -1;
    if (!pn_json_get(&card, "architecture", &architecture))
        return pn_fail(err, PN_EVALUE, "its description of the model is damaged (it has no architecture)");
    if (pn_network_read(&m->network, &pass, architecture, err) || read_input(m, &card, err) ||
        pn_network_build(&m->network, &pass, err) || list_tensors(m, err))
        return -1;
    for (pn_index i = 0; i < m->network.n_layers; i++) {
        m->widest = pn_max(m->widest, m->network.layers[i]->widest);
        m->has_embedding |= pn_layer_is(m->network.layers[i], "Embedding");
    }
    return pn_card_read(m, err) || pn_plan_make(&m->plan, &m->network, &m->arena, m->written, err) ? -1 : 0;
}

static int complete(pn_model *m, pn_error *err)
{
    if (allocate(m, false, &m->parameters, err) || allocate(m, true, &m->state, err))
        return -1;
    if (m->parameters)
        freeze(m);
    pn_model_note_facts(m);
    return 0;
}

static char *copied(pn_arena *arena, const char *text, pn_error *err)
{
    char *copy = pn_arena_get(arena, strlen(text) + 1, err);
    return copy ? strcpy(copy, text) : NULL;
}

static pn_model *begin(pn_engine *engine, const char *name, pn_error *err)
{
    pn_model *m = pn_mem_get_zeroed(engine->memory, sizeof *m, err);
    if (!m)
        return NULL;
    m->engine = engine;
    m->arena.memory = engine->memory;
    m->name = copied(&m->arena, name, err);
    if (m->name)
        return m;
    pn_model_free(m);
    return NULL;
}

/* The same error, with the name of the file; on memory errors, too. */
static void named(const pn_model *m, const pn_error *inner, pn_error *err)
{
    (void)pn_fail(err, inner->code, "%s: %s", m->name, inner->text);
}

/* Every tensor of the model has one of its shape in the file, and there are no others. */
static int take_tensors(pn_model *m, const pn_stored *stored, pn_error *err)
{
    pn_index used = 0;
    for (pn_index i = 0; i < stored->n; i++)
        used += stored->tensors[i].name[0] != '/'; /* a checkpoint's */
    if (used != m->n_tensors)
        return pn_fail(err, PN_EVALUE, "it has %td tensors, its layers have %td", used, m->n_tensors);
    for (pn_index i = 0; i < m->n_tensors; i++) {
        const pn_stored_tensor *found = pn_stored_find(stored, m->tensors[i]->path);
        const pn_view *want = &m->tensors[i]->value->v;
        if (!found)
            return pn_fail(err, PN_EVALUE, "the tensor %s is missing", m->tensors[i]->path);
        if (found->v.dtype != want->dtype || !pn_view_same_shape(&found->v, want))
            return pn_fail(err, PN_ESHAPE, "the tensor %s is %s %s in the file, the model has %s %s",
                           m->tensors[i]->path, pn_dtype_name(found->v.dtype), pn_view_text(&found->v).s,
                           pn_dtype_name(want->dtype), pn_view_text(want).s);
    }
    if (complete(m, err))
        return -1;
    for (pn_index i = 0; i < m->n_tensors; i++) {
        const pn_stored_tensor *found = pn_stored_find(stored, m->tensors[i]->path);
        memcpy(m->tensors[i]->value->v.data, found->v.data, pn_view_bytes(&found->v));
    }
    return 0;
}

pn_model *pn_model_parse(pn_engine *engine, const char *name, const void *bytes, size_t size, pn_error *err)
{
    pn_stored stored;
    pn_error inner = { .code = PN_EVALUE, .text = "it is damaged" };
    pn_model *m = begin(engine, name, err);
    if (!m)
        return NULL;
    if (pn_safetensors_parse(&m->arena, m->name, bytes, size, &stored, err))
        goto fail;
    m->card = stored.card;
    if (construct(m, &inner) || take_tensors(m, &stored, &inner)) {
        named(m, &inner, err);
        goto fail;
    }
    return m;
fail:
    pn_model_free(m);
    return NULL;
}

pn_model *pn_model_new(pn_engine *engine, const char *card, uint64_t seed, pn_error *err)
{
    pn_error inner = { .code = PN_EVALUE, .text = "it is damaged" };
    pn_model *m = begin(engine, "model", err);
    if (!m)
        return NULL;
    m->card = copied(&m->arena, card, &inner);
    if (m->card && !construct(m, &inner) && !complete(m, &inner) && !pn_model_initialise(m, seed, &inner))
        return m;
    named(m, &inner, err);
    pn_model_free(m);
    return NULL;
}

int pn_model_start(pn_model *m, uint64_t seed, pn_error *err) { return pn_model_initialise(m, seed, err); }

void pn_model_free(pn_model *m)
{
    if (!m)
        return;
    for (pn_index i = 0; i < m->network.n_layers && m->network.layers; i++)
        for (int k = 0; k < m->network.layers[i]->n_tensors; k++)
            pn_tensor_unref(m->network.layers[i]->tensors[k].value);
    for (int i = 0; i < 2; i++) {
        pn_tensor_unref(m->prepared.subtract[i]);
        pn_tensor_unref(m->prepared.factor[i]);
    }
    for (int i = 0; i < m->network.n_heads && m->deviations; i++) {
        pn_tensor_unref(m->means[i]);
        pn_tensor_unref(m->deviations[i]);
    }
    pn_block_unref(m->parameters);
    pn_block_unref(m->state);
    pn_arena_free(&m->arena);
    pn_mem_put(m);
}

/* ---- looking ----------------------------------------------------------------------------------------------------- */

void pn_model_note_facts(pn_model *m)
{
    m->facts = (pn_model_facts){ .dtype = m->network.dtype,
                                 .input = m->network.input,
                                 .takes_pixels = m->prepared.takes_pixels,
                                 .preprocess = m->prepared.kind,
                                 .prepare = m->prepare,
                                 .flip = m->flip,
                                 .n_heads = m->network.n_heads,
                                 .heads = m->heads,
                                 .n_parameters = m->n_parameters,
                                 .card = m->card };
}

const pn_model_facts *pn_model_read_facts(const pn_model *m) { return &m->facts; }

int pn_model_n_layers(const pn_model *m) { return (int)m->network.n_layers; }

pn_layer_facts pn_model_read_layer(const pn_model *m, int i)
{
    const pn_layer *layer = m->network.layers[i];
    pn_layer_facts facts = { .path = layer->path, .kind = layer->kind->name, .output = layer->output };
    facts.output.ndim--;
    facts.output.data = NULL;
    memmove(facts.output.shape, facts.output.shape + 1, sizeof facts.output.shape - sizeof *facts.output.shape);
    return facts;
}

/* ---- values ------------------------------------------------------------------------------------------------------ */

static size_t bytes_of(const pn_block *block)
{
    return block ? (size_t)block->length * pn_dtype_size(block->dtype) : 0;
}

size_t pn_model_snapshot_bytes(const pn_model *m) { return bytes_of(m->parameters) + bytes_of(m->state); }

void pn_model_snapshot(const pn_model *m, void *to)
{
    if (m->parameters)
        memcpy(to, m->parameters->values->data, bytes_of(m->parameters));
    if (m->state)
        memcpy((char *)to + bytes_of(m->parameters), m->state->values->data, bytes_of(m->state));
}

void pn_model_restore(pn_model *m, const void *from)
{
    if (m->parameters) {
        memcpy(m->parameters->values->data, from, bytes_of(m->parameters));
        pn_tensor_touch(m->parameters->segments[0].value);
    }
    if (m->state) {
        memcpy(m->state->values->data, (const char *)from + bytes_of(m->parameters), bytes_of(m->state));
        pn_tensor_touch(m->state->segments[0].value);
    }
}

int pn_model_write(const pn_model *m, pn_model_bytes *out, pn_error *err)
{
    pn_memory *memory = m->engine->memory;
    char *card = pn_card_write(m, err);
    pn_stored stored = { .card = card, .n = m->n_tensors };
    *out = (pn_model_bytes){ .data = NULL };
    stored.tensors = card ? pn_mem_get(memory, (size_t)m->n_tensors * sizeof *stored.tensors, err) : NULL;
    if (!stored.tensors) {
        pn_mem_put(card);
        return -1;
    }
    for (pn_index i = 0; i < m->n_tensors; i++)
        stored.tensors[i] = (pn_stored_tensor){ .name = m->tensors[i]->path, .v = m->tensors[i]->value->v };
    pn_stored_sort(&stored);
    out->size = pn_safetensors_write(&stored, NULL);
    out->data = pn_mem_get(memory, out->size, err);
    if (out->data)
        (void)pn_safetensors_write(&stored, out->data);
    pn_mem_put(stored.tensors);
    pn_mem_put(card);
    return out->data ? 0 : -1;
}
