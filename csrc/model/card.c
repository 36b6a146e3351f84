/* card.c -- what a card says of a model's inputs and outputs: preprocessing, tasks, class names. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "model/inside.h"
#include "model/setting.h"

static int damaged(const char *what, pn_error *err)
{
    return pn_fail(err, PN_EVALUE, "its description of the model is damaged (%s)", what);
}

/* Whether the object has the member, and it is not null. */
static bool has(const pn_json *object, const char *key, pn_json *value)
{
    pn_json null;
    if (!pn_json_get(object, key, value))
        return false;
    null = *value;
    return !pn_json_word(&null, "null");
}

static bool is_word(pn_json value, const char *word)
{
    char text[32];
    return pn_json_string(&value, text, sizeof text) == 0 && strcmp(text, word) == 0;
}

/* ---- preprocessing ----------------------------------------------------------------------------------------------- */

/* A list of numbers; returns how many, or -1. */
static pn_index read_numbers(pn_model *m, const pn_json *object, const char *key, double **out, pn_error *err)
{
    pn_json list, counted;
    pn_index n = 0;
    bool first = true;
    if (!pn_json_get(object, key, &list) || !pn_json_open(&list, '['))
        return -1;
    counted = list;
    for (int more; (more = pn_json_more(&counted, ']', &first)) != 0; n++)
        if (more < 0 || pn_json_skip(&counted))
            return -1;
    *out = pn_arena_get(&m->arena, (size_t)n * sizeof **out, err);
    first = true;
    for (pn_index i = 0; *out && i < n; i++)
        if (pn_json_more(&list, ']', &first) != 1 || pn_json_number(&list, &(*out)[i]))
            return -1;
    return *out ? n : -1;
}

static int read_kind(const pn_json *record, pn_preprocessing *p)
{
    static const char *const kinds[] = { "none", "dataset", "image" };
    pn_json value;
    if (!pn_json_get(record, "dtype", &value))
        return -1;
    p->takes_pixels = is_word(value, "uint8");
    if ((!p->takes_pixels && !is_word(value, "float")) || !pn_json_get(record, "kind", &value))
        return -1;
    for (int i = 0; i < 3; i++)
        if (is_word(value, kinds[i])) {
            p->kind = (pn_preprocess)i;
            return 0;
        }
    return -1;
}

static int read_preprocessing(pn_model *m, const pn_json *card, pn_error *err)
{
    pn_preprocessing *p = &m->prepared;
    const pn_view *input = &m->network.input;
    pn_json record;
    if (!has(card, "preprocessing", &record))
        return 0;
    if (read_kind(&record, p))
        return damaged("its preprocessing", err);
    const pn_index n = read_numbers(m, &record, "mean", &p->mean, err);
    if (n < 0 || read_numbers(m, &record, "deviation", &p->deviation, err) != n ||
        (p->kind == PN_PREPROCESS_DATASET) != (n > 0))
        return damaged("the numbers of its preprocessing", err);
    if (n > 0 && n != (input->ndim > 0 ? input->shape[input->ndim - 1] : 1))
        return damaged("its preprocessing has not a mean for each channel", err);
    for (pn_index i = 0; i < n; i++)
        if (!(p->deviation[i] > 0))
            return damaged("a deviation of its preprocessing", err);
    if (p->kind == PN_PREPROCESS_IMAGE && input->ndim < 2)
        return damaged("its preprocessing is for images", err);
    p->channels = (int)n;
    return 0;
}

/* Numbers as a tensor. */
static pn_tensor *new_vector(const pn_model *m, pn_dtype dtype, pn_index n, const double *values, pn_error *err)
{
    pn_view v;
    pn_tensor *t = pn_view_init(&v, dtype, 1, &n, "card", err) ? NULL : pn_tensor_new(m->engine, &v, err);
    for (pn_index i = 0; t && i < n; i++)
        if (dtype == PN_FLOAT64)
            ((double *)t->v.data)[i] = values[i];
        else
            ((float *)t->v.data)[i] = (float)values[i];
    return t;
}

int pn_preprocessing_ready(pn_model *m, pn_error *err)
{
    pn_preprocessing *p = &m->prepared;
    double *factor = pn_arena_get(&m->arena, (size_t)p->channels * sizeof *factor, err);
    if (!factor)
        return -1;
    for (int i = 0; i < p->channels; i++)
        factor[i] = 1 / p->deviation[i];
    for (pn_dtype dtype = PN_FLOAT32; p->kind == PN_PREPROCESS_DATASET && dtype <= PN_FLOAT64; dtype++) {
        pn_tensor_unref(p->subtract[dtype]);
        pn_tensor_unref(p->factor[dtype]);
        p->factor[dtype] = NULL;
        p->subtract[dtype] = new_vector(m, dtype, p->channels, p->mean, err);
        if (!p->subtract[dtype] || !(p->factor[dtype] = new_vector(m, dtype, p->channels, factor, err)))
            return -1;
    }
    return 0;
}

