/* harness.h -- plain C tests: checks that go on after a failure, named tests, one line each.
 *
 *     TEST(blocks_are_aligned) { ... CHECK(...); ... }
 *     TESTS(blocks_are_aligned, ...)                      -- last in the file: makes main
 *
 * A fault (SIGSEGV, SIGBUS) says which test was running, what it was doing, and where; sanitizers do so themselves.
 * A test left out of TESTS is an unused function, which the compiler refuses.  Arguments of a program: `quick` (tests
 * that ask harness_quick() shorten themselves), `seed=N`, and parts of names (only these tests run). */
#ifndef PN_TESTS_HARNESS_H
#define PN_TESTS_HARNESS_H

#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

/* As double: the C library's are float, and clang warns where they become double. */
#undef INFINITY
#undef NAN
#define INFINITY __builtin_inf()
#define NAN __builtin_nan("")

#define TEST(name) static void name(void)

/* Up to 64 tests, by name. */
#define TESTS(...) HARNESS_MAIN(HARNESS_LIST(__VA_ARGS__))

/* Checks: any thread may make them; each says file, line, what was found and the seed. */
#define CHECK(condition) harness_check((condition), __FILE__, __LINE__, "%s", #condition)
#define CHECK_INT(got, expected) harness_check_int((intmax_t)(got), (intmax_t)(expected), __FILE__, __LINE__, #got)
#define CHECK_CLOSE(got, expected, tolerance) \
    harness_check_close((double)(got), (double)(expected), (double)(tolerance), __FILE__, __LINE__, #got)
#define CHECK_TEXT(got, expected) harness_check_text((got), (expected), __FILE__, __LINE__, #got)

/* Leaves the test when what follows would make no sense. */
#define REQUIRE(condition)     \
    do {                       \
        if (!CHECK(condition)) \
            return;            \
    } while (0)

typedef struct harness_test {
    const char *name;
    void (*run)(void);
} harness_test;

typedef struct harness_state {
    bool quick;
    uint64_t seed;
    uint64_t random; /* starts at seed for each test */
    const char *test;
    atomic_int failures; /* of the running test */
    const char *doing;   /* the kernel that runs, or ran last; NULL where nobody says */
    void (*explain)(const void *address, char *text, size_t size); /* says more of a fault there, if not NULL */
} harness_state;

static harness_state harness = { .seed = 1 };

static inline bool harness_quick(void) { return harness.quick; }

/* Whether a sanitizer watches: it takes memory from the system in its own way, and time. */
static inline bool harness_sanitized(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    return true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
    return true;
#else
    return false;
#endif
#else
    return false;
#endif
}

/* Whether memory has no limit, even where setrlimit said yes: qemu's does so, and sets none. */
static inline bool harness_unlimited(void)
{
    struct rlimit limit;
    return getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur == RLIM_INFINITY;
}

/* Random numbers for one thread, the same for the same seed: 64 bits; 0..bound-1; 0 <= x < 1.  (splitmix64) */
static inline uint64_t harness_bits(void)
{
    uint64_t x = harness.random += 0x9E3779B97F4A7C15u;
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
    x = (x ^ x >> 27) * 0x94D049BB133111EBu;
    return x ^ x >> 31;
}

static inline int64_t harness_below(int64_t bound) { return (int64_t)(harness_bits() % (uint64_t)bound); }

static inline double harness_uniform(void) { return (double)(harness_bits() >> 11) * 0x1p-53; }

static inline double harness_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Returns whether it holds.  Of one test, the first ten failures are printed. */
__attribute__((format(printf, 4, 5))) static inline bool harness_check(bool holds, const char *file, int line,
                                                                       const char *format, ...)
{
    if (holds)
        return true;
    if (atomic_fetch_add(&harness.failures, 1) >= 10)
        return false;
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    fprintf(stderr, "%s:%d: %s: failed: %s (seed=%" PRIu64 ")\n", file, line, harness.test, text, harness.seed);
    return false;
}

static inline bool harness_check_int(intmax_t got, intmax_t expected, const char *file, int line, const char *what)
{
    return harness_check(got == expected, file, line, "%s is %" PRIdMAX ", expected %" PRIdMAX, what, got, expected);
}

/* NaN is close to nothing; equal infinities are close. */
static inline bool harness_check_close(double got, double expected, double tolerance, const char *file, int line,
                                       const char *what)
{
    double off = fabs(got - expected);
    bool same = !(got < expected) && !(got > expected) && !isnan(got) && !isnan(expected);
    return harness_check(same || off <= tolerance, file, line, "%s is %.17g, expected %.17g: off by %.3g, allowed %.3g",
                         what, got, expected, off, tolerance);
}

static inline bool harness_check_text(const char *got, const char *expected, const char *file, int line,
                                      const char *what)
{
    return harness_check(strcmp(got, expected) == 0, file, line, "%s is \"%s\", expected \"%s\"", what, got, expected);
}

static inline bool harness_selected(const char *name, int argc, char **argv)
{
    bool any = false;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "quick") == 0 || strncmp(argv[i], "seed=", 5) == 0)
            continue;
        any = true;
        if (strstr(name, argv[i]) != NULL)
            return true;
    }
    return !any;
}

