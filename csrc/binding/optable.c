/* optable.c -- the op table as Python sees it: one built-in function per row, with its signature and help text.
 *
 * Each row has its own C function, so that a call needs no lookup of its op; the module is the function's self. */
#include "binding/binding.h"

#include <string.h>

/* ---- argument names ---- */

static const char *skip_word(const char *s)
{
    s += strcspn(s, " ");
    return s + (*s == ' ');
}

static int add_name(pnb_op *info, const char *name, size_t length)
{
    if (info->n_arguments == PNB_MAX_ARGUMENTS) {
        PyErr_Format(PyExc_SystemError, "%s: more than %d arguments", info->op->name, PNB_MAX_ARGUMENTS);
        return -1;
    }
    PyObject *new_name = PyUnicode_FromStringAndSize(name, (Py_ssize_t)length);
    if (!new_name)
        return -1;
    PyUnicode_InternInPlace(&new_name);
    info->names[info->n_arguments++] = new_name;
    return 0;
}

static int read_names(pnb_op *info)
{
    const pn_op *op = info->op;
    for (const char *s = op->inputs; *s; s = skip_word(s)) {
        const size_t length = strcspn(s, " ?*");
        info->variadic |= s[length] == '*';
        if (s[length] != '?')
            info->required |= (uint64_t)1 << info->n_arguments;
        if (add_name(info, s, length))
            return -1;
    }
    info->n_inputs = info->n_arguments;
    for (int i = 0; i < op->n_params; i++) {
        info->required |= (uint64_t)op->params[i].required << info->n_arguments;
        if (add_name(info, op->params[i].name, strlen(op->params[i].name)))
            return -1;
    }
    return 0;
}

/* ---- defaults, signatures, help ---- */

static bool is_required(const pnb_op *info, int argument) { return info->required >> argument & 1; }

/* The default of an argument; `...` if it is required. */
static PyObject *default_of(const pnb_op *info, int argument)
{
    if (is_required(info, argument))
        return Py_NewRef(Py_Ellipsis);
    if (argument < info->n_inputs)
        return Py_NewRef(Py_None);
    const pn_param *p = &info->op->params[argument - info->n_inputs];
    return pnb_argument_show(p, (const char *)info->op->defaults + p->offset);
}

static PyObject *append(PyObject *new_text, PyObject *new_more) /* steals both references */
{
    PyObject *new_whole = new_text && new_more ? PyUnicode_Concat(new_text, new_more) : NULL;
    Py_XDECREF(new_text);
    Py_XDECREF(new_more);
    return new_whole;
}

/* "(x, weight, bias=None, stride=1)": every argument may be positional or a keyword.  Before a required argument that
 * follows an optional one there is a star, since it would not be a valid Python signature otherwise. */
static PyObject *signature_of(const pnb_op *info, bool method)
{
    PyObject *new_text = PyUnicode_FromString(method ? "($self" : "(");
    bool optional = false, starred = false;
    for (int i = method; new_text && i < info->n_arguments; i++) {
        const char *comma = i > 0 ? ", " : "";
        if (!is_required(info, i)) {
            PyObject *new_default = default_of(info, i);
            new_text = append(new_text,
                              new_default ? PyUnicode_FromFormat("%s%U=%R", comma, info->names[i], new_default) : NULL);
            Py_XDECREF(new_default);
            optional = true;
            continue;
        }
        const char *star = optional && !starred ? "*, " : "";
        starred |= optional;
        new_text = append(new_text, PyUnicode_FromFormat("%s%s%U", comma, star, info->names[i]));
    }
    return append(new_text, PyUnicode_FromString(")"));
}

static PyObject *doc_of(const pnb_op *info, bool method)
{
    const pn_op *op = info->op;
    PyObject *new_text = append(PyUnicode_FromString(op->name), signature_of(info, method));
    new_text = append(new_text, PyUnicode_FromFormat("\n--\n\n%s", op->doc));
    for (int i = 0; i < op->n_params; i++)
        new_text = append(new_text, PyUnicode_FromFormat("%s    %s: %s", i == 0 ? "\n\nParameters:\n" : "\n",
                                                         op->params[i].name, op->params[i].doc));
    PyObject *new_bytes = new_text ? PyUnicode_AsUTF8String(new_text) : NULL;
    Py_XDECREF(new_text);
    return new_bytes;
}

/* ---- the functions ---- */

