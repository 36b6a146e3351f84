/* world.c -- creates the engine from the environment variables at import; its threads, memory and counters. */
#include "binding/binding.h"

#include <stdlib.h>
#include <string.h>

/* ---- the environment, read once ---- */

/* A positive integer; 0 if the variable is not set or empty, -1 with an exception for anything else.  OMP_NUM_THREADS
 * may be a list such as "4,2": its first entry counts. */
static long read_threads(const char *name, bool list)
{
    const char *text = getenv(name);
    if (!text || !*text)
        return 0;
    char *end;
    const long n = strtol(text, &end, 10);
    while (*end == ' ')
        end++;
    if (end == text || n < 1 || (*end && !(list && *end == ',')) || (!list && n > PN_MAX_THREADS)) {
        PyErr_Format(PyExc_RuntimeError, "%s is '%s'; give a whole number from 1 to %d, or leave it unset", name, text,
                     PN_MAX_THREADS);
        return -1;
    }
    return n < PN_MAX_THREADS ? n : PN_MAX_THREADS;
}

static int choose_threads(int *threads)
{
    const long own = read_threads("PYNEURAL_THREADS", false);
    const long limit = own == 0 ? read_threads("OMP_NUM_THREADS", true) : 0;
    if (own < 0 || limit < 0)
        return -1;
    const long machine = pn_cpu_threads() < PN_MAX_THREADS ? pn_cpu_threads() : PN_MAX_THREADS;
    const long most = limit && limit < machine ? limit : machine;
    *threads = (int)(own ? own : most);
    return 0;
}

static int make_engine(pn_state *s)
{
    const char *isa = getenv("PYNEURAL_ISA");
    pn_engine_options options = { .isa = isa && *isa ? isa : NULL };
    pn_error err;
    if (choose_threads(&options.threads))
        return -1;
    s->engine = pn_engine_new(&options, &err);
    if (s->engine) {
        s->isa = pn_cpu_isa_name(s->engine->kernels[PN_FLOAT32]->isa);
        return 0;
    }
    if (options.isa && err.code == PN_EVALUE)
        PyErr_Format(PyExc_RuntimeError, "PYNEURAL_ISA is '%s': %s", isa, err.text);
    else
        pnb_raise(&err);
    return -1;
}

/* ---- threads ---- */

static PyObject *set_threads(PyObject *module, PyObject *n)
{
    const pn_state *s = pnb_state(module);
    pn_error err;
    const Py_ssize_t threads = PyNumber_AsSsize_t(n, NULL);
    if (threads == -1 && PyErr_Occurred())
        return NULL;
    if (threads < 1 || threads > PN_MAX_THREADS)
        return PyErr_Format(PyExc_ValueError, "set_threads: n must be from 1 to %d, got %R", PN_MAX_THREADS, n);
    PyThreadState *thread = pnb_gate_enter(s->gate);
    const int failed = pn_pool_set_threads(s->engine->pool, (int)threads, &err);
    pnb_gate_leave(s->gate, thread);
    return failed ? pnb_raise(&err) : Py_NewRef(Py_None);
}

static PyObject *get_threads(PyObject *module, PyObject *unused)
{
    (void)unused;
    return PyLong_FromLong(pn_pool_threads(pnb_state(module)->engine->pool));
}

static PyObject *isa(PyObject *module, PyObject *unused)
{
    (void)unused;
    return PyUnicode_FromString(pnb_state(module)->isa);
}

static PyObject *pool_counts(PyObject *module, PyObject *unused)
{
    (void)unused;
    const pn_pool *pool = pnb_state(module)->engine->pool;
    PyObject *new_dict = PyDict_New();
    for (int r = 0; new_dict && r < PN_REGIONS; r++) {
        const pn_pool_counts c = pn_pool_read_counts(pool, (pn_region)r);
        PyObject *new_pair = Py_BuildValue("(KK)", (unsigned long long)c.regions, (unsigned long long)c.shared);
        if (!new_pair || PyDict_SetItemString(new_dict, pn_pool_region_name((pn_region)r), new_pair) < 0)
            Py_CLEAR(new_dict);
        Py_XDECREF(new_pair);
    }
    return new_dict;
}

/* ---- watching ---- */

