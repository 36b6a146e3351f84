/* object.c -- a tensor as a Python object: creation, deallocation, conversion to a number; and adding types. */
#include "binding/binding.h"

PyTypeObject *pnb_add_type(PyObject *module, const PyType_Spec *spec)
{
    PyObject *new_type = PyType_FromModuleAndSpec(module, (PyType_Spec *)spec, NULL);
    if (new_type && PyModule_AddType(module, (PyTypeObject *)new_type) < 0)
        Py_CLEAR(new_type);
    return (PyTypeObject *)new_type;
}

PyObject *pnb_wrap(const pn_state *s, pn_tensor *tensor)
{
    if (!tensor)
        return NULL;
    if (!s->tensor_type) { /* cleared: the interpreter is finalizing */
        pn_tensor_unref(tensor);
        return PyErr_Format(PyExc_RuntimeError, "pyneural is being shut down");
    }
    pnb_tensor *new_object = PyObject_New(pnb_tensor, s->tensor_type);
    if (!new_object) {
        pn_tensor_unref(tensor);
        return NULL;
    }
    new_object->t = tensor;
    new_object->weakrefs = NULL;
    return (PyObject *)new_object;
}

PyObject *pnb_indices(int n, const pn_index *values)
{
    PyObject *new_tuple = PyTuple_New(n);
    for (int i = 0; new_tuple && i < n; i++) {
        PyObject *new_int = PyLong_FromSsize_t(values[i]);
        if (!new_int)
            Py_CLEAR(new_tuple);
        else
            PyTuple_SET_ITEM(new_tuple, i, new_int);
    }
    return new_tuple;
}

PyObject *pnb_shape(const pn_view *v) { return pnb_indices(v->ndim, v->shape); }

void pnb_object_dealloc(PyObject *self)
{
    pnb_tensor *object = (pnb_tensor *)(void *)self;
    PyTypeObject *type = Py_TYPE(self);
    if (object->weakrefs)
        PyObject_ClearWeakRefs(self);
    pn_tensor_unref(object->t);
    PyObject_Free(self);
    Py_DECREF(type); /* last: the type keeps the module alive, and the module the engine */
}

PyObject *pnb_object_number(PyObject *self, const char *who)
{
    const pn_view *v = &pnb_of(self)->v;
    if (v->size != 1)
        return PyErr_Format(PyExc_ValueError,
                            "%s: the tensor must have one element, but its shape is %s; x.tolist() gives all of them",
                            who, pn_view_text(v).s);
    if (!v->data)
        return PyErr_Format(PyExc_RuntimeError, "%s: this tensor is shape-only and has no values", who);
    switch (v->dtype) {
    case PN_FLOAT32: return PyFloat_FromDouble((double)*(const float *)v->data);
    case PN_FLOAT64: return PyFloat_FromDouble(*(const double *)v->data);
    case PN_UINT8: return PyLong_FromLong(*(const uint8_t *)v->data);
    default: return PyLong_FromLongLong(*(const int64_t *)v->data);
    }
}
