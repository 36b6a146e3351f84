/* argument.c -- reads an op's parameters from Python objects, and converts its defaults back to Python objects.
 *
 * Each kind of parameter has a function to read and one to show it, in the table at the end. */
#include "binding/binding.h"
#include "base/rng.h"

#include <string.h>

static int refuse(const pnb_argument *a, const char *expected, PyObject *o)
{
    if (!PyErr_Occurred() || PyErr_ExceptionMatches(PyExc_TypeError))
        PyErr_Format(PyExc_TypeError, "%s: %s must be %s, got %.100R", a->op->name, a->param->name, expected, o);
    return -1;
}

/* ---- numbers ---- */

static int read_index(PyObject *o, pn_index *to) /* clips values that are too large: no shape or axis is that large */
{
    if (PyBool_Check(o) || !PyIndex_Check(o))
        return -1;
    *to = PyNumber_AsSsize_t(o, NULL);
    return *to == -1 && PyErr_Occurred() ? -1 : 0;
}

static int read_int(const pnb_argument *a, PyObject *o, void *to)
{
    return read_index(o, to) ? refuse(a, "an int", o) : 0;
}

static int read_seed(const pnb_argument *a, PyObject *o, void *to)
{
    PyObject *new_int = PyIndex_Check(o) ? PyNumber_Index(o) : NULL;
    if (!new_int)
        return refuse(a, "an int from 0 to 2**64 - 1", o);
    const unsigned long long value = PyLong_AsUnsignedLongLong(new_int);
    Py_DECREF(new_int);
    if (PyErr_Occurred()) {
        PyErr_Format(PyExc_ValueError, "%s: %s must be from 0 to 2**64 - 1, got %.100R", a->op->name, a->param->name,
                     o);
        return -1;
    }
    *(uint64_t *)to = value;
    return 0;
}

static int read_float(const pnb_argument *a, PyObject *o, void *to)
{
    const double value = PyUnicode_Check(o) || PyBool_Check(o) ? -1 : PyFloat_AsDouble(o);
    if (PyUnicode_Check(o) || PyBool_Check(o) || (value == -1 && PyErr_Occurred()))
        return refuse(a, "a number", o);
    *(double *)to = value;
    return 0;
}

int pnb_bool_read(PyObject *o, bool *to)
{
    const bool plain = PyBool_Check(o) || (PyIndex_Check(o) == 0 && strcmp(Py_TYPE(o)->tp_name, "numpy.bool") == 0) ||
                       strcmp(Py_TYPE(o)->tp_name, "numpy.bool_") == 0;
    const int value = plain ? PyObject_IsTrue(o) : -1;
    *to = value > 0;
    return value < 0 ? -1 : 0;
}

static int read_bool(const pnb_argument *a, PyObject *o, void *to)
{
    return pnb_bool_read(o, to) ? refuse(a, "True or False", o) : 0;
}

static int read_optional(const pnb_argument *a, PyObject *o, void *to)
{
    pn_index value = 0;
    if (o != Py_None && read_index(o, &value))
        return refuse(a, "None or an int", o);
    *(pn_optional *)to = (pn_optional){ .given = o != Py_None, .v = value };
    return 0;
}

static int read_stream(const pnb_argument *a, PyObject *o, void *to)
{
    if (!PyUnicode_Check(o))
        return PyIndex_Check(o) ? read_seed(a, o, to) : refuse(a, "a name or an int", o);
    const char *name = PyUnicode_AsUTF8(o);
    if (!name)
        return -1;
    *(uint64_t *)to = pn_rng_stream(name);
    return 0;
}

/* ---- several numbers ---- */

/* The items of a list or tuple of two; NULL for anything else, usually without an exception. */
static PyObject *new_pair_of(PyObject *o)
{
    PyObject *new_pair = PyTuple_Check(o) || PyList_Check(o) ? pnb_items(o) : NULL;
    if (new_pair && PyTuple_GET_SIZE(new_pair) != 2)
        Py_CLEAR(new_pair);
    return new_pair;
}

/* Two ints; -1, with or without an exception, for anything else. */
static int read_two(PyObject *o, pn_index v[2])
{
    PyObject *new_pair = new_pair_of(o);
    const bool both = new_pair && read_index(PyTuple_GET_ITEM(new_pair, 0), &v[0]) == 0 &&
                      read_index(PyTuple_GET_ITEM(new_pair, 1), &v[1]) == 0;
    Py_XDECREF(new_pair);
    return both ? 0 : -1;
}

