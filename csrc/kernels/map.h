/* map.h -- arguments of the kernels that go over elements: functions of elementwise.def, select, act, axpy, fill, copy.
 *
 * Outputs may be the inputs that are named so; otherwise no output overlaps an input, and never in part. */
#ifndef PN_KERNELS_MAP_H
#define PN_KERNELS_MAP_H

#include "pn.h"

/* ---- the rows of elementwise.def --------------------------------------------------------------------------------- */

typedef enum {
#define UNARY(name, ...) PN_U_##name,
#include "kernels/elementwise.def"
    PN_UNARIES
} pn_unary_f;

typedef enum {
#define BINARY(name, ...) PN_B_##name,
#include "kernels/elementwise.def"
    PN_BINARIES
} pn_binary_f;

typedef enum {
#define COMPARE(name, ...) PN_C_##name,
#include "kernels/elementwise.def"
    PN_COMPARES
} pn_compare_f;

/* What a gradient reads beside dy: bits. */
enum {
    PN_READS_NOTHING = 0,
    PN_READS_X = 1,
    PN_READS_A = 1,
    PN_READS_B = 2,
    PN_READS_AB = PN_READS_A | PN_READS_B,
    PN_READS_Y = 4,
    PN_READS_BY = PN_READS_B | PN_READS_Y,
    PN_READS_DY = 8, /* nothing, and the gradient is dy */
};

/* f(i, name, kind, value, condition, doc) for each parameter of a row, the last arguments of UNARY.  f may not use this
 * macro in turn. */
enum { PN_MAP_PARAMS = 2 };
#define PN_EACH_PARAM(f, ...) PN_PICK_EACH(_, ##__VA_ARGS__, PN_EACH_2, PN_EACH_1, PN_EACH_0)(f, ##__VA_ARGS__)
#define PN_PICK_EACH(_, first, second, f, ...) f
#define PN_EACH_0(f)
#define PN_EACH_1(f, first) PN_PARAM_CALL(f, 0, PN_BARE first)
#define PN_EACH_2(f, first, second) PN_PARAM_CALL(f, 0, PN_BARE first) PN_PARAM_CALL(f, 1, PN_BARE second)
#define PN_PARAM_CALL(f, i, ...) f(i, __VA_ARGS__)
#define PN_BARE(...) __VA_ARGS__

/* ---- arguments --------------------------------------------------------------------------------------------------- */

typedef struct pn_unary { /* forward: y = f(x);  backward: dx (+)= f'(...) dy */
    pn_unary_f f;
    pn_index n;
    const void *x;
    void *y; /* may be x.  backward reads x, y or neither, as the function's row says */
    const void *dy;
    void *dx; /* may be dy */
    bool add;
    double p[PN_MAP_PARAMS]; /* the function's parameters */
} pn_unary;

typedef struct pn_binary { /* y[i] = f(a[i % na], b[i % nb]), n outputs; na and nb divide n */
    pn_binary_f f;
    pn_index n, na, nb;
    const void *a, *b;
    void *y; /* may be an operand that has n elements */
    const void *dy;
    void *d;  /* binary_da, binary_db: d[i] = the gradient for that operand, full size n, written; may be dy */
    bool add; /* or added (only where the operand is full size) */
} pn_binary;

typedef struct pn_compare {
    pn_compare_f f;
    pn_index n, na, nb;
    const void *a, *b;
    uint8_t *y;
} pn_compare;

typedef struct pn_select {  /* select: y = c ? a : b.  select_da: d (+)= c ? dy : 0.  select_db: d (+)= c ? 0 : dy */
    pn_index n, nc, na, nb; /* periods as in pn_binary */
    const uint8_t *c;
    const void *a, *b;
    void *y; /* may be an operand that has n elements */
    const void *dy;
    void *d; /* may be dy */
    bool add;
} pn_select;

typedef struct pn_act { /* act_backward: dz = dy * act'(y); dz may be dy */
    pn_activation act;
    double slope;
    pn_index n;
    const void *dy, *y;
    void *dz;
    pn_index C; /* act_sum: dz is (n / C, C), and sums get (or add) its column sums; there dz */
    void *sums;
    bool add;   /* may be dy for relu alone, which changes nothing when it is done twice */
    void *work; /* act_sum: act_work(this) bytes */
} pn_act;

typedef struct pn_axpy { /* y = a x, or y += a x; y may be x */
    pn_index n;
    double a;
    const void *x;
    void *y;
    bool add;
} pn_axpy;

typedef struct pn_fill {
    pn_index n;
    double value;
    void *y;
} pn_fill;

/* Strided copy: dst[...] (+)= src[...] over `shape`.  item: bytes of an element (1, or 8 for int64, else sizeof real);
 * add needs the table's real.  A source stride of 0 repeats (expand); destination elements are distinct. */
typedef struct pn_copy {
    int ndim;
    pn_index shape[PN_MAX_DIMS], dst_stride[PN_MAX_DIMS], src_stride[PN_MAX_DIMS];
    const void *src;
    void *dst;
    int item;
    bool add;
} pn_copy;

#endif
