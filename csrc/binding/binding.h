/* binding.h -- what the files of the binding share: the module's state, the Python objects, and each file's functions.
 *
 * They stand here from the ground up: a file calls those of lower floors alone (tests/test_laws.py lists the floors).
 *
 * Functions that can fail return NULL or -1 with a Python exception set.  NumPy's API is used in array.c alone. */
#ifndef PN_BINDING_H
#define PN_BINDING_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <structmember.h>

#include "graph/graph.h"
#include "optim/optim.h"

/* ---- module state ----------------------------------------------------------------------------------------------- */

enum { PNB_MAX_ARGUMENTS = 24 }; /* inputs and parameters of one op */

/* An op as Python sees it: its words, interned, inputs first. */
typedef struct pnb_op {
    const pn_op *op;
    int n_inputs, n_arguments;
    bool variadic;     /* one input, a sequence of tensors */
    uint64_t required; /* arguments that must be given, a bit each */
    PyObject *names[PNB_MAX_ARGUMENTS];
    PyObject *doc, *method_doc; /* bytes: signature, "--", text; of the function, and of the method if it is one */
} pnb_op;

typedef struct pnb_gate pnb_gate;

typedef struct pn_state {
    pn_engine *engine;
    pnb_gate *gate;
    PyTypeObject *tensor_type, *block_type, *optimizer_type, *interrupt_type;
    PyObject *quiet; /* context variable: how many no_grad blocks we are in */
    PyObject *zero;  /* its value outside all of them */
    pnb_op *ops;     /* as pn_ops */
    PyMethodDef *op_methods, *tensor_methods;
    const char *isa;
    PyObject *get_handler, *sigint, *usual_handler; /* of signals: whether Ctrl-C ends an op */
    unsigned long main_thread;                      /* that alone sees Ctrl-C; 0: none */
    unsigned forks;                                 /* of which this process is the child */
} pn_state;

/* Every file with something to add to the module has such a function; module.c lists them. */
typedef int pnb_setup(PyObject *module, pn_state *state);
pnb_setup pnb_array_setup, pnb_tensor_setup, pnb_quiet_setup, pnb_optable_setup, pnb_block_setup, pnb_optimizer_setup;
pnb_setup pnb_interrupt_setup, pnb_fork_setup, pnb_world_setup, pnb_make_setup, pnb_values_setup, pnb_digit_setup;

static inline pn_state *pnb_state(PyObject *module) { return PyModule_GetState(module); }
static inline pn_state *pnb_state_of(PyObject *object) { return PyType_GetModuleState(Py_TYPE(object)); }

/* Tables of slots, methods and attributes are constant; CPython's types do not say so. */
#define PNB_SLOT(slot, what) { Py_##slot, (void *)(what) }
#define PNB_METHOD(function) ((PyCFunction)(void (*)(void))(function))

/* ---- error.c: pn_error becomes an exception ---------------------------------------------------------------------- */

void *pnb_raise(const pn_error *err); /* returns NULL */

/* The one of n words that `word` was probably meant to be, or NULL. */
const char *pnb_closest(const char *word, const char *const *words, int n);

/* ---- familiar.c: words of other libraries ------------------------------------------------------------------------ */

PyObject *pnb_familiar_getattr(PyObject *self, PyObject *name); /* a tensor's attributes, and what to write instead */
const char *pnb_familiar_keyword(const char *theirs);           /* what the word may be called here, or NULL */

/* ---- items.c: sequences that the user's code cannot change while they are read ----------------------------------- */

PyObject *pnb_items(PyObject *o);    /* the items of a list, a tuple or another iterable: a tuple, a new reference */
PyObject *pnb_pairs(PyObject *dict); /* its (key, value) pairs, likewise */
/* A list, and the lists in it, as tuples; what is no list is returned itself.  `who` opens the error sentence. */
PyObject *pnb_still(PyObject *o, const char *who);

/* ---- fork.c: around work on memory or graphs without the GIL, which a fork lets come to its end ------------------ */

