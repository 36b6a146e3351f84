/* pool.c -- the thread pool: runs one parallel region at a time.
 *
 * A region is split into one segment per thread; a thread takes pieces of its own segment first (the same rows of the
 * same arrays stay in its cache), then pieces of the others.  One atomic word, the gate, starts and ends a region.  A
 * worker enters while the gate is open and leaves when no pieces are left; the caller closes the gate when all pieces
 * are taken, and waits only for the workers inside.  So a worker that wakes up late finds a closed gate, does not touch
 * the region that has ended, and never keeps the caller waiting.
 *
 * A worker that finds itself on the caller's processor moves to another one.  Virtual machines make this necessary:
 * Linux mistakes a halted virtual processor for a preempted one, skips it and wakes the worker on the processor where
 * the caller computes, and the worker stays there: of 2,000 matrix products of 200 microseconds, 66 ran in parallel;
 * with this, all of them do. */
#include "base/pool.h"

#include "base/cpu.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>

static const uint64_t OPEN = 1;        /* items may be left */
static const uint64_t WAITING = 2;     /* the caller sleeps until the last worker leaves */
static const uint64_t STOP = 4;        /* workers exit */
static const uint64_t INSIDE = 1 << 8; /* unit of an 8-bit field: the number of workers inside */
static const uint64_t INSIDE_BITS = 0xFF << 8;
static const uint64_t GENERATION = 1 << 16; /* unit of the remaining bits: the number of regions so far */

enum {
    SPIN_NS = 30000,        /* how long an idle worker spins before it sleeps */
    JOIN_NS = 1000000,      /* how long the caller spins at the end of a region before it sleeps */
    SPINS_A_LOOK = 32,      /* readings of the gate between two readings of the clock */
    SHARED_NS = 20000,      /* a region of less work than this runs on the caller alone ... */
    AWAKE_NS = 6000,        /* ... or of less than this, if all workers are spinning */
    PIECE_NS = 3000,        /* pieces of less work than this cost more than they balance */
    LONG_PIECE_NS = 200000, /* with pieces of more work than this, threads idle at the end */
    PIECES = 4,             /* pieces per segment, unless too short or too long */
    LOOK_NS = 1000000,      /* work between two readings of the clock ... */
    ASK_NS = 100000000,     /* ... and time between two polls whether to stop */
};

typedef struct segment {
    _Alignas(PN_ALIGN) _Atomic pn_index next; /* first item not taken; may pass end */
    pn_index end;
} segment;

typedef struct worker {
    pn_pool *pool;
    int number;    /* 1, 2, ...; the caller is 0 */
    uint64_t seen; /* the last generation that it entered, or the one before it started */
    pthread_t thread;
} worker;

struct pn_pool {
    _Alignas(PN_ALIGN) _Atomic uint64_t gate;

    /* The region: written by the caller while no worker is inside, read by workers after they entered. */
    _Alignas(PN_ALIGN) pn_task *task;
    const void *job;
    pn_stop *stop;
    bool flush;
    int caller_cpu;
    int parts; /* segments in use */
    pn_index piece;
    double piece_ns;
    _Atomic int takers; /* threads that computed at least one item */
    segment segments[PN_MAX_THREADS];

    pthread_mutex_t busy; /* held by the caller of the region, and across a fork */
    pthread_mutex_t lock; /* for sleeping and waking */
    pthread_cond_t wake, done;
    _Atomic int sleepers; /* workers that wait at `wake` */

    /* Changed only while busy is held. */
    pn_memory *memory;
    _Atomic int threads;
    bool started;
    int workers_alive;
    char *scratch;                  /* PN_SCRATCH_BYTES for each worker; NULL without workers */
    worker workers[PN_MAX_THREADS]; /* by number; [0] is unused */

    struct {
        _Atomic uint64_t regions, shared;
    } counts[PN_REGIONS];
};