/* ---- tasks ------------------------------------------------------------------------------------------------------- */

/* The names of classes, labels or values; their numbers where the file has none. */
static int read_classes(pn_model *m, const pn_json *task, pn_head *head, pn_error *err)
{
    pn_json list;
    bool first = true;
    pn_index given = 0;
    const pn_index n = pn_max(head->task == PN_TASK_VALUES ? 1 : 2, head->outputs);
    const char **names = pn_arena_get(&m->arena, (size_t)n * sizeof *names, err);
    if (!names)
        return -1;
    if (!pn_json_get(task, "classes", &list) || !pn_json_open(&list, '['))
        return damaged("its classes", err);
    for (int more; (more = pn_json_more(&list, ']', &first)) != 0; given++) {
        char *name;
        if (more < 0 || given == n || pn_json_text(&list, &m->arena, &name, err))
            return damaged("the names of its classes", err);
        names[given] = name;
    }
    for (pn_index i = 0; given == 0 && i < n; i++) {
        char *name = pn_arena_get(&m->arena, 24, err);
        if (!name)
            return -1;
        snprintf(name, 24, "%td", i);
        names[i] = name;
    }
    head->n_classes = (int)n;
    head->classes = names;
    return given == 0 || given == n ? 0 : damaged("the number of its classes", err);
}

/* One for each label; 0.5 where the file has none. */
static int read_thresholds(pn_model *m, const pn_json *task, pn_head *head, pn_error *err)
{
    pn_json list;
    double *found = NULL;
    const pn_index n = has(task, "thresholds", &list) ? read_numbers(m, task, "thresholds", &found, err) : 0;
    if (n < 0 || (n > 0 && n != head->outputs))
        return damaged("its thresholds", err);
    if (n == 0 && !(found = pn_arena_get(&m->arena, (size_t)head->outputs * sizeof *found, err)))
        return -1;
    for (pn_index i = 0; i < head->outputs; i++) {
        found[i] = n == 0 ? 0.5 : found[i];
        if (!(found[i] >= 0 && found[i] <= 1))
            return damaged("its thresholds", err);
    }
    head->thresholds = found;
    return 0;
}

static double number_of(const pn_json *object, const char *key, double usual)
{
    double value;
    pn_json at;
    if (!pn_json_get(object, key, &at))
        return usual;
    return pn_json_number(&at, &value) ? (double)NAN : value;
}

static int read_task(pn_model *m, pn_json task, pn_head *head, pn_error *err)
{
    static const char *const kinds[] = { "classes", "binary", "values", "labels" };
    pn_json value;
    char word[32] = "";
    int kind = 0;
    if (!pn_json_get(&task, "kind", &value) || pn_json_string(&value, word, sizeof word))
        return damaged("its task", err);
    while (kind < 4 && strcmp(kinds[kind], word) != 0)
        kind++;
    if (kind == 4)
        return pn_fail(err, PN_EVALUE, "its task is '%s', which this program does not know", word);
    head->task = (pn_task_kind)kind;
    head->threshold = number_of(&task, "threshold", 0.5);
    head->temperature = number_of(&task, "temperature", 1);
    const double outputs = number_of(&task, "outputs", 0);
    if (outputs != (double)head->outputs || (kind == PN_TASK_BINARY && head->outputs != 1))
        return damaged("its task has another number of outputs than its last layer", err);
    if (!(head->threshold >= 0 && head->threshold <= 1) || !(head->temperature > 0 && isfinite(head->temperature)))
        return damaged("its threshold or its temperature", err);
    if (head->task == PN_TASK_LABELS && read_thresholds(m, &task, head, err))
        return -1;
    return read_classes(m, &task, head, err);
}

/* What is for the head: the value itself, or that in [name, value] of a list. */
static int find_of_head(pn_json value, const char *name, pn_json *found)
{
    pn_json list;
    bool first = true;
    if (!*name) {
        *found = value;
        return 0;
    }
    if (!pn_json_get(&value, "heads", &list) || !pn_json_open(&list, '['))
        return -1;
    while (pn_json_more(&list, ']', &first) == 1) {
        char word[256];
        pn_json pair = list;
        bool start = true;
        if (pn_json_open(&pair, '[') && pn_json_more(&pair, ']', &start) == 1 &&
            pn_json_string(&pair, word, sizeof word) == 0 && strcmp(word, name) == 0 &&
            pn_json_more(&pair, ']', &start) == 1) {
            *found = pair;
            return 0;
        }
        if (pn_json_skip(&list))
            return -1;
    }
    return -1;
}

