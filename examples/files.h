/* files.h -- reads and writes whole files, and reads IDX, for C programs; outside the engine.
 *
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

/* Writes a temporary file and then renames it, so that a failure keeps an existing file. */
int files_write(const char *path, const uint8_t *data, size_t size, pn_error *err);

#endif
