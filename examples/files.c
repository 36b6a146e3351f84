/* files.c -- reads whole files, IDX and model files. */
#include "files.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "model/json.h"

/* ---- whole files ------------------------------------------------------------------------------------------------- */

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

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static int read_open(pn_memory *memory, FILE *file, const char *path, files_bytes *out, pn_error *err)
{
    long size;
    if (fseek(file, 0, SEEK_END) || (size = ftell(file)) < 0 || fseek(file, 0, SEEK_SET))
        return pn_fail(err, PN_EVALUE, "%s: cannot be read (%s)", path, strerror(errno));
    out->size = (size_t)size;
    out->data = pn_mem_get(memory, out->size, err);
    if (!out->data)
        return -1;
    if (fread(out->data, 1, out->size, file) == out->size)
        return 0;
    pn_mem_put(out->data);
    out->data = NULL;
    return pn_fail(err, PN_EVALUE, "%s: cannot be read whole", path);
}

int files_read(pn_memory *memory, const char *path, files_bytes *out, pn_error *err)
{
    *out = (files_bytes){ .data = NULL };
    FILE *file = fopen(path, "rb");
    if (!file)
        return pn_fail(err, PN_EVALUE, "%s: cannot be opened (%s)", path, strerror(errno));
    const int failed = read_open(memory, file, path, out, err);
    fclose(file);
    return failed;
}

/* ---- IDX: 0, 0, type, axes, then each axis's length (32 bits, big-endian), then the values ----------------------- */

