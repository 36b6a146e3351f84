/* values.c -- random values, and statistics of values. */
#include "binding/binding.h"
#include "kernels/image.h"
#include "kernels/random.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* ---- arguments ---- */

static int read_u64(PyObject *o, const char *who, uint64_t *value)
{
    PyObject *new_int = PyNumber_Index(o);
    if (!new_int)
        return -1;
    *value = PyLong_AsUnsignedLongLong(new_int);
    Py_DECREF(new_int);
    if (PyErr_Occurred())
        PyErr_Format(PyExc_ValueError, "%s must be from 0 to 2**64 - 1, got %R", who, o);
    return PyErr_Occurred() ? -1 : 0;
}

static int read_stream(PyObject *o, const char *who, uint64_t *value)
{
    if (!PyUnicode_Check(o))
        return read_u64(o, who, value);
    const char *name = PyUnicode_AsUTF8(o);
    *value = name ? pn_rng_stream(name) : 0;
    return name ? 0 : -1;
}

/* ---- random numbers ---- */

static int read_kind(PyObject *o, pn_random_f *f)
{
    static const char *const kinds[] = { [PN_RANDOM_UNIFORM] = "uniform",
                                         [PN_RANDOM_NORMAL] = "normal",
                                         [PN_RANDOM_TRUNCATED] = "truncated" };
    for (int i = 0; PyUnicode_Check(o) && i < 3; i++)
        if (PyUnicode_CompareWithASCIIString(o, kinds[i]) == 0) {
            *f = (pn_random_f)i;
            return 0;
        }
    PyErr_Format(PyExc_ValueError, "random_fill: kind must be 'uniform', 'normal' or 'truncated', got %.100R", o);
    return -1;
}

/* Raises KeyboardInterrupt; always returns -1. */
static int interrupted(const char *who)
{
    PyErr_Format(PyExc_KeyboardInterrupt, "%s: interrupted", who);
    return -1;
}

static int fill(const pn_state *s, pn_tensor *t, const pn_random *job)
{
    pn_engine *engine = s->engine;
    pn_error err;
    pn_stop stop = pn_engine_stop(engine);
    const pn_team team = { .pool = engine->pool,
                           .stop = &stop,
                           .scratch = pn_mem_get(engine->memory, PN_SCRATCH_BYTES, &err),
                           .flush = t->v.dtype == PN_FLOAT32 };
    if (!team.scratch) {
        pnb_raise(&err);
        return -1;
    }
    PyThreadState *thread = pnb_gate_enter(s->gate);
    engine->kernels[t->v.dtype]->random(&team, job);
    pnb_gate_leave(s->gate, thread);
    pn_mem_put(team.scratch);
    pn_tensor_touch(t);
    return stop.now ? interrupted("random_fill") : 0;
}

static PyObject *random_fill(PyObject *module, PyObject *const *args, Py_ssize_t n, PyObject *names)
{
    static const char *const words[] = { "t", "kind", "a", "b", "seed", "stream" };
    pn_state *s = pnb_state(module);
    PyObject *v[6];
    pn_random job = { .n = 0 };
    uint64_t seed, stream;
    if (pnb_arguments("random_fill", words, 6, 6, args, n, names, v) || read_kind(v[1], &job.f))
        return NULL;
    job.a = PyFloat_AsDouble(v[2]);
    job.b = PyErr_Occurred() ? 0 : PyFloat_AsDouble(v[3]);
    if (PyErr_Occurred() || read_u64(v[4], "random_fill: seed", &seed) ||
        read_stream(v[5], "random_fill: stream", &stream))
        return NULL;
    if (!pnb_is_tensor(s, v[0]) || !pn_dtype_is_real(pnb_of(v[0])->v.dtype))
        return PyErr_Format(PyExc_TypeError, "random_fill: t must be a float32 or float64 tensor, got %.200R", v[0]);
    pn_tensor *t = pnb_of(v[0]);
    if (!t->storage || t->storage->readonly || t->node)
        return PyErr_Format(PyExc_RuntimeError,
                            "random_fill: t must own its memory and must not be the result of an op");
    job.n = t->v.size;
    job.y = t->v.data;
    job.key = pn_rng_key(seed, stream);
    return fill(s, t, &job) ? NULL : Py_NewRef(Py_None);
}