PyThreadState *pnb_gate_enter(pnb_gate *gate);              /* gives the GIL away */
void pnb_gate_leave(pnb_gate *gate, PyThreadState *thread); /* takes it back */

/* What keeps lent memory alive, and in its place. */
enum { PNB_LOAN_HOLDS = 3 };
typedef struct pnb_loan {
    struct pnb_loan *next; /* NULL, but in the gate's list */
    pnb_gate *gate;
    PyObject *held[PNB_LOAN_HOLDS]; /* or NULL */
} pnb_loan;

/* Lets go of it, which may run Python code: now, with the GIL, or when those who are inside the gate leave. */
void pnb_gate_return(pnb_gate *gate, pnb_loan *loan);

enum { PNB_RELEASE_AT = 32768 }; /* elements of work from which the GIL is given away */

/* ---- object.c: a tensor as a Python object ----------------------------------------------------------------------- */

typedef struct pnb_tensor {
    PyObject_HEAD
    pn_tensor *t; /* never changes */
    PyObject *weakrefs;
} pnb_tensor;

static inline bool pnb_is_tensor(const pn_state *s, PyObject *o) { return Py_TYPE(o) == s->tensor_type; }
static inline pn_tensor *pnb_of(PyObject *tensor) { return ((pnb_tensor *)(void *)tensor)->t; }
PyObject *pnb_wrap(const pn_state *s, pn_tensor *tensor); /* takes the reference over, also on failure; NULL passes */
void pnb_object_dealloc(PyObject *self);                  /* also how number.c recognises a tensor of any module */
PyObject *pnb_object_number(PyObject *self, const char *who); /* the one element; `who` opens the error sentence */

/* Type from spec, added to the module under its own name; a new reference for the state. */
PyTypeObject *pnb_add_type(PyObject *module, const PyType_Spec *spec);

/* ---- quiet.c: no_grad -------------------------------------------------------------------------------------------- */

bool pnb_is_recording(const pn_state *s);

/* ---- interrupt.c: Ctrl-C ----------------------------------------------------------------------------------------- */

/* Whether the interpreter is going down: threads must not ask for the GIL any more. */
bool pnb_is_finalizing(void);

/* ---- array.c: NumPy in and out ----------------------------------------------------------------------------------- */

typedef struct pnb_intake {
    const char *who; /* opens the error sentence: "tensor", "conv2d: weight" */
    int dtype;       /* pn_dtype wanted; -1: by the array's own kind */
    int real;        /* what Python's floats become */
    bool follow;     /* integers become `real`, too */
    bool loose;      /* NumPy's scalars have no width of their own, either */
    bool lend;       /* the array's own memory may be used */
} pnb_intake;

pn_tensor *pnb_array_take(const pn_state *s, PyObject *o, const pnb_intake *how, bool *lent); /* lent may be NULL */
typedef enum { PNB_ARRAY, PNB_WHOLE, PNB_FRACTION } pnb_kind; /* one integer; one float; anything else */
pnb_kind pnb_array_kind(PyObject *o);
bool pnb_array_is_scalar(PyObject *o);      /* one of NumPy's */
bool pnb_array_like(PyObject *o);           /* an array, a number, or a list or tuple */
PyObject *pnb_array_view(PyObject *tensor); /* read-only, keeps the tensor alive */
PyObject *pnb_array_dunder(PyObject *tensor, PyObject *const *args, Py_ssize_t n, PyObject *names);
PyObject *pnb_array_copy(pn_dtype dtype, pn_index n, const void *data); /* one axis, own memory */
PyObject *pnb_array_of(const pn_view *v);                               /* any shape, own memory */
/* Writes values, broadcast, over memory of this shape. */
int pnb_array_write(PyObject *values, const pn_view *to, const char *who);
int pnb_array_dtype(PyObject *o, const char *who, pn_dtype *dtype); /* a name or anything NumPy takes */

/* ---- apply.c: an op on tensors ----------------------------------------------------------------------------------- */

