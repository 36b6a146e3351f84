/* trace.h -- kernels that say their names to the harness before they run, so that a fault names its kernel. */
#ifndef PN_TEST_TRACE_H
#define PN_TEST_TRACE_H

#include "harness.h"
#include "kernels.h"

static const pn_kernels *trace_of; /* whose kernels the traced ones call */

#define KERNEL(name, arguments, ...)                                         \
    static inline void trace_##name(const pn_team *team, const arguments *a) \
    {                                                                        \
        harness.doing = #name;                                               \
        trace_of->name(team, a);                                             \
    }
#include "kernels/kernels.def"

/* The same table, traced until another one is. */
static inline pn_kernels traced(const pn_kernels *k)
{
    pn_kernels t = *k;
    trace_of = k;
#define KERNEL(name, arguments, ...) t.name = k->name ? trace_##name : NULL;
#include "kernels/kernels.def"
    return t;
}

#endif
