/* files.c -- reads and writes whole files, and reads IDX. */
#include "files.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

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

/* ---- writing ----------------------------------------------------------------------------------------------------- */

int files_write(const char *path, const uint8_t *data, size_t size, pn_error *err)
{
    char temporary[4096];
    if (snprintf(temporary, sizeof temporary, "%s.part", path) >= (int)sizeof temporary)
        return pn_fail(err, PN_EVALUE, "%s: the path is too long", path);
    FILE *file = fopen(temporary, "wb");
    if (!file)
        return pn_fail(err, PN_EVALUE, "%s: cannot be created (%s)", path, strerror(errno));
    const bool good = fwrite(data, 1, size, file) == size;
    if (fclose(file) == 0 && good && rename(temporary, path) == 0)
        return 0;
    const int why = errno;
    remove(temporary);
    return pn_fail(err, PN_EVALUE, "%s: cannot be written (%s)", path, strerror(why));
}
