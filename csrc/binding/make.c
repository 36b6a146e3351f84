/* make.c -- creates tensors from arrays or from a shape. */
#include "binding/binding.h"

#include <math.h>
#include <string.h>

/* ---- common options ---- */

/* Reads the options dtype and requires_grad; NULL: not given. */
static int read_options(const char *who, PyObject *dtype, PyObject *requires_grad, int *wanted, bool *grad)
{
    pn_dtype given;
    const int wants = requires_grad ? PyObject_IsTrue(requires_grad) : 0;
    if (wants < 0)
        return -1;
    *grad = wants;
    if (!dtype || dtype == Py_None)
        return 0;
    if (PyLong_Check(dtype)) {
        PyErr_Format(
            PyExc_TypeError,
            "%s: dtype must be 'float32', 'float64', 'uint8' or 'int64', got %R; give all lengths as one tuple, "
            "all values as one list",
            who, dtype);
        return -1;
    }
    if (pnb_array_dtype(dtype, who, &given))
        return -1;
    *wanted = (int)given;
    return 0;
}

/* Steals the reference; NULL gives NULL. */
static PyObject *finish(const pn_state *s, pn_tensor *t, bool grad)
{
    pn_error err;
    if (t && grad && pn_tensor_require_grad(t, &err)) {
        pn_tensor_unref(t);
        return pnb_raise(&err);
    }
    return pnb_wrap(s, t);
}

/* Steals the reference to t; NULL gives NULL. */
static pn_tensor *cast(const pn_state *s, pn_tensor *t, pn_dtype dtype)
{
    pn_tensor *output = NULL;
    if (!t || t->v.dtype == dtype)
        return t;
    const int failed = pnb_apply(s, pn_ops[PNB_cast], 1, &t, &dtype, false, &output);
    pn_tensor_unref(t);
    return failed ? NULL : output;
}

static int read_view(const char *who, PyObject *shape, pn_dtype dtype, pn_view *view)
{
    pn_index lengths[PN_MAX_DIMS];
    pn_error err;
    char name[40];
    int axes;
    PyOS_snprintf(name, sizeof name, "%s: shape", who);
    if (pnb_shape_read(shape, name, &axes, lengths))
        return -1;
    if (pn_view_init(view, dtype, axes, lengths, who, &err)) {
        pnb_raise(&err);
        return -1;
    }
    return 0;
}

static int too_many(const char *who, Py_ssize_t n, int most, const char *signature)
{
    if (n <= most)
        return 0;
    PyErr_Format(PyExc_TypeError, "%s: takes %s", who, signature);
    return -1;
}

/* ---- from arrays ---- */

static PyObject *tensor(PyObject *module, PyObject *const *args, Py_ssize_t n, PyObject *names)
{
    static const char *const words[] = { "a", "dtype", "requires_grad" };
    pn_state *s = pnb_state(module);
    PyObject *v[3];
    int wanted = -1;
    bool grad;
    if (too_many("tensor", n, 2, "(a, dtype=None, *, requires_grad=False)") ||
        pnb_arguments("tensor", words, 3, 1, args, n, names, v) || read_options("tensor", v[1], v[2], &wanted, &grad))
        return NULL;
    const pnb_intake how = { .who = "tensor: values", .dtype = wanted, .real = PN_FLOAT32 };
    PyObject *new_source = pnb_is_tensor(s, v[0]) ? pnb_array_view(v[0]) : Py_NewRef(v[0]);
    pn_tensor *t = new_source ? pnb_array_take(s, new_source, &how, NULL) : NULL;
    Py_XDECREF(new_source);
    return finish(s, t, grad);
}

static PyObject *borrow(PyObject *module, PyObject *array)
{
    pn_state *s = pnb_state(module);
    const pnb_intake how = { .who = "borrow: the array", .dtype = -1, .real = PN_FLOAT32, .lend = true };
    if (pnb_is_tensor(s, array))
        return Py_NewRef(array);
    pn_tensor *t = pnb_array_take(s, array, &how, NULL);
    if (t)
        t->storage->readonly = true; /* even if it had to be copied */
    return pnb_wrap(s, t);
}

