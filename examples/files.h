/* files.h -- reads IDX, reads and writes model files, for C programs; outside the engine.
 *
 * A model file is safetensors: 8 bytes of length (little-endian), a JSON header, the tensors' bytes.  Its metadata hold
 * one key, `pyneural`: the card, sorted JSON.  What pn.save writes can be read here, and the reverse.
 * Any bytes may be given: error messages start with the name of the file. */
#ifndef PN_EXAMPLES_FILES_H
#define PN_EXAMPLES_FILES_H

#include "tensor/tensor.h"

/* The whole of a plain file, in a block for pn_mem_put. */
typedef struct files_bytes {
    uint8_t *data;
    size_t size;
} files_bytes;
int files_read(pn_memory *memory, const char *path, files_bytes *out, pn_error *err);

/* An IDX file of uint8 with ndim axes (1 labels, 3 images) as a tensor; a new reference, NULL on failure. */
pn_tensor *files_read_idx(pn_engine *engine, const char *path, int ndim, pn_error *err);
pn_tensor *files_parse_idx(pn_engine *engine, const char *name, const uint8_t *data, size_t size, int ndim,
                           pn_error *err);

enum { FILES_NAME = 128 };

typedef struct files_entry {
    char name[FILES_NAME]; /* "dense_1/weight" */
    pn_view v;             /* data: not aligned, borrowed */
} files_entry;

typedef struct files_model {
    files_bytes bytes; /* entries point into it; data is NULL if the caller owns the bytes */
    char *card;        /* JSON text */
    files_entry *entries;
    pn_index n;
} files_model;

int files_read_model(pn_memory *memory, const char *path, files_model *out, pn_error *err);
int files_parse_model(pn_memory *memory, const char *name, const uint8_t *data, size_t size, files_model *out,
                      pn_error *err);
void files_free_model(files_model *model);

/* Writes a temporary file and then renames it, so that a failure keeps an existing file. */
int files_write_model(pn_memory *memory, const char *path, pn_index n, const files_entry *entries, const char *card,
                      pn_error *err);

/* Copies the entry of that name into a tensor, whose dtype and shape it must have. */
int files_copy_entry(const files_model *model, const char *name, pn_tensor *to, pn_error *err);

/* The number, or the only element of the list, at a path of keys in JSON text: "preprocessing mean". */
int files_card_number(const char *card, const char *path, double *out, pn_error *err);

#endif
