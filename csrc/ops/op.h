/* op.h -- the definition of an op, and the call that its functions receive.
 *
 * An op is one struct: its rule checks everything and declares shapes and sizes; forward and backward are void.  To add
 * one: its C file, its line in ops.def, its row in tests/oprows.py. */
#ifndef PN_OP_H
#define PN_OP_H

#include <string.h>

#include "kernels/copy.h"
#include "tensor/tensor.h"

/* ---- parameters -------------------------------------------------------------------------------------------------- */

typedef enum { PN_PAD_EXPLICIT, PN_PAD_SAME, PN_PAD_VALID } pn_pad_mode;
typedef struct pn_padding {
    pn_pad_mode mode;
    pn_index top, bottom, left, right;
} pn_padding;
typedef enum { PN_MEAN, PN_SUM, PN_NONE } pn_reduction;
typedef struct pn_list {
    bool given;
    int n;
    pn_index v[PN_MAX_DIMS];
} pn_list; /* given = false: None */
/* Python slices, not yet clipped to the axis: None is 0 or +-PTRDIFF_MAX (as from PySlice_Unpack). */
typedef struct pn_slices {
    int n;
    pn_index start[PN_MAX_DIMS], stop[PN_MAX_DIMS], step[PN_MAX_DIMS];
} pn_slices;
typedef struct pn_optional {
    bool given;
    int64_t v;
} pn_optional;

/* clang-format off */
/* Kinds of parameters, and the C types of their fields.  PN_PARAM checks that they agree. */
#define PN_PARAM_KINDS(X)                                                                                   \
    X(INT,          pn_index)                                                                               \
    X(SEED,         uint64_t)                                                                               \
    X(FLOAT,        double)                                                                                 \
    X(BOOL,         bool)                                                                                   \
    X(PAIR,         pn_index[2])   /* Python: an int for both, or (height, width) */                        \
    X(PADDING,      pn_padding)    /* "same", "valid", an int, (h, w) or ((top, bottom), (left, right)) */  \
    X(AXES,         pn_list)       /* None (all), an int or a tuple */                                      \
    X(SHAPE,        pn_list)       /* a tuple of ints (or an int) */                                        \
    X(SLICES,       pn_slices)     /* a tuple of slices and ints is made into it by the binding */          \
    X(ACTIVATION,   pn_activation) /* None or a name */                                                     \
    X(REDUCTION,    pn_reduction)  /* "mean", "sum" or "none" */                                            \
    X(DTYPE,        pn_dtype)      /* "float32" or "float64" */                                             \
    X(OPTIONAL_INT, pn_optional)   /* None or an int */                                                     \
    X(STREAM,       uint64_t)      /* a name, hashed, or an int */                                          \
    X(APPROXIMATE,  double)        /* as all of an elementwise op's: 0 or 1; Python: "none" or "tanh" */
/* clang-format on */

#define KIND(kind, type) PN_P_##kind,
typedef enum { PN_PARAM_KINDS(KIND) PN_PARAM_KIND_COUNT } pn_param_kind;
#undef KIND

#define KIND(kind, type) typedef const __typeof__(type) PN_P_##kind##_type;
PN_PARAM_KINDS(KIND)
#undef KIND

typedef struct pn_param {
    const char *name;
    pn_param_kind kind;
    size_t offset; /* in the op's parameter struct */
    bool required; /* it has no default */
    const char *doc;
} pn_param;

enum { PN_MAX_PARAM_BYTES = 256, PN_MAX_PLAN_BYTES = 1024 };

/* An op's file has the values of its parameter struct as `defaults`, and a row for each field in `params`:
 *     PN_PARAM(stride, PAIR, "steps of the kernel"),      may be left out
 *     PN_REQUIRED(shape, SHAPE, "the new lengths"),       must be given
 * A row whose kind does not fit its field's C type does not compile.  The op itself has PN_PARAMS among its fields.
 * Files with several tables, or with names that are not their fields', use the two macros behind these. */
