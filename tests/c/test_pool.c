/* test_pool.c -- the pool: every item once, whoever computes it; and nothing left behind. */
#include "base/pool.h"

#include "harness.h"

#include <fenv.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static const double LONG_NS = 1e6; /* an item_ns that makes every region worth sharing */

_Alignas(PN_ALIGN) static char caller_scratch[PN_SCRATCH_BYTES];
_Alignas(PN_ALIGN) static char other_scratch[PN_SCRATCH_BYTES];

static pn_team team_of(pn_pool *pool) { return (pn_team){ .pool = pool, .scratch = caller_scratch }; }

/* A pool on its own memory; close_pool checks that all came back. */
typedef struct world {
    pn_memory *memory;
    pn_pool *pool;
} world;

static world open_pool(int threads)
{
    world w = { .memory = pn_memory_new(NULL) };
    w.pool = pn_pool_new(w.memory, threads, NULL);
    CHECK(w.pool != NULL);
    return w;
}

static void close_pool(world w)
{
    pn_pool_free(w.pool);
    CHECK_INT(pn_memory_read_stats(w.memory).live_blocks, 0);
    CHECK_INT(pn_memory_read_stats(w.memory).live_bytes, 0);
    pn_memory_free(w.memory);
}

/* ---- items ---- */

typedef struct marks {
    atomic_int *times;
    int pieces_per_thread;
} marks;

static void mark(const void *job, pn_index begin, pn_index end, void *scratch)
{
    const marks *m = job;
    CHECK(begin < end);
    CHECK((uintptr_t)scratch % PN_ALIGN == 0);
    memset(scratch, (int)begin, 4096); /* for tsan: does another thread have it too? */
    for (pn_index i = begin; i < end; i++)
        atomic_fetch_add_explicit(&m->times[i], 1, memory_order_relaxed);
}

static void check_each_once(const pn_team *team, pn_index n, double item_ns)
{
    atomic_int *times = calloc((size_t)n + 1, sizeof *times);
    marks m = { .times = times };
    pn_pool_run(team, PN_REGION_MAP, n, item_ns, mark, &m);
    for (pn_index i = 0; i < n; i++)
        CHECK_INT(atomic_load(&times[i]), 1);
    CHECK_INT(atomic_load(&times[n]), 0);
    free(times);
}

TEST(each_item_is_computed_once)
{
    static const pn_index sizes[] = { 0, 1, 2, 3, 7, 64, 1000, 1001 };
    static const double costs[] = { 0, 1, 30, 4000, 1e6, INFINITY, NAN };
    for (int threads = 1; threads <= 8; threads *= 2) {
        world w = open_pool(threads);
        pn_team team = team_of(w.pool);
        CHECK_INT(pn_pool_threads(w.pool), threads);
        for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++)
            for (size_t c = 0; c < sizeof costs / sizeof costs[0]; c++)
                check_each_once(&team, sizes[s], costs[c]);
        close_pool(w);
    }
    pn_team alone = team_of(NULL);
    check_each_once(&alone, 1000, LONG_NS);
}

TEST(many_small_regions_in_a_row)
{
    world w = open_pool(4);
    pn_team team = team_of(w.pool);
    int rounds = harness_quick() ? 300 : 3000;
    for (int i = 0; i < rounds; i++) {
        check_each_once(&team, 2 + i % 50, LONG_NS);
        if (i % 500 == 0)
            usleep(2000); /* long enough for the workers to fall asleep */
    }
    CHECK_INT(pn_pool_read_counts(w.pool, PN_REGION_MAP).regions, rounds);
    close_pool(w);
}

/* ---- who takes part ---- */

/* Each item waits until `wanted` items are under way: so many threads must be at work at once. */
typedef struct meeting {
    atomic_int arrived;
    int wanted;
    bool flushed[8], signals_blocked[8];
    int rounding[8];
} meeting;

static bool wait_for(atomic_int *count, int wanted)
{
    for (int i = 0; i < 100000; i++) { /* ten seconds */
        if (atomic_load(count) >= wanted)
            return true;
        usleep(100);
    }
    return false;
}

