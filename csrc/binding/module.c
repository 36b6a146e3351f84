/* module.c -- the module pyneural._core: creates and frees its state. */
#include "binding/binding.h"

/* NumPy first: the others make arrays.  The engine second: the others use it.  Ops before tensors, since some ops are
 * methods of tensors. */
static pnb_setup *const setups[] = {
    pnb_array_setup,     pnb_world_setup,     pnb_optable_setup, pnb_tensor_setup, pnb_quiet_setup,  pnb_block_setup,
    pnb_optimizer_setup, pnb_interrupt_setup, pnb_fork_setup,    pnb_make_setup,   pnb_values_setup, pnb_digit_setup,
};

static int exec(PyObject *module)
{
    pn_state *s = pnb_state(module);
    for (size_t i = 0; i < sizeof setups / sizeof *setups; i++)
        if (setups[i](module, s))
            return -1;
    return 0;
}

static int traverse(PyObject *module, visitproc visit, void *arg)
{
    pn_state *s = pnb_state(module);
    Py_VISIT(s->tensor_type);
    Py_VISIT(s->block_type);
    Py_VISIT(s->optimizer_type);
    Py_VISIT(s->interrupt_type);
    Py_VISIT(s->quiet);
    Py_VISIT(s->get_handler);
    Py_VISIT(s->usual_handler);
    Py_VISIT(s->watcher);
    return 0;
}

static int clear(PyObject *module)
{
    pn_state *s = pnb_state(module);
    Py_CLEAR(s->tensor_type);
    Py_CLEAR(s->block_type);
    Py_CLEAR(s->optimizer_type);
    Py_CLEAR(s->interrupt_type);
    Py_CLEAR(s->quiet);
    Py_CLEAR(s->zero);
    Py_CLEAR(s->get_handler);
    Py_CLEAR(s->sigint);
    Py_CLEAR(s->usual_handler);
    Py_CLEAR(s->watcher);
    return 0;
}

/* Runs when nothing refers to the module any more: no type, and so no tensor. */
static void free_state(void *module)
{
    pn_state *s = pnb_state(module);
    clear(module);
    for (int i = 0; s->ops && i < PNB_OPS; i++) {
        for (int k = 0; k < s->ops[i].n_arguments; k++)
            Py_XDECREF(s->ops[i].names[k]);
        Py_XDECREF(s->ops[i].doc);
        Py_XDECREF(s->ops[i].method_doc);
    }
    PyMem_Free(s->ops);
    PyMem_Free(s->op_methods);
    PyMem_Free(s->tensor_methods);
    PyMem_Free(s->gate);
    pn_engine_free(s->engine);
    *s = (pn_state){ .engine = NULL };
}

static const PyModuleDef_Slot slots[] = {
    { Py_mod_exec, (void *)exec },
#ifdef Py_mod_multiple_interpreters
    { Py_mod_multiple_interpreters, Py_MOD_MULTIPLE_INTERPRETERS_NOT_SUPPORTED },
#endif
    { 0, NULL },
};

/* Not const, because CPython keeps a reference count in it. */
static PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "pyneural._core",
    .m_doc = "The engine of pyneural: tensors, ops, blocks of parameters, optimizers.",
    .m_size = sizeof(pn_state),
    .m_slots = (PyModuleDef_Slot *)slots,
    .m_traverse = traverse,
    .m_clear = clear,
    .m_free = free_state,
};

PyMODINIT_FUNC PyInit__core(void);

PyMODINIT_FUNC PyInit__core(void) { return PyModuleDef_Init(&definition); }
