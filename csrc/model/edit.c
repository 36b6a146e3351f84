/* edit.c -- cards that change: by a training, and by learning the preprocessing. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/image.h"
#include "model/inside.h"

enum { NUMBER = 40 };

/* The shortest text that is this double, as Python writes it. */
static void number_text(double v, char out[NUMBER])
{
    const pn_decimal_point point = pn_read_decimal_point();
    int digits = 0, exponent = 0;
    do
        snprintf(out, NUMBER, "%.*e", digits, v);
    while (strtod(out, NULL) != v && ++digits < 17);
    exponent = atoi(strchr(out, 'e') + 1);
    if (exponent >= -4 && exponent < 16)
        snprintf(out, NUMBER, "%.*f", digits - exponent > 1 ? digits - exponent : 1, v);
    char *at = strstr(out, point.s);
    if (at) {
        const char *rest = at + strlen(point.s);
        *at = '.';
        memmove(at + 1, rest, strlen(rest) + 1);
    }
}

/* The text with another value at a path of keys, "task threshold"; itself where there is no such member.  Gives up the
 * text, a block. */
static char *replaced(pn_memory *memory, char *text, const char *path, const char *value, pn_error *err)
{
    pn_json j = { .at = text, .end = text + strlen(text) };
    for (const char *at = path; *at;) {
        char key[64];
        const size_t n = strcspn(at, " ");
        snprintf(key, sizeof key, "%.*s", (int)n, at);
        if (pn_json_find(&j, key) != 1)
            return text;
        at += n + (at[n] == ' ');
    }
    pn_json after = j;
    (void)pn_json_skip(&after);
    const size_t before = (size_t)(j.at - text), rest = (size_t)(after.end - after.at), middle = strlen(value);
    char *made = pn_mem_get(memory, before + middle + rest + 1, err);
    if (made) {
        memcpy(made, text, before);
        memcpy(made + before, value, middle);
        memcpy(made + before + middle, after.at, rest);
        made[before + middle + rest] = '\0';
    }
    pn_mem_put(text);
    return made;
}

static char *with_number(pn_memory *memory, char *text, const char *path, double value, pn_error *err)
{
    char number[NUMBER];
    number_text(value, number);
    return text ? replaced(memory, text, path, number, err) : NULL;
}

static char *with_whole(pn_memory *memory, char *text, const char *path, uint64_t value, pn_error *err)
{
    char number[NUMBER];
    snprintf(number, sizeof number, "%llu", (unsigned long long)value);
    return text ? replaced(memory, text, path, number, err) : NULL;
}

/* {"deviation":[...],"dtype":"uint8","kind":"dataset","mean":[...]} */
static char *with_preprocessing(const pn_model *m, char *text, pn_error *err)
{
    const pn_preprocessing *p = &m->prepared;
    const size_t room = (size_t)p->channels * 2 * NUMBER + 128;
    char *value = text ? pn_mem_get(m->engine->memory, room, err) : NULL, number[NUMBER];
    size_t used = 0;
    if (!value) {
        pn_mem_put(text);
        return NULL;
    }
    for (int part = 0; part < 2; part++) {
        used += (size_t)snprintf(value + used, room - used, "%s",
                                 part ? "],\"dtype\":\"uint8\",\"kind\":\"dataset\",\"mean\":[" : "{\"deviation\":[");
        for (int i = 0; i < p->channels; i++) {
            number_text(part ? p->mean[i] : p->deviation[i], number);
            used += (size_t)snprintf(value + used, room - used, "%s%s", i ? "," : "", number);
        }
    }
    snprintf(value + used, room - used, "]}");
    text = replaced(m->engine->memory, text, "preprocessing", value, err);
    pn_mem_put(value);
    return text;
}

char *pn_card_write(const pn_model *m, pn_error *err)
{
    pn_memory *memory = m->engine->memory;
    char *text = pn_mem_get(memory, strlen(m->card) + 1, err), metrics[2 * NUMBER + 64], numbers[2][NUMBER];
    if (!text)
        return NULL;
    strcpy(text, m->card);
    if (m->learnt_pixels)
        text = with_preprocessing(m, text, err);
    if (!m->trained)
        return text;
    text = with_whole(memory, text, "epochs", (uint64_t)m->epochs, err);
    text = with_whole(memory, text, "best_epoch", (uint64_t)m->epochs, err);
    text = text ? replaced(memory, text, "kept", "\"last\"", err) : NULL;
    text = with_whole(memory, text, "seed", m->seed, err);
    text = with_number(memory, text, "task temperature", m->heads[0].temperature, err);
    text = with_number(memory, text, "task threshold", m->heads[0].threshold, err);
    if (text)
        text = replaced(memory, text, "loss",
                        m->heads[0].task == PN_TASK_BINARY ? "\"binary_cross_entropy\"" : "\"cross_entropy\"", err);
    number_text(m->accuracy, numbers[0]);
    number_text(m->loss, numbers[1]);
    snprintf(metrics, sizeof metrics, "{\"accuracy\":%s,\"loss\":%s}", numbers[0], numbers[1]);
    return text ? replaced(memory, text, "metrics", metrics, err) : NULL;
}

