/* mem.c -- the only allocator: counted, 64-byte aligned, recycled in size classes; tests can make the n-th request
 * fail.
 *
 * A block is a header of one cache line followed by the bytes of its size class: 64, 128, 192, 256, then four classes
 * per power of two (above 256, at most a fifth of a block is slack).  A freed block is cached in the free list of its
 * class; all byte counts are sizes of classes.  Sanitizer builds count in the same way, but allocate each block in its
 * exact size and free it at once, so that the sanitizers see every error.
 *
 * At most `keep_bytes` are cached, KEPT at first.  If more would be, the whole cache is returned to the system: blocks
 * in regular use are soon allocated again, and the others are not.  Memory that is requested again within SOON_NS after
 * it was returned belongs to a loop: keep_bytes grows by its size, to at most twice the peak, so that the next
 * iteration of the loop is served from the cache. */
#include "base/mem.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#ifdef __linux__
#include <sys/mman.h>
#endif

#if defined(PN_SANITIZE) || defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define RECYCLE false
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define RECYCLE false
#endif
#endif
#ifndef RECYCLE
#define RECYCLE true
#endif

enum {
    HEADER = PN_ALIGN,
    SMALL = 4 * PN_ALIGN, /* up to this size the classes are PN_ALIGN apart */
    SMALL_LOG2 = 8,
    CLASSES = 4 * (64 - SMALL_LOG2) + 4,
    HUGE_PAGE = 2 << 20,
    KEPT = 512 << 20,      /* limit of the cache until a loop needs more: training and validation batches */
                           /* alternate, each with its own size classes */
    MANY_BYTES = 16 << 20, /* after freeing this much at once, malloc_trim is called, too */
};
static const int64_t SOON_NS = 10000000000;

typedef enum { FREE = 0x46524545, LIVE = 0x4C495645 } block_state; /* debug builds catch a double free */

typedef struct block {
    pn_memory *memory;
    struct block *next; /* in the free list of its class */
    size_t size;        /* of its class */
    int size_class;
    block_state state;
} block;

_Static_assert(sizeof(block) <= HEADER, "the header is one cache line");

struct pn_memory {
    pthread_mutex_t lock; /* guards all fields below */
    pn_memory_stats stats;
    size_t returned_bytes; /* returned to the system, and not requested again since */
    int64_t returned_ns;   /* when that last happened */
    int64_t fail_after;
    block *cached[CLASSES];
};

static int class_of(size_t bytes)
{
    if (bytes <= SMALL)
        return bytes == 0 ? 0 : (int)((bytes - 1) / PN_ALIGN);
    int log2 = 63 - __builtin_clzll((unsigned long long)bytes - 1); /* 2^log2 < bytes <= 2^(log2 + 1) */
    return 4 * (log2 - SMALL_LOG2 + 1) + (int)((bytes - 1) >> (log2 - 2) & 3);
}

static size_t class_size(int size_class)
{
    if (size_class < 4)
        return (size_t)(size_class + 1) * PN_ALIGN;
    return (size_t)(size_class % 4 + 5) << (size_class / 4 + SMALL_LOG2 - 3);
}

/* The only malloc.  Large blocks, including their header, start on a huge page boundary and request huge pages. */
static void *ask_system(size_t bytes)
{
    bool large = bytes >= 2 * (size_t)HUGE_PAGE;
    void *start = NULL;
    if (posix_memalign(&start, large ? HUGE_PAGE : PN_ALIGN, bytes) != 0)
        return NULL;
#if defined(__linux__) && defined(MADV_HUGEPAGE)
    if (large)
        (void)madvise(start, bytes / HUGE_PAGE * HUGE_PAGE, MADV_HUGEPAGE);
#endif
    return start;
}

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* The C library keeps blocks of up to some MiB in its heap, which free() only shrinks at its end. */
static void free_chain(block *chain)
{
    size_t bytes = 0;
    while (chain) {
        block *next = chain->next;
        bytes += chain->size;
        free(chain);
        chain = next;
    }
#ifdef __GLIBC__
    if (bytes >= MANY_BYTES)
        (void)malloc_trim(0);
#endif
}

