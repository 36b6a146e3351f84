/* optimizer.c -- the type Optimizer: applies a row of the optimizer table to a block, or to single tensors. */
#include "binding/binding.h"

#include <math.h>
#include <string.h>

typedef struct optimizer {
    PyObject_HEAD
    pn_optimizer *o;
    unsigned busy; /* since_fork() while a step runs without the GIL */
} optimizer;

static optimizer *self_of(PyObject *self) { return (optimizer *)(void *)self; }

/* ---- hyperparameters ---- */

/* X(name, is_bool, doc) */
/* clang-format off */
#define HYPER_TABLE(X)                                                                                              \
    X(learning_rate, false, "Step size.")                                                                           \
    X(weight_decay,  false, "Weight decay factor.")                                                                 \
    X(momentum,      false, "Momentum factor.")                                                                     \
    X(nesterov,      true,  "Whether to use Nesterov momentum.")                                                    \
    X(beta1,         false, "Decay rate of the running mean of the gradient.")                                      \
    X(beta2,         false, "Decay rate of the running mean of the squared gradient.")                              \
    X(epsilon,       false, "Added to the denominator for numerical stability.")                                    \
    X(clip_norm,     false, "Maximum global norm of the gradient; 0: no clipping.")                                 \
    X(decay_all,     true,  "Whether weight decay also applies to biases and norms.")
/* clang-format on */

#define ROW(name, is_bool, doc) HYPER_##name,
enum { HYPER_TABLE(ROW) HYPERS };
#undef ROW

static const struct hyper {
    const char *name;
    size_t offset;
    bool is_bool;
} hypers[] = {
#define ROW(name, is_bool, doc) { #name, offsetof(pn_hyper, name), is_bool },
    HYPER_TABLE(ROW)
#undef ROW
};

static bool reads(const pn_optimizer_kind *kind, const char *name) /* whether the word is in kind->reads */
{
    const size_t length = strlen(name);
    for (const char *s = strstr(kind->reads, name); s; s = strstr(s + 1, name))
        if ((s == kind->reads || s[-1] == ' ') && (s[length] == ' ' || !s[length]))
            return true;
    return false;
}

static PyObject *show(const struct hyper *row, const pn_hyper *hyper)
{
    const char *at = (const char *)hyper + row->offset;
    return row->is_bool ? PyBool_FromLong(*(const bool *)at) : PyFloat_FromDouble(*(const double *)(const void *)at);
}

/* Raises a TypeError, unless user code of the value raised an exception of another type. */
static int refuse_kind(const struct hyper *row, const pn_optimizer_kind *kind, const char *expected, PyObject *value)
{
    if (!PyErr_Occurred() || PyErr_ExceptionMatches(PyExc_TypeError))
        PyErr_Format(PyExc_TypeError, "%s: %s must be %s, got %.100R", kind->name, row->name, expected, value);
    return -1;
}

/* Checks what holds for all hyperparameters; each step checks their individual ranges (such as momentum below 1). */
static int read_value(const struct hyper *row, const pn_optimizer_kind *kind, PyObject *value, pn_hyper *hyper)
{
    char *at = (char *)hyper + row->offset;
    if (row->is_bool)
        return pnb_bool_read(value, (bool *)at) ? refuse_kind(row, kind, "True or False", value) : 0;
    if (PyUnicode_Check(value) || PyBool_Check(value))
        return refuse_kind(row, kind, "a number", value);
    double number = PyFloat_AsDouble(value);
    if (number == -1 && PyErr_Occurred()) {
        if (!PyErr_ExceptionMatches(PyExc_OverflowError))
            return refuse_kind(row, kind, "a number", value);
        PyErr_Clear();
        number = (double)INFINITY;
    }
    if (!isfinite(number) || number < 0) {
        PyErr_Format(PyExc_ValueError, "%s: %s must be a finite number of at least 0, got %.100R", kind->name,
                     row->name, value);
        return -1;
    }
    *(double *)(void *)at = number;
    return 0;
}

