/* interrupt.c -- Ctrl-C during a long op and between batches: the first press sets a flag, the second one raises.
 *
 * An Interrupt object is its own signal handler.  It does nothing outside the main thread, where Python cannot set
 * handlers, and if Ctrl-C is ignored or has a handler that was not set from Python. */
#include "binding/binding.h"

#include <signal.h>

typedef struct interrupt {
    PyObject_HEAD
    PyObject *old; /* the handler to restore; NULL: ours is not installed */
    char pressed;
} interrupt;

static interrupt *self_of(PyObject *self) { return (interrupt *)(void *)self; }

static PyObject *new(PyTypeObject *type, PyObject *args, PyObject *words)
{
    if (!PyArg_ParseTuple(args, ":Interrupt") || (words && PyDict_GET_SIZE(words) > 0))
        return PyErr_Occurred() ? NULL : PyErr_Format(PyExc_TypeError, "Interrupt: takes no arguments");
    return type->tp_alloc(type, 0);
}

/* ---- the handler ---- */

static PyObject *press(PyObject *self, PyObject *args, PyObject *words)
{
    (void)args, (void)words;
    if (self_of(self)->pressed) {
        PyErr_SetNone(PyExc_KeyboardInterrupt);
        return NULL;
    }
    self_of(self)->pressed = 1;
    Py_RETURN_NONE;
}

static PyObject *set_handler(PyObject *handler) /* signal.signal(SIGINT, handler) */
{
    PyObject *new_signal = PyImport_ImportModule("signal");
    PyObject *new_old = new_signal ? PyObject_CallMethod(new_signal, "signal", "iO", SIGINT, handler) : NULL;
    Py_XDECREF(new_signal);
    return new_old;
}

/* Whether the current handler is a Python callable: not SIG_IGN (a background job), nor one set in C. */
static int is_replaceable(void)
{
    PyObject *new_signal = PyImport_ImportModule("signal");
    PyObject *new_now = new_signal ? PyObject_CallMethod(new_signal, "getsignal", "i", SIGINT) : NULL;
    const int replaceable = new_now ? PyCallable_Check(new_now) && !PyLong_Check(new_now) : -1;
    Py_XDECREF(new_now);
    Py_XDECREF(new_signal);
    return replaceable;
}

static PyObject *enter(PyObject *self, PyObject *unused)
{
    (void)unused;
    if (self_of(self)->old)
        return PyErr_Format(PyExc_RuntimeError, "Interrupt: this object is already in use");
    self_of(self)->pressed = 0;
    const int replaceable = is_replaceable();
    if (replaceable < 0)
        return NULL;
    if (!replaceable)
        return Py_NewRef(self);
    self_of(self)->old = set_handler(self);
    if (!self_of(self)->old) {
        if (!PyErr_ExceptionMatches(PyExc_ValueError)) /* "signal only works in main thread" */
            return NULL;
        PyErr_Clear();
    }
    return Py_NewRef(self);
}

static PyObject *leave(PyObject *self, PyObject *args)
{
    (void)args;
    PyObject *new_old = self_of(self)->old;
    if (!new_old)
        Py_RETURN_FALSE;
    self_of(self)->old = NULL;
    PyObject *new_ours = set_handler(new_old);
    Py_DECREF(new_old);
    if (!new_ours)
        return NULL;
    Py_DECREF(new_ours);
    Py_RETURN_FALSE;
}

/* ---- garbage collection: the old handler may be anything ---- */

static int traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self_of(self)->old);
    return 0;
}

static int clear(PyObject *self)
{
    Py_CLEAR(self_of(self)->old);
    return 0;
}

static void dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    clear(self);
    type->tp_free(self);
    Py_DECREF(type);
}

/* ---- spec ---- */

static const PyMethodDef methods[] = {
    { "__enter__", enter, METH_NOARGS, "__enter__($self)\n--\n\nInstalls the handler, on the main thread." },
    { "__exit__", leave, METH_VARARGS, "__exit__($self, kind, value, traceback)\n--\n\nRestores the old handler." },
    { NULL, NULL, 0, NULL },
};

static const PyMemberDef members[] = {
    { "pressed", T_BOOL, offsetof(interrupt, pressed), READONLY, "Whether Ctrl-C was pressed since __enter__." },
    { NULL, 0, 0, 0, NULL },
};