/* Moves the whole cache into one chain, for free_chain once the lock is released. */
static block *detach_cached(pn_memory *memory)
{
    block *chain = NULL;
    if (memory->stats.cached_bytes > 0) {
        memory->returned_bytes += memory->stats.cached_bytes;
        memory->returned_ns = now_ns();
    }
    for (int c = 0; c < CLASSES && memory->stats.cached_bytes > 0; c++)
        while (memory->cached[c]) {
            block *b = memory->cached[c];
            memory->cached[c] = b->next;
            memory->stats.cached_bytes -= b->size;
            b->next = chain;
            chain = b;
        }
    return chain;
}

/* Caches a freed block; returns a chain of blocks to return to the system instead. */
static block *keep(pn_memory *memory, block *b)
{
    pn_memory_stats *s = &memory->stats;
    const bool too_much = s->cached_bytes + b->size > s->keep_bytes;
    block *surplus = too_much ? detach_cached(memory) : NULL;
    if (b->size > s->keep_bytes) {
        memory->returned_bytes += b->size;
        memory->returned_ns = now_ns();
        b->next = surplus;
        return b;
    }
    b->next = memory->cached[b->size_class];
    memory->cached[b->size_class] = b;
    s->cached_bytes += b->size;
    return surplus;
}

/* After a cache miss: keep_bytes grows if the block was returned to the system only recently. */
static void learn_from_miss(pn_memory *memory, size_t size)
{
    pn_memory_stats *s = &memory->stats;
    if (memory->returned_bytes > 0 && now_ns() - memory->returned_ns > SOON_NS)
        memory->returned_bytes = 0;
    const size_t again = size < memory->returned_bytes ? size : memory->returned_bytes;
    memory->returned_bytes -= again;
    if (s->keep_bytes < 2 * s->peak_bytes)
        s->keep_bytes += again;
}

static double mib(size_t bytes) { return (double)bytes / (1 << 20); }

/* Counts a request and its bytes as live.  The caller holds the lock. */
static int reserve(pn_memory *memory, size_t size, pn_error *err)
{
    pn_memory_stats *s = &memory->stats;
    s->requests++;
    if (memory->fail_after > 0 && --memory->fail_after == 0)
        return pn_fail(err, PN_EMEMORY, "out of memory: this request for %.1f MiB fails on purpose, for a test",
                       mib(size));
    if (s->limit_bytes > 0 && (s->live_bytes > s->limit_bytes || size > s->limit_bytes - s->live_bytes))
        return pn_fail(err, PN_EMEMORY, "out of memory: asked for %.1f MiB, %.1f MiB are in use, the limit is %.1f MiB",
                       mib(size), mib(s->live_bytes), mib(s->limit_bytes));
    s->live_bytes += size;
    s->live_blocks++;
    return 0;
}

static void note_peak(pn_memory_stats *s)
{
    if (s->live_bytes > s->peak_bytes)
        s->peak_bytes = s->live_bytes;
}

/* Allocates a block for a reserved request.  The caller does not hold the lock.  Undoes the reservation on failure. */
static block *new_block(pn_memory *memory, size_t bytes, int size_class, pn_error *err)
{
    size_t size = class_size(size_class);
    size_t whole = HEADER + (RECYCLE ? size : bytes);
    block *b = ask_system(whole);
    if (!b) {
        pn_memory_trim(memory);
        b = ask_system(whole);
    }
    pthread_mutex_lock(&memory->lock);
    if (!b) {
        memory->stats.live_bytes -= size;
        memory->stats.live_blocks--;
    }
    note_peak(&memory->stats);
    size_t live = memory->stats.live_bytes;
    pthread_mutex_unlock(&memory->lock);
    if (!b) {
        pn_fail(err, PN_EMEMORY, "out of memory: the system refused %.1f MiB, %.1f MiB are in use", mib(size),
                mib(live));
        return NULL;
    }
    *b = (block){ .memory = memory, .size = size, .size_class = size_class, .state = FREE };
    return b;
}

