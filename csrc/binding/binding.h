/* binding.h -- declarations shared by the files of the binding: module state, Python objects, functions of each file.
 *
 * Listed bottom up: a file only calls functions of lower floors (tests/test_laws.py lists the floors).
 *
 * Functions that can fail return NULL or -1 with a Python exception set.  Only array.c uses NumPy's C API. */
#ifndef PN_BINDING_H
#define PN_BINDING_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <structmember.h>

#include "graph/graph.h"
#include "optim/optim.h"

/* ---- module state ----------------------------------------------------------------------------------------------- */

enum { PNB_MAX_ARGUMENTS = 24 }; /* inputs and parameters of one op */

/* An op as Python sees it: the interned names of its arguments, inputs first. */
typedef struct pnb_op {
    const pn_op *op;
    int n_inputs, n_arguments;
    bool variadic;     /* one input, a sequence of tensors */
    uint64_t required; /* bit mask of required arguments */
    PyObject *names[PNB_MAX_ARGUMENTS];
    PyObject *doc, *method_doc; /* bytes: signature, "--", text; of the function and, if there is one, of the method */
} pnb_op;

typedef struct pnb_gate pnb_gate;

typedef struct pn_state {
    pn_engine *engine;
    pnb_gate *gate;
    PyTypeObject *tensor_type, *block_type, *optimizer_type, *interrupt_type;
    PyObject *quiet; /* context variable: the number of nested no_grad blocks */
    PyObject *zero;  /* its value outside no_grad */
    pnb_op *ops;     /* in the order of pn_ops */
    PyMethodDef *op_methods, *tensor_methods;
    const char *isa;
    PyObject *get_handler, *sigint, *usual_handler; /* of the signal module: decide whether Ctrl-C interrupts an op */
    unsigned long main_thread;                      /* the only thread that handles Ctrl-C; 0: none */
    PyObject *watcher;                              /* called after every op, to find faults; NULL: none */
    unsigned forks;                                 /* how many forks lead to this process */
} pn_state;

/* A file that adds something to the module defines such a function; module.c lists them. */
typedef int pnb_setup(PyObject *module, pn_state *state);
pnb_setup pnb_array_setup, pnb_tensor_setup, pnb_quiet_setup, pnb_optable_setup, pnb_block_setup, pnb_optimizer_setup;
pnb_setup pnb_interrupt_setup, pnb_fork_setup, pnb_world_setup, pnb_make_setup, pnb_values_setup, pnb_digit_setup;

static inline pn_state *pnb_state(PyObject *module) { return PyModule_GetState(module); }
static inline pn_state *pnb_state_of(PyObject *object) { return PyType_GetModuleState(Py_TYPE(object)); }

/* Tables of slots, methods and attributes are const; CPython's types lack the const. */
#define PNB_SLOT(slot, what) { Py_##slot, (void *)(what) }
#define PNB_METHOD(function) ((PyCFunction)(void (*)(void))(function))

/* ---- error.c: raises a pn_error as an exception ------------------------------------------------------------------ */

void *pnb_raise(const pn_error *err); /* returns NULL */

/* The most similar of n words, for "did you mean"; NULL if none is close. */
const char *pnb_closest(const char *word, const char *const *words, int n);

/* ---- familiar.c: names from other libraries ---------------------------------------------------------------------- */

PyObject *pnb_familiar_getattr(PyObject *self, PyObject *name); /* a tensor's tp_getattro; errors name the equivalent */
const char *pnb_familiar_keyword(const char *theirs);           /* the name of that keyword here, or NULL */

/* ---- items.c: snapshots of sequences, which user code cannot change while they are read -------------------------- */

PyObject *pnb_items(PyObject *o);    /* the items of a list, tuple or other iterable: a tuple, a new reference */
PyObject *pnb_pairs(PyObject *dict); /* the (key, value) pairs, likewise */
/* Nested lists as nested tuples; anything else is returned as it is.  Error messages start with `who`. */
PyObject *pnb_snapshot(PyObject *o, const char *who);

/* ---- fork.c: the gate around work on memory or graphs without the GIL; a fork waits until nobody is inside
 * -------- */

PyThreadState *pnb_gate_enter(pnb_gate *gate);              /* releases the GIL */
void pnb_gate_leave(pnb_gate *gate, PyThreadState *thread); /* acquires it again */

/* References that keep borrowed memory alive and in place. */
enum { PNB_LOAN_HOLDS = 3 };
typedef struct pnb_loan {
    struct pnb_loan *next; /* in the gate's list, else NULL */
    pnb_gate *gate;
    PyObject *held[PNB_LOAN_HOLDS]; /* or NULL */
} pnb_loan;

/* Drops its references, which may run Python code: at once, with the GIL, or when the threads inside the gate leave. */
void pnb_gate_return(pnb_gate *gate, pnb_loan *loan);

enum { PNB_RELEASE_AT = 32768 }; /* the GIL is released for work of at least this many elements */

/* ---- object.c: a tensor as a Python object ----------------------------------------------------------------------- */

