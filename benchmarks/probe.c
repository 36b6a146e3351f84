/* probe.c -- peak throughput of this machine: float32 multiply-adds in registers, and memory bandwidth of the triad.
 *
 *     probe fma THREADS SECONDS      GFLOP/s, all threads together
 *     probe triad THREADS SECONDS    GB/s of a = b + s * c on arrays larger than the caches (12 bytes per element)
 *
 * Every thread times short pieces of its own work; its rate is that of the median piece, so that moments in which the
 * machine was busy do not count.  Compiled with -march=native, for the widest vectors. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#if defined(__AVX512F__)
enum { WIDTH = 16 };
#elif defined(__AVX__)
enum { WIDTH = 8 };
#else
enum { WIDTH = 4 };
#endif
typedef float vec __attribute__((vector_size(WIDTH * sizeof(float))));

enum { CHAINS = 12, PIECES = 4096, ROUNDS = 20000, MAX_THREADS = 256 };
static const size_t LENGTH = (size_t)16 << 20; /* floats an array: 64 MiB */

typedef struct {
    pthread_t thread;
    int triad;
    double seconds, rate;
    float *a, *b, *c;
    size_t n;
} worker;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Twelve independent chains: more than two units with a latency of four need, and few enough for sixteen registers. */
static double fma_piece(const volatile float *seed, volatile float *sink)
{
    vec r[CHAINS], x, y;
    for (int i = 0; i < WIDTH; i++) {
        x[i] = seed[0];
        y[i] = seed[1];
    }
    for (int i = 0; i < CHAINS; i++)
        r[i] = x * (float)(i + 1);
    for (int round = 0; round < ROUNDS; round++) {
#pragma GCC unroll 12
        for (int i = 0; i < CHAINS; i++)
            r[i] = r[i] * x + y;
    }
    vec sum = r[0];
    for (int i = 1; i < CHAINS; i++)
        sum += r[i];
    *sink = sum[0];
    return 2.0 * WIDTH * CHAINS * ROUNDS;
}

static double triad_piece(const worker *w, size_t *at)
{
    const size_t piece = (size_t)1 << 20;
    if (*at + piece > w->n)
        *at = 0;
    float *restrict a = w->a + *at;
    const float *restrict b = w->b + *at, *restrict c = w->c + *at;
    for (size_t i = 0; i < piece; i++)
        a[i] = b[i] + 0.5f * c[i];
    *at += piece;
    return 12.0 * (double)piece;
}

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void *run(void *given)
{
    worker *w = given;
    static const volatile float seed[2] = { 0.999f, 0.001f };
    volatile float sink = 0;
    double *rates = malloc(PIECES * sizeof(double));
    size_t count = 0, at = 0;
    for (double begun = now(), end = begun + w->seconds; rates != NULL && begun < end && count < PIECES;) {
        const double work = w->triad ? triad_piece(w, &at) : fma_piece(seed, &sink);
        const double after = now();
        rates[count++] = 1e-9 * work / (after - begun);
        begun = after;
    }
    (void)sink;
    if (count > 0) {
        qsort(rates, count, sizeof(double), by_size);
        w->rate = rates[count / 2];
    }
    free(rates);
    return NULL;
}

int main(int argc, char **argv)
{
    static worker workers[MAX_THREADS];
    const int threads = argc == 4 ? atoi(argv[2]) : 0;
    if (threads < 1 || threads > MAX_THREADS) {
        fprintf(stderr, "probe fma|triad THREADS SECONDS\n");
        return 2;
    }
    const int triad = strcmp(argv[1], "triad") == 0;
    float *all = triad ? malloc(3 * LENGTH * sizeof(float)) : NULL;
    if (triad && all == NULL)
        return 1;
    for (size_t i = 0; triad && i < 3 * LENGTH; i++)
        all[i] = 1.0f;
    const size_t each = LENGTH / (size_t)threads;
    for (int i = 0; i < threads; i++) {
        workers[i] = (worker){ .triad = triad, .seconds = atof(argv[3]), .n = each };
        if (triad) {
            workers[i].a = all + (size_t)i * each;
            workers[i].b = workers[i].a + LENGTH;
            workers[i].c = workers[i].b + LENGTH;
        }
        if (pthread_create(&workers[i].thread, NULL, run, &workers[i]) != 0)
            return 1;
    }
    double sum = 0;
    for (int i = 0; i < threads; i++) {
        pthread_join(workers[i].thread, NULL);
        sum += workers[i].rate;
    }
    free(all);
    printf("%.3f\n", sum);
    return 0;
}