/* ---- from a shape ---- */

static PyObject *shape_only(PyObject *module, PyObject *const *args, Py_ssize_t n, PyObject *names)
{
    static const char *const words[] = { "shape", "dtype" };
    PyObject *v[2];
    int dtype = PN_FLOAT32;
    bool grad;
    pn_view view;
    pn_error err;
    if (pnb_arguments("shape_only", words, 2, 1, args, n, names, v) ||
        read_options("shape_only", v[1], NULL, &dtype, &grad) || read_view("shape_only", v[0], (pn_dtype)dtype, &view))
        return NULL;
    pn_tensor *t = pn_tensor_shape_only(pnb_state(module)->engine, &view, &err);
    return t ? pnb_wrap(pnb_state(module), t) : pnb_raise(&err);
}

/* A tensor filled with one value, given as a Python number. */
static pn_tensor *filled(pn_state *s, const char *who, PyObject *value, int dtype, PyObject *shape)
{
    char name[40];
    pn_view view;
    PyOS_snprintf(name, sizeof name, "%s: value", who);
    const pnb_intake how = { .who = name, .dtype = dtype, .real = PN_FLOAT32 };
    pn_tensor *number = pnb_array_take(s, value, &how, NULL), *output = NULL;
    if (!number)
        return NULL;
    if (number->v.ndim != 0)
        PyErr_Format(PyExc_ValueError, "%s must be one number, got an array of shape %s", name,
                     pn_view_text(&number->v).s);
    else if (read_view(who, shape, number->v.dtype, &view) == 0) {
        pn_list list = { .given = true, .n = view.ndim };
        memcpy(list.v, view.shape, (size_t)view.ndim * sizeof *list.v);
        if (pnb_apply(s, pn_ops[PNB_expand], 1, &number, &list, false, &output))
            output = NULL;
    }
    pn_tensor_unref(number);
    return output;
}

/* zeros and ones */
static PyObject *constant(PyObject *module, const char *who, double value, PyObject *const *args, Py_ssize_t n,
                          PyObject *names)
{
    static const char *const words[] = { "shape", "dtype", "requires_grad" };
    PyObject *v[3];
    int dtype = PN_FLOAT32;
    bool grad;
    if (too_many(who, n, 2, "(shape, dtype='float32', *, requires_grad=False); the shape is one tuple") ||
        pnb_arguments(who, words, 3, 1, args, n, names, v) || read_options(who, v[1], v[2], &dtype, &grad))
        return NULL;
    PyObject *new_value = PyFloat_FromDouble(value);
    pn_tensor *t = new_value ? filled(pnb_state(module), who, new_value, dtype, v[0]) : NULL;
    Py_XDECREF(new_value);
    return finish(pnb_state(module), t, grad);
}

static PyObject *zeros(PyObject *module, PyObject *const *args, Py_ssize_t n, PyObject *names)
{
    return constant(module, "zeros", 0, args, n, names);
}

static PyObject *ones(PyObject *module, PyObject *const *args, Py_ssize_t n, PyObject *names)
{
    return constant(module, "ones", 1, args, n, names);
}

static PyObject *full(PyObject *module, PyObject *const *args, Py_ssize_t n, PyObject *names)
{
    static const char *const words[] = { "shape", "value", "dtype", "requires_grad" };
    PyObject *v[4];
    int dtype = -1;
    bool grad;
    if (too_many("full", n, 3, "(shape, value, dtype=None, *, requires_grad=False); the shape is one tuple") ||
        pnb_arguments("full", words, 4, 2, args, n, names, v) || read_options("full", v[2], v[3], &dtype, &grad))
        return NULL;
    return finish(pnb_state(module), filled(pnb_state(module), "full", v[1], dtype, v[0]), grad);
}

/* ---- arange ---- */