#define OP(name) PNB_##name,
typedef enum {
#include "ops/ops.def"
    PNB_OPS
} pnb_op_index; /* PNB_add, PNB_sub, ...: into pn_ops and pn_state.ops */
#undef OP

/* One op on tensors; a new reference for each output.  record: what pnb_is_recording said when the call began. */
int pnb_apply(const pn_state *s, const pn_op *op, int n, pn_tensor *const *inputs, const void *params, bool record,
              pn_tensor **outputs);

/* ---- broadcast.c ------------------------------------------------------------------------------------------------- */

/* Expands inputs first to last of the mask to one shape where the op would refuse them;
 * replaces and owns what it made. */
int pnb_broadcast(const pn_state *s, const pn_op *op, int n, pn_tensor **inputs, bool record, uint64_t *owned);

/* ---- key.c: the key of x[key] ------------------------------------------------------------------------------------ */

/* Reads a key of ints, slices and `...` for a tensor of this shape.
 * dropped: the axes that an int takes away, a bit each. */
int pnb_key_read(PyObject *key, const pn_view *x, pn_slices *slices, unsigned *dropped);

/* ---- argument.c: an op's parameters ------------------------------------------------------------------------------ */

typedef struct pnb_argument {
    const pn_op *op;
    const pn_param *param;
    const pn_view *x;  /* the op's first input */
    unsigned *dropped; /* of PN_P_SLICES */
} pnb_argument;

int pnb_argument_read(const pnb_argument *a, PyObject *o, void *to);
PyObject *pnb_argument_show(const pn_param *param, const void *from); /* the default, as one would write it */
const char *pnb_argument_kind(pn_param_kind kind);
int pnb_shape_read(PyObject *o, const char *who, int *n, pn_index *shape);
int pnb_bool_read(PyObject *o, bool *to); /* Python's or NumPy's; -1, mostly without an exception, for another kind */
/* Sorts positional and named arguments of a function that is no op into `values`, NULL where not given; the first
 * n_needed words must be. */
int pnb_arguments(const char *who, const char *const *words, int n_words, int n_needed, PyObject *const *args,
                  Py_ssize_t n, PyObject *names, PyObject **values);

/* ---- call.c: a call of an op, from Python's arguments to Python's results ---------------------------------------- */

/* A call as Python makes it, of op `index`. */
PyObject *pnb_call(pn_state *s, int index, PyObject *const *args, Py_ssize_t n, PyObject *names);
/* The same as a method of a tensor, which is the first input; NumPy's functions call them with words of theirs. */
PyObject *pnb_call_method(PyObject *self, int index, PyObject *const *args, Py_ssize_t n, PyObject *names);
/* An op on inputs that are tensors or can become such; NULL where absent. */
PyObject *pnb_call_with(const pn_state *s, const pn_op *op, int n, PyObject *const *inputs, const void *params);
/* The op's values written over those of objects[0], a tensor, of which a new reference is returned.
 * fraction: a parameter was given as a float, so that integers become one; sign: as Python writes it, "-=". */
PyObject *pnb_call_over(const pn_state *s, const pn_op *op, int n, PyObject *const *objects, const void *params,
                        bool fraction, const char *sign);
/* The same, recorded whatever no_grad says by now: a later op of a call that began outside it. */
PyObject *pnb_call_recorded(const pn_state *s, const pn_op *op, int n, PyObject *const *inputs);
/* The next op on what one has just made, whose reference it takes over: recorded if that was. */
PyObject *pnb_call_next(const pn_state *s, const pn_op *op, PyObject *new_made, const void *params);
/* Drops the axes that an int indexed, a bit each; takes the reference over, NULL passes. */
PyObject *pnb_call_drop(const pn_state *s, PyObject *new_sliced, unsigned dropped);

/* ---- optable.c: the functions of pn.ops -------------------------------------------------------------------------- */

/* Fills s->tensor_methods: these n, and every op that ops.def calls a METHOD. */
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
PyObject *pnb_number_and(PyObject *a, PyObject *b); /* these six refuse */
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