static bool denormals_vanish(void)
{
    volatile float small = 1e-38f, tenth = 0.1f;
    volatile float product = small * tenth;
    return !(product > 0);
}

static void meet(const void *job, pn_index begin, pn_index end, void *scratch)
{
    meeting *m = (meeting *)(uintptr_t)job;
    (void)scratch;
    for (pn_index i = begin; i < end; i++) {
        sigset_t blocked;
        pthread_sigmask(SIG_SETMASK, NULL, &blocked);
        m->flushed[i] = denormals_vanish();
        m->rounding[i] = fegetround();
        m->signals_blocked[i] = sigismember(&blocked, SIGINT) && sigismember(&blocked, SIGTERM);
        atomic_fetch_add(&m->arrived, 1);
        CHECK(wait_for(&m->arrived, m->wanted));
    }
}

TEST(as_many_threads_as_asked_take_part_and_are_counted)
{
    for (int threads = 2; threads <= 4; threads++) {
        world w = open_pool(threads);
        pn_team team = team_of(w.pool);
        meeting m = { .wanted = threads };
        pn_pool_run(&team, PN_REGION_GEMM, threads, LONG_NS, meet, &m);
        meeting unshared = { .wanted = 1 };
        pn_pool_run(&team, PN_REGION_GEMM, 1, LONG_NS, meet, &unshared); /* one item; or little work, even with all */
        pn_pool_run(&team, PN_REGION_GEMM, 4, 1499, meet, &unshared);    /* workers still looking at the gate */
        int with_signals = 0;
        for (int i = 0; i < threads; i++)
            with_signals += m.signals_blocked[i];
        CHECK_INT(with_signals, threads - 1); /* all but the caller */
        pn_pool_counts counts = pn_pool_read_counts(w.pool, PN_REGION_GEMM);
        CHECK_INT(counts.regions, 3);
        CHECK_INT(counts.shared, 1);
        counts = pn_pool_read_counts(w.pool, PN_REGION_CONV);
        CHECK_INT(counts.regions + counts.shared, 0);
        close_pool(w);
    }
    CHECK_TEXT(pn_pool_region_name(PN_REGION_GEMM), "gemm");
    for (int region = 0; region < PN_REGIONS; region++)
        CHECK(pn_pool_region_name((pn_region)region)[0] != '\0');
}

/* ---- the floating-point environment ---- */

TEST(the_float_environment_is_set_on_all_threads_and_restored)
{
    world w = open_pool(2);
    for (int flush = 0; flush < 2; flush++)
        for (int n = 1; n <= 2; n++) { /* 1: inline; 2: one item on each of two threads */
            pn_team team = team_of(w.pool);
            team.flush = flush;
            meeting m = { .wanted = n };
            fesetround(FE_UPWARD);
            pn_pool_run(&team, PN_REGION_MAP, n, LONG_NS, meet, &m);
            CHECK_INT(fegetround(), FE_UPWARD);
            fesetround(FE_TONEAREST);
            CHECK(!denormals_vanish());
            for (int i = 0; i < n; i++) {
#if defined(__x86_64__) || defined(__aarch64__)
                CHECK_INT(m.flushed[i], flush);
#endif
#ifdef __aarch64__
                CHECK_INT(m.rounding[i], FE_TONEAREST);
#endif
            }
        }
    close_pool(w);
    unsigned outer = pn_float_enter(true);
    unsigned inner = pn_float_enter(false);
    CHECK(!denormals_vanish());
    pn_float_leave(inner);
    CHECK(denormals_vanish() == (inner != outer));
    pn_float_leave(outer);
    CHECK(!denormals_vanish());
}

#ifdef __x86_64__
/* fesetround also sets the x87 unit, which is not ours; whether SSE rounds to nearest shows in a product. */
static bool rounds_upward(void)
{
    volatile float one = 1, tiny = 1e-10f;
    volatile float sum = one + tiny;
    return sum > 1;
}

static void note_rounding(const void *job, pn_index begin, pn_index end, void *scratch)
{
    (void)begin, (void)end, (void)scratch;
    *(bool *)(uintptr_t)job = rounds_upward();
}