static const struct hyper *find(const pn_optimizer_kind *kind, const char *name)
{
    const char *words[HYPERS];
    int n = 0;
    for (int i = 0; i < HYPERS; i++) {
        if (!reads(kind, hypers[i].name))
            continue;
        if (strcmp(hypers[i].name, name) == 0)
            return &hypers[i];
        words[n++] = hypers[i].name;
    }
    const char *closest = strcmp(name, "lr") == 0 ? "learning_rate" : pnb_closest(name, words, n);
    if (closest)
        PyErr_Format(PyExc_TypeError, "%s: there is no argument '%s'; did you mean '%s'?", kind->name, name, closest);
    else
        PyErr_Format(PyExc_TypeError, "%s: there is no argument '%s'; it takes %s", kind->name, name, kind->reads);
    return NULL;
}

static int read_word(const pn_optimizer_kind *kind, PyObject *word, PyObject *value, pn_hyper *hyper)
{
    const char *name = PyUnicode_AsUTF8(word);
    const struct hyper *row = name ? find(kind, name) : NULL;
    return row ? read_value(row, kind, value, hyper) : -1;
}

static int read_all(const pn_optimizer_kind *kind, PyObject *words, pn_hyper *hyper)
{
    *hyper = kind->defaults;
    if (!words)
        return 0;
    PyObject *new_pairs = pnb_pairs(words);
    int failed = new_pairs ? 0 : -1;
    for (Py_ssize_t i = 0; !failed && i < PyTuple_GET_SIZE(new_pairs); i++) {
        PyObject *pair = PyTuple_GET_ITEM(new_pairs, i);
        failed = read_word(kind, PyTuple_GET_ITEM(pair, 0), PyTuple_GET_ITEM(pair, 1), hyper);
    }
    Py_XDECREF(new_pairs);
    return failed;
}

/* ---- new ---- */

static const pn_optimizer_kind *find_kind(const char *name)
{
    const pn_optimizer_kind *kind = pn_optimizer_find(name);
    if (kind)
        return kind;
    PyObject *new_names = PyUnicode_FromString("");
    for (int i = 0; new_names && i < pn_optimizers_count; i++)
        Py_SETREF(new_names, PyUnicode_FromFormat("%U%s'%s'", new_names, i ? ", " : "", pn_optimizers[i].name));
    if (new_names)
        PyErr_Format(PyExc_ValueError, "Optimizer: unknown kind '%s'; give one of %U", name, new_names);
    Py_XDECREF(new_names);
    return NULL;
}

static pn_optimizer *over_tensors(pn_state *s, const pn_optimizer_kind *kind, const pn_hyper *hyper, PyObject *target)
{
    PyObject *new_items = pnb_items(target);
    if (!new_items)
        return NULL;
    pn_error err;
    pn_optimizer *o = NULL;
    const Py_ssize_t n = PyTuple_GET_SIZE(new_items);
    pn_tensor **tensors = PyMem_Calloc((size_t)n + 1, sizeof *tensors);
    if (!tensors) {
        PyErr_NoMemory();
        goto done;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        if (!pnb_is_tensor(s, PyTuple_GET_ITEM(new_items, i))) {
            PyErr_Format(PyExc_TypeError, "%s: parameter %zd must be a tensor, got %s", kind->name, i,
                         Py_TYPE(PyTuple_GET_ITEM(new_items, i))->tp_name);
            goto done;
        }
        tensors[i] = pnb_of(PyTuple_GET_ITEM(new_items, i));
    }
    o = pn_optimizer_new(s->engine, kind, hyper, NULL, n, tensors, &err);
    if (!o)
        pnb_raise(&err);
done:
    PyMem_Free(tensors);
    Py_DECREF(new_items);
    return o;
}

static pn_optimizer *over_block(pn_state *s, const pn_optimizer_kind *kind, const pn_hyper *hyper, PyObject *block)
{
    pn_error err;
    pn_optimizer *o = pn_optimizer_new(s->engine, kind, hyper, ((pnb_block *)(void *)block)->b, 0, NULL, &err);
    return o ? o : pnb_raise(&err);
}

