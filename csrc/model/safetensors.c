/* safetensors.c -- reads and writes the bytes of model files. */
#include "model/safetensors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/json.h"

/* Dtypes by their names in files: those of tensors that models have, and others, whose size is unknown. */
static const char *const dtypes[PN_DTYPES] = { "F32", "F64", "U8", "I64" };

/* 47040000 as "47,040,000". */
typedef struct grouped {
    char s[32];
} grouped;

static grouped group(uint64_t n)
{
    grouped g;
    char *at = g.s + sizeof g.s - 1;
    *at = '\0';
    for (int digits = 0; n > 0 || digits == 0; digits++, n /= 10) {
        if (digits > 0 && digits % 3 == 0)
            *--at = ',';
        *--at = (char)('0' + n % 10);
    }
    memmove(g.s, at, strlen(at) + 1);
    return g;
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

/* Other kinds of files that people may give. */
static int check_foreign(const char *name, const uint8_t *data, size_t size, pn_error *err)
{
    static const struct {
        const char *magic, *what;
    } foreign[] = {
        { "\x89HDF", "an HDF5 (Keras) file" },
        { "PK\x03\x04", "a zip archive (PyTorch, Keras or NumPy)" },
        { "\x93NUMPY", "a NumPy array" },
        { "\x1f\x8b", "a gzip archive" },
        { "GGUF", "a GGUF file" },
    };
    const char *what = size > 1 && data[0] == 0x80 && data[1] >= 1 && data[1] <= 5 ? "a pickle" : NULL;
    for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++)
        if (size >= strlen(foreign[i].magic) && memcmp(data, foreign[i].magic, strlen(foreign[i].magic)) == 0)
            what = foreign[i].what;
    if (!what || (size > 8 && data[8] == '{')) /* the length of a header may look like one of these */
        return 0;
    return pn_fail(err, PN_EVALUE, "%s is %s; give a .safetensors file written by pn.save", name, what);
}

static int find_header(const char *name, const uint8_t *data, size_t size, pn_json *header, pn_error *err)
{
    uint64_t length = 0;
    if (check_foreign(name, data, size, err))
        return -1;
    if (size < 8)
        return pn_fail(err, PN_EVALUE, "%s: has %zu bytes and is not a model file", name, size);
    for (int i = 7; i >= 0; i--)
        length = length << 8 | data[i];
    if (length > 100 << 20 || (size > 8 && data[8] != '{'))
        return pn_fail(err, PN_EVALUE, "%s: is not a safetensors file", name);
    if (length > size - 8)
        return pn_fail(err, PN_EVALUE, "%s: header promises %s bytes, found %s: incomplete file", name, group(length).s,
                       group(size - 8).s);
    *header = (pn_json){ .at = (const char *)data + 8, .end = (const char *)data + 8 + length };
    return 0;
}

static int read_dtype(pn_json *j)
{
    char text[8];
    if (pn_json_string(j, text, sizeof text))
        return -1;
    for (int i = 0; i < PN_DTYPES; i++)
        if (strcmp(text, dtypes[i]) == 0)
            return i;
    return -1;
}

static int read_sizes(pn_json *j, pn_index *out, int most)
{
    int n = 0;
    bool first = true;
    if (!pn_json_open(j, '['))
        return -1;
    for (;;) {
        const int more = pn_json_more(j, ']', &first);
        if (more <= 0)
            return more ? -1 : n;
        if (n == most || pn_json_size(j, &out[n++]))
            return -1;
    }
}

/* {"dtype": "F32", "shape": [784, 128], "data_offsets": [0, 401408]} */
static int read_tensor(pn_json *j, pn_stored_tensor *tensor, const uint8_t *data, size_t room)
{
    char key[32];
    int dtype = -1, ndim = -1, ends = -1;
    pn_index shape[PN_MAX_DIMS], offsets[2];
    bool first = true;
    if (!pn_json_open(j, '{'))
        return -1;
    for (int more; (more = pn_json_more(j, '}', &first)) != 0;) {
        if (more < 0 || pn_json_key(j, key, sizeof key))
            return -1;
        if (strcmp(key, "dtype") == 0)
            dtype = read_dtype(j);
        else if (strcmp(key, "shape") == 0)
            ndim = read_sizes(j, shape, PN_MAX_DIMS);
        else if (strcmp(key, "data_offsets") == 0)
            ends = read_sizes(j, offsets, 2);
        else
            return -1;
    }
    if (dtype < 0 || ndim < 0 || ends != 2 || offsets[0] > offsets[1] || (size_t)offsets[1] > room)
        return -1;
    if (pn_view_init(&tensor->v, (pn_dtype)dtype, ndim, shape, "tensor", NULL))
        return -1;
    tensor->v.data = (void *)(data + offsets[0]);
    return pn_view_bytes(&tensor->v) == (size_t)(offsets[1] - offsets[0]) ? 0 : -1;
}

static int read_card(pn_json *j, pn_arena *arena, pn_stored *out, pn_error *err)
{
    pn_json card;
    char *text;
    if (pn_json_get(j, "pyneural", &card) && !out->card) {
        if (pn_json_text(&card, arena, &text, err))
            return -1;
        out->card = text;
    }
    return pn_json_skip(j);
}