TEST(a_region_rounds_to_nearest_whatever_the_caller_does)
{
    pn_team team = team_of(NULL);
    bool upward = true;
    fesetround(FE_UPWARD);
    CHECK(rounds_upward());
    pn_pool_run(&team, PN_REGION_MAP, 1, 0, note_rounding, &upward);
    CHECK(rounds_upward());
    fesetround(FE_TONEAREST);
    CHECK(!upward);
}
#else
TEST(a_region_rounds_to_nearest_whatever_the_caller_does) { CHECK(true); }
#endif

/* ---- nested, and second callers ---- */

typedef struct nest {
    pn_pool *pool;
    atomic_int *times;
} nest;

static void mark_nested(const void *job, pn_index begin, pn_index end, void *scratch)
{
    const nest *outer = job;
    for (pn_index i = begin; i < end; i++) {
        pn_team inner = { .pool = outer->pool, .scratch = scratch };
        marks m = { .times = outer->times + 10 * i };
        pn_pool_run(&inner, PN_REGION_NORM, 10, LONG_NS, mark, &m);
    }
}

TEST(a_region_inside_a_region_runs_inline)
{
    world w = open_pool(4);
    pn_team team = team_of(w.pool);
    for (int round = 0; round < 50; round++) {
        atomic_int times[200] = { 0 };
        nest n = { .pool = w.pool, .times = times };
        pn_pool_run(&team, PN_REGION_CONV, 20, LONG_NS, mark_nested, &n);
        for (int i = 0; i < 200; i++)
            CHECK_INT(atomic_load(&times[i]), 1);
    }
    CHECK_INT(pn_pool_read_counts(w.pool, PN_REGION_NORM).regions, 1000);
    CHECK_INT(pn_pool_read_counts(w.pool, PN_REGION_NORM).shared, 0);
    close_pool(w);
}

typedef struct meanwhile {
    pn_pool *pool;
    atomic_int entered, done;
} meanwhile;

static void hold(const void *job, pn_index begin, pn_index end, void *scratch)
{
    meanwhile *m = (meanwhile *)(uintptr_t)job;
    (void)begin, (void)end, (void)scratch;
    atomic_store(&m->entered, 1);
    CHECK(wait_for(&m->done, 1));
}

static void *call_second(void *argument)
{
    meanwhile *m = argument;
    CHECK(wait_for(&m->entered, 1));
    pn_team team = { .pool = m->pool, .scratch = other_scratch };
    for (int i = 0; i < 20; i++)
        check_each_once(&team, 100, LONG_NS);
    atomic_store(&m->done, 1);
    return NULL;
}

TEST(a_second_caller_computes_alone_and_waits_for_nobody)
{
    world w = open_pool(2);
    pn_team team = team_of(w.pool);
    meanwhile m = { .pool = w.pool };
    pthread_t second;
    REQUIRE(pthread_create(&second, NULL, call_second, &m) == 0);
    pn_pool_run(&team, PN_REGION_GEMM, 2, LONG_NS, hold, &m);
    pthread_join(second, NULL);
    CHECK_INT(pn_pool_read_counts(w.pool, PN_REGION_MAP).regions, 20);
    CHECK_INT(pn_pool_read_counts(w.pool, PN_REGION_MAP).shared, 0);
    close_pool(w);
}

typedef struct caller {
    pn_pool *pool;
    void *scratch;
} caller;

static void *call_often(void *argument)
{
    caller *c = argument;
    pn_team team = { .pool = c->pool, .scratch = c->scratch };
    for (int i = 0; i < (harness_quick() ? 50 : 500); i++)
        check_each_once(&team, 40, LONG_NS);
    return NULL;
}

TEST(four_callers_and_a_changing_number_of_threads)
{
    world w = open_pool(3);
    pthread_t threads[4];
    caller callers[4];
    for (int i = 0; i < 4; i++) {
        callers[i] = (caller){ w.pool, pn_mem_get(w.memory, PN_SCRATCH_BYTES, NULL) };
        REQUIRE(pthread_create(&threads[i], NULL, call_often, &callers[i]) == 0);
    }
    for (int i = 0; i < 20; i++) {
        CHECK_INT(pn_pool_set_threads(w.pool, 1 + i % 4, NULL), 0);
        usleep(500);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        pn_mem_put(callers[i].scratch);
    }
    close_pool(w);
}