pn_memory *pn_memory_new(pn_error *err)
{
    pn_memory *memory = ask_system(sizeof *memory);
    if (!memory) {
        pn_fail(err, PN_EMEMORY, "out of memory: the system refused the first allocation of an engine");
        return NULL;
    }
    *memory = (pn_memory){ .lock = PTHREAD_MUTEX_INITIALIZER, .stats = { .keep_bytes = KEPT } };
    return memory;
}

void pn_memory_free(pn_memory *memory)
{
    if (!memory)
        return;
    pn_assert(memory->stats.live_blocks == 0);
    pn_memory_trim(memory);
    pthread_mutex_destroy(&memory->lock);
    free(memory);
}

void *pn_mem_get(pn_memory *memory, size_t bytes, pn_error *err)
{
    if (bytes > PTRDIFF_MAX / 2) {
        pn_fail(err, PN_EMEMORY, "out of memory: asked for %zu bytes, more than can be addressed", bytes);
        return NULL;
    }
    int size_class = class_of(bytes);
    size_t size = class_size(size_class);
    pthread_mutex_lock(&memory->lock);
    if (reserve(memory, size, err) != 0) {
        pthread_mutex_unlock(&memory->lock);
        return NULL;
    }
    pn_memory_stats *s = &memory->stats;
    block *b = memory->cached[size_class];
    if (b) {
        memory->cached[size_class] = b->next;
        s->cached_bytes -= size;
        note_peak(s);
    } else {
        s->system_calls++;
        learn_from_miss(memory, size);
    }
    pthread_mutex_unlock(&memory->lock);
    if (!b && !(b = new_block(memory, bytes, size_class, err)))
        return NULL;
    pn_assert(b->state == FREE);
    b->state = LIVE;
    return (char *)b + HEADER;
}

void *pn_mem_get_zeroed(pn_memory *memory, size_t bytes, pn_error *err)
{
    void *start = pn_mem_get(memory, bytes, err);
    if (start)
        memset(start, 0, bytes);
    return start;
}

void pn_mem_put(void *start)
{
    if (!start)
        return;
    block *b = (block *)(void *)((char *)start - HEADER);
    pn_memory *memory = b->memory;
    pn_assert(b->state == LIVE);
    b->state = FREE;
    pthread_mutex_lock(&memory->lock);
    memory->stats.live_bytes -= b->size;
    memory->stats.live_blocks--;
    block *surplus = RECYCLE ? keep(memory, b) : NULL;
    pthread_mutex_unlock(&memory->lock);
    if (RECYCLE)
        free_chain(surplus);
    else
        free(b);
}

void pn_memory_trim(pn_memory *memory)
{
    pthread_mutex_lock(&memory->lock);
    block *chain = detach_cached(memory);
    memory->returned_bytes = 0;
    memory->stats.keep_bytes = KEPT;
    pthread_mutex_unlock(&memory->lock);
    free_chain(chain);
}

void pn_memory_settle(pn_memory *memory)
{
    pthread_mutex_lock(&memory->lock);
    block *chain = memory->stats.cached_bytes > KEPT ? detach_cached(memory) : NULL;
    memory->returned_bytes = 0;
    memory->stats.keep_bytes = KEPT;
    pthread_mutex_unlock(&memory->lock);
    free_chain(chain);
}

void pn_memory_set_limit(pn_memory *memory, size_t bytes)
{
    pthread_mutex_lock(&memory->lock);
    memory->stats.limit_bytes = bytes;
    pthread_mutex_unlock(&memory->lock);
}

void pn_memory_fail_after(pn_memory *memory, int64_t n)
{
    pthread_mutex_lock(&memory->lock);
    memory->fail_after = n;
    pthread_mutex_unlock(&memory->lock);
}

pn_memory_stats pn_memory_read_stats(pn_memory *memory)
{
    pthread_mutex_lock(&memory->lock);
    pn_memory_stats stats = memory->stats;
    pthread_mutex_unlock(&memory->lock);
    return stats;
}

void pn_memory_before_fork(pn_memory *memory) { pthread_mutex_lock(&memory->lock); }

void pn_memory_after_fork(pn_memory *memory) { pthread_mutex_unlock(&memory->lock); }
