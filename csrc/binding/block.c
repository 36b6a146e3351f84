/* block.c -- the type Block: named tensors in one allocation, their gradients in another. */
#include "binding/binding.h"

#include <string.h>

static pnb_block *self_of(PyObject *self) { return (pnb_block *)(void *)self; }

/* ---- new ---- */

typedef struct plan { /* the parsed arguments, one entry per tensor */
    Py_ssize_t n;
    pn_dtype dtype;
    pn_view *shapes;
    pn_group *groups;
} plan;

static int read_group(PyObject *o, pn_group *group)
{
    static const char *const names[] = { [PN_GROUP_WEIGHT] = "weight",
                                         [PN_GROUP_BIAS] = "bias",
                                         [PN_GROUP_STATE] = "state" };
    for (int i = 0; PyUnicode_Check(o) && i < 3; i++)
        if (PyUnicode_CompareWithASCIIString(o, names[i]) == 0) {
            *group = (pn_group)i;
            return 0;
        }
    PyErr_Format(PyExc_ValueError, "Block: a group must be 'weight', 'bias' or 'state', got %.100R", o);
    return -1;
}

static int read_entry(plan *p, Py_ssize_t i, PyObject *shape, PyObject *group)
{
    pn_index lengths[PN_MAX_DIMS];
    pn_error err;
    int ndim;
    if (pnb_shape_read(shape, "Block: shape", &ndim, lengths) || read_group(group, &p->groups[i]))
        return -1;
    if (pn_view_init(&p->shapes[i], p->dtype, ndim, lengths, "Block", &err)) {
        pnb_raise(&err);
        return -1;
    }
    if ((p->groups[i] == PN_GROUP_STATE) == (p->groups[0] == PN_GROUP_STATE))
        return 0;
    PyErr_SetString(PyExc_ValueError,
                    "Block: state has no gradients and needs a separate block; give 'state' for all tensors or none");
    return -1;
}

static int read_plan(plan *p, PyObject *names, PyObject *shapes, PyObject *groups)
{
    p->n = PyTuple_GET_SIZE(names);
    if (PyTuple_GET_SIZE(shapes) != p->n || PyTuple_GET_SIZE(groups) != p->n) {
        PyErr_Format(PyExc_ValueError, "Block: got %zd names, %zd shapes and %zd groups; give one of each per tensor",
                     p->n, PyTuple_GET_SIZE(shapes), PyTuple_GET_SIZE(groups));
        return -1;
    }
    p->shapes = PyMem_Calloc((size_t)p->n + 1, sizeof *p->shapes);
    p->groups = PyMem_Calloc((size_t)p->n + 1, sizeof *p->groups);
    if (!p->shapes || !p->groups) {
        PyErr_NoMemory();
        return -1;
    }
    for (Py_ssize_t i = 0; i < p->n; i++) {
        if (!PyUnicode_Check(PyTuple_GET_ITEM(names, i))) {
            PyErr_Format(PyExc_TypeError, "Block: names must be strings, got %.100R", PyTuple_GET_ITEM(names, i));
            return -1;
        }
        if (read_entry(p, i, PyTuple_GET_ITEM(shapes, i), PyTuple_GET_ITEM(groups, i)))
            return -1;
    }
    return 0;
}

static PyObject *wrap_tensors(const pn_state *s, const pn_block *b)
{
    PyObject *new_tensors = PyTuple_New(b->n_segments);
    for (pn_index i = 0; new_tensors && i < b->n_segments; i++) {
        PyObject *new_tensor = pnb_wrap(s, pn_tensor_ref(b->segments[i].value));
        if (!new_tensor)
            Py_CLEAR(new_tensors);
        else
            PyTuple_SET_ITEM(new_tensors, i, new_tensor);
    }
    return new_tensors;
}

