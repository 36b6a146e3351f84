/* convert.c -- conversion between dtypes: one plain loop for each pair, the same on every processor. */
#include "kernels/convert.h"

enum { BLOCK = 4096 };

int64_t pn_convert_int64(double x)
{
    if (x >= 0x1p63)
        return INT64_MAX;
    if (x < -0x1p63)
        return INT64_MIN;
    return x == x ? (int64_t)x : 0;
}

static uint8_t byte_of(double x)
{
    if (x >= 255)
        return 255;
    return x > 0 ? (uint8_t)x : 0;
}

typedef void loop(const pn_convert *job, pn_index begin, pn_index end);

#define LOOP(name, from, to, value)                                       \
    static void name(const pn_convert *job, pn_index begin, pn_index end) \
    {                                                                     \
        const from *source = job->x;                                      \
        to *y = job->y;                                                   \
        for (pn_index i = begin; i < end; i++) {                          \
            const from x = source[i];                                     \
            y[i] = value;                                                 \
        }                                                                 \
    }

/* From one dtype to each dtype, in their order. */
#define LOOPS(name, from, byte, whole)           \
    LOOP(name##_float, from, float, (float)x)    \
    LOOP(name##_double, from, double, (double)x) \
    LOOP(name##_byte, from, uint8_t, byte)       \
    LOOP(name##_whole, from, int64_t, whole)

LOOPS(float, float, byte_of((double)x), pn_convert_int64((double)x))
LOOPS(double, double, byte_of(x), pn_convert_int64(x))
LOOPS(byte, uint8_t, x, x)
LOOPS(whole, int64_t, (uint8_t)x, x)

LOOP(add_float_float, float, float, y[i] + x)
LOOP(add_float_double, float, double, y[i] + (double)x)
LOOP(add_double_float, double, float, (float)((double)y[i] + x))
LOOP(add_double_double, double, double, y[i] + x)

#define ROW(name) { name##_float, name##_double, name##_byte, name##_whole }
static loop *const loops[PN_DTYPES][PN_DTYPES] = {
    [PN_FLOAT32] = ROW(float),
    [PN_FLOAT64] = ROW(double),
    [PN_UINT8] = ROW(byte),
    [PN_INT64] = ROW(whole),
};
static loop *const additions[2][2] = { { add_float_float, add_float_double }, { add_double_float, add_double_double } };

static void task(const void *argument, pn_index begin, pn_index end, void *scratch)
{
    (void)scratch;
    const pn_convert *job = argument;
    loop *run = job->add ? additions[job->from][job->to] : loops[job->from][job->to];
    run(job, begin * BLOCK, pn_min(end * BLOCK, job->n));
}

void pn_convert_run(const pn_team *team, const pn_convert *job)
{
    pn_assert(!job->add || (job->from <= PN_FLOAT64 && job->to <= PN_FLOAT64));
    pn_pool_run(team, PN_REGION_MAP, pn_ceil_div(job->n, BLOCK), BLOCK * 0.5, task, job);
}