/* Without `tensors` it only counts them. */
static int read_header(pn_json j, pn_arena *arena, const uint8_t *data, size_t room, pn_stored *out, pn_error *err)
{
    size_t used = 0;
    bool first = true;
    if (!pn_json_open(&j, '{'))
        return -1;
    for (int more; (more = pn_json_more(&j, '}', &first)) != 0;) {
        pn_stored_tensor tensor = { .name = NULL };
        char word[16];
        pn_json key = j;
        const bool metadata = pn_json_key(&key, word, sizeof word) == 0 && strcmp(word, "__metadata__") == 0;
        if (more < 0)
            return -1;
        if (out->tensors && !metadata) {
            char *name;
            key = j;
            if (pn_json_text(&key, arena, &name, err))
                return -1;
            tensor.name = name;
        }
        if (pn_json_key(&j, NULL, 0) ||
            (metadata ? read_card(&j, arena, out, err) : read_tensor(&j, &tensor, data, room)))
            return -1;
        if (metadata)
            continue;
        used += pn_view_bytes(&tensor.v);
        if (out->tensors)
            out->tensors[out->n] = tensor;
        out->n++;
    }
    return used == room ? 0 : -1;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const pn_stored_tensor *)a)->name, ((const pn_stored_tensor *)b)->name);
}

void pn_stored_sort(pn_stored *stored) { qsort(stored->tensors, (size_t)stored->n, sizeof *stored->tensors, by_name); }

const pn_stored_tensor *pn_stored_find(const pn_stored *stored, const char *name)
{
    const pn_stored_tensor key = { .name = name };
    return bsearch(&key, stored->tensors, (size_t)stored->n, sizeof key, by_name);
}

int pn_safetensors_parse(pn_arena *arena, const char *name, const uint8_t *data, size_t size, pn_stored *out,
                         pn_error *err)
{
    pn_json header;
    pn_error inner = { .code = PN_OK };
    *out = (pn_stored){ .n = 0 };
    if (find_header(name, data, size, &header, err))
        return -1;
    const uint8_t *tensors = (const uint8_t *)header.end;
    const size_t room = size - (size_t)(tensors - data);
    int failed = read_header(header, arena, tensors, room, out, &inner); /* counts the tensors */
    if (!failed)
        out->tensors = pn_arena_get(arena, (size_t)out->n * sizeof *out->tensors, &inner);
    out->n = 0;
    if (!out->tensors || read_header(header, arena, tensors, room, out, &inner)) {
        if (inner.code == PN_EMEMORY)
            return pn_fail(err, inner.code, "%s: %s", name, inner.text);
        return pn_fail(err, PN_EVALUE, "%s: damaged: the header and the %s bytes after it do not fit together", name,
                       group(room).s);
    }
    pn_stored_sort(out);
    if (out->card)
        return 0;
    return pn_fail(err, PN_EVALUE, "%s: holds tensors but no pyneural model; give a file written by pn.save", name);
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

/* Text that is counted, and written unless `at` is NULL. */
typedef struct text {
    uint8_t *at;
    size_t used;
} text;

static void put(text *t, const void *s, size_t n)
{
    if (t->at && n > 0)
        memcpy(t->at + t->used, s, n);
    t->used += n;
}

static void put_word(text *t, const char *s) { put(t, s, strlen(s)); }

static void put_string(text *t, const char *s)
{
    put(t, "\"", 1);
    for (; *s; s++) {
        char escape[8];
        if (*s == '"' || *s == '\\')
            put(t, "\\", 1);
        if ((unsigned char)*s >= 0x20) {
            put(t, s, 1);
            continue;
        }
        snprintf(escape, sizeof escape, "\\u%04x", (unsigned)*s);
        put_word(t, escape);
    }
    put(t, "\"", 1);
}

static void put_size(text *t, const char *before, size_t n)
{
    char digits[64];
    snprintf(digits, sizeof digits, "%s%zu", before, n);
    put_word(t, digits);
}

static void put_header(text *t, const pn_stored *stored)
{
    size_t offset = 0;
    put_word(t, "{\"__metadata__\":{\"pyneural\":");
    put_string(t, stored->card);
    put_word(t, "}");
    for (pn_index i = 0; i < stored->n; i++) {
        const pn_view *v = &stored->tensors[i].v;
        put_word(t, ",");
        put_string(t, stored->tensors[i].name);
        put_word(t, ":{\"dtype\":\"");
        put_word(t, dtypes[v->dtype]);
        put_word(t, "\",\"shape\":[");
        for (int axis = 0; axis < v->ndim; axis++)
            put_size(t, axis ? "," : "", (size_t)v->shape[axis]);
        put_size(t, "],\"data_offsets\":[", offset);
        offset += pn_view_bytes(v);
        put_size(t, ",", offset);
        put_word(t, "]}");
    }
    put_word(t, "}");
    while (t->used % 8)
        put(t, " ", 1);
}

size_t pn_safetensors_write(const pn_stored *stored, uint8_t *to)
{
    text header = { .at = to ? to + 8 : NULL };
    put_header(&header, stored);
    text whole = { .at = to };
    for (int i = 0; i < 8; i++)
        put(&whole, &(uint8_t){ (uint8_t)((uint64_t)header.used >> (8 * i)) }, 1);
    whole.used += header.used;
    for (pn_index i = 0; i < stored->n; i++)
        put(&whole, stored->tensors[i].v.data, pn_view_bytes(&stored->tensors[i].v));
    return whole.used;
}
