/* quiet.c -- no_grad: a context variable that counts nested no_grad blocks.
 *
 * The class derives from contextlib.ContextDecorator, so that it also decorates functions.  Instances hold no state, so
 * one of them may be entered several times, and from several threads. */
#include "binding/binding.h"

bool pnb_is_recording(const pn_state *s)
{
    PyObject *value = NULL;
    if (!s->quiet) /* cleared: the interpreter is finalizing */
        return true;
    if (PyContextVar_Get(s->quiet, s->zero, &value) < 0) {
        PyErr_Clear(); /* cannot fail for a variable that we made */
        return true;
    }
    const bool recording = value == s->zero;
    Py_DECREF(value);
    return recording;
}

static int count(const pn_state *s, long by)
{
    PyObject *value = NULL;
    if (PyContextVar_Get(s->quiet, s->zero, &value) < 0)
        return -1;
    const long depth = PyLong_AsLong(value) + by;
    Py_DECREF(value);
    PyObject *new_depth = depth > 0 ? PyLong_FromLong(depth) : Py_NewRef(s->zero);
    if (!new_depth)
        return -1;
    PyObject *new_token = PyContextVar_Set(s->quiet, new_depth);
    Py_DECREF(new_depth);
    Py_XDECREF(new_token);
    return new_token ? 0 : -1;
}

/* Built-in functions do not bind to instances, so self is the module in these two. */
static PyObject *enter(PyObject *module, PyObject *unused)
{
    (void)unused;
    return count(pnb_state(module), 1) ? NULL : Py_NewRef(Py_None);
}

static PyObject *leave(PyObject *module, PyObject *const *args, Py_ssize_t n)
{
    (void)args, (void)n;
    return count(pnb_state(module), -1) ? NULL : Py_NewRef(Py_False);
}

static PyObject *is_recording(PyObject *module, PyObject *unused)
{
    (void)unused;
    return PyBool_FromLong(pnb_is_recording(pnb_state(module)));
}

static const PyMethodDef enter_method = { "__enter__", enter, METH_NOARGS, "Stops recording." };
static const PyMethodDef leave_method = { "__exit__", PNB_METHOD(leave), METH_FASTCALL, "Restores recording." };
static const PyMethodDef functions[] = {
    { "is_recording", is_recording, METH_NOARGS,
      "is_recording()\n--\n\nWhether ops on tensors that require a gradient are recorded; False inside no_grad." },
    { NULL, NULL, 0, NULL },
};

static const char doc[] =
    "Ops are not recorded in a graph inside `with no_grad():`, or in a function decorated with `@no_grad()`.\n\n"
    "    with pn.no_grad():\n        y = model(x)";

static int fill_namespace(PyObject *module, PyObject *namespace)
{
    const struct {
        const char *name;
        PyObject *value;
    } entries[] = {
        { "__enter__", PyCFunction_NewEx((PyMethodDef *)&enter_method, module, NULL) },
        { "__exit__", PyCFunction_NewEx((PyMethodDef *)&leave_method, module, NULL) },
        { "__slots__", PyTuple_New(0) },
        { "__module__", PyUnicode_FromString("pyneural._core") },
        { "__doc__", PyUnicode_FromString(doc) },
    };
    int failed = 0;
    for (size_t i = 0; i < sizeof entries / sizeof *entries; i++) {
        if (!entries[i].value || (!failed && PyDict_SetItemString(namespace, entries[i].name, entries[i].value) < 0))
            failed = -1;
        Py_XDECREF(entries[i].value);
    }
    return failed;
}

int pnb_quiet_setup(PyObject *module, pn_state *s)
{
    s->zero = PyLong_FromLong(0);
    s->quiet = s->zero ? PyContextVar_New("pyneural_no_grad", s->zero) : NULL;
    if (!s->quiet || PyModule_AddFunctions(module, (PyMethodDef *)functions) < 0)
        return -1;
    PyObject *new_contextlib = PyImport_ImportModule("contextlib"), *new_base = NULL, *new_space = NULL,
             *new_class = NULL;
    if (new_contextlib)
        new_base = PyObject_GetAttrString(new_contextlib, "ContextDecorator");
    if (new_base && (new_space = PyDict_New()) && fill_namespace(module, new_space) == 0)
        new_class = PyObject_CallFunction((PyObject *)&PyType_Type, "s(O)O", "no_grad", new_base, new_space);
    const int failed = new_class ? PyModule_AddObjectRef(module, "no_grad", new_class) : -1;
    Py_XDECREF(new_class);
    Py_XDECREF(new_space);
    Py_XDECREF(new_base);
    Py_XDECREF(new_contextlib);
    return failed;
}