_Static_assert(PN_MAX_THREADS < 256, "the gate has 8 bits for the number of workers inside");

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void pause_briefly(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("isb"); /* takes about as long as x86's pause; "yield" often takes no time */
#endif
}

/* ---- the gate ---- */

/* Whether there is new work for a worker that has entered generation `seen`, or it should exit. */
static bool is_called(uint64_t gate, uint64_t seen)
{
    return (gate & STOP) != 0 || ((gate & OPEN) != 0 && gate / GENERATION != seen);
}

static bool is_empty(uint64_t gate, uint64_t unused)
{
    (void)unused;
    return (gate & INSIDE_BITS) == 0;
}

/* Spins on the gate for limit_ns; after SPIN_NS it yields the processor between readings. */
static bool spin_until(pn_pool *pool, bool (*ready)(uint64_t gate, uint64_t seen), uint64_t seen, int64_t limit_ns)
{
    int64_t start = now_ns(), spent;
    do {
        for (int i = 0; i < SPINS_A_LOOK; i++) {
            if (ready(atomic_load_explicit(&pool->gate, memory_order_acquire), seen))
                return true;
            pause_briefly();
        }
        spent = now_ns() - start;
        if (spent >= SPIN_NS && spent < limit_ns)
            sched_yield();
    } while (spent < limit_ns);
    return false;
}

/* A worker counts itself as a sleeper, then reads the gate; the caller opens the gate, then checks for sleepers.
 * Both are sequentially consistent, so at least one of the two sees the other. */
static void await_call(pn_pool *pool, uint64_t seen)
{
    if (spin_until(pool, is_called, seen, SPIN_NS))
        return;
    pthread_mutex_lock(&pool->lock);
    atomic_fetch_add(&pool->sleepers, 1);
    while (!is_called(atomic_load(&pool->gate), seen))
        pthread_cond_wait(&pool->wake, &pool->lock);
    atomic_fetch_sub(&pool->sleepers, 1);
    pthread_mutex_unlock(&pool->lock);
}

static void open_gate(pn_pool *pool, int helpers)
{
    atomic_fetch_add(&pool->gate, GENERATION + OPEN);
    if (atomic_load(&pool->sleepers) == 0)
        return;
    pthread_mutex_lock(&pool->lock); /* afterwards, every worker that missed the opening waits for the signal */
    pthread_mutex_unlock(&pool->lock);
    for (int i = 0; i < helpers; i++)
        pthread_cond_signal(&pool->wake);
}

static bool enter(pn_pool *pool, uint64_t *seen)
{
    uint64_t gate = atomic_load(&pool->gate);
    while ((gate & OPEN) != 0 && gate / GENERATION != *seen)
        if (atomic_compare_exchange_weak(&pool->gate, &gate, gate + INSIDE)) {
            *seen = gate / GENERATION;
            return true;
        }
    return false;
}

static void leave(pn_pool *pool)
{
    uint64_t before = atomic_fetch_sub(&pool->gate, INSIDE);
    if ((before & INSIDE_BITS) != INSIDE || (before & WAITING) == 0)
        return;
    pthread_mutex_lock(&pool->lock);
    pthread_cond_signal(&pool->done);
    pthread_mutex_unlock(&pool->lock);
}

/* The caller spins long before it sleeps: it has nothing else to do, the last pieces are short, and if it wakes up
 * late, its workers are asleep, too, when the next region starts (regions of 1 ms on 2 threads then take 0.59 ms, not
 * 0.49). */
static void close_gate(pn_pool *pool)
{
    atomic_fetch_and(&pool->gate, ~OPEN);
    if (spin_until(pool, is_empty, 0, JOIN_NS))
        return;
    pthread_mutex_lock(&pool->lock);
    atomic_fetch_or(&pool->gate, WAITING);
    while (!is_empty(atomic_load(&pool->gate), 0))
        pthread_cond_wait(&pool->done, &pool->lock);
    atomic_fetch_and(&pool->gate, ~WAITING);
    pthread_mutex_unlock(&pool->lock);
}