static PyObject *new(PyTypeObject *type, PyObject *args, PyObject *words)
{
    pn_state *s = PyType_GetModuleState(type);
    const char *name;
    PyObject *target;
    pn_hyper hyper;
    if (!PyArg_ParseTuple(args, "sO:Optimizer", &name, &target))
        return NULL;
    const pn_optimizer_kind *kind = find_kind(name);
    if (!kind || read_all(kind, words, &hyper))
        return NULL;
    pn_optimizer *o =
        Py_TYPE(target) == s->block_type ? over_block(s, kind, &hyper, target) : over_tensors(s, kind, &hyper, target);
    optimizer *new_self = o ? (optimizer *)(void *)type->tp_alloc(type, 0) : NULL;
    if (!new_self) {
        pn_optimizer_free(o);
        return NULL;
    }
    new_self->o = o;
    return (PyObject *)new_self;
}

static void dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    pn_optimizer_free(self_of(self)->o);
    type->tp_free(self);
    Py_DECREF(type);
}

/* ---- methods ---- */

/* Identifies this process: in the child of a fork the thread that was running a step does not exist, so `busy` must not
 * count. */
static unsigned since_fork(PyObject *self) { return pnb_state_of(self)->forks + 1; }

/* The optimizer, or NULL with an exception if another thread is running a step. */
static pn_optimizer *idle(PyObject *self)
{
    if (self_of(self)->busy != since_fork(self))
        return self_of(self)->o;
    PyErr_Format(PyExc_RuntimeError, "%s: another thread is running a step of this optimizer",
                 pn_optimizer_what(self_of(self)->o)->name);
    return NULL;
}

static PyObject *step(PyObject *self, PyObject *unused)
{
    (void)unused;
    pn_optimizer *o = idle(self);
    pn_error err;
    int failed;
    if (!o)
        return NULL;
    if (pn_optimizer_length(o) < PNB_RELEASE_AT) {
        failed = pn_optimizer_step(o, &err);
    } else {
        pnb_gate *gate = pnb_state_of(self)->gate; /* so that no fork copies claimed gradients */
        self_of(self)->busy = since_fork(self);
        PyThreadState *thread = pnb_gate_enter(gate);
        failed = pn_optimizer_step(o, &err);
        pnb_gate_leave(gate, thread);
        self_of(self)->busy = 0;
    }
    return failed ? pnb_raise(&err) : Py_NewRef(Py_None);
}

static PyObject *slots(PyObject *self, PyObject *unused)
{
    (void)unused;
    pn_optimizer *o = idle(self);
    PyObject *new_dict = o ? PyDict_New() : NULL;
    for (int i = 0; new_dict && i < pn_optimizer_what(o)->slots; i++) {
        char name[16];
        PyOS_snprintf(name, sizeof name, "slot%d", i);
        PyObject *new_copy = pnb_array_copy(pn_optimizer_dtype(o), pn_optimizer_length(o), pn_optimizer_slot(o, i));
        if (!new_copy || PyDict_SetItemString(new_dict, name, new_copy) < 0)
            Py_CLEAR(new_dict);
        Py_XDECREF(new_copy);
    }
    return new_dict;
}

/* New values of a state vector; NULL with an exception, or without one if it is missing or does not fit. */
static pn_tensor *take_slot(const pn_state *s, const pn_optimizer *o, PyObject *dict, int i)
{
    const pnb_intake how = { .who = "set_slots: a slot",
                             .dtype = (int)pn_optimizer_dtype(o),
                             .real = (int)pn_optimizer_dtype(o) };
    char name[16];
    PyOS_snprintf(name, sizeof name, "slot%d", i);
    PyObject *new_value = PyMapping_GetItemString(dict, name);
    if (!new_value) {
        if (PyErr_ExceptionMatches(PyExc_KeyError))
            PyErr_Clear();
        return NULL;
    }
    pn_tensor *new_slot = pnb_array_take(s, new_value, &how, NULL);
    Py_DECREF(new_value);
    if (!new_slot || (new_slot->v.ndim == 1 && new_slot->v.size == pn_optimizer_length(o)))
        return new_slot;
    pn_tensor_unref(new_slot);
    return NULL;
}

