/* fork.c -- what os.fork needs: workers join before it and restart after it, in parent and child.
 *
 * os.register_at_fork keeps its callbacks for ever; they know the module through a weak reference, so it may go. */
#include "binding/binding.h"

static int call(PyObject *weak, void (*function)(pn_engine *engine))
{
    PyObject *new_module = PyObject_CallNoArgs(weak);
    if (!new_module)
        return -1;
    if (new_module != Py_None)
        function(pnb_state(new_module)->engine);
    Py_DECREF(new_module);
    return 0;
}

static PyObject *before(PyObject *weak, PyObject *unused)
{
    (void)unused;
    return call(weak, pn_engine_before_fork) ? NULL : Py_NewRef(Py_None);
}

static PyObject *after(PyObject *weak, PyObject *unused)
{
    (void)unused;
    return call(weak, pn_engine_after_fork) ? NULL : Py_NewRef(Py_None);
}

static const PyMethodDef before_method = {"before_fork", before, METH_NOARGS, NULL};
static const PyMethodDef after_method = {"after_fork", after, METH_NOARGS, NULL};

int pnb_fork_setup(PyObject *module, pn_state *s)
{
    (void)s;
    PyObject *new_os = PyImport_ImportModule("os"), *new_register = NULL, *new_weak = NULL, *new_before = NULL, *new_after = NULL;
    PyObject *new_none = PyTuple_New(0), *new_words = NULL, *new_result = NULL;
    if (!new_os || !new_none)
        goto done;
    new_register = PyObject_GetAttrString(new_os, "register_at_fork");
    new_weak = new_register ? PyWeakref_NewRef(module, NULL) : NULL;
    if (!new_weak)
        goto done;
    new_before = PyCFunction_NewEx((PyMethodDef *)&before_method, new_weak, NULL);
    new_after = PyCFunction_NewEx((PyMethodDef *)&after_method, new_weak, NULL);
    if (new_before && new_after)
        new_words = Py_BuildValue("{sOsOsO}", "before", new_before, "after_in_parent", new_after, "after_in_child", new_after);
    new_result = new_words ? PyObject_Call(new_register, new_none, new_words) : NULL;
done:
    Py_XDECREF(new_words);
    Py_XDECREF(new_after);
    Py_XDECREF(new_before);
    Py_XDECREF(new_weak);
    Py_XDECREF(new_register);
    Py_XDECREF(new_none);
    Py_XDECREF(new_os);
    if (!new_result)
        return -1;
    Py_DECREF(new_result);
    return 0;
}
