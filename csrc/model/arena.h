/* arena.h -- an arena: many small pieces of memory that are freed together. */
#ifndef PN_MODEL_ARENA_H
#define PN_MODEL_ARENA_H

#include "base/mem.h"

typedef struct pn_chunk pn_chunk;
typedef struct pn_arena {
    pn_memory *memory;
    pn_chunk *chunks; /* the newest first */
} pn_arena;

/* Zeroed, aligned for any type; valid until the arena is freed. */
void *pn_arena_get(pn_arena *arena, size_t bytes, pn_error *err);
void pn_arena_free(pn_arena *arena);

#endif