/* ---- interruption ---- */

static bool is_stopped(const pn_stop *stop) { return stop && atomic_load_explicit(&stop->now, memory_order_relaxed); }

/* Polls whether to stop, if it is time; `ns` is the work since the last call.  On the calling thread only. */
static void poll_stop(pn_stop *stop, double ns)
{
    if (!stop || !stop->asked || (stop->unseen_ns += ns) < LOOK_NS)
        return;
    stop->unseen_ns = 0;
    const int64_t now = now_ns();
    if (stop->answered_ns == 0)
        stop->answered_ns = now;
    if (now - stop->answered_ns < ASK_NS)
        return;
    stop->answered_ns = now;
    if (stop->asked(stop->argument))
        atomic_store_explicit(&stop->now, true, memory_order_relaxed);
}

/* ---- the workers ---- */

/* Takes pieces until none are left: of its own segment first, then of the following ones in turn. */
static void work(pn_pool *pool, int number, void *scratch)
{
    bool took = false;
    for (int i = 0; i < pool->parts; i++) {
        segment *s = &pool->segments[(number + i) % pool->parts];
        while (!is_stopped(pool->stop) && atomic_load_explicit(&s->next, memory_order_relaxed) < s->end) {
            pn_index begin = atomic_fetch_add_explicit(&s->next, pool->piece, memory_order_relaxed);
            if (begin >= s->end)
                break;
            pool->task(pool->job, begin, pn_min(begin + pool->piece, s->end), scratch);
            took = true;
            if (number == 0)
                poll_stop(pool->stop, pool->piece_ns);
        }
    }
    if (took)
        atomic_fetch_add_explicit(&pool->takers, 1, memory_order_relaxed);
}

static void *worker_main(void *argument)
{
    worker *w = argument;
    pn_pool *pool = w->pool;
    void *scratch = pool->scratch + (size_t)(w->number - 1) * PN_SCRATCH_BYTES;
    for (;;) {
        await_call(pool, w->seen);
        if ((atomic_load(&pool->gate) & STOP) != 0)
            return NULL;
        if (!enter(pool, &w->seen))
            continue;
        if (pool->caller_cpu >= 0 && pn_cpu_here() == pool->caller_cpu)
            pn_cpu_step_aside(pool->caller_cpu);
        unsigned previous = pn_float_enter(pool->flush);
        work(pool, w->number, scratch);
        pn_float_leave(previous);
        leave(pool);
    }
}

/* Workers block all signals except those for their own faults, so that crash handlers see the faulting thread.  If the
 * system refuses a thread, the pool runs with fewer. */
static void start_workers(pn_pool *pool)
{
    sigset_t blocked, previous;
    sigfillset(&blocked);
    sigdelset(&blocked, SIGSEGV);
    sigdelset(&blocked, SIGBUS);
    sigdelset(&blocked, SIGFPE);
    sigdelset(&blocked, SIGILL);
    pthread_sigmask(SIG_SETMASK, &blocked, &previous);
    pool->started = true;
    pool->workers_alive = 0;
    for (int i = 1; i < atomic_load(&pool->threads); i++) {
        worker *w = &pool->workers[i];
        w->pool = pool;
        w->number = i;
        w->seen = atomic_load(&pool->gate) / GENERATION;
        if (pthread_create(&w->thread, NULL, worker_main, w) != 0)
            break;
        pool->workers_alive++;
    }
    pthread_sigmask(SIG_SETMASK, &previous, NULL);
}

static void stop_workers(pn_pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    atomic_fetch_or(&pool->gate, STOP);
    pthread_cond_broadcast(&pool->wake);
    pthread_mutex_unlock(&pool->lock);
    for (int i = 1; i <= pool->workers_alive; i++)
        pthread_join(pool->workers[i].thread, NULL);
    atomic_fetch_and(&pool->gate, ~STOP);
    pool->workers_alive = 0;
    pool->started = false;
}