static PyObject *make(PyTypeObject *type, const plan *p, PyObject *names)
{
    pn_state *s = PyType_GetModuleState(type);
    pn_error err;
    pn_block *block = pn_block_new(s->engine, p->dtype, p->n, p->shapes, p->groups, &err);
    if (!block)
        return pnb_raise(&err);
    pnb_block *new_self = (pnb_block *)(void *)type->tp_alloc(type, 0);
    if (!new_self) {
        pn_block_unref(block);
        return NULL;
    }
    new_self->b = block;
    new_self->names = Py_NewRef(names);
    new_self->tensors = wrap_tensors(s, block);
    if (!new_self->tensors)
        Py_CLEAR(new_self);
    return (PyObject *)new_self;
}

static PyObject *new(PyTypeObject *type, PyObject *args, PyObject *words)
{
    static const char *const names[] = { "names", "shapes", "groups", "dtype", NULL };
    PyObject *given[3], *dtype = NULL, *new_tuples[3] = { NULL }, *new_self = NULL;
    plan p = { .dtype = PN_FLOAT32 };
    if (!PyArg_ParseTupleAndKeywords(args, words, "OOO|O:Block", (char **)names, &given[0], &given[1], &given[2],
                                     &dtype))
        return NULL;
    if (dtype && pnb_array_dtype(dtype, "Block", &p.dtype))
        return NULL;
    if (!pn_dtype_is_real(p.dtype))
        return PyErr_Format(PyExc_TypeError, "Block: dtype must be 'float32' or 'float64', got %R", dtype);
    for (int i = 0; i < 3; i++)
        if (!(new_tuples[i] = pnb_items(given[i])))
            goto done;
    if (read_plan(&p, new_tuples[0], new_tuples[1], new_tuples[2]) == 0)
        new_self = make(type, &p, new_tuples[0]);
done:
    PyMem_Free(p.shapes);
    PyMem_Free(p.groups);
    for (int i = 0; i < 3; i++)
        Py_XDECREF(new_tuples[i]);
    return new_self;
}

static void dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    Py_XDECREF(self_of(self)->names);
    Py_XDECREF(self_of(self)->tensors);
    pn_block_unref(self_of(self)->b);
    type->tp_free(self);
    Py_DECREF(type);
}

/* ---- methods ---- */

static size_t bytes_of(const pn_block *b) { return (size_t)b->length * pn_dtype_size(b->dtype); }

static PyObject *set_trainable(PyObject *self, PyObject *args)
{
    pn_block *b = self_of(self)->b;
    Py_ssize_t index;
    int trainable;
    if (!PyArg_ParseTuple(args, "np:set_trainable", &index, &trainable))
        return NULL;
    if (index < 0 || index >= b->n_segments)
        return PyErr_Format(PyExc_IndexError, "set_trainable: index %zd is out of range for a block of %zd tensors",
                            index, b->n_segments);
    pn_block_set_trainable(b, index, trainable != 0);
    Py_RETURN_NONE;
}

static PyObject *snapshot(PyObject *self, PyObject *unused)
{
    (void)unused;
    const pn_block *b = self_of(self)->b;
    return PyBytes_FromStringAndSize(b->values->data, (Py_ssize_t)bytes_of(b));
}

static PyObject *restore(PyObject *self, PyObject *data)
{
    pn_block *b = self_of(self)->b;
    Py_buffer buffer;
    if (PyObject_GetBuffer(data, &buffer, PyBUF_SIMPLE) < 0)
        return NULL;
    const bool fits = (size_t)buffer.len == bytes_of(b);
    if (fits && buffer.len > 0) {
        memcpy(b->values->data, buffer.buf, (size_t)buffer.len);
        pn_tensor_touch(b->segments[0].value); /* all share one storage */
    }
    if (!fits)
        PyErr_Format(PyExc_ValueError, "restore: snapshots of this block have %zu bytes, got %zd", bytes_of(b),
                     buffer.len);
    PyBuffer_Release(&buffer);
    return fits ? Py_NewRef(Py_None) : NULL;
}