/* ---- the pool as a whole ---- */

TEST(the_number_of_threads_is_checked_and_changes)
{
    world w = open_pool(1);
    pn_team team = team_of(w.pool);
    pn_error err = { 0 };
    CHECK(pn_pool_new(w.memory, 0, &err) == NULL);
    CHECK_INT(err.code, PN_EVALUE);
    CHECK_TEXT(err.text, "threads: must be 1 to 64, got 0");
    CHECK(pn_pool_new(w.memory, PN_MAX_THREADS + 1, &err) == NULL);
    CHECK_INT(pn_pool_set_threads(w.pool, -1, &err), -1);
    CHECK_INT(pn_pool_threads(w.pool), 1);
    for (int threads = 4; threads >= 1; threads--) {
        CHECK_INT(pn_pool_set_threads(w.pool, threads, &err), 0);
        CHECK_INT(pn_pool_threads(w.pool), threads);
        meeting m = { .wanted = threads };
        pn_pool_run(&team, PN_REGION_UPDATE, threads, LONG_NS, meet, &m);
    }
    CHECK_INT(pn_pool_read_counts(w.pool, PN_REGION_UPDATE).shared, 3);
    close_pool(w);
    pn_pool_free(NULL);
}

TEST(a_pool_without_memory_fails_cleanly)
{
    pn_memory *memory = pn_memory_new(NULL);
    for (int n = 1; n <= 2; n++) {
        pn_error err = { 0 };
        pn_memory_fail_after(memory, n);
        CHECK(pn_pool_new(memory, 3, &err) == NULL);
        CHECK_INT(err.code, PN_EMEMORY);
        CHECK_INT(pn_memory_read_stats(memory).live_blocks, 0);
    }
    pn_pool *pool = pn_pool_new(memory, 2, NULL);
    REQUIRE(pool != NULL);
    pn_team team = team_of(pool);
    pn_memory_fail_after(memory, 1);
    CHECK_INT(pn_pool_set_threads(pool, 4, NULL), -1);
    CHECK_INT(pn_pool_threads(pool), 2);
    check_each_once(&team, 100, LONG_NS);
    close_pool((world){ memory, pool });
}

static bool two_threads_meet(pn_pool *pool)
{
    pn_team team = team_of(pool);
    meeting m = { .wanted = 2 };
    uint64_t before = pn_pool_read_counts(pool, PN_REGION_REDUCE).shared;
    pn_pool_run(&team, PN_REGION_REDUCE, 2, LONG_NS, meet, &m);
    return pn_pool_read_counts(pool, PN_REGION_REDUCE).shared == before + 1;
}

TEST(both_sides_of_a_fork_have_a_working_pool)
{
    world w = open_pool(2);
    CHECK(two_threads_meet(w.pool));
    for (int round = 0; round < 3; round++) {
        pn_pool_before_fork(w.pool);
        pn_memory_before_fork(w.memory);
        fflush(stdout);
        pid_t child = fork();
        pn_memory_after_fork(w.memory);
        pn_pool_after_fork(w.pool);
        if (child == 0) {
            bool fine = two_threads_meet(w.pool) && pn_pool_set_threads(w.pool, 3, NULL) == 0;
            fine = fine && two_threads_meet(w.pool);
            pn_pool_free(w.pool);
            _exit(fine && pn_memory_read_stats(w.memory).live_blocks == 0 ? 0 : 1);
        }
        CHECK(two_threads_meet(w.pool));
        int status = 1;
        waitpid(child, &status, 0);
        CHECK_INT(status, 0);
    }
    close_pool(w);
}