/* ---- regions ---- */

/* Splits 0..n-1 into segments and pieces; returns the number of segments, 1 if the region is not worth sharing. */
static int lay_out(pn_pool *pool, pn_index n, double item_ns)
{
    pn_index least = item_ns >= PIECE_NS ? 1 : (pn_index)(PIECE_NS / item_ns) + 1; /* items in the smallest piece */
    pn_index parts = pn_max(1, pn_min(pool->workers_alive + 1, n / least));
    pn_index length = pn_ceil_div(n, parts);
    pool->parts = (int)parts;
    pn_index most = pn_max(1, (pn_index)(LONG_PIECE_NS / item_ns));
    pool->piece = pn_max(least, pn_min(most, pn_ceil_div(length, PIECES)));
    pool->piece_ns = (double)pool->piece * item_ns;
    pn_index begin = 0;
    for (pn_index i = 0; i < parts; i++) {
        segment *s = &pool->segments[i];
        atomic_store_explicit(&s->next, begin, memory_order_relaxed);
        begin += n / parts + (i < n % parts);
        s->end = begin;
    }
    return pool->parts;
}

/* Computes all items on this thread: at once, or in pieces with a poll in between if the work is long. */
static void run_alone(const pn_team *team, pn_index n, double item_ns, pn_task *task, const void *job)
{
    const bool all = !team->stop || (double)n * item_ns <= LONG_PIECE_NS;
    const pn_index piece = all ? n : pn_max(1, (pn_index)(LONG_PIECE_NS / item_ns));
    for (pn_index begin = 0; begin < n && !is_stopped(team->stop); begin += piece) {
        const pn_index end = pn_min(n, begin + piece);
        task(job, begin, end, team->scratch);
        poll_stop(team->stop, (double)(end - begin) * item_ns);
    }
}

/* The caller holds busy.  Returns whether two or more threads took part. */
static bool run_shared(pn_pool *pool, const pn_team *team, pn_index n, double item_ns, pn_task *task, const void *job)
{
    if (!pool->started)
        start_workers(pool);
    int parts = lay_out(pool, n, item_ns);
    if (parts == 1) {
        run_alone(team, n, item_ns, task, job);
        return false;
    }
    pool->task = task;
    pool->job = job;
    pool->stop = team->stop;
    pool->flush = team->flush;
    pool->caller_cpu = pn_cpu_here();
    atomic_store_explicit(&pool->takers, 0, memory_order_relaxed);
    open_gate(pool, parts - 1);
    work(pool, 0, team->scratch);
    close_gate(pool);
    return atomic_load_explicit(&pool->takers, memory_order_relaxed) > 1;
}

/* Waking a sleeping worker costs some microseconds; a spinning worker notices in less than one. */
static double least_shared(pn_pool *pool)
{
    return atomic_load_explicit(&pool->sleepers, memory_order_relaxed) == 0 ? AWAKE_NS : SHARED_NS;
}

void pn_pool_run(const pn_team *team, pn_region region, pn_index n, double item_ns, pn_task *task, const void *job)
{
    pn_assert(region >= 0 && region < PN_REGIONS);
    pn_assert((uintptr_t)team->scratch % PN_ALIGN == 0);
    if (n <= 0)
        return;
    pn_pool *pool = team->pool;
    bool shared = false;
    bool worthwhile = pool && n > 1 && pn_pool_threads(pool) > 1 && (double)n * item_ns >= least_shared(pool);
    unsigned previous = pn_float_enter(team->flush);
    if (worthwhile && pthread_mutex_trylock(&pool->busy) == 0) {
        shared = run_shared(pool, team, n, item_ns, task, job);
        pthread_mutex_unlock(&pool->busy);
    } else {
        run_alone(team, n, item_ns, task, job);
    }
    pn_float_leave(previous);
    if (pool) {
        atomic_fetch_add_explicit(&pool->counts[region].regions, 1, memory_order_relaxed);
        if (shared)
            atomic_fetch_add_explicit(&pool->counts[region].shared, 1, memory_order_relaxed);
    }
}