static PyObject *blend(PyObject *self, PyObject *args)
{
    pn_block *b = self_of(self)->b;
    PyObject *other;
    double rate;
    if (!PyArg_ParseTuple(args, "O!d:blend", Py_TYPE(self), &other, &rate))
        return NULL;
    const pn_block *from = self_of(other)->b;
    if (from == b || from->length != b->length || from->dtype != b->dtype)
        return PyErr_Format(PyExc_ValueError, "blend: give another block of %zd %s values, not one of %zd %s values",
                            b->length, pn_dtype_name(b->dtype), from->length, pn_dtype_name(from->dtype));
    if (!(rate >= 0 && rate <= 1)) {
        PyErr_SetString(PyExc_ValueError, "blend: rate must be from 0 to 1");
        return NULL;
    }
    pn_block_blend(b, from, rate);
    Py_RETURN_NONE;
}

static PyObject *repr(PyObject *self)
{
    const pn_block *b = self_of(self)->b;
    return PyUnicode_FromFormat("Block(%R, length=%zd, dtype=%s)", self_of(self)->names, b->length,
                                pn_dtype_name(b->dtype));
}

static PyObject *get_length(PyObject *self, void *unused)
{
    (void)unused;
    return PyLong_FromSsize_t(self_of(self)->b->length);
}

static PyObject *get_dtype(PyObject *self, void *unused)
{
    (void)unused;
    return PyUnicode_FromString(pn_dtype_name(self_of(self)->b->dtype));
}

static const PyMethodDef methods[] = {
    { "set_trainable", set_trainable, METH_VARARGS,
      "set_trainable($self, index, trainable, /)\n--\n\nSets whether backward and the optimizer include the tensor "
      "at this index." },
    { "snapshot", snapshot, METH_NOARGS, "snapshot($self)\n--\n\nAll values as bytes." },
    { "restore", restore, METH_O, "restore($self, data, /)\n--\n\nRestores the values of a snapshot." },
    { "blend", blend, METH_VARARGS,
      "blend($self, other, rate, /)\n--\n\nvalues += rate * (values of the other block - values): a running mean." },
    { NULL, NULL, 0, NULL },
};

static const PyGetSetDef attributes[] = {
    { "length", get_length, NULL, "Number of elements, including padding.", NULL },
    { "dtype", get_dtype, NULL, "'float32' or 'float64'.", NULL },
    { NULL, NULL, NULL, NULL, NULL },
};

static const PyMemberDef members[] = {
    { "names", T_OBJECT_EX, offsetof(pnb_block, names), READONLY, "Names of the tensors." },
    { "tensors", T_OBJECT_EX, offsetof(pnb_block, tensors), READONLY,
      "Views of the block; leaves that require a gradient, unless they are state." },
    { NULL, 0, 0, 0, NULL },
};

static const char doc[] =
    "Block(names, shapes, groups, dtype='float32')\n--\n\n"
    "Tensors of zeros in one allocation; groups: 'weight', 'bias' (no weight decay) or 'state' (no gradient).";

static const PyType_Slot slots[] = {
    PNB_SLOT(tp_doc, doc),         PNB_SLOT(tp_new, new),
    PNB_SLOT(tp_dealloc, dealloc), PNB_SLOT(tp_repr, repr),
    PNB_SLOT(tp_methods, methods), PNB_SLOT(tp_getset, attributes),
    PNB_SLOT(tp_members, members), { 0, NULL },
};

/* Holds tensors, bytes and names, none of which can refer back to it: no cycles, so no garbage collection. */
static const PyType_Spec spec = {
    .name = "pyneural._core.Block",
    .basicsize = sizeof(pnb_block),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = (PyType_Slot *)slots,
};

int pnb_block_setup(PyObject *module, pn_state *s)
{
    s->block_type = pnb_add_type(module, &spec);
    return s->block_type ? 0 : -1;
}