/* Everything is checked before anything is written; whether a step is running is checked after user code has run. */
static PyObject *set_slots(PyObject *self, PyObject *dict)
{
    pn_optimizer *o = self_of(self)->o;
    const int n = pn_optimizer_what(o)->slots;
    pn_tensor *values[2] = { NULL };
    if (!PyDict_Check(dict))
        return PyErr_Format(PyExc_TypeError, "set_slots: give a dict as returned by slots(), not %s",
                            Py_TYPE(dict)->tp_name);
    bool fits = PyDict_GET_SIZE(dict) == n;
    for (int i = 0; i < n && fits; i++)
        fits = (values[i] = take_slot(pnb_state_of(self), o, dict, i));
    if (!fits && !PyErr_Occurred())
        PyErr_Format(PyExc_ValueError, "set_slots: this %s has %d slots of %zd values each, named slot0, slot1, ...",
                     pn_optimizer_what(o)->name, n, pn_optimizer_length(o));
    const bool may_write = fits && idle(self);
    for (int i = 0; i < n; i++) {
        if (may_write && values[i]->v.size > 0)
            memcpy(pn_optimizer_slot(o, i), values[i]->v.data, pn_view_bytes(&values[i]->v));
        pn_tensor_unref(values[i]);
    }
    return may_write ? Py_NewRef(Py_None) : NULL;
}

/* ---- attributes ---- */

static PyObject *get_hyper(PyObject *self, void *row)
{
    const struct hyper *h = row;
    pn_optimizer *o = self_of(self)->o;
    if (reads(pn_optimizer_what(o), h->name))
        return show(h, pn_optimizer_hyper(o));
    return PyErr_Format(PyExc_AttributeError, "%s has no %s; it has %s", pn_optimizer_what(o)->name, h->name,
                        pn_optimizer_what(o)->reads);
}

static int set_hyper(PyObject *self, PyObject *value, void *row)
{
    const struct hyper *h = row;
    const pn_optimizer_kind *kind = pn_optimizer_what(self_of(self)->o);
    pn_hyper hyper;
    if (!value || !reads(kind, h->name)) {
        PyErr_Format(PyExc_AttributeError, value ? "%s has no %s" : "%s: %s cannot be deleted", kind->name, h->name);
        return -1;
    }
    if (read_value(h, kind, value, &hyper) || !idle(self)) /* in this order: reading the value may run user code */
        return -1;
    memcpy((char *)pn_optimizer_hyper(self_of(self)->o) + h->offset, (const char *)&hyper + h->offset,
           h->is_bool ? sizeof(bool) : sizeof(double));
    return 0;
}

static PyObject *get_kind(PyObject *self, void *unused)
{
    (void)unused;
    return PyUnicode_FromString(pn_optimizer_what(self_of(self)->o)->name);
}

static PyObject *get_last_norm(PyObject *self, void *unused)
{
    (void)unused;
    return PyFloat_FromDouble(pn_optimizer_last_norm(self_of(self)->o));
}

static PyObject *get_steps(PyObject *self, void *unused)
{
    (void)unused;
    return PyLong_FromLongLong(pn_optimizer_steps(self_of(self)->o));
}

static int set_steps(PyObject *self, PyObject *value, void *unused)
{
    (void)unused;
    if (!value) {
        PyErr_SetString(PyExc_AttributeError, "steps cannot be deleted");
        return -1;
    }
    const long long steps = PyLong_AsLongLong(value);
    if (steps == -1 && PyErr_Occurred())
        return -1;
    if (steps < 0) {
        PyErr_Format(PyExc_ValueError, "steps must be at least 0, got %lld", steps);
        return -1;
    }
    if (!idle(self)) /* checked last: reading the value may run user code */
        return -1;
    pn_optimizer_set_steps(self_of(self)->o, steps);
    return 0;
}

