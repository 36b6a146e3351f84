/* arena.c -- an arena: pieces are cut from chunks of at least CHUNK bytes. */
#include "model/arena.h"

#include <string.h>

enum { CHUNK = 8192, UNIT = 16 };

struct pn_chunk {
    pn_chunk *next;
    size_t used, size; /* with this head */
};

static const size_t HEAD = (sizeof(pn_chunk) + UNIT - 1) / UNIT * UNIT;

void *pn_arena_get(pn_arena *arena, size_t bytes, pn_error *err)
{
    pn_chunk *chunk = arena->chunks;
    if (bytes > PTRDIFF_MAX / 2) {
        pn_fail(err, PN_EMEMORY, "out of memory: asked for %zu bytes", bytes);
        return NULL;
    }
    bytes = (bytes + UNIT - 1) / UNIT * UNIT;
    if (!chunk || bytes > chunk->size - chunk->used) {
        const size_t size = HEAD + bytes > CHUNK ? HEAD + bytes : CHUNK;
        chunk = pn_mem_get(arena->memory, size, err);
        if (!chunk)
            return NULL;
        *chunk = (pn_chunk){ .next = arena->chunks, .used = HEAD, .size = size };
        arena->chunks = chunk;
    }
    void *piece = (char *)chunk + chunk->used;
    chunk->used += bytes;
    return memset(piece, 0, bytes);
}

void pn_arena_free(pn_arena *arena)
{
    while (arena->chunks) {
        pn_chunk *next = arena->chunks->next;
        pn_mem_put(arena->chunks);
        arena->chunks = next;
    }
}