#ifdef __linux__
/* In a child whose address space cannot grow there is no room for a thread's stack. */
static int work_without_threads(void)
{
    world w = open_pool(4);
    if (setrlimit(RLIMIT_AS, &(struct rlimit){ 4096, 4096 }) != 0)
        return 2;
    if (harness_unlimited())
        return 0;
    pn_team team = team_of(w.pool);
    static atomic_int times[1000];
    marks m = { .times = times };
    for (int round = 1; round <= 3; round++) {
        pn_pool_run(&team, PN_REGION_MAP, 1000, LONG_NS, mark, &m);
        for (int i = 0; i < 1000; i++)
            if (atomic_load(&times[i]) != round)
                return 3;
    }
    return pn_pool_read_counts(w.pool, PN_REGION_MAP).shared == 0 ? 0 : 4;
}
#endif

/* First in the list: later, the C library has stacks of earlier threads to give away. */
TEST(without_new_threads_the_caller_does_it_all)
{
#ifdef __linux__
    if (harness_sanitized()) /* their own memory would not get through the limit */
        return;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0)
        _exit(work_without_threads());
    int status = 1;
    waitpid(child, &status, 0);
    CHECK(WIFEXITED(status));
    CHECK_INT(WEXITSTATUS(status), 0);
#endif
}

TEST(a_shared_region_costs_microseconds)
{
    world w = open_pool(2);
    pn_team team = team_of(w.pool);
    atomic_int times[8] = { 0 };
    marks m = { .times = times };
    int rounds = harness_quick() ? 200 : 2000;
    double start = harness_seconds();
    for (int i = 0; i < rounds; i++)
        pn_pool_run(&team, PN_REGION_IMAGE, 8, LONG_NS, mark, &m);
    double us = 1e6 * (harness_seconds() - start) / rounds;
    printf("     a region of 8 items on 2 threads: %.1f us, %" PRIu64 " of %d shared\n", us,
           pn_pool_read_counts(w.pool, PN_REGION_IMAGE).shared, rounds);
    for (int i = 0; i < 8; i++)
        CHECK_INT(atomic_load(&times[i]), rounds);
    close_pool(w);
}

/* ---- an end before its time ---- */

static bool yes(void *asked)
{
    ++*(int *)asked;
    return true;
}

static void linger(const void *job, pn_index begin, pn_index end, void *scratch)
{
    for (pn_index i = begin; i < end; i++)
        usleep(2000);
    mark(job, begin, end, scratch);
}

/* 400 items of 2 ms: asked after a tenth of a second, whoever computes, the rest is left. */
TEST(work_that_should_stop_leaves_its_rest_and_later_regions)
{
    enum { ITEMS = 400 };
    for (int threads = 1; threads <= 3; threads++) {
        world w = open_pool(threads);
        static atomic_int times[ITEMS];
        memset(times, 0, sizeof times);
        int asked = 0, done = 0;
        pn_stop stop = { .asked = yes, .argument = &asked };
        pn_team team = { .pool = w.pool, .stop = &stop, .scratch = caller_scratch };
        pn_pool_run(&team, PN_REGION_IMAGE, ITEMS, 2e6, linger, &(marks){ .times = times });
        for (int i = 0; i < ITEMS; i++)
            done += atomic_load(&times[i]);
        CHECK(done > 0 && done < ITEMS);
        CHECK_INT(asked, 1);
        pn_pool_run(&team, PN_REGION_IMAGE, ITEMS, LONG_NS, mark, &(marks){ .times = times });
        for (int i = 0; i < ITEMS; i++)
            done -= atomic_load(&times[i]);
        CHECK_INT(done, 0);
        stop = (pn_stop){ .asked = NULL }; /* a call of its own is asked anew; this one never */
        check_each_once(&team, ITEMS, LONG_NS);
        close_pool(w);
    }
}

TESTS(without_new_threads_the_caller_does_it_all, each_item_is_computed_once, many_small_regions_in_a_row,
      as_many_threads_as_asked_take_part_and_are_counted, the_float_environment_is_set_on_all_threads_and_restored,
      a_region_rounds_to_nearest_whatever_the_caller_does, a_region_inside_a_region_runs_inline,
      a_second_caller_computes_alone_and_waits_for_nobody, four_callers_and_a_changing_number_of_threads,
      the_number_of_threads_is_checked_and_changes, a_pool_without_memory_fails_cleanly,
      both_sides_of_a_fork_have_a_working_pool, a_shared_region_costs_microseconds,
      work_that_should_stop_leaves_its_rest_and_later_regions)