static pn_tensor *run_of(pn_state *s, pn_dtype dtype, double length)
{
    pn_error err;
    pn_view view;
    if (!(length < 0x1p62)) {
        PyErr_SetString(PyExc_ValueError, "arange: start, stop and step must be finite, and step not 0 or tiny");
        return NULL;
    }
    const pn_index n = length > 0 ? (pn_index)length : 0;
    pn_tensor *t = pn_view_init(&view, dtype, 1, &n, "arange", &err) ? NULL : pn_tensor_new(s->engine, &view, &err);
    return t ? t : pnb_raise(&err);
}

/* The number of elements from start to before stop. */
static double whole_length(int64_t start, int64_t stop, int64_t step)
{
    if (step == 0)
        return HUGE_VAL;
    if (step > 0 ? stop <= start : stop >= start)
        return 0;
    const uint64_t way = step > 0 ? (uint64_t)stop - (uint64_t)start : (uint64_t)start - (uint64_t)stop;
    return (double)((way - 1) / (step > 0 ? (uint64_t)step : 0 - (uint64_t)step) + 1);
}

/* Values increase or decrease steadily, so it is enough to check both ends. */
static int check_fits_uint8(const pn_tensor *run)
{
    const int64_t *v = (const int64_t *)run->v.data;
    const pn_index last = run->v.size - 1;
    if (last < 0 || (v[0] >= 0 && v[0] <= UINT8_MAX && v[last] >= 0 && v[last] <= UINT8_MAX))
        return 0;
    PyErr_Format(PyExc_OverflowError, "arange: from %lld to %lld does not fit uint8; give dtype='int64'",
                 (long long)v[0], (long long)v[last]);
    return -1;
}

static pn_tensor *whole_run(pn_state *s, PyObject *const *v)
{
    int64_t bounds[3];
    for (int i = 0; i < 3; i++) {
        PyObject *new_int = PyNumber_Index(v[i]);
        bounds[i] = new_int ? PyLong_AsLongLong(new_int) : -1;
        Py_XDECREF(new_int);
        if (PyErr_Occurred())
            return NULL;
    }
    pn_tensor *t = run_of(s, PN_INT64, whole_length(bounds[0], bounds[1], bounds[2]));
    for (pn_index i = 0; t && i < t->v.size; i++)
        ((int64_t *)t->v.data)[i] = (int64_t)((uint64_t)bounds[0] + (uint64_t)i * (uint64_t)bounds[2]);
    return t;
}

static pn_tensor *real_run(pn_state *s, PyObject *const *v)
{
    double bounds[3];
    for (int i = 0; i < 3; i++) {
        bounds[i] = PyFloat_AsDouble(v[i]);
        if (PyErr_Occurred() && PyErr_ExceptionMatches(PyExc_TypeError))
            PyErr_Format(PyExc_TypeError, "arange: start, stop and step must be numbers, got %.100R", v[i]);
        if (PyErr_Occurred())
            return NULL;
    }
    pn_tensor *t = run_of(s, PN_FLOAT64, ceil((bounds[1] - bounds[0]) / bounds[2]));
    for (pn_index i = 0; t && i < t->v.size; i++)
        ((double *)t->v.data)[i] = bounds[0] + (double)i * bounds[2];
    return t;
}

static PyObject *arange(PyObject *module, PyObject *const *args, Py_ssize_t n, PyObject *names)
{
    static const char *const words[] = { "start", "stop", "step", "dtype", "requires_grad" };
    pn_state *s = pnb_state(module);
    PyObject *v[5], *new_zero = PyLong_FromLong(0), *new_one = PyLong_FromLong(1), *new_result = NULL;
    int dtype = -1;
    bool grad, whole = true;
    if (!new_zero || !new_one ||
        too_many("arange", n, 4, "(start, stop=None, step=1, dtype=None, *, requires_grad=False)") ||
        pnb_arguments("arange", words, 5, 1, args, n, names, v) || read_options("arange", v[3], v[4], &dtype, &grad))
        goto done;
    const bool alone = !v[1] || v[1] == Py_None; /* arange(5) */
    PyObject *bounds[] = { alone ? new_zero : v[0], alone ? v[0] : v[1], v[2] ? v[2] : new_one };
    for (int i = 0; i < 3; i++)
        whole &= pnb_array_kind(bounds[i]) == PNB_WHOLE;
    if (dtype < 0)
        dtype = whole ? PN_INT64 : PN_FLOAT32;
    pn_tensor *run = whole ? whole_run(s, bounds) : real_run(s, bounds);
    if (run && whole && dtype == PN_UINT8 && check_fits_uint8(run)) {
        pn_tensor_unref(run);
        goto done;
    }
    new_result = finish(s, cast(s, run, (pn_dtype)dtype), grad);
done:
    Py_XDECREF(new_zero);
    Py_XDECREF(new_one);
    return new_result;
}