static PyObject *set_watcher(PyObject *module, PyObject *watcher)
{
    pn_state *s = pnb_state(module);
    if (watcher != Py_None && !PyCallable_Check(watcher))
        return PyErr_Format(PyExc_TypeError, "set_watcher: give a function of (name, outputs), or None, not %R",
                            watcher);
    PyObject *old = s->watcher;
    s->watcher = watcher == Py_None ? NULL : Py_NewRef(watcher);
    return old ? old : Py_NewRef(Py_None);
}

/* ---- memory ---- */

static PyObject *memory_stats(PyObject *module, PyObject *unused)
{
    (void)unused;
    const pn_memory_stats m = pn_memory_read_stats(pnb_state(module)->engine->memory);
    return Py_BuildValue("{snsnsnsnsnsKsKsn}", "live_bytes", (Py_ssize_t)m.live_bytes, "live_blocks",
                         (Py_ssize_t)m.live_blocks, "peak_bytes", (Py_ssize_t)m.peak_bytes, "cached_bytes",
                         (Py_ssize_t)m.cached_bytes, "keep_bytes", (Py_ssize_t)m.keep_bytes, "requests",
                         (unsigned long long)m.requests, "system_calls", (unsigned long long)m.system_calls,
                         "limit_bytes", (Py_ssize_t)m.limit_bytes);
}

static PyObject *set_memory_limit(PyObject *module, PyObject *n)
{
    const Py_ssize_t bytes = PyNumber_AsSsize_t(n, NULL);
    if (bytes == -1 && PyErr_Occurred())
        return NULL;
    if (bytes < 0)
        return PyErr_Format(PyExc_ValueError, "set_memory_limit: give a number of bytes, or 0 for no limit, not %R", n);
    pn_memory_set_limit(pnb_state(module)->engine->memory, (size_t)bytes);
    Py_RETURN_NONE;
}

static PyObject *memory_trim(PyObject *module, PyObject *unused)
{
    (void)unused;
    pn_memory_trim(pnb_state(module)->engine->memory);
    Py_RETURN_NONE;
}

static PyObject *fail_after(PyObject *module, PyObject *n)
{
    const long long count = PyLong_AsLongLong(n);
    if (count == -1 && PyErr_Occurred())
        return NULL;
    pn_memory_fail_after(pnb_state(module)->engine->memory, count);
    Py_RETURN_NONE;
}

static PyObject *audit(PyObject *module, PyObject *on)
{
    const int is_on = PyObject_IsTrue(on);
    if (is_on < 0)
        return NULL;
    pnb_state(module)->engine->audit = is_on;
    Py_RETURN_NONE;
}

static const PyMethodDef functions[] = {
    { "set_threads", set_threads, METH_O,
      "set_threads(n, /)\n--\n\nSets the number of threads; results do not depend on it." },
    { "get_threads", get_threads, METH_NOARGS, "get_threads()\n--\n\nThe number of threads." },
    { "set_watcher", set_watcher, METH_O,
      "set_watcher(watcher, /)\n--\n\nCalls watcher(op, outputs) after every op, of every thread, and raises what it "
      "raises; None: no more.  Returns the previous one." },
    { "isa", isa, METH_NOARGS, "isa()\n--\n\nThe instruction set in use: 'naive', 'baseline', 'avx2' or 'avx512'." },
    { "pool_counts", pool_counts, METH_NOARGS,
      "pool_counts()\n--\n\nNumber of parallel regions so far, by kind: all, and those that two or more threads "
      "shared." },
    { "memory_stats", memory_stats, METH_NOARGS,
      "memory_stats()\n--\n\nThe engine's memory: live_bytes, live_blocks, peak_bytes, cached_bytes, keep_bytes, "
      "requests, system_calls, limit_bytes." },
    { "set_memory_limit", set_memory_limit, METH_O,
      "set_memory_limit(n, /)\n--\n\nRaises MemoryError when more than n bytes are in use; 0: no limit." },
    { "memory_trim", memory_trim, METH_NOARGS, "memory_trim()\n--\n\nReturns cached memory to the system." },
    { "_fail_after", fail_after, METH_O,
      "_fail_after(n, /)\n--\n\nFor tests: the n-th allocation from now fails, once; 0: none." },
    { "_audit", audit, METH_O,
      "_audit(on, /)\n--\n\nFor tests: whether to check that each op does only what its rule declares; slow." },
    { NULL, NULL, 0, NULL },
};

int pnb_world_setup(PyObject *module, pn_state *s)
{
    return make_engine(s) || PyModule_AddFunctions(module, (PyMethodDef *)functions) ? -1 : 0;
}