typedef struct pnb_tensor {
    PyObject_HEAD
    pn_tensor *t; /* never changes */
    PyObject *weakrefs;
} pnb_tensor;

static inline bool pnb_is_tensor(const pn_state *s, PyObject *o) { return Py_TYPE(o) == s->tensor_type; }
static inline pn_tensor *pnb_of(PyObject *tensor) { return ((pnb_tensor *)(void *)tensor)->t; }
PyObject *pnb_wrap(const pn_state *s, pn_tensor *tensor); /* steals the reference, even on failure; NULL gives NULL */
void pnb_object_dealloc(PyObject *self);                  /* also how number.c recognises tensors of any module */
PyObject *pnb_shape(const pn_view *v);                    /* the lengths of its axes, a tuple */
PyObject *pnb_indices(int n, const pn_index *values);     /* a tuple of n whole numbers */
PyObject *pnb_object_number(PyObject *self, const char *who); /* the only element; error messages start with `who` */

/* Makes a type from spec and adds it to the module under its own name; returns a new reference. */
PyTypeObject *pnb_add_type(PyObject *module, const PyType_Spec *spec);

/* ---- nodes.c: the graph behind a tensor, a list of dicts --------------------------------------------------------- */

PyObject *pnb_nodes(PyObject *tensor);

/* ---- quiet.c: no_grad -------------------------------------------------------------------------------------------- */

bool pnb_is_recording(const pn_state *s);

/* ---- interrupt.c: Ctrl-C ----------------------------------------------------------------------------------------- */

/* Whether the interpreter is finalizing: threads must not acquire the GIL any more. */
bool pnb_is_finalizing(void);

/* ---- array.c: NumPy in and out ----------------------------------------------------------------------------------- */

typedef struct pnb_intake {
    const char *who; /* start of error messages: "tensor", "conv2d: weight" */
    int dtype;       /* the pn_dtype wanted; -1: decided by the array's dtype */
    int real;        /* dtype of Python floats */
    bool follow;     /* integers become `real`, too */
    bool loose;      /* NumPy scalars have no width either, like Python numbers */
    bool lend;       /* the memory of the array may be borrowed */
} pnb_intake;

pn_tensor *pnb_array_take(const pn_state *s, PyObject *o, const pnb_intake *how, bool *lent); /* lent may be NULL */
typedef enum { PNB_ARRAY, PNB_WHOLE, PNB_FRACTION } pnb_kind; /* anything else; a single integer; a single float */
pnb_kind pnb_array_kind(PyObject *o);
bool pnb_array_is_scalar(PyObject *o);      /* whether it is a NumPy scalar */
bool pnb_array_like(PyObject *o);           /* an array, a number, or a list or tuple */
PyObject *pnb_array_view(PyObject *tensor); /* read-only, keeps the tensor alive */
PyObject *pnb_array_dunder(PyObject *tensor, PyObject *const *args, Py_ssize_t n, PyObject *names);
PyObject *pnb_array_copy(pn_dtype dtype, pn_index n, const void *data); /* one axis, own memory */
PyObject *pnb_array_of(const pn_view *v);                               /* any shape, own memory */
/* Broadcasts values and writes them to memory of this shape. */
int pnb_array_write(PyObject *values, const pn_view *to, const char *who);
int pnb_array_dtype(PyObject *o, const char *who, pn_dtype *dtype); /* from a name or any dtype that NumPy accepts */

/* ---- apply.c: an op on tensors ----------------------------------------------------------------------------------- */

#define OP(name) PNB_##name,
typedef enum {
#include "ops/ops.def"
    PNB_OPS
} pnb_op_index; /* PNB_add, PNB_sub, ...: index into pn_ops and pn_state.ops */
#undef OP

/* Runs one op on tensors; outputs are new references.  record: the value of pnb_is_recording at the start of the
 * call. */
int pnb_apply(const pn_state *s, const pn_op *op, int n, pn_tensor *const *inputs, const void *params, bool record,
              pn_tensor **outputs);

/* ---- broadcast.c ------------------------------------------------------------------------------------------------- */

/* Expands the inputs that the op broadcasts to one shape if the op itself cannot.  Sets the bit in `owned` of every
 * input that it replaces. */
int pnb_broadcast(const pn_state *s, const pn_op *op, int n, pn_tensor **inputs, bool record, uint64_t *owned);

/* ---- key.c: the key of x[key] ------------------------------------------------------------------------------------ */

/* Reads a key of ints, slices and `...` for a tensor of this shape.
 * dropped: bit mask of the axes that an int removes. */
int pnb_key_read(PyObject *key, const pn_view *x, pn_slices *slices, unsigned *dropped);

/* ---- argument.c: an op's parameters ------------------------------------------------------------------------------ */

typedef struct pnb_argument {
    const pn_op *op;
    const pn_param *param;
    const pn_view *x;  /* the first input of the op */
    unsigned *dropped; /* for PN_P_SLICES */
} pnb_argument;