/* One int for both, or two ints. */
static int read_one_or_two(PyObject *o, pn_index v[2])
{
    if (read_index(o, &v[0]))
        return PyErr_Occurred() ? -1 : read_two(o, v);
    v[1] = v[0];
    return 0;
}

static int read_pair(const pnb_argument *a, PyObject *o, void *to)
{
    pn_index *v = to;
    const pn_index *usual = (const pn_index *)(const void *)((const char *)a->op->defaults + a->param->offset);
    if (o == Py_None && usual[0] == 0 && usual[1] == 0) { /* a default of (0, 0) means "not given" */
        v[0] = v[1] = 0;
        return 0;
    }
    return read_one_or_two(o, v) ? refuse(a, "an int or a pair (height, width)", o) : 0;
}

/* ((top, bottom), (left, right)) */
static int read_sides(PyObject *o, pn_padding *p)
{
    PyObject *new_pair = new_pair_of(o);
    pn_index h[2], w[2];
    const bool both =
        new_pair && read_two(PyTuple_GET_ITEM(new_pair, 0), h) == 0 && read_two(PyTuple_GET_ITEM(new_pair, 1), w) == 0;
    Py_XDECREF(new_pair);
    if (both)
        *p = (pn_padding){ PN_PAD_EXPLICIT, h[0], h[1], w[0], w[1] };
    return both ? 0 : -1;
}

static int read_padding(const pnb_argument *a, PyObject *o, void *to)
{
    static const char expected[] = "'same', 'valid', an int, (height, width) or ((top, bottom), (left, right))";
    pn_padding *p = to;
    pn_index v[2];
    if (PyUnicode_Check(o)) {
        const bool same = PyUnicode_CompareWithASCIIString(o, "same") == 0;
        if (!same && PyUnicode_CompareWithASCIIString(o, "valid") != 0) {
            PyErr_Format(PyExc_ValueError, "%s: %s must be %s, got %R", a->op->name, a->param->name, expected, o);
            return -1;
        }
        *p = (pn_padding){ .mode = same ? PN_PAD_SAME : PN_PAD_VALID };
        return 0;
    }
    if (read_one_or_two(o, v) == 0) {
        *p = (pn_padding){ PN_PAD_EXPLICIT, v[0], v[0], v[1], v[1] };
        return 0;
    }
    return PyErr_Occurred() || read_sides(o, p) ? refuse(a, expected, o) : 0;
}

/* Raises a TypeError, unless the user's code raised an exception of another type; `what` was expected. */
static int refuse_list(const char *who, const char *what, PyObject *o)
{
    if (!PyErr_Occurred() || PyErr_ExceptionMatches(PyExc_TypeError))
        PyErr_Format(PyExc_TypeError, "%s must be %s, got %.100R", who, what, o);
    return -1;
}

/* One int, or up to PN_MAX_DIMS; `what` describes them in error messages. */
static int read_list(PyObject *o, const char *who, const char *what, int *n, pn_index *v)
{
    *n = 1;
    if (read_index(o, &v[0]) == 0)
        return 0;
    if (PyErr_Occurred() || (!PyTuple_Check(o) && !PyList_Check(o)))
        return refuse_list(who, what, o);
    PyObject *new_items = pnb_items(o);
    if (!new_items)
        return -1;
    const Py_ssize_t length = PyTuple_GET_SIZE(new_items);
    int failed = length > PN_MAX_DIMS;
    if (failed)
        PyErr_Format(PyExc_ValueError, "%s has %zd entries; a tensor has at most %d axes", who, length, PN_MAX_DIMS);
    for (*n = 0; *n < length && !failed; ++*n)
        if (read_index(PyTuple_GET_ITEM(new_items, *n), &v[*n]))
            failed = refuse_list(who, what, o);
    Py_DECREF(new_items);
    return failed ? -1 : 0;
}

int pnb_shape_read(PyObject *o, const char *who, int *n, pn_index *shape)
{
    return read_list(o, who, "an int or a tuple of ints", n, shape);
}