/* clang-format off */
#ifdef PN_SMALL
#define PN_DOC(text) NULL
#else
#define PN_DOC(text) text
#endif

#define PN_PARAM(field, kind, doc)    PN_PARAM_ROW(#field, defaults, field, PN_P_##kind, false, doc)
#define PN_REQUIRED(field, kind, doc) PN_PARAM_ROW(#field, defaults, field, PN_P_##kind, true, doc)
#define PN_PARAMS                     PN_PARAMS_OF(params, defaults)

#define PN_PARAM_ROW(name, values, field, kind, required, doc)                                                \
    { name, kind, offsetof(__typeof__(values), field) + PN_CHECKED(PN_IS_OF_TYPE(values.field, kind##_type),  \
        "the C type of " name " is not that of " #kind), required, PN_DOC(doc) }
#define PN_PARAMS_OF(table, values)                                                                           \
    .params = table, .defaults = &values, .param_bytes = sizeof values,                                       \
    .n_params = PN_COUNT(table) + PN_CHECKED(sizeof values <= PN_MAX_PARAM_BYTES, "raise PN_MAX_PARAM_BYTES")

/* The op's plan is a `type`: sizes, products without their pointers and offsets into scratch, worked out once, in the
 * rule.  What forward and backward would derive again from shapes may mean two things there. */
#define PN_PLAN(type)                                                                                         \
    .plan_bytes = ((sizeof(type) + 7) & ~(size_t)7) /* parameters lie behind the plan, and want to be aligned */ + \
        PN_CHECKED(sizeof(type) <= PN_MAX_PLAN_BYTES - 8, "raise PN_MAX_PLAN_BYTES")

#define PN_COUNT(array)                ((int)(sizeof(array) / sizeof *(array)))
#define PN_IS_OF_TYPE(value, type)     __builtin_types_compatible_p(__typeof__(value), type)
#define PN_CHECKED(condition, message) (0 * (int)sizeof(struct { _Static_assert(condition, message); int unused; }))
/* clang-format on */

/* ---- dtypes ------------------------------------------------------------------------------------------------------ */

/* How the binding promotes inputs of different dtypes before it calls the op, whose rule takes only one dtype.
 * docs/tensors.md has the table. */
typedef enum {
    PN_STRICT,   /* nothing: the rule says which dtypes go together */
    PN_EXACT,    /* one dtype for all; integers stay integers, and the kernels have them (integers.def) */
    PN_COMPARED, /* one in which all can be compared without rounding */
    PN_REAL,     /* one real */
} pn_promotion;

/* ---- the call ---------------------------------------------------------------------------------------------------- */

typedef struct pn_op pn_op;

typedef struct pn_call {
    const pn_op *op;
    const pn_kernels *k; /* kernels of the call's real: that of the first real input, else of float32; of an op that
                          * promotes, of the first input that it does so to, which may be an integer */
    const pn_team *team; /* NULL while the rule runs */
    const void *params;  /* the op's own struct */
    void *plan;          /* likewise: what the rule has worked out, for forward and backward, which only read it */

    int n_in, n_out;
    pn_view y[PN_MAX_OUT]; /* the rule fills them but for data */
    bool recording;        /* any of wants: backward may follow */

    /* Set by the rule. */
    uint64_t keep_x;    /* inputs whose data backward reads, a bit each */
    unsigned keep_y;    /* likewise outputs */
    size_t saved_bytes; /* written by forward, read by backward; only had while recording */
    size_t forward_scratch, backward_scratch;
    int alias;             /* 0: none; 1 + i: y[0] shares the storage of input i ... */
    pn_index alias_offset; /* ... this many elements in */
    uint64_t writes_x;     /* inputs that forward changes in place (running statistics) */

    void *saved, *scratch; /* 64-byte aligned, or NULL */

    /* Backward. */
    const void *dy[PN_MAX_OUT]; /* NULL: no gradient came to this output (only for ops with several) */
    bool owns_dy;               /* nothing else refers to dy[0]: backward may change it */

    /* An entry for each input, and no fewer than PN_NAMED_IN that are clear. */
    const pn_view *x[PN_MAX_IN]; /* NULL: an optional input not given.  In backward, data is there where kept */
    bool wants[PN_MAX_IN];       /* this input's gradient is wanted (known to the rule, too) */
    void *dx[PN_MAX_IN];         /* in backward, where wanted, else NULL */
    bool add[PN_MAX_IN];         /* false: write dx; true: add to it */
} pn_call;

static inline void pn_call_clear_inputs(pn_call *c, int from, int to)
{
    for (int i = from; i < to; i++) {
        c->x[i] = NULL;
        c->dx[i] = NULL;
        c->wants[i] = c->add[i] = false;
    }
}

/* Whether any output has a value; else nothing is computed, and the gradients of the inputs are zero. */
static inline bool pn_call_has_values(const pn_call *c)
{
    for (int i = 0; i < c->n_out; i++)
        if (c->y[i].size > 0)
            return true;
    return false;
}

/* Everything 0 or NULL for a call of n_in inputs; what lists of inputs have room for besides is left alone. */
static inline void pn_call_clear(pn_call *c, int n_in)
{
    memset(c, 0, offsetof(pn_call, x));
    pn_call_clear_inputs(c, 0, PN_NAMED_IN); /* in nearly all calls these are all: a few wide stores */
    pn_call_clear_inputs(c, PN_NAMED_IN, n_in);
    c->n_in = n_in;
}

struct pn_op {
    const char *name;
    const char *doc;    /* one sentence, shapes, formula, source; then an example line for help() */
    const char *inputs; /* "x weight bias?": names in order, ? marks optional; "tensors*" is one or more */
    const pn_param *params;
    int n_params;
    const void *defaults;
    size_t param_bytes;  /* the op's parameter struct with its defaults */
    size_t plan_bytes;   /* of its plan; 0: it needs none.  PN_PLAN(type) gives it */
    int n_out;           /* outputs; more than one come as a tuple */
    bool differentiable; /* false: outputs never join the graph */
    unsigned passes;     /* inputs whose gradient is dy[0] itself, a bit each: the sweep hands the buffer on */
    bool overwrites;     /* dx[0] may lie where dy[0] does: backward reads an element before it writes it */
    bool in_place;       /* forward may write y[0] where x[0] lies: it reads an element before it writes it */
    pn_promotion promotion;
    uint64_t promotes;   /* the inputs that it is about, a bit each */
    uint64_t broadcasts; /* inputs that broadcast against each other, a bit each: the binding sees to it */
    pn_dtype (*real)(
        const pn_call *c); /* which real the kernels work in; NULL: that of the first real input, else float32 */
    int (*rule)(pn_call *c, pn_error *err);
    void (*forward)(const pn_call *c);  /* NULL for an op that only aliases */
    void (*backward)(const pn_call *c); /* computes dx where wanted; NULL when not differentiable or all is passed on */
};

/* ---- helpers for rules ----------------------------------------------------------------------------------------- */

#define PN_KEEP_X(i) ((uint64_t)1 << (i))
#define PN_KEEP_Y(i) (1u << (i))

int pn_call_output(pn_call *c, int i, pn_dtype dtype, int ndim, const pn_index *shape, pn_error *err);
int pn_call_output_like(pn_call *c, int i, const pn_view *like, pn_error *err);

/* Checks that name the op and the input: "conv2d: weight is int64; give float32 or float64". */
const char *pn_call_input_name(const pn_call *c, int i, char *buffer, size_t size);
int pn_call_check_real(const pn_call *c, pn_error *err); /* every given input is real, and all of one dtype */
int pn_call_check_same_real(const pn_call *c, int i, int j, pn_error *err);
int pn_call_check_promoted(const pn_call *c, pn_error *err); /* inputs have the one dtype that their promotion gives */
int pn_call_check_ndim(const pn_call *c, int i, int ndim, const char *layout,
                       pn_error *err); /* layout: "(N, H, W, C)" */
int pn_call_check_shape(const pn_call *c, int i, int ndim, const pn_index *shape, pn_error *err);
int pn_call_axis(const pn_call *c, int i, pn_index axis, int *out, pn_error *err); /* -1 is the last */

static inline bool pn_call_shape_only(const pn_call *c)
{
    for (int i = 0; i < c->n_in; i++)
        if (c->x[i] && !c->x[i]->data)
            return true;
    return false;
}

/* The product of axes [from, to). */
pn_index pn_view_count(const pn_view *v, int from, int to);

/* ---- numbers of rows and classes ------------------------------------------------------------------------------ */

/* Copies input i, int64, to `to`, safe for kernels to use as indices.  The owner of a borrowed array may have changed
 * it after the rule checked it, so values outside 0..n-1 (other than `ignore`; NULL: none) become 0: at worst the
 * result is wrong. */
const int64_t *pn_call_numbers(const pn_call *c, int i, pn_index n, const pn_optional *ignore, void *to);

/* For rules: the first position at which input i, int64, is outside 0..n-1; -1 if there is none, or no data. */
pn_index pn_call_numbers_wrong(const pn_call *c, int i, pn_index n);

/* ---- helpers for scratch and broadcasting -------------------------------------------------------------------- */

/* Lays out scratch: a part of n items of `item` bytes goes to the end of *total; returns its offset, a multiple of
 * PN_ALIGN.  An overflow makes *total SIZE_MAX, which no memory can give, so that the call fails cleanly. */
size_t pn_part(size_t *total, pn_index n, size_t item);
static inline void *pn_at(void *base, size_t offset) { return (char *)base + offset; }
static inline size_t pn_larger(size_t a, size_t b) { return a > b ? a : b; } /* for parts used in turn */

static inline size_t pn_call_item(const pn_call *c) { return pn_dtype_size(c->k->real); } /* of the call's real */
double pn_call_get(const pn_call *c, const void *reals); /* one value of the call's real, as a double */
void pn_call_set(const pn_call *c, void *reals, double value);

/* Output 0 has the shape of the widest of inputs first..n_in-1; the others' shapes must be its last axes. */
int pn_call_output_widest(pn_call *c, int first, pn_dtype dtype, pn_error *err);

/* d (+)= column sums of full, n / period rows of period values: the gradient of an operand that was repeated. */
size_t pn_call_sum_rows_work(const pn_call *c, pn_index n, pn_index period); /* bytes of work */
void pn_call_sum_rows(const pn_call *c, const void *full, pn_index n, pn_index period, void *d, bool add, void *work);

/* The inverse copy; the caller fills src and dst. */
pn_copy pn_copy_back(const pn_copy *copy);

/* dx[i] (+)= dy[0], for an op that passes its gradient through. */
void pn_call_pass(const pn_call *c, int i);

/* Fails if a gradient is wanted that the op does not compute; `fix` ends the message. */
int pn_call_refuse_grad(const pn_call *c, int i, pn_error *err);

/* ---- the table ------------------------------------------------------------------------------------------------- */

#define OP(name) extern const pn_op pn_op_##name;
#include "ops/ops.def"
#undef OP

extern const pn_op *const pn_ops[]; /* in ops.def's order */
extern const int pn_ops_count;
const pn_op *pn_op_find(const char *name); /* NULL when there is none */

/* A parameter of the op by name, and its field in a parameter struct; NULL when there is none. */
const pn_param *pn_op_param(const pn_op *op, const char *name);
void *pn_op_field(const pn_op *op, const char *name, void *params);

#endif
