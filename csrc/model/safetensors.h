/* safetensors.h -- model files as bytes: 8 bytes of length (little-endian), a JSON header, the tensors' bytes.
 *
 * The metadata in the header have the key `pyneural`: the card, JSON text.  Any bytes may be given: messages start with
 * the name of the file. */
#ifndef PN_MODEL_SAFETENSORS_H
#define PN_MODEL_SAFETENSORS_H

#include "model/arena.h"
#include "tensor/tensor.h"

typedef struct pn_stored_tensor {
    const char *name; /* "dense_1/weight" */
    pn_view v;        /* data: not aligned, borrowed */
} pn_stored_tensor;

typedef struct pn_stored {
    const char *card;          /* JSON text */
    pn_stored_tensor *tensors; /* sorted by name */
    pn_index n;
} pn_stored;

/* Names and card are in the arena; the data of the tensors are in the bytes. */
int pn_safetensors_parse(pn_arena *arena, const char *name, const uint8_t *data, size_t size, pn_stored *out,
                         pn_error *err);

void pn_stored_sort(pn_stored *stored);
const pn_stored_tensor *pn_stored_find(const pn_stored *stored, const char *name); /* NULL: there is none */

/* The size of the file with these tensors; writes it if `to` is not NULL. */
size_t pn_safetensors_write(const pn_stored *stored, uint8_t *to);

#endif
