/* pn.h -- basic types, limits and helpers, used by every layer of the C code. */
#ifndef PN_H
#define PN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef ptrdiff_t pn_index; /* sizes, counts and strides, in elements unless a name says bytes */

enum {
    PN_MAX_DIMS = 8, /* axes of a tensor */
    PN_NAMED_IN = 8, /* inputs of an op with named inputs ... */
    PN_MAX_IN = 64,  /* ... and of an op that takes a list of tensors (concat) */
    PN_MAX_OUT = 3,  /* outputs of an op */
    PN_ALIGN = 64,   /* bytes: a cache line, and the widest vector */
};

/* The two reals come first: they index the engine's kernel tables. */
typedef enum { PN_FLOAT32, PN_FLOAT64, PN_UINT8, PN_INT64, PN_DTYPES } pn_dtype;

/* Activations that can be fused into linear, conv2d and batch_norm: their gradient is a function of y alone. */
typedef enum { PN_ACT_NONE, PN_ACT_RELU, PN_ACT_LEAKY_RELU, PN_ACT_SIGMOID, PN_ACT_TANH, PN_ACTIVATIONS } pn_activation;

/* PN_SMALL, a build for programs that only run and train models of files, such as the module of exported pages: it has
 * float32 and the baseline kernels alone, and the ops that layers and losses need. */

/* pn_assert checks for bugs in our own code; it compiles to nothing in release builds and traps in debug builds. */
#ifdef PN_DEBUG
#define pn_assert(condition) ((condition) ? (void)0 : __builtin_trap())
#else
#define pn_assert(condition) ((void)0)
#endif

static inline pn_index pn_min(pn_index a, pn_index b) { return a < b ? a : b; }
static inline pn_index pn_max(pn_index a, pn_index b) { return a > b ? a : b; }
static inline pn_index pn_ceil_div(pn_index a, pn_index b) { return (a + b - 1) / b; }

#endif
