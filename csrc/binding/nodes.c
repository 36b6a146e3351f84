/* nodes.c -- the graph behind a tensor as Python objects: a dict for each recorded call of an op, oldest first.
 *
 * The GIL is held throughout, and the tensor holds the nodes.  What never changes in a node is read freely; what a
 * sweep of another thread may free is read while the node is claimed, for a few instructions. */
#include "binding/binding.h"

#include <stdlib.h>

#include "graph/node.h"

typedef struct list {
    pn_node **nodes;
    Py_ssize_t n, room;
    PyObject *seen; /* a set of their sequence numbers */
} list;

/* ---- the nodes that a tensor depends on -------------------------------------------------------------------------- */

/* Adds a node that is not in the list yet. */
static int add(list *l, pn_node *node)
{
    PyObject *new_number = PyLong_FromUnsignedLongLong(node->sequence);
    const int known = new_number ? PySet_Contains(l->seen, new_number) : -1;
    const int failed = known || PySet_Add(l->seen, new_number);
    Py_XDECREF(new_number);
    if (known > 0 || failed)
        return known > 0 ? 0 : -1;
    if (l->n == l->room) {
        const Py_ssize_t room = l->room ? 2 * l->room : 64;
        pn_node **more = PyMem_Realloc(l->nodes, (size_t)room * sizeof *more);
        if (!more) {
            PyErr_NoMemory();
            return -1;
        }
        l->nodes = more;
        l->room = room;
    }
    l->nodes[l->n++] = node;
    return 0;
}

static int by_age(const void *a, const void *b)
{
    const uint64_t x = (*(pn_node *const *)a)->sequence, y = (*(pn_node *const *)b)->sequence;
    return (x > y) - (x < y);
}

static int collect(list *l, pn_node *root)
{
    if (add(l, root))
        return -1;
    for (Py_ssize_t k = 0; k < l->n; k++)
        for (int i = 0; i < l->nodes[k]->n_in; i++)
            if (l->nodes[k]->in[i].edge.node && add(l, l->nodes[k]->in[i].edge.node))
                return -1;
    qsort(l->nodes, (size_t)l->n, sizeof(pn_node *), by_age);
    return 0;
}

static Py_ssize_t number_of(const list *l, pn_node *node)
{
    return (pn_node **)bsearch(&node, l->nodes, (size_t)l->n, sizeof(pn_node *), by_age) - l->nodes;
}

/* ---- one node ---------------------------------------------------------------------------------------------------- */

typedef struct kept {
    uint64_t x; /* a bit for each input */
    unsigned y; /* likewise */
    size_t bytes;
    bool saved, freed;
} kept;

static int look(pn_node *node, kept *k)
{
    if (!pn_owner_look(&node->owner)) {
        PyErr_SetString(PyExc_RuntimeError,
                        "graph: another thread is running backward on this graph; call graph before or after backward");
        return -1;
    }
    *k = (kept){ .saved = node->saved, .bytes = node->saved ? node->saved_bytes : 0, .freed = node->freed };
    for (int i = 0; i < node->n_in; i++)
        if (node->in[i].kept.storage) {
            k->x |= (uint64_t)1 << i;
            k->bytes += pn_view_bytes(&node->in[i].view);
        }
    for (int i = 0; i < node->n_out; i++)
        if (node->out[i].kept.storage) {
            k->y |= 1u << i;
            k->bytes += pn_view_bytes(&node->out[i].view);
        }
    pn_owner_release(&node->owner);
    return 0;
}

/* Appends, and drops the reference. */
static int append(PyObject *to, PyObject *new_item)
{
    const int failed = !new_item || PyList_Append(to, new_item);
    Py_XDECREF(new_item);
    return failed ? -1 : 0;
}

/* (name, shape, where it comes from: the number of a node, "leaf", or None for a constant). */
static PyObject *new_input(const list *l, const pn_node_in *in, const char *name)
{
    if (in->edge.node)
        return Py_BuildValue("(sNn)", name, pnb_shape(&in->view), number_of(l, in->edge.node));
    return Py_BuildValue("(sNz)", name, pnb_shape(&in->view), in->edge.slot ? "leaf" : NULL);
}

static int fill(const list *l, pn_node *node, const kept *k, PyObject *inputs, PyObject *keeps, PyObject *shapes)
{
    const pn_call call = { .op = node->op }; /* all that names need */
    char name[64];
    for (int i = 0; i < node->n_in; i++) {
        pn_call_input_name(&call, i, name, sizeof name);
        if ((node->in[i].given && append(inputs, new_input(l, &node->in[i], name))) ||
            (k->x >> i & 1 && append(keeps, PyUnicode_FromString(name))))
            return -1;
    }
    for (int i = 0; i < node->n_out; i++)
        if (append(shapes, pnb_shape(&node->out[i].view)) ||
            (k->y >> i & 1 &&
             append(keeps, node->n_out > 1 ? PyUnicode_FromFormat("y[%d]", i) : PyUnicode_FromString("y"))))
            return -1;
    return k->saved ? append(keeps, PyUnicode_FromString("saved")) : 0;
}

static PyObject *new_row(const list *l, Py_ssize_t number)
{
    pn_node *node = l->nodes[number];
    kept k;
    if (look(node, &k))
        return NULL;
    PyObject *new_inputs = PyList_New(0), *new_keeps = PyList_New(0), *new_shapes = PyList_New(0), *new_dict = NULL;
    if (new_inputs && new_keeps && new_shapes && !fill(l, node, &k, new_inputs, new_keeps, new_shapes))
        new_dict = Py_BuildValue("{snsssOsOsOsnsO}", "number", number, "op", node->op->name, "inputs", new_inputs,
                                 "shapes", new_shapes, "keeps", new_keeps, "bytes", (Py_ssize_t)k.bytes, "freed",
                                 k.freed ? Py_True : Py_False);
    Py_XDECREF(new_inputs);
    Py_XDECREF(new_keeps);
    Py_XDECREF(new_shapes);
    return new_dict;
}

PyObject *pnb_nodes(PyObject *tensor)
{
    pn_node *root = pnb_of(tensor)->node;
    list l = { .seen = PySet_New(NULL) };
    PyObject *new_rows = PyList_New(0);
    int failed = !l.seen || !new_rows || (root && collect(&l, root));
    for (Py_ssize_t k = 0; k < l.n && !failed; k++)
        failed = append(new_rows, new_row(&l, k)) || ((k & 1023) == 1023 && PyErr_CheckSignals()); /* Ctrl-C */
    PyMem_Free(l.nodes);
    Py_XDECREF(l.seen);
    if (failed)
        Py_CLEAR(new_rows);
    return new_rows;
}
