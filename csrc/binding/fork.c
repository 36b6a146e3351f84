/* fork.c -- support for os.fork: the pool's workers join before it and restart after it, and no other thread is in the
 * middle of an operation.
 *
 * os.register_at_fork keeps its callbacks forever; they hold a weak reference to the module, so that it can be freed.
 *
 * Callbacks of other modules run between ours and the fork itself, in Python: they may pass the GIL to a thread that
 * uses the engine, and need it back from that thread.  So in between we must not hold anything that such a thread waits
 * for, above all not the memory's lock.  Instead there is a gate: threads that work on memory or graphs without the GIL
 * pass through it, and a fork shuts it and waits until nobody is inside.  Threads that need the GIL cannot run at the
 * time of the fork, since the forking thread holds it.
 *
 * Inside the gate no Python code may run: it might compute or fork, and deadlock on the gate.  So an array whose last
 * reference is dropped inside, and which may have a finalizer, is kept until its thread has left. */
#include "binding/binding.h"

#include <pthread.h>

struct pnb_gate {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int inside;       /* number of threads that work without the GIL */
    bool shut;        /* a fork is in progress */
    pthread_t forker; /* the forking thread, which may pass: callbacks may compute, too */
    pnb_loan *loans;  /* returned while threads were inside */
};

static const pnb_gate open_gate = { .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };

static bool is_forker(const pnb_gate *g) { return g->shut && pthread_equal(g->forker, pthread_self()); }

PyThreadState *pnb_gate_enter(pnb_gate *g)
{
    PyThreadState *thread = PyEval_SaveThread();
    pthread_mutex_lock(&g->lock);
    while (g->shut && !is_forker(g))
        pthread_cond_wait(&g->changed, &g->lock);
    g->inside++;
    pthread_mutex_unlock(&g->lock);
    return thread;
}

static void drop(pnb_loan *loan)
{
    while (loan) {
        pnb_loan *next = loan->next;
        for (int i = 0; i < PNB_LOAN_HOLDS; i++)
            Py_XDECREF(loan->held[i]);
        PyMem_Free(loan);
        loan = next;
    }
}

void pnb_gate_leave(pnb_gate *g, PyThreadState *thread)
{
    pthread_mutex_lock(&g->lock);
    pnb_loan *loans = g->loans;
    g->loans = NULL;
    if (--g->inside == 0)
        pthread_cond_broadcast(&g->changed);
    pthread_mutex_unlock(&g->lock);
    PyEval_RestoreThread(thread);
    drop(loans);
}

/* If nobody is inside, this thread is not either, so it holds the GIL.  Otherwise a thread that is inside drops the
 * loan when it leaves. */
void pnb_gate_return(pnb_gate *g, pnb_loan *loan)
{
    pthread_mutex_lock(&g->lock);
    const bool waits = g->inside > 0;
    if (waits) {
        loan->next = g->loans;
        g->loans = loan;
    }
    pthread_mutex_unlock(&g->lock);
    if (!waits)
        drop(loan);
}

/* Releases the GIL, which the main thread may need inside the gate, to check for Ctrl-C. */
static void shut(pnb_gate *g)
{
    Py_BEGIN_ALLOW_THREADS
    pthread_mutex_lock(&g->lock);
    while (g->shut)
        pthread_cond_wait(&g->changed, &g->lock);
    g->shut = true;
    g->forker = pthread_self();
    while (g->inside > 0)
        pthread_cond_wait(&g->changed, &g->lock);
    pthread_mutex_unlock(&g->lock);
    Py_END_ALLOW_THREADS
}

static void before_fork(pn_state *s)
{
    shut(s->gate);
    pn_pool_before_fork(s->engine->pool);
}

static void after_in_parent(pn_state *s)
{
    if (!is_forker(s->gate)) /* the module was imported between the callbacks */
        return;
    pn_pool_after_fork(s->engine->pool);
    pthread_mutex_lock(&s->gate->lock);
    s->gate->shut = false;
    pthread_cond_broadcast(&s->gate->changed);
    pthread_mutex_unlock(&s->gate->lock);
}

/* Threads that waited at the gate, and may hold its lock, do not exist in the child. */
static void after_in_child(pn_state *s)
{
    s->forks++;
    if (s->main_thread)
        s->main_thread = PyThread_get_thread_ident();
    if (!is_forker(s->gate))
        return;
    pn_pool_after_fork(s->engine->pool);
    *s->gate = open_gate;
}

/* ---- callbacks ---- */

static PyObject *call(PyObject *weak, void (*function)(pn_state *s))
{
    PyObject *new_module = PyObject_CallNoArgs(weak);
    if (!new_module)
        return NULL;
    if (new_module != Py_None)
        function(pnb_state(new_module));
    Py_DECREF(new_module);
    Py_RETURN_NONE;
}

static PyObject *call_before(PyObject *weak, PyObject *unused)
{
    (void)unused;
    return call(weak, before_fork);
}
static PyObject *call_parent(PyObject *weak, PyObject *unused)
{
    (void)unused;
    return call(weak, after_in_parent);
}
static PyObject *call_child(PyObject *weak, PyObject *unused)
{
    (void)unused;
    return call(weak, after_in_child);
}

static const PyMethodDef callbacks[] = {
    { "before", call_before, METH_NOARGS, NULL },
    { "after_in_parent", call_parent, METH_NOARGS, NULL },
    { "after_in_child", call_child, METH_NOARGS, NULL },
};

static PyObject *new_callbacks(PyObject *module) /* {"before": ..., ...} */
{
    PyObject *new_weak = PyWeakref_NewRef(module, NULL), *new_dict = new_weak ? PyDict_New() : NULL;
    for (size_t i = 0; new_dict && i < sizeof callbacks / sizeof *callbacks; i++) {
        PyObject *new_callback = PyCFunction_NewEx((PyMethodDef *)&callbacks[i], new_weak, NULL);
        if (!new_callback || PyDict_SetItemString(new_dict, callbacks[i].ml_name, new_callback) < 0)
            Py_CLEAR(new_dict);
        Py_XDECREF(new_callback);
    }
    Py_XDECREF(new_weak);
    return new_dict;
}

int pnb_fork_setup(PyObject *module, pn_state *s)
{
    s->gate = PyMem_Malloc(sizeof *s->gate);
    if (!s->gate) {
        PyErr_NoMemory();
        return -1;
    }
    *s->gate = open_gate;
    PyObject *new_os = PyImport_ImportModule("os"), *new_none = PyTuple_New(0), *new_words = new_callbacks(module);
    PyObject *new_register = new_os ? PyObject_GetAttrString(new_os, "register_at_fork") : NULL;
    PyObject *new_result =
        new_register && new_none && new_words ? PyObject_Call(new_register, new_none, new_words) : NULL;
    Py_XDECREF(new_register);
    Py_XDECREF(new_words);
    Py_XDECREF(new_none);
    Py_XDECREF(new_os);
    if (!new_result)
        return -1;
    Py_DECREF(new_result);
    return 0;
}