static int read_axes(const pnb_argument *a, PyObject *o, void *to)
{
    pn_list *list = to;
    char who[80];
    *list = (pn_list){ .given = o != Py_None };
    if (o == Py_None)
        return 0;
    PyOS_snprintf(who, sizeof who, "%s: %s", a->op->name, a->param->name);
    return read_list(o, who, "None, an int or a tuple of ints", &list->n, list->v);
}

static int read_shape(const pnb_argument *a, PyObject *o, void *to)
{
    pn_list *list = to;
    char who[80];
    *list = (pn_list){ .given = true };
    PyOS_snprintf(who, sizeof who, "%s: %s", a->op->name, a->param->name);
    return pnb_shape_read(o, who, &list->n, list->v);
}

static int read_slices(const pnb_argument *a, PyObject *o, void *to) { return pnb_key_read(o, a->x, to, a->dropped); }

/* ---- words ---- */

static const char *const activations[PN_ACTIVATIONS] = {
    [PN_ACT_NONE] = NULL,         [PN_ACT_RELU] = "relu", [PN_ACT_LEAKY_RELU] = "leaky_relu",
    [PN_ACT_SIGMOID] = "sigmoid", [PN_ACT_TANH] = "tanh",
};
static const char *const reductions[] = { [PN_MEAN] = "mean", [PN_SUM] = "sum", [PN_NONE] = "none" };
static const char *const approximations[] = { "none", "tanh" };

/* The index of a word among n; `all` lists them in error messages. */
static int read_word(const pnb_argument *a, PyObject *o, const char *const *words, int n, const char *all)
{
    if (!PyUnicode_Check(o))
        return refuse(a, all, o);
    for (int i = 0; i < n; i++)
        if (PyUnicode_CompareWithASCIIString(o, words[i]) == 0)
            return i;
    const char *word = PyUnicode_AsUTF8(o);
    const char *closest = word ? pnb_closest(word, words, n) : NULL;
    if (word && closest)
        PyErr_Format(PyExc_ValueError, "%s: %s must be %s, got '%s'; did you mean '%s'?", a->op->name, a->param->name,
                     all, word, closest);
    else if (word)
        PyErr_Format(PyExc_ValueError, "%s: %s must be %s, got '%s'", a->op->name, a->param->name, all, word);
    return -1;
}

static int read_activation(const pnb_argument *a, PyObject *o, void *to)
{
    int i = PN_ACT_NONE;
    if (o != Py_None) {
        const int word =
            read_word(a, o, activations + 1, PN_ACTIVATIONS - 1, "None, 'relu', 'leaky_relu', 'sigmoid' or 'tanh'");
        if (word < 0)
            return -1;
        i = word + 1;
    }
    *(pn_activation *)to = (pn_activation)i;
    return 0;
}

static int read_reduction(const pnb_argument *a, PyObject *o, void *to)
{
    const int i = read_word(a, o, reductions, 3, "'mean', 'sum' or 'none'");
    if (i < 0)
        return -1;
    *(pn_reduction *)to = (pn_reduction)i;
    return 0;
}

static int read_approximate(const pnb_argument *a, PyObject *o, void *to)
{
    const int i = read_word(a, o, approximations, 2, "'none' or 'tanh'");
    if (i < 0)
        return -1;
    *(double *)to = i;
    return 0;
}

static int read_dtype(const pnb_argument *a, PyObject *o, void *to) { return pnb_array_dtype(o, a->op->name, to); }

/* ---- defaults ---- */

static PyObject *show_int(const void *from) { return PyLong_FromSsize_t(*(const pn_index *)from); }
static PyObject *show_seed(const void *from) { return PyLong_FromUnsignedLongLong(*(const uint64_t *)from); }
static PyObject *show_float(const void *from) { return PyFloat_FromDouble(*(const double *)from); }
static PyObject *show_bool(const void *from) { return PyBool_FromLong(*(const bool *)from); }

static PyObject *show_optional(const void *from)
{
    const pn_optional *o = from;
    return o->given ? PyLong_FromLongLong(o->v) : Py_NewRef(Py_None);
}

static PyObject *show_pair(const void *from)
{
    const pn_index *v = from;
    if (v[0] == 0 && v[1] == 0)
        return Py_NewRef(Py_None);
    return v[0] == v[1] ? PyLong_FromSsize_t(v[0]) : Py_BuildValue("(nn)", v[0], v[1]);
}