static PyObject *repr(PyObject *self)
{
    const pn_optimizer *o = self_of(self)->o;
    return PyUnicode_FromFormat("Optimizer('%s', %zd values, %lld steps)", pn_optimizer_what(o)->name,
                                pn_optimizer_length(o), (long long)pn_optimizer_steps(o));
}

/* ---- the table ---- */

static PyObject *defaults_of(const pn_optimizer_kind *kind)
{
    PyObject *new_dict = PyDict_New();
    for (int i = 0; new_dict && i < HYPERS; i++) {
        if (!reads(kind, hypers[i].name))
            continue;
        PyObject *new_value = show(&hypers[i], &kind->defaults);
        if (!new_value || PyDict_SetItemString(new_dict, hypers[i].name, new_value) < 0)
            Py_CLEAR(new_dict);
        Py_XDECREF(new_value);
    }
    return new_dict;
}

static PyObject *optimizer_table(PyObject *module, PyObject *unused)
{
    (void)module, (void)unused;
    PyObject *new_dict = PyDict_New();
    for (int i = 0; new_dict && i < pn_optimizers_count; i++) {
        const pn_optimizer_kind *kind = &pn_optimizers[i];
        PyObject *new_row =
            Py_BuildValue("{sssNsi}", "doc", kind->doc, "defaults", defaults_of(kind), "slots", kind->slots);
        if (!new_row || PyDict_SetItemString(new_dict, kind->name, new_row) < 0)
            Py_CLEAR(new_dict);
        Py_XDECREF(new_row);
    }
    return new_dict;
}

/* ---- spec ---- */

static const PyMethodDef functions[] = {
    { "optimizer_table", optimizer_table, METH_NOARGS,
      "optimizer_table()\n--\n\nThe optimizers by name: doc, defaults of hyperparameters, number of slots." },
    { NULL, NULL, 0, NULL },
};

static const PyMethodDef methods[] = {
    { "step", step, METH_NOARGS, "step($self)\n--\n\nOne update of every parameter from its gradient." },
    { "slots", slots, METH_NOARGS, "slots($self)\n--\n\nCopies of the state vectors: slot0, slot1." },
    { "set_slots", set_slots, METH_O, "set_slots($self, slots, /)\n--\n\nRestores state vectors from slots()." },
    { NULL, NULL, 0, NULL },
};

static const PyGetSetDef attributes[] = {
    { "kind", get_kind, NULL, "Name of the row in optimizer_table().", NULL },
    { "steps", get_steps, set_steps, "Number of updates so far; may be set when resuming.", NULL },
    { "last_norm", get_last_norm, NULL, "Global norm of the gradient in the last step with clip_norm.", NULL },
#define ROW(name, is_bool, doc) { #name, get_hyper, set_hyper, doc, (void *)&hypers[HYPER_##name] },
    HYPER_TABLE(ROW)
#undef ROW
        { NULL, NULL, NULL, NULL, NULL },
};

static const char doc[] =
    "Optimizer(kind, target, /, **hyper)\n--\n\n"
    "Updates a Block or a sequence of tensors from their gradients; kind and hyper as in optimizer_table().";

static const PyType_Slot type_slots[] = {
    PNB_SLOT(tp_doc, doc),
    PNB_SLOT(tp_new, new),
    PNB_SLOT(tp_dealloc, dealloc),
    PNB_SLOT(tp_repr, repr),
    PNB_SLOT(tp_methods, methods),
    PNB_SLOT(tp_getset, attributes),
    { 0, NULL },
};

/* Holds no Python objects: the engine's reference counts keep the block or the tensors alive. */
static const PyType_Spec spec = {
    .name = "pyneural._core.Optimizer",
    .basicsize = sizeof(optimizer),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = (PyType_Slot *)type_slots,
};

int pnb_optimizer_setup(PyObject *module, pn_state *s)
{
    s->optimizer_type = pnb_add_type(module, &spec);
    return !s->optimizer_type || PyModule_AddFunctions(module, (PyMethodDef *)functions) ? -1 : 0;
}