#define OP(name)                                                                                         \
    static PyObject *call_##name(PyObject *module, PyObject *const *args, Py_ssize_t n, PyObject *names) \
    {                                                                                                    \
        return pnb_call(pnb_state(module), PNB_##name, args, n, names);                                  \
    }
#include "ops/ops.def"
#undef OP

typedef PyObject *entry(PyObject *module, PyObject *const *args, Py_ssize_t n, PyObject *names);

static entry *const entries[] = {
#define OP(name) call_##name,
#include "ops/ops.def"
#undef OP
};

/* ---- the methods ---- */

#define OP(name)
#define METHOD(name)                                                                                     \
    static PyObject *method_##name(PyObject *self, PyObject *const *args, Py_ssize_t n, PyObject *names) \
    {                                                                                                    \
        return pnb_call_method(self, PNB_##name, args, n, names);                                        \
    }
#include "ops/ops.def"
#undef OP

static entry *const method_entries[PNB_OPS] = {
#define OP(name)
#define METHOD(name) [PNB_##name] = method_##name,
#include "ops/ops.def"
#undef OP
};

int pnb_optable_methods(pn_state *s, const PyMethodDef *own, int n)
{
    s->tensor_methods = PyMem_Calloc((size_t)n + PNB_OPS + 1, sizeof *s->tensor_methods);
    if (!s->tensor_methods) {
        PyErr_NoMemory();
        return -1;
    }
    memcpy(s->tensor_methods, own, (size_t)n * sizeof *own);
    for (int i = 0; i < PNB_OPS; i++) {
        pnb_op *info = &s->ops[i];
        if (!method_entries[i])
            continue;
        if (!(info->method_doc = doc_of(info, true)))
            return -1;
        s->tensor_methods[n++] = (PyMethodDef){ info->op->name, PNB_METHOD(method_entries[i]),
                                                METH_FASTCALL | METH_KEYWORDS, PyBytes_AS_STRING(info->method_doc) };
    }
    return 0;
}

/* ---- setup ---- */

static int prepare(pn_state *s, int i)
{
    pnb_op *info = &s->ops[i];
    info->op = pn_ops[i];
    if (read_names(info) || !(info->doc = doc_of(info, false)))
        return -1;
    s->op_methods[i] = (PyMethodDef){ info->op->name, PNB_METHOD(entries[i]), METH_FASTCALL | METH_KEYWORDS,
                                      PyBytes_AS_STRING(info->doc) };
    return 0;
}

static int add_functions(PyObject *module, pn_state *s)
{
    PyObject *new_ops = PyModule_New("pyneural._core.ops"), *new_home = PyUnicode_FromString("pyneural.ops");
    int failed =
        new_ops && new_home ? PyModule_SetDocString(new_ops, "All ops of the engine, generated from its table.") : -1;
    for (int i = 0; !failed && i < PNB_OPS; i++) {
        PyObject *new_function = PyCFunction_NewEx(&s->op_methods[i], module, new_home);
        failed = new_function ? PyModule_AddObjectRef(new_ops, pn_ops[i]->name, new_function) : -1;
        Py_XDECREF(new_function);
    }
    if (!failed)
        failed = PyModule_AddObjectRef(module, "ops", new_ops);
    Py_XDECREF(new_home);
    Py_XDECREF(new_ops);
    return failed;
}

/* ---- op_table() ---- */

static PyObject *inputs_of(const pnb_op *info)
{
    PyObject *new_list = PyList_New(info->n_inputs);
    for (int i = 0; new_list && i < info->n_inputs; i++) {
        PyObject *new_pair = Py_BuildValue("(OO)", info->names[i], is_required(info, i) ? Py_False : Py_True);
        if (!new_pair)
            Py_CLEAR(new_list);
        else
            PyList_SET_ITEM(new_list, i, new_pair);
    }
    return new_list;
}

static PyObject *params_of(const pnb_op *info)
{
    const pn_op *op = info->op;
    PyObject *new_list = PyList_New(op->n_params);
    for (int i = 0; new_list && i < op->n_params; i++) {
        PyObject *new_row = Py_BuildValue("(ssNs)", op->params[i].name, pnb_argument_kind(op->params[i].kind),
                                          default_of(info, info->n_inputs + i), op->params[i].doc);
        if (!new_row)
            Py_CLEAR(new_list);
        else
            PyList_SET_ITEM(new_list, i, new_row);
    }
    return new_list;
}

static PyObject *op_table(PyObject *module, PyObject *unused)
{
    (void)unused;
    static const char *const promotions[] = {
        [PN_STRICT] = "strict", [PN_EXACT] = "exact", [PN_COMPARED] = "compared", [PN_REAL] = "real"
    };
    const pn_state *s = pnb_state(module);
    PyObject *new_list = PyList_New(0);
    for (int i = 0; new_list && i < PNB_OPS; i++) {
        const pnb_op *info = &s->ops[i];
        PyObject *new_row = Py_BuildValue(
            "{sssNsssNsNsisOsOsssO}", "name", info->op->name, "signature", signature_of(info, false), "doc",
            info->op->doc, "inputs", inputs_of(info), "params", params_of(info), "outputs", info->op->n_out, "variadic",
            info->variadic ? Py_True : Py_False, "differentiable", info->op->differentiable ? Py_True : Py_False,
            "promotion", promotions[info->op->promotion], "method", method_entries[i] ? Py_True : Py_False);
        if (!new_row || PyList_Append(new_list, new_row) < 0)
            Py_CLEAR(new_list);
        Py_XDECREF(new_row);
    }
    return new_list;
}

static const PyMethodDef functions[] = {
    { "op_table", op_table, METH_NOARGS,
      "op_table()\n--\n\nThe ops, one dict each: name, signature, doc, inputs [(name, optional)], params [(name, kind, "
      "default, doc)] with `...` for no default, outputs, variadic, differentiable, promotion, method." },
    { NULL, NULL, 0, NULL },
};

int pnb_optable_setup(PyObject *module, pn_state *s)
{
    s->ops = PyMem_Calloc(PNB_OPS, sizeof *s->ops);
    s->op_methods = PyMem_Calloc(PNB_OPS, sizeof *s->op_methods);
    if (!s->ops || !s->op_methods) {
        PyErr_NoMemory();
        return -1;
    }
    for (int i = 0; i < PNB_OPS; i++)
        if (prepare(s, i))
            return -1;
    return add_functions(module, s) || PyModule_AddFunctions(module, (PyMethodDef *)functions) ? -1 : 0;
}
