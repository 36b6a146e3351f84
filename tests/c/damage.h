/* damage.h -- damaged copies of a file, for tests of readers; include harness.h first. */
#ifndef PN_TESTS_DAMAGE_H
#define PN_TESTS_DAMAGE_H

#include "pn.h"

/* Bytes that matter in either format. */
static inline uint8_t telling_byte(void)
{
    static const uint8_t bytes[] = { 0,   1,   3,   8,   0x7F, 0x80, 0xFF, '"', '\\', '{',
                                     '}', '[', ']', ',', ':',  '0',  '9',  '-', 'e',  'u' };
    return bytes[harness_below((int64_t)sizeof bytes)];
}

/* One edit of the n bytes: a bit, a byte, a cut, a doubled or removed stretch.  Returns the new length,
 * at most room. */
static inline size_t damage(uint8_t *data, size_t n, size_t room)
{
    if (n == 0)
        return 0;
    const size_t at = (size_t)harness_below((int64_t)n);
    const size_t most = (size_t)pn_min((pn_index)(n - at), (pn_index)(room - n));
    const size_t stretch = most ? (size_t)harness_below((int64_t)most) : 0;
    switch (harness_below(6)) {
    case 0: data[at] ^= (uint8_t)(1 << harness_below(8)); return n;
    case 1: data[at] = telling_byte(); return n;
    case 2: data[at] = (uint8_t)harness_below(256); return n;
    case 3: return at;
    case 4: memmove(data + at, data + at + stretch, n - at - stretch); return n - stretch;
    default: memmove(data + at + stretch, data + at, n - at); return n + stretch;
    }
}

/* `count` damaged copies of a file, each in a block of exactly its size, so that a read past the end is seen. */
static inline void try_damaged(const uint8_t *data, size_t n, int count, void (*try)(const uint8_t *, size_t, void *),
                               void *with)
{
    uint8_t copy[16384];
    REQUIRE(n <= sizeof copy / 2);
    for (int i = 0; i < count; i++) {
        memcpy(copy, data, n);
        size_t size = n;
        for (int64_t edits = 1 + harness_below(4); edits > 0; edits--)
            size = damage(copy, size, sizeof copy);
        uint8_t *exact = malloc(size ? size : 1);
        REQUIRE(exact);
        memcpy(exact, copy, size);
        try
            (exact, size, with);
        free(exact);
    }
}

#endif