/* Whether the loss with which it was trained takes its outputs as they are: then they are the answers. */
static bool is_written(const pn_json *card, const pn_head *head)
{
    pn_json loss, own;
    if (head->task != PN_TASK_CLASSES)
        return head->task == PN_TASK_VALUES;
    if (!has(card, "loss", &loss) || (*head->name && !pn_json_get(&loss, head->name, &own)))
        return false;
    if (*head->name)
        loss = own;
    return is_word(loss, "mse") || is_word(loss, "mae") || is_word(loss, "huber");
}

/* The scale of the targets of a regression. */
static int read_scale(pn_model *m, const pn_json *card, int i, pn_error *err)
{
    const pn_head *head = &m->heads[i];
    pn_json scales, scale;
    double *mean, *deviation;
    if (!has(card, "target_scale", &scales) || find_of_head(scales, head->name, &scale) || pn_json_word(&scale, "null"))
        return 0;
    if (read_numbers(m, &scale, "mean", &mean, err) != head->outputs ||
        read_numbers(m, &scale, "deviation", &deviation, err) != head->outputs)
        return damaged("its target_scale", err);
    for (pn_index k = 0; k < head->outputs; k++)
        if (!(deviation[k] > 0))
            return damaged("its target_scale", err);
    m->means[i] = new_vector(m, m->network.dtype, head->outputs, mean, err);
    m->deviations[i] = m->means[i] ? new_vector(m, m->network.dtype, head->outputs, deviation, err) : NULL;
    return m->deviations[i] ? 0 : -1;
}

static int read_head(pn_model *m, const pn_json *card, int i, pn_error *err)
{
    pn_head *head = &m->heads[i];
    const pn_view *output = &m->network.nodes[m->network.heads[i].value - 1].output;
    pn_json tasks, task;
    *head = (pn_head){ .name = m->network.heads[i].name, .task = PN_TASK_VALUES, .threshold = 0.5, .temperature = 1 };
    head->outputs = output->size;
    m->written[i] = true;
    if (!has(card, "task", &tasks)) {
        m->by_hand = true;
        return 0;
    }
    if (output->ndim != 2)
        return damaged("its output has more than one axis", err);
    if (find_of_head(tasks, head->name, &task))
        return damaged("a head has no task", err);
    if (read_task(m, task, head, err))
        return -1;
    m->written[i] = is_written(card, head);
    return read_scale(m, card, i, err);
}

/* ---- all of it --------------------------------------------------------------------------------------------------- */

static int read_rest(pn_model *m, const pn_json *card, pn_error *err)
{
    pn_json value;
    char *prepare;
    m->prepare = "";
    if (has(card, "prepare", &value)) {
        if (pn_json_text(&value, &m->arena, &prepare, err))
            return damaged("its prepare", err);
        m->prepare = prepare;
    }
    m->flip = has(card, "test_time", &value);
    if (m->flip && (!is_word(value, "flip") || m->network.input.ndim != 3 || m->network.n_heads != 1))
        return damaged("its test_time", err);
    const double epochs = number_of(card, "epochs", 0);
    if (!(epochs >= 0 && epochs < 4294967296.0))
        return damaged("its epochs", err);
    m->epochs = (int64_t)epochs;
    return 0;
}

int pn_card_read(pn_model *m, pn_error *err)
{
    const pn_json card = { .at = m->card, .end = m->card + strlen(m->card) };
    const size_t heads = (size_t)m->network.n_heads;
    m->heads = pn_arena_get(&m->arena, heads * sizeof *m->heads, err);
    m->written = m->heads ? pn_arena_get(&m->arena, heads * sizeof *m->written, err) : NULL;
    m->means = m->written ? pn_arena_get(&m->arena, heads * sizeof *m->means, err) : NULL;
    m->deviations = m->means ? pn_arena_get(&m->arena, heads * sizeof *m->deviations, err) : NULL;
    if (!m->deviations || read_preprocessing(m, &card, err) || read_rest(m, &card, err))
        return -1;
    for (int i = 0; i < m->network.n_heads; i++)
        if (read_head(m, &card, i, err))
            return -1;
    return pn_preprocessing_ready(m, err);
}