static uint32_t big_endian(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static const char *kind_of(int ndim) { return ndim == 1 ? "labels" : ndim == 3 ? "images" : "values"; }

static int check_magic(const char *name, const uint8_t *data, size_t size, int ndim, pn_error *err)
{
    if (size >= 2 && data[0] == 0x1F && data[1] == 0x8B)
        return pn_fail(err, PN_EVALUE, "%s: is gzipped; unpack it first (gzip -d)", name);
    if (size < 4 || data[0] || data[1])
        return pn_fail(err, PN_EVALUE, "%s: is not an IDX file", name);
    if (data[2] != 0x08)
        return pn_fail(err, PN_EVALUE, "%s: holds values of type 0x%02x; IDX images and labels are uint8 (0x08)", name,
                       data[2]);
    if (data[3] != ndim)
        return pn_fail(err, PN_EVALUE, "%s: has %d axes (%s), expected %d (%s)", name, data[3], kind_of(data[3]), ndim,
                       kind_of(ndim));
    return 0;
}

pn_tensor *files_parse_idx(pn_engine *engine, const char *name, const uint8_t *data, size_t size, int ndim,
                           pn_error *err)
{
    pn_assert(ndim >= 1 && ndim <= PN_MAX_DIMS);
    const size_t header = 4 + 4 * (size_t)ndim;
    if (check_magic(name, data, size, ndim, err))
        return NULL;
    if (size < header) {
        pn_fail(err, PN_EVALUE, "%s: the header has %zu bytes, found %zu: incomplete download", name, header, size);
        return NULL;
    }
    pn_index shape[PN_MAX_DIMS];
    for (int i = 0; i < ndim; i++)
        shape[i] = (pn_index)big_endian(data + 4 + 4 * i);
    pn_view v;
    if (pn_view_init(&v, PN_UINT8, ndim, shape, name, err))
        return NULL;
    if ((size_t)v.size != size - header) {
        const bool less = size - header < (size_t)v.size;
        pn_fail(err, PN_EVALUE, "%s: header promises %s bytes, found %s: %s", name, group((uint64_t)v.size).s,
                group(size - header).s, less ? "incomplete download" : "not the file it says it is");
        return NULL;
    }
    pn_tensor *tensor = pn_tensor_new(engine, &v, err);
    if (tensor && v.size > 0)
        memcpy(tensor->v.data, data + header, (size_t)v.size);
    return tensor;
}

pn_tensor *files_read_idx(pn_engine *engine, const char *path, int ndim, pn_error *err)
{
    files_bytes bytes;
    if (files_read(engine->memory, path, &bytes, err))
        return NULL;
    pn_tensor *tensor = files_parse_idx(engine, base_name(path), bytes.data, bytes.size, ndim, err);
    pn_mem_put(bytes.data);
    return tensor;
}

/* ---- model files: reading ---------------------------------------------------------------------------------------- */

/* Other kinds of files that people may give. */
static int check_foreign(const char *name, const uint8_t *data, size_t size, pn_error *err)
{
    static const struct {
        const char *magic, *what;
    } foreign[] = {
        { "\x89HDF", "an HDF5 (Keras) file" },
        { "PK\x03\x04", "a zip archive (PyTorch, Keras or NumPy)" },
        { "\x80", "a pickle" },
        { "\x93NUMPY", "a NumPy array" },
    };
    for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++) {
        const size_t n = strlen(foreign[i].magic);
        const bool longer =
            n == 1 && size > 1 && (data[1] < 2 || data[1] > 5); /* a pickle's second byte is its protocol */
        if (size >= n && memcmp(data, foreign[i].magic, n) == 0 && !longer)
            return pn_fail(err, PN_EVALUE, "%s is %s; give a .safetensors file written by pn.save", name,
                           foreign[i].what);
    }
    return 0;
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

static int dtype_of(const char *text)
{
    static const char *const names[PN_DTYPES] = { "F32", "F64", "U8", "I64" };
    for (int i = 0; i < PN_DTYPES; i++)
        if (strcmp(text, names[i]) == 0)
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
static int read_entry(pn_json *j, files_entry *entry, const uint8_t *tensors, size_t room)
{
    char key[32], word[8];
    int dtype = -1, ndim = -1, ends = -1;
    pn_index shape[PN_MAX_DIMS], offsets[2];
    bool first = true;
    if (!pn_json_open(j, '{'))
        return -1;
    for (int more; (more = pn_json_more(j, '}', &first)) != 0;) {
        if (more < 0 || pn_json_key(j, key, sizeof key))
            return -1;
        if (strcmp(key, "dtype") == 0)
            dtype = pn_json_string(j, word, sizeof word) ? -1 : dtype_of(word);
        else if (strcmp(key, "shape") == 0)
            ndim = read_sizes(j, shape, PN_MAX_DIMS);
        else if (strcmp(key, "data_offsets") == 0)
            ends = read_sizes(j, offsets, 2);
        else
            return -1;
    }
    if (dtype < 0 || ndim < 0 || ends != 2 || offsets[0] > offsets[1] || (size_t)offsets[1] > room)
        return -1;
    if (pn_view_init(&entry->v, (pn_dtype)dtype, ndim, shape, entry->name, NULL))
        return -1;
    entry->v.data = (void *)(tensors + offsets[0]);
    return pn_view_bytes(&entry->v) == (size_t)(offsets[1] - offsets[0]) ? 0 : -1;
}

static int read_card(pn_json *j, pn_memory *memory, files_model *out, pn_error *err)
{
    pn_json end = *j;
    if (pn_json_skip(&end))
        return -1;
    const int found = pn_json_find(j, "pyneural");
    if (found == 1) {
        const size_t room = (size_t)(end.at - j->at) + 1;
        pn_mem_put(out->card);
        out->card = pn_mem_get(memory, room, err);
        if (!out->card || pn_json_string(j, out->card, room))
            return -1;
    }
    *j = end;
    return found < 0 ? -1 : 0;
}

static int read_header(pn_json j, pn_memory *memory, const uint8_t *tensors, size_t room, files_model *out,
                       pn_error *err)
{
    size_t used = 0;
    bool first = true;
    if (!pn_json_open(&j, '{'))
        return -1;
    for (int more; (more = pn_json_more(&j, '}', &first)) != 0;) {
        files_entry entry;
        if (more < 0 || pn_json_key(&j, entry.name, sizeof entry.name))
            return -1;
        const bool metadata = strcmp(entry.name, "__metadata__") == 0;
        if (metadata ? read_card(&j, memory, out, err) : read_entry(&j, &entry, tensors, room))
            return -1;
        if (metadata)
            continue;
        used += pn_view_bytes(&entry.v);
        if (out->entries)
            out->entries[out->n] = entry;
        out->n++;
    }
    return used == room ? 0 : -1;
}

int files_parse_model(pn_memory *memory, const char *name, const uint8_t *data, size_t size, files_model *out,
                      pn_error *err)
{
    pn_json header;
    pn_error inner = { .code = PN_OK };
    *out = (files_model){ .n = 0 };
    if (find_header(name, data, size, &header, err))
        return -1;
    const uint8_t *tensors = (const uint8_t *)header.end;
    const size_t room = size - (size_t)(tensors - data);
    if (read_header(header, memory, tensors, room, out, &inner)) /* counts the entries */
        goto malformed;
    out->entries = pn_mem_get(memory, (size_t)out->n * sizeof *out->entries, &inner);
    if (!out->entries)
        goto malformed;
    out->n = 0;
    if (read_header(header, memory, tensors, room, out, &inner))
        goto malformed;
    if (out->card)
        return 0;
    files_free_model(out);
    return pn_fail(err, PN_EVALUE, "%s: holds tensors but no pyneural model; give a file written by pn.save", name);
malformed:
    files_free_model(out);
    if (inner.code == PN_EMEMORY)
        return pn_fail(err, inner.code, "%s: %s", name, inner.text);
    return pn_fail(err, PN_EVALUE, "%s: damaged: the header and the %s bytes after it do not fit together", name,
                   group(room).s);
}

int files_read_model(pn_memory *memory, const char *path, files_model *out, pn_error *err)
{
    files_bytes bytes;
    *out = (files_model){ .n = 0 };
    if (files_read(memory, path, &bytes, err))
        return -1;
    if (files_parse_model(memory, base_name(path), bytes.data, bytes.size, out, err)) {
        pn_mem_put(bytes.data);
        return -1;
    }
    out->bytes = bytes;
    return 0;
}

void files_free_model(files_model *model)
{
    pn_mem_put(model->bytes.data);
    pn_mem_put(model->card);
    pn_mem_put(model->entries);
    *model = (files_model){ .n = 0 };
}

int files_copy_entry(const files_model *model, const char *name, pn_tensor *to, pn_error *err)
{
    for (pn_index i = 0; i < model->n; i++) {
        const pn_view *v = &model->entries[i].v;
        if (strcmp(model->entries[i].name, name) != 0)
            continue;
        if (v->dtype != to->v.dtype || !pn_view_same_shape(v, &to->v))
            return pn_fail(err, PN_ESHAPE, "load: %s is %s %s in the file, %s %s in the model", name,
                           pn_dtype_name(v->dtype), pn_view_text(v).s, pn_dtype_name(to->v.dtype),
                           pn_view_text(&to->v).s);
        memcpy(to->v.data, v->data, pn_view_bytes(v));
        pn_tensor_touch(to);
        return 0;
    }
    return pn_fail(err, PN_EVALUE, "load: the file has no tensor %s", name);
}

int files_card_number(const char *card, const char *path, double *out, pn_error *err)
{
    pn_json j = { .at = card, .end = card + strlen(card) };
    for (const char *at = path; *at;) {
        char key[64];
        const size_t n = strcspn(at, " ");
        snprintf(key, sizeof key, "%.*s", (int)n, at);
        if (pn_json_find(&j, key) != 1)
            return pn_fail(err, PN_EVALUE, "load: the card has no %s", path);
        at += n + (at[n] == ' ');
    }
    pn_json list = j;
    if (pn_json_open(&list, '['))
        j = list;
    return pn_json_number(&j, out) ? pn_fail(err, PN_EVALUE, "load: the card's %s is no number", path) : 0;
}

/* ---- model files: writing ---------------------------------------------------------------------------------------- */

/* Text that is first counted (at = NULL), then written. */
typedef struct text {
    char *at;
    size_t used;
} text;

static void put(text *t, const char *s, size_t n)
{
    if (t->at)
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

static void put_header(text *t, pn_index n, const files_entry *entries, const char *card)
{
    static const char *const names[PN_DTYPES] = { "F32", "F64", "U8", "I64" };
    size_t offset = 0;
    put_word(t, "{\"__metadata__\":{\"pyneural\":");
    put_string(t, card);
    put_word(t, "}");
    for (pn_index i = 0; i < n; i++) {
        const pn_view *v = &entries[i].v;
        put_word(t, ",");
        put_string(t, entries[i].name);
        put_word(t, ":{\"dtype\":\"");
        put_word(t, names[v->dtype]);
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

static bool write_all(FILE *file, const text *header, pn_index n, const files_entry *entries)
{
    uint8_t length[8];
    for (int i = 0; i < 8; i++)
        length[i] = (uint8_t)((uint64_t)header->used >> (8 * i));
    bool good = fwrite(length, 1, 8, file) == 8 && fwrite(header->at, 1, header->used, file) == header->used;
    for (pn_index i = 0; i < n && good; i++)
        good = fwrite(entries[i].v.data, 1, pn_view_bytes(&entries[i].v), file) == pn_view_bytes(&entries[i].v);
    return good;
}

int files_write_model(pn_memory *memory, const char *path, pn_index n, const files_entry *entries, const char *card,
                      pn_error *err)
{
    char beside[4096];
    if (snprintf(beside, sizeof beside, "%s.part", path) >= (int)sizeof beside)
        return pn_fail(err, PN_EVALUE, "save: the path is longer than %zu bytes", sizeof beside);
    text header = { .at = NULL };
    put_header(&header, n, entries, card);
    header = (text){ .at = pn_mem_get(memory, header.used, err) };
    if (!header.at)
        return -1;
    put_header(&header, n, entries, card);
    FILE *file = fopen(beside, "wb");
    bool good = file && write_all(file, &header, n, entries);
    if (file)
        good = fclose(file) == 0 && good;
    pn_mem_put(header.at);
    if (good && rename(beside, path) == 0)
        return 0;
    pn_fail(err, PN_EVALUE, "save: %s cannot be written (%s)", path, strerror(errno));
    if (file)
        remove(beside);
    return -1;
}