static PyObject *permutation(PyObject *module, PyObject *const *args, Py_ssize_t n, PyObject *names)
{
    static const char *const words[] = { "n", "seed", "stream", "step" };
    PyObject *v[4];
    uint64_t seed, stream, step = 0;
    pn_view view;
    pn_error err;
    if (pnb_arguments("permutation", words, 4, 3, args, n, names, v))
        return NULL;
    const pn_index length = PyNumber_AsSsize_t(v[0], PyExc_OverflowError);
    if ((length == -1 && PyErr_Occurred()) || read_u64(v[1], "permutation: seed", &seed) ||
        read_stream(v[2], "permutation: stream", &stream) || (v[3] && read_u64(v[3], "permutation: step", &step)))
        return NULL;
    if (step > UINT32_MAX)
        return PyErr_Format(PyExc_ValueError, "permutation: step must be below 2**32, got %R", v[3]);
    pn_tensor *t = pn_view_init(&view, PN_INT64, 1, &length, "permutation", &err)
                       ? NULL
                       : pn_tensor_new(pnb_state(module)->engine, &view, &err);
    if (!t)
        return pnb_raise(&err);
    Py_BEGIN_ALLOW_THREADS
    pn_rng_permutation(t->v.data, length, pn_rng_key(seed, stream), (uint32_t)step);
    Py_END_ALLOW_THREADS
    return pnb_wrap(pnb_state(module), t);
}

static PyObject *stream(PyObject *module, PyObject *name)
{
    (void)module;
    const char *text = PyUnicode_Check(name) ? PyUnicode_AsUTF8(name) : NULL;
    if (!text)
        return PyErr_Occurred()
                   ? NULL
                   : PyErr_Format(PyExc_TypeError, "stream: name must be a str, not %s", Py_TYPE(name)->tp_name);
    return PyLong_FromUnsignedLongLong(pn_rng_stream(text));
}

/* ---- statistics ---- */

/* A new reference to a tensor, or to a tensor that borrows or copies an array. */
static pn_tensor *values_of(pn_state *s, PyObject *o, const char *who)
{
    const pnb_intake how = { .who = who, .dtype = -1, .real = PN_FLOAT64, .lend = true };
    if (!pnb_is_tensor(s, o))
        return pnb_array_take(s, o, &how, NULL);
    if (pnb_of(o)->storage)
        return pn_tensor_ref(pnb_of(o));
    return PyErr_Format(PyExc_RuntimeError, "%s: this tensor is shape-only and has no values", who), NULL;
}

static int run_moments(const pn_state *s, const pn_tensor *x, pn_moments *job)
{
    pn_engine *engine = s->engine;
    const pn_kernels *k = engine->kernels[x->v.dtype == PN_FLOAT64 ? PN_FLOAT64 : PN_FLOAT32];
    const size_t numbers = 2 * (size_t)job->channels * sizeof *job->mean, work = k->moments_work(job);
    pn_error err;
    char *memory = pn_mem_get(engine->memory, PN_SCRATCH_BYTES + numbers + 64 + work, &err);
    if (!memory) {
        pnb_raise(&err);
        return -1;
    }
    pn_stop stop = pn_engine_stop(engine);
    const pn_team team = { .pool = engine->pool, .stop = &stop, .scratch = memory };
    job->mean = (double *)(void *)(memory + PN_SCRATCH_BYTES);
    job->deviation = job->mean + job->channels;
    job->work = (double *)(void *)(memory + PN_SCRATCH_BYTES + (numbers + 63) / 64 * 64);
    PyThreadState *thread = pnb_gate_enter(s->gate);
    k->moments(&team, job);
    pnb_gate_leave(s->gate, thread);
    if (!stop.now)
        return 0;
    pn_mem_put(memory);
    return interrupted("moments");
}