/* What runs is broken: as much as can be said in one write, and out. */
static inline void harness_fault(int number, siginfo_t *info, void *context)
{
    (void)context;
    char more[512] = "", text[1024];
    if (harness.explain)
        harness.explain(info->si_addr, more, sizeof more);
    int n = snprintf(text, sizeof text, "%s: %s in %s: %s (address %p, seed=%" PRIu64 ")\n", harness.test,
                     number == SIGBUS ? "bus error" : "segmentation fault",
                     harness.doing ? harness.doing : "what it calls", more, info->si_addr, harness.seed);
    if (n > 0 && write(STDERR_FILENO, text, (size_t)(n < (int)sizeof text ? n : (int)sizeof text - 1)) < 0)
        _exit(2);
    _exit(1);
}

static inline void harness_watch(void)
{
    struct sigaction action = { .sa_sigaction = harness_fault, .sa_flags = SA_SIGINFO };
    sigemptyset(&action.sa_mask);
    if (harness_sanitized())
        return;
    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGBUS, &action, NULL);
}

static inline int harness_main(int argc, char **argv, const harness_test *tests, int count)
{
    int passed = 0, failed = 0;
    setvbuf(stdout, NULL, _IOLBF, 0); /* a crash leaves the names of those that passed */
    harness_watch();
    for (int i = 1; i < argc; i++) {
        harness.quick |= strcmp(argv[i], "quick") == 0;
        if (strncmp(argv[i], "seed=", 5) == 0)
            harness.seed = strtoull(argv[i] + 5, NULL, 10);
    }
    for (int i = 0; i < count; i++) {
        if (!harness_selected(tests[i].name, argc, argv))
            continue;
        harness.test = tests[i].name;
        harness.random = harness.seed;
        harness.doing = NULL;
        harness.explain = NULL;
        atomic_store(&harness.failures, 0);
        double start = harness_seconds();
        tests[i].run();
        int failures = atomic_load(&harness.failures);
        printf("%s %s (%.0f ms)\n", failures == 0 ? "pass" : "FAIL", tests[i].name, 1e3 * (harness_seconds() - start));
        if (failures == 0)
            passed++;
        else
            failed++;
    }
    printf("%d passed, %d failed\n", passed, failed);
    return failed > 0 || passed == 0;
}

#define HARNESS_MAIN(...)                                                              \
    int main(int argc, char **argv)                                                    \
    {                                                                                  \
        static const harness_test tests[] = { __VA_ARGS__ };                           \
        return harness_main(argc, argv, tests, (int)(sizeof tests / sizeof tests[0])); \
    }

/* HARNESS_LIST(a, b) is {"a", a}, {"b", b}: the macro applied by repeated expansion, 64 names at most. */
#define HARNESS_PARENS ()
#define HARNESS_LIST(...) __VA_OPT__(HARNESS_EXPAND(HARNESS_EACH(__VA_ARGS__)))
#define HARNESS_EACH(name, ...) { #name, name }, __VA_OPT__(HARNESS_AGAIN HARNESS_PARENS(__VA_ARGS__))
#define HARNESS_AGAIN() HARNESS_EACH
#define HARNESS_EXPAND(...) HARNESS_EXPAND3(HARNESS_EXPAND3(HARNESS_EXPAND3(HARNESS_EXPAND3(__VA_ARGS__))))
#define HARNESS_EXPAND3(...) HARNESS_EXPAND2(HARNESS_EXPAND2(HARNESS_EXPAND2(HARNESS_EXPAND2(__VA_ARGS__))))
#define HARNESS_EXPAND2(...) HARNESS_EXPAND1(HARNESS_EXPAND1(HARNESS_EXPAND1(HARNESS_EXPAND1(__VA_ARGS__))))
#define HARNESS_EXPAND1(...) __VA_ARGS__

#endif