/* The probability whose log odds are those of p times a factor. */
static double rescaled(double p, double factor)
{
    return p == 0 || p == 1 ? p : (1 + tanh(log(p / (1 - p)) * factor / 2)) / 2;
}

int pn_card_begin_training(pn_model *m, uint64_t seed, pn_error *err)
{
    pn_head *head = &m->heads[0];
    m->seed = seed;
    m->trained = true;
    if (head->temperature != 1) { /* it was chosen for other weights */
        head->threshold = rescaled(head->threshold, head->temperature);
        head->temperature = 1;
    }
    const bool changed = m->written[0];
    m->written[0] = false; /* the loss takes logits from now on */
    return changed ? pn_plan_make(&m->plan, &m->network, &m->arena, m->written, err) : 0;
}

void pn_card_count_epoch(pn_model *m, double loss, double accuracy)
{
    m->epochs++;
    m->loss = loss;
    m->accuracy = accuracy;
}

/* ---- preprocessing ----------------------------------------------------------------------------------------------- */

static int measure(const pn_model *m, pn_moments *job, pn_error *err)
{
    const pn_kernels *k = m->engine->kernels[PN_FLOAT32];
    void *scratch = pn_mem_get(m->engine->memory, PN_SCRATCH_BYTES, err);
    job->work = scratch ? pn_mem_get(m->engine->memory, k->moments_work(job), err) : NULL;
    const pn_team team = { .pool = m->engine->pool, .scratch = scratch };
    const bool good = job->work;
    if (good)
        k->moments(&team, job);
    pn_mem_put(job->work);
    pn_mem_put(scratch);
    return good ? 0 : -1;
}

int pn_model_learn_pixels(pn_model *m, const pn_examples *data, pn_error *err)
{
    const pn_view *input = &m->network.input;
    const pn_index channels = input->ndim > 0 ? input->shape[input->ndim - 1] : 1;
    if (data->dtype != PN_UINT8 || data->n < 1 || !data->x)
        return pn_fail(err, PN_EVALUE, "learn_pixels: give uint8 pixels of at least one example");
    double *mean = pn_arena_get(&m->arena, (size_t)channels * sizeof *mean, err);
    double *deviation = mean ? pn_arena_get(&m->arena, (size_t)channels * sizeof *deviation, err) : NULL;
    pn_moments job = { .from = PN_UINT8,
                       .n = data->n * (input->size / channels),
                       .channels = channels,
                       .x = data->x,
                       .mean = mean,
                       .deviation = deviation };
    if (!deviation || measure(m, &job, err))
        return -1;
    for (pn_index i = 0; i < channels; i++)
        deviation[i] = deviation[i] > 0 ? deviation[i] : 1;
    m->prepared.kind = PN_PREPROCESS_DATASET;
    m->prepared.takes_pixels = m->learnt_pixels = true;
    m->prepared.channels = (int)channels;
    m->prepared.mean = mean;
    m->prepared.deviation = deviation;
    pn_model_note_facts(m);
    return pn_preprocessing_ready(m, err);
}

/* ---- a card ------------------------------------------------------------------------------------------------------ */

const char pn_model_mlp[] =
    "{\"architecture\":{\"config\":{\"dtype\":\"float32\"},\"kind\":\"Sequential\",\"layers\":["
    "{\"config\":{},\"kind\":\"Flatten\",\"name\":\"flatten_1\"},"
    "{\"config\":{\"activation\":\"relu\",\"bias\":true,\"init\":\"auto\",\"units\":128},\"kind\":\"Dense\","
    "\"name\":\"dense_1\"},"
    "{\"config\":{\"activation\":null,\"bias\":true,\"init\":\"auto\",\"units\":10},\"kind\":\"Dense\","
    "\"name\":\"dense_2\"}],\"name\":null},"
    "\"augment\":\"\",\"best_epoch\":0,\"columns\":[],\"data\":\"mnist\",\"data_hash\":\"\",\"epochs\":0,\"format\":1,"
    "\"held_out\":null,\"input_shape\":[28,28,1],\"kept\":\"\",\"loss\":\"cross_entropy\",\"metrics\":{},\"pixels\":"
    "null,"
    "\"prepare\":\"digit\","
    "\"preprocessing\":{\"deviation\":[],\"dtype\":\"uint8\",\"kind\":\"none\",\"mean\":[]},\"seed\":0,\"splits\":[],"
    "\"task\":{\"classes\":[],\"kind\":\"classes\",\"outputs\":10,\"temperature\":1.0,\"threshold\":0.5},"
    "\"test_time\":null,\"versions\":{\"pyneural\":\"0.1.0\"}}";