static const char doc[] =
    "Interrupt()\n--\n\n"
    "`with Interrupt() as stop:` sets stop.pressed at the first Ctrl-C; the second raises KeyboardInterrupt at once.";

static const PyType_Slot slots[] = {
    PNB_SLOT(tp_doc, doc),         PNB_SLOT(tp_new, new),           PNB_SLOT(tp_call, press),
    PNB_SLOT(tp_dealloc, dealloc), PNB_SLOT(tp_traverse, traverse), PNB_SLOT(tp_clear, clear),
    PNB_SLOT(tp_methods, methods), PNB_SLOT(tp_members, members),   { 0, NULL },
};

static const PyType_Spec spec = {
    .name = "pyneural._core.Interrupt",
    .basicsize = sizeof(interrupt),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_HAVE_GC,
    .slots = (PyType_Slot *)slots,
};

/* ---- during an op ---- */

bool pnb_is_finalizing(void)
{
#if PY_VERSION_HEX >= 0x030D0000
    return Py_IsFinalizing();
#else
    return _Py_IsFinalizing();
#endif
}

/* Handles a pending Ctrl-C if the handler is Python's default, which ends the op, or ours, which sets the flag at the
 * first press and ends the op at the second.  Any other handler runs after the op: its signal stays pending (consuming
 * and raising it again would write to signal.set_wakeup_fd twice), and no Python code may run in the middle of an
 * op. */
static bool take_press(const pn_state *s)
{
    PyObject *new_handler = s->get_handler ? PyObject_CallOneArg(s->get_handler, s->sigint) : NULL;
    interrupt *ours = new_handler && Py_TYPE(new_handler) == s->interrupt_type ? self_of(new_handler) : NULL;
    const bool answered = ours || (new_handler && new_handler == s->usual_handler);
    bool ends = answered && PyOS_InterruptOccurred();
    if (ends && ours) {
        ends = ours->pressed;
        ours->pressed = 1;
    }
    Py_XDECREF(new_handler);
    PyErr_Clear();
    return ends;
}

/* The callback of pn_stop, on the thread that called the op, with or without the GIL.  Only the main thread handles
 * signals; other threads never acquire the GIL here, since a finalizing interpreter would kill them in the middle of
 * their work. */
static bool is_interrupted(void *state)
{
    const pn_state *s = state;
    if (PyThread_get_thread_ident() != s->main_thread || pnb_is_finalizing())
        return false;
    const PyGILState_STATE gil = PyGILState_Ensure();
    const bool ends = take_press(s);
    PyGILState_Release(gil);
    return ends;
}

/* Finds the main thread of the main interpreter, the only one that handles signals; none for other interpreters. */
static int find_main_thread(pn_state *s)
{
    PyObject *new_threading = PyImport_ImportModule("threading");
    PyObject *new_main = new_threading ? PyObject_CallMethod(new_threading, "main_thread", NULL) : NULL;
    PyObject *new_ident = new_main ? PyObject_GetAttrString(new_main, "ident") : NULL;
    if (new_ident && PyInterpreterState_Get() == PyInterpreterState_Main())
        s->main_thread = PyLong_AsUnsignedLong(new_ident);
    Py_XDECREF(new_ident);
    Py_XDECREF(new_main);
    Py_XDECREF(new_threading);
    return PyErr_Occurred() ? -1 : 0;
}

int pnb_interrupt_setup(PyObject *module, pn_state *s)
{
    PyObject *new_signal = PyImport_ImportModule("_signal");
    s->interrupt_type = pnb_add_type(module, &spec);
    s->sigint = PyLong_FromLong(SIGINT);
    s->get_handler = new_signal ? PyObject_GetAttrString(new_signal, "getsignal") : NULL;
    s->usual_handler = new_signal ? PyObject_GetAttrString(new_signal, "default_int_handler") : NULL;
    Py_XDECREF(new_signal);
    if (!s->interrupt_type || !s->sigint || !s->get_handler || !s->usual_handler || find_main_thread(s))
        return -1;
    s->engine->stop_argument = s;
    s->engine->stop_asked = is_interrupted;
    return 0;
}