static PyObject *moments(PyObject *module, PyObject *array)
{
    pn_state *s = pnb_state(module);
    pn_tensor *x = values_of(s, array, "moments");
    PyObject *new_pair = NULL;
    if (!x)
        return NULL;
    pn_moments job = { .from = x->v.dtype, .channels = x->v.ndim ? x->v.shape[x->v.ndim - 1] : 0, .x = x->v.data };
    job.n = job.channels ? x->v.size / job.channels : 0;
    if (x->v.dtype == PN_INT64)
        PyErr_SetString(PyExc_TypeError, "moments: x is int64; give uint8, float32 or float64");
    else if (job.n == 0)
        PyErr_Format(PyExc_ValueError, "moments: x must be (n, ..., channels) with at least one value, got %s",
                     pn_view_text(&x->v).s);
    else if (run_moments(s, x, &job) == 0) {
        new_pair = Py_BuildValue("(NN)", pnb_array_copy(PN_FLOAT64, job.channels, job.mean),
                                 pnb_array_copy(PN_FLOAT64, job.channels, job.deviation));
        pn_mem_put((char *)job.mean - PN_SCRATCH_BYTES);
    }
    pn_tensor_unref(x);
    return new_pair;
}

/* The values whose magnitude is above the limit, NaN included; the limit is finite. */
static pn_index count_bad(const pn_view *v, double limit, pn_index *first)
{
    const float most = (float)fmin(limit, FLT_MAX);
    pn_index bad = 0;
    *first = -1;
    for (pn_index i = 0; i < v->size; i++) {
        const bool fine = v->dtype == PN_FLOAT32 ? fabsf(((const float *)v->data)[i]) <= most
                                                 : fabs(((const double *)v->data)[i]) <= limit;
        if (!fine && bad++ == 0)
            *first = i;
    }
    return bad;
}

static PyObject *check_finite(PyObject *module, PyObject *const *args, Py_ssize_t n, PyObject *names)
{
    static const char *const words[] = { "x", "limit" };
    PyObject *v[2];
    if (pnb_arguments("check_finite", words, 2, 1, args, n, names, v))
        return NULL;
    const double limit = v[1] ? PyFloat_AsDouble(v[1]) : DBL_MAX;
    if (PyErr_Occurred())
        return NULL;
    pn_tensor *x = values_of(pnb_state(module), v[0], "check_finite");
    pn_index bad = 0, first = -1;
    if (!x)
        return NULL;
    if (pn_dtype_is_real(x->v.dtype)) {
        Py_BEGIN_ALLOW_THREADS
        bad = count_bad(&x->v, fmin(limit, DBL_MAX), &first);
        Py_END_ALLOW_THREADS
    }
    pn_tensor_unref(x);
    return Py_BuildValue("(nn)", bad, first);
}

static const PyMethodDef functions[] = {
    { "random_fill", PNB_METHOD(random_fill), METH_FASTCALL | METH_KEYWORDS,
      "random_fill(t, kind, a, b, seed, stream)\n--\n\nFills t in place: 'uniform' in [a, b), 'normal' or 'truncated' "
      "(within 2 deviations) with mean a and\ndeviation b.  The values depend only on seed, stream (a name or int) and "
      "position." },
    { "permutation", PNB_METHOD(permutation), METH_FASTCALL | METH_KEYWORDS,
      "permutation(n, seed, stream, step=0)\n--\n\n0 to n - 1 in random order, int64: a function of seed, stream and "
      "step." },
    { "stream", stream, METH_O, "stream(name, /)\n--\n\nThe number of a named random stream." },
    { "moments", moments, METH_O,
      "moments(x, /)\n--\n\nMean and standard deviation of each channel (last axis) of a uint8 or float array; two "
      "float64 arrays." },
    { "check_finite", PNB_METHOD(check_finite), METH_FASTCALL | METH_KEYWORDS,
      "check_finite(x, limit=inf)\n--\n\nThe number of values that are NaN, infinite, or larger in magnitude than the "
      "limit, and the flat index of the first (-1: none)." },
    { NULL, NULL, 0, NULL },
};

int pnb_values_setup(PyObject *module, pn_state *s)
{
    (void)s;
    return PyModule_AddFunctions(module, (PyMethodDef *)functions);
}