static const PyMethodDef functions[] = {
    { "tensor", PNB_METHOD(tensor), METH_FASTCALL | METH_KEYWORDS,
      "tensor(a, dtype=None, *, requires_grad=False)\n--\n\n"
      "A tensor with a copy of the values of an array, number or rectangular list.\n\n"
      "Without dtype: float32, float64, uint8 and int64 arrays keep their dtype, bool becomes uint8, float16 "
      "float32, other\n"
      "integers int64; Python floats become float32.  requires_grad: backward stores a gradient in its .grad.\n\n"
      ">>> pn.tensor([[1.0, 2.0], [3.0, 4.0]])\ntensor([[1., 2.],\n        [3., 4.]], shape=(2, 2), dtype=float32)" },
    { "borrow", borrow, METH_O,
      "borrow(a, /)\n--\n\nA read-only tensor that shares the memory of the array if that is contiguous, aligned and "
      "in native byte order; else a copy." },
    { "shape_only", PNB_METHOD(shape_only), METH_FASTCALL | METH_KEYWORDS,
      "shape_only(shape, dtype='float32')\n--\n\nA tensor without values: ops on it only compute the shapes of their "
      "results." },
    { "zeros", PNB_METHOD(zeros), METH_FASTCALL | METH_KEYWORDS,
      "zeros(shape, dtype='float32', *, requires_grad=False)\n--\n\nA tensor of zeros; shape: an int or a tuple.\n\n"
      ">>> pn.zeros((2, 3)).shape\n(2, 3)" },
    { "ones", PNB_METHOD(ones), METH_FASTCALL | METH_KEYWORDS,
      "ones(shape, dtype='float32', *, requires_grad=False)\n--\n\nA tensor of ones; shape: an int or a tuple.\n\n"
      ">>> pn.ones(3)\ntensor([1., 1., 1.], shape=(3,), dtype=float32)" },
    { "full", PNB_METHOD(full), METH_FASTCALL | METH_KEYWORDS,
      "full(shape, value, dtype=None, *, requires_grad=False)\n--\n\n"
      "A tensor filled with one value; without dtype: float32 for a float, int64 for an int.\n\n"
      ">>> pn.full((2, 2), 0.5)\ntensor([[0.5, 0.5],\n        [0.5, 0.5]], shape=(2, 2), dtype=float32)" },
    { "arange", PNB_METHOD(arange), METH_FASTCALL | METH_KEYWORDS,
      "arange(start, stop=None, step=1, dtype=None, *, requires_grad=False)\n--\n\n"
      "Numbers from start (0 if only one bound is given) up to but not including stop, along one axis.\n\n"
      "Without dtype: int64 for ints, float32 if one of them is a float.\n\n"
      ">>> pn.arange(4)\ntensor([0, 1, 2, 3], shape=(4,), dtype=int64)\n"
      ">>> pn.arange(1, 0, -0.25)\ntensor([1.  , 0.75, 0.5 , 0.25], shape=(4,), dtype=float32)" },
    { NULL, NULL, 0, NULL },
};

int pnb_make_setup(PyObject *module, pn_state *s)
{
    (void)s;
    return PyModule_AddFunctions(module, (PyMethodDef *)functions);
}