static PyObject *show_padding(const void *from)
{
    const pn_padding *p = from;
    if (p->mode != PN_PAD_EXPLICIT)
        return PyUnicode_FromString(p->mode == PN_PAD_SAME ? "same" : "valid");
    if (p->top == p->bottom && p->top == p->left && p->top == p->right)
        return PyLong_FromSsize_t(p->top);
    return Py_BuildValue("((nn)(nn))", p->top, p->bottom, p->left, p->right);
}

static PyObject *show_list(const void *from)
{
    const pn_list *list = from;
    if (!list->given)
        return Py_NewRef(Py_None);
    return pnb_indices(list->n, list->v);
}

static PyObject *show_slices(const void *from)
{
    (void)from;
    return Py_NewRef(Py_None);
}

static PyObject *show_activation(const void *from)
{
    const char *word = activations[*(const pn_activation *)from];
    return word ? PyUnicode_FromString(word) : Py_NewRef(Py_None);
}

static PyObject *show_reduction(const void *from)
{
    return PyUnicode_FromString(reductions[*(const pn_reduction *)from]);
}
static PyObject *show_approximate(const void *from)
{
    return PyUnicode_FromString(approximations[*(const double *)from != 0]);
}
static PyObject *show_dtype(const void *from) { return PyUnicode_FromString(pn_dtype_name(*(const pn_dtype *)from)); }

/* ---- the table ---- */

static const struct kind {
    const char *name;
    int (*read)(const pnb_argument *a, PyObject *o, void *to);
    PyObject *(*show)(const void *from);
} kinds[] = {
    [PN_P_INT] = { "int", read_int, show_int },
    [PN_P_SEED] = { "seed", read_seed, show_seed },
    [PN_P_FLOAT] = { "float", read_float, show_float },
    [PN_P_BOOL] = { "bool", read_bool, show_bool },
    [PN_P_PAIR] = { "pair", read_pair, show_pair },
    [PN_P_PADDING] = { "padding", read_padding, show_padding },
    [PN_P_AXES] = { "axes", read_axes, show_list },
    [PN_P_SHAPE] = { "shape", read_shape, show_list },
    [PN_P_SLICES] = { "slices", read_slices, show_slices },
    [PN_P_ACTIVATION] = { "activation", read_activation, show_activation },
    [PN_P_REDUCTION] = { "reduction", read_reduction, show_reduction },
    [PN_P_DTYPE] = { "dtype", read_dtype, show_dtype },
    [PN_P_OPTIONAL_INT] = { "optional_int", read_optional, show_optional },
    [PN_P_STREAM] = { "stream", read_stream, show_seed },
    [PN_P_APPROXIMATE] = { "approximate", read_approximate, show_approximate },
};

int pnb_argument_read(const pnb_argument *a, PyObject *o, void *to) { return kinds[a->param->kind].read(a, o, to); }

PyObject *pnb_argument_show(const pn_param *param, const void *from) { return kinds[param->kind].show(from); }

const char *pnb_argument_kind(pn_param_kind kind) { return kinds[kind].name; }

/* ---- arguments of functions that are not ops ---- */

int pnb_arguments(const char *who, const char *const *words, int n_words, int n_needed, PyObject *const *args,
                  Py_ssize_t n, PyObject *names, PyObject **values)
{
    if (n > n_words) {
        PyErr_Format(PyExc_TypeError, "%s: takes at most %d arguments, %zd were given", who, n_words, n);
        return -1;
    }
    for (int i = 0; i < n_words; i++)
        values[i] = i < n ? args[i] : NULL;
    for (Py_ssize_t k = 0; names && k < PyTuple_GET_SIZE(names); k++) {
        PyObject *name = PyTuple_GET_ITEM(names, k);
        int i = 0;
        while (i < n_words && PyUnicode_CompareWithASCIIString(name, words[i]) != 0)
            i++;
        if (i == n_words || values[i]) {
            PyErr_Format(PyExc_TypeError, i == n_words ? "%s: there is no argument %R" : "%s: %R was given twice", who,
                         name);
            return -1;
        }
        values[i] = args[n + k];
    }
    for (int i = 0; i < n_needed; i++)
        if (!values[i]) {
            PyErr_Format(PyExc_TypeError, "%s: the argument '%s' is missing", who, words[i]);
            return -1;
        }
    return 0;
}