/* ---- the pool as a whole ---- */

static int get_scratch(pn_memory *memory, int threads, char **scratch, pn_error *err)
{
    *scratch = NULL;
    if (threads < 1 || threads > PN_MAX_THREADS)
        return pn_fail(err, PN_EVALUE, "threads: must be 1 to %d, got %d", PN_MAX_THREADS, threads);
    if (threads == 1)
        return 0;
    *scratch = pn_mem_get(memory, (size_t)(threads - 1) * PN_SCRATCH_BYTES, err);
    return *scratch ? 0 : -1;
}

pn_pool *pn_pool_new(pn_memory *memory, int threads, pn_error *err)
{
    char *scratch;
    if (get_scratch(memory, threads, &scratch, err) != 0)
        return NULL;
    pn_pool *pool = pn_mem_get_zeroed(memory, sizeof *pool, err);
    if (!pool) {
        pn_mem_put(scratch);
        return NULL;
    }
    pool->busy = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    pool->lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    pool->wake = (pthread_cond_t)PTHREAD_COND_INITIALIZER;
    pool->done = (pthread_cond_t)PTHREAD_COND_INITIALIZER;
    pool->memory = memory;
    pool->scratch = scratch;
    atomic_store(&pool->threads, threads);
    return pool;
}

void pn_pool_free(pn_pool *pool)
{
    if (!pool)
        return;
    stop_workers(pool);
    pthread_cond_destroy(&pool->done);
    pthread_cond_destroy(&pool->wake);
    pthread_mutex_destroy(&pool->lock);
    pthread_mutex_destroy(&pool->busy);
    pn_mem_put(pool->scratch);
    pn_mem_put(pool);
}

int pn_pool_threads(const pn_pool *pool) { return atomic_load_explicit(&pool->threads, memory_order_relaxed); }

int pn_pool_set_threads(pn_pool *pool, int threads, pn_error *err)
{
    char *scratch;
    if (get_scratch(pool->memory, threads, &scratch, err) != 0)
        return -1;
    pthread_mutex_lock(&pool->busy);
    stop_workers(pool);
    char *old = pool->scratch;
    pool->scratch = scratch;
    atomic_store(&pool->threads, threads);
    pthread_mutex_unlock(&pool->busy);
    pn_mem_put(old);
    return 0;
}

pn_pool_counts pn_pool_read_counts(const pn_pool *pool, pn_region region)
{
    pn_assert(region >= 0 && region < PN_REGIONS);
    return (pn_pool_counts){
        .regions = atomic_load_explicit(&pool->counts[region].regions, memory_order_relaxed),
        .shared = atomic_load_explicit(&pool->counts[region].shared, memory_order_relaxed),
    };
}

const char *pn_pool_region_name(pn_region region)
{
    static const char *const names[PN_REGIONS] = {
        [PN_REGION_GEMM] = "gemm",     [PN_REGION_CONV] = "conv",     [PN_REGION_POOL] = "pool",
        [PN_REGION_NORM] = "norm",     [PN_REGION_UPDATE] = "update", [PN_REGION_MAP] = "map",
        [PN_REGION_REDUCE] = "reduce", [PN_REGION_IMAGE] = "image",
    };
    pn_assert(region >= 0 && region < PN_REGIONS);
    return names[region];
}

/* We hold busy across the fork, and without workers nobody else can hold lock: both locks are consistent in the
 * child. */
void pn_pool_before_fork(pn_pool *pool)
{
    pthread_mutex_lock(&pool->busy);
    stop_workers(pool);
}

void pn_pool_after_fork(pn_pool *pool) { pthread_mutex_unlock(&pool->busy); }