int pnb_argument_read(const pnb_argument *a, PyObject *o, void *to);
PyObject *pnb_argument_show(const pn_param *param, const void *from); /* the default as a Python object */
const char *pnb_argument_kind(pn_param_kind kind);
int pnb_shape_read(PyObject *o, const char *who, int *n, pn_index *shape);
int pnb_bool_read(PyObject *o, bool *to); /* Python's or NumPy's; -1 for other types, usually without an exception */
/* Parses positional and keyword arguments of a function that is not an op into `values`; NULL if not given.  The first
 * n_needed are required. */
int pnb_arguments(const char *who, const char *const *words, int n_words, int n_needed, PyObject *const *args,
                  Py_ssize_t n, PyObject *names, PyObject **values);

/* ---- call.c: a call of an op, from Python arguments to Python results -------------------------------------------- */

/* Calls op `index` with arguments in vectorcall form. */
PyObject *pnb_call(pn_state *s, int index, PyObject *const *args, Py_ssize_t n, PyObject *names);
/* The same as a method of a tensor, which is the first input; also accepts the keywords that NumPy's functions pass. */
PyObject *pnb_call_method(PyObject *self, int index, PyObject *const *args, Py_ssize_t n, PyObject *names);
/* Calls an op on tensors or objects that can be converted; NULL for an omitted input. */
PyObject *pnb_call_with(const pn_state *s, const pn_op *op, int n, PyObject *const *inputs, const void *params);
/* Calls an op in place: the result overwrites objects[0], a tensor; returns a new reference to it.
 * fraction: a parameter is a float, so integers are promoted; sign: the operator as in Python, "-=". */
PyObject *pnb_call_over(const pn_state *s, const pn_op *op, int n, PyObject *const *objects, const void *params,
                        bool fraction, const char *sign);
/* Like pnb_call_with, but recorded even inside no_grad: for later ops of a call that began outside it. */
PyObject *pnb_call_recorded(const pn_state *s, const pn_op *op, int n, PyObject *const *inputs);
/* Calls an op on the result of another and steals that reference; recorded if the first op was. */
PyObject *pnb_call_next(const pn_state *s, const pn_op *op, PyObject *new_made, const void *params);
/* Drops the axes of a bit mask, which were indexed by an int; steals the reference; NULL gives NULL. */
PyObject *pnb_call_drop(const pn_state *s, PyObject *new_sliced, unsigned dropped);

/* ---- optable.c: the functions of pn.ops -------------------------------------------------------------------------- */

/* Fills s->tensor_methods: these n, and every op that is a METHOD in ops.def. */
int pnb_optable_methods(pn_state *s, const PyMethodDef *own, int n);

/* ---- number.c, index.c, repr.c: the type's other slots ----------------------------------------------------------- */

PyObject *pnb_number_add(PyObject *a, PyObject *b);
PyObject *pnb_number_sub(PyObject *a, PyObject *b);
PyObject *pnb_number_mul(PyObject *a, PyObject *b);
PyObject *pnb_number_div(PyObject *a, PyObject *b);
PyObject *pnb_number_matmul(PyObject *a, PyObject *b);
PyObject *pnb_number_pow(PyObject *a, PyObject *b, PyObject *modulus);
PyObject *pnb_number_add_over(PyObject *a, PyObject *b);
PyObject *pnb_number_sub_over(PyObject *a, PyObject *b);
PyObject *pnb_number_mul_over(PyObject *a, PyObject *b);
PyObject *pnb_number_div_over(PyObject *a, PyObject *b);
PyObject *pnb_number_matmul_over(PyObject *a, PyObject *b);
PyObject *pnb_number_pow_over(PyObject *a, PyObject *b, PyObject *modulus);
PyObject *pnb_number_and(PyObject *a, PyObject *b); /* these six raise a TypeError that names an alternative */
PyObject *pnb_number_or(PyObject *a, PyObject *b);
PyObject *pnb_number_xor(PyObject *a, PyObject *b);
PyObject *pnb_number_invert(PyObject *a);
PyObject *pnb_number_floor_divide(PyObject *a, PyObject *b);
PyObject *pnb_number_remainder(PyObject *a, PyObject *b);
PyObject *pnb_number_neg(PyObject *a);
PyObject *pnb_number_pos(PyObject *a);
PyObject *pnb_number_abs(PyObject *a);
PyObject *pnb_number_float(PyObject *a);
PyObject *pnb_number_int(PyObject *a);
PyObject *pnb_number_index(PyObject *a);
int pnb_number_bool(PyObject *a);
PyObject *pnb_number_compare(PyObject *a, PyObject *b, int operation);

Py_ssize_t pnb_index_length(PyObject *self);
PyObject *pnb_index_item(PyObject *self, Py_ssize_t i);
PyObject *pnb_index_get(PyObject *self, PyObject *key);
int pnb_index_set(PyObject *self, PyObject *key, PyObject *value);

PyObject *pnb_repr(PyObject *self);
PyObject *pnb_format(PyObject *self, PyObject *spec);

/* ---- block.c ----------------------------------------------------------------------------------------------------- */

typedef struct pnb_block {
    PyObject_HEAD
    pn_block *b;
    PyObject *names, *tensors; /* tuples */
} pnb_block;

#endif
