/* guarded.h -- blocks of memory between two pages that no access survives: reading or writing past an end faults.
 *
 * A block lies as near to the page behind it as its alignment lets it, or touches one of the two.  What is left of
 * its own pages holds a pattern that is NaN in both reals: guard_free sees what was written there, and results what was
 * read.  Under AddressSanitizer it is poisoned too.  Pages that are given back wait for the next block, so that a block
 * costs no system call. */
#ifndef PN_TEST_GUARDED_H
#define PN_TEST_GUARDED_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "pn.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#define ASAN_UNPOISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#endif

enum { GUARD_BYTES = 256 }; /* of the pattern, at most, on either side */

typedef enum { GUARD_ALIGNED, GUARD_AT_END, GUARD_AT_START } guard_place;

typedef struct guarded {
    unsigned char *base; /* its pages, so many bytes of them */
    size_t pages, lead, bytes;
    void *p; /* the block: base + lead, so many bytes */
} guarded;

static unsigned char *guard_waiting[64]; /* pages given back, by the logarithm of their size, each naming the next */

static inline unsigned char *guard_pages(size_t size)
{
    unsigned char **waiting = &guard_waiting[__builtin_ctzl(size)], *base = *waiting;
    if (base) {
        memcpy(waiting, base, sizeof *waiting);
        return base;
    }
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    base = mmap(NULL, size + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (base == MAP_FAILED || mprotect(base + page, size, PROT_READ | PROT_WRITE))
        abort();
    return base + page;
}

static inline unsigned char guard_pattern(size_t i) { return i % 2 ? 0xFF : 0xFA; }

/* The pattern's bytes begin at `from`, before the block and behind it. */
static inline size_t guard_before(guarded g) { return g.lead < GUARD_BYTES ? 0 : g.lead - GUARD_BYTES; }
static inline size_t guard_behind(guarded g)
{
    const size_t end = g.lead + g.bytes + GUARD_BYTES;
    return end < g.pages ? end : g.pages;
}

/* A block of `bytes` bytes.  GUARD_ALIGNED: `shift` bytes past a PN_ALIGN boundary; else shift is 0. */
static inline guarded guard_at(guard_place place, size_t bytes, size_t shift)
{
    guarded g = { .pages = (size_t)sysconf(_SC_PAGESIZE), .bytes = bytes };
    while (g.pages < bytes + shift + PN_ALIGN)
        g.pages *= 2;
    g.base = guard_pages(g.pages);
    g.lead = place == GUARD_AT_START ? 0 : g.pages - bytes;
    if (place == GUARD_ALIGNED)
        g.lead = (g.lead - shift) / PN_ALIGN * PN_ALIGN + shift;
    g.p = g.base + g.lead;
    for (size_t i = guard_before(g); i < g.lead; i++)
        g.base[i] = guard_pattern(i);
    for (size_t i = g.lead + bytes; i < guard_behind(g); i++)
        g.base[i] = guard_pattern(i);
    ASAN_POISON_MEMORY_REGION(g.base, g.lead / 8 * 8);
    ASAN_POISON_MEMORY_REGION(g.base + g.lead + bytes, g.pages - g.lead - bytes);
    return g;
}

/* As near to the page behind it as its alignment lets it: shift 0, PN_ALIGN; sizeof(real), an element's only. */
static inline guarded guard_new(size_t bytes, size_t shift) { return guard_at(GUARD_ALIGNED, bytes, shift); }

/* Returns whether nothing was written outside; the block is gone. */
static inline bool guard_free(guarded g)
{
    bool ok = true;
    ASAN_UNPOISON_MEMORY_REGION(g.base, g.pages);
    for (size_t i = guard_before(g); i < g.lead; i++)
        ok &= g.base[i] == guard_pattern(i);
    for (size_t i = g.lead + g.bytes; i < guard_behind(g); i++)
        ok &= g.base[i] == guard_pattern(i);
    unsigned char **waiting = &guard_waiting[__builtin_ctzl(g.pages)];
    memcpy(g.base, waiting, sizeof *waiting);
    *waiting = g.base;
    return ok;
}

#endif
