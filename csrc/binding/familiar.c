/* familiar.c -- attributes of NumPy arrays and PyTorch tensors that a Tensor does not have, and what to write instead.
 *
 * Ops that are only functions of pn.ops, and PyTorch's `name_`, need no entry here.  In the texts x is the tensor. */
#include "binding/binding.h"

#include <string.h>

typedef struct word {
    const char *theirs, *ours;
} word;

static const char on_the_cpu[] = "not needed: tensors are always in CPU memory";
static const char contiguous[] = "not needed: tensors are always contiguous";
static const char zeroed[] = "not needed: backward overwrites each .grad (backward(accumulate=True) adds to it)";

static const word attributes[] = {
    { "view", "write x.reshape(2, -1)" },
    { "view_as", "write x.reshape(y.shape)" },
    { "reshape_as", "write x.reshape(y.shape)" },
    { "resize", "write x.reshape(2, -1)" },
    { "ravel", "write x.flatten()" },
    { "flat", "write x.flatten()" },
    { "t", "write x.T" },
    { "mT", "write x.transpose(...) with the order of all axes, or pn.ops.matmul(a, b, transpose_b=True)" },
    { "permute", "write x.transpose(1, 0, 2): the order of all axes" },
    { "swapaxes", "write x.transpose(1, 0, 2): the order of all axes" },
    { "moveaxis", "write x.transpose(1, 0, 2): the order of all axes" },
    { "movedim", "write x.transpose(1, 0, 2): the order of all axes" },
    { "dim", "write x.ndim" },
    { "numel", "write x.size" },
    { "nelement", "write x.size" },
    { "nbytes", "write x.numpy().nbytes" },
    { "itemsize", "write x.numpy().itemsize" },
    { "strides", contiguous },
    { "contiguous", contiguous },
    { "is_contiguous", contiguous },
    { "cpu", on_the_cpu },
    { "cuda", on_the_cpu },
    { "device", on_the_cpu },
    { "to", "write x.astype(\"float64\") for another dtype; tensors are always in CPU memory" },
    { "type", "write x.dtype, or x.astype(\"float64\")" },
    { "type_as", "write x.astype(y.dtype)" },
    { "float", "write x.astype(\"float32\")" },
    { "double", "write x.astype(\"float64\")" },
    { "half", "write x.astype(\"float32\"), the smallest float dtype" },
    { "bfloat16", "write x.astype(\"float32\"), the smallest float dtype" },
    { "int", "write x.astype(\"int64\")" },
    { "long", "write x.astype(\"int64\")" },
    { "byte", "write x.astype(\"uint8\")" },
    { "bool", "write x != 0" },
    { "clone", "write pn.tensor(x) for a copy outside the graph, x * 1 for one inside it" },
    { "copy", "write pn.tensor(x)" },
    { "data", "write x.detach(), which shares the values, or x.numpy()" },
    { "values", "write x.numpy()" },
    { "array", "write x.numpy()" },
    { "grad_fn", "write x.graph(): the recorded ops behind x" },
    { "is_leaf", "write x.requires_grad: whether backward goes through x" },
    { "requires_grad_", "write pn.tensor(x, requires_grad=True)" },
    { "detach_", "write x = x.detach()" },
    { "retain_grad", "write x.keep_grad()" },
    { "register_hook", "write x.keep_grad(), and read x.grad after backward" },
    { "zero_grad", zeroed },
    { "zero_", zeroed },
    { "fill", "write x.assign(0)" },
    { "fill_", "write x.assign(0)" },
    { "copy_", "write x.assign(y)" },
    { "add_", "write x += y, inside `with pn.no_grad():` if x requires a gradient" },
    { "sub_", "write x -= y, inside `with pn.no_grad():` if x requires a gradient" },
    { "mul_", "write x *= y, inside `with pn.no_grad():` if x requires a gradient" },
    { "div_", "write x /= y, inside `with pn.no_grad():` if x requires a gradient" },
    { "add", "write x + y" },
    { "sub", "write x - y" },
    { "mul", "write x * y" },
    { "div", "write x / y" },
    { "square", "write x * x" },
    { "reciprocal", "write 1 / x" },
    { "rsqrt", "write x ** -0.5" },
    { "matmul", "write x @ y" },
    { "mm", "write x @ y" },
    { "bmm", "write x @ y" },
    { "dot", "write x @ y for two matrices, (x * y).sum() for two vectors" },
    { "eq", "write x == y" },
    { "ne", "write x != y" },
    { "gt", "write x > y" },
    { "ge", "write x >= y" },
    { "lt", "write x < y" },
    { "le", "write x <= y" },
    { "isnan", "write x != x" },
    { "clamp", "write x.clip(0, 1)" },
    { "where", "write pn.where(condition, x, y)" },
    { "masked_fill", "write pn.where(mask, 0, x)" },
    { "gather", "write pn.ops.take(x, indices) for rows of x" },
    { "index_select", "write pn.ops.take(x, indices) for rows of x" },
    { "split", "write x[:2], x[2:]" },
    { "chunk", "write x[:2], x[2:]" },
    { "unbind", "write list(x)" },
    { "repeat", "write pn.concat([x, x]), or pn.ops.expand(x, shape)" },
    { "tile", "write pn.concat([x, x]), or pn.ops.expand(x, shape)" },
    { "broadcast_to", "write pn.ops.expand(x, shape)" },
    { "expand_as", "write pn.ops.expand(x, y.shape)" },
    { "norm", "write (x * x).sum().sqrt()" },
    { "argmin", "write (-x).argmax()" },
};

/* Functions of NumPy without an equivalent op: available outside the graph only. */
static const char *const numpy_only[] = {
    "argpartition", "argsort",  "ceil",  "conj",     "cos",  "cumprod", "cumsum", "diagonal", "floor",
    "imag",         "isfinite", "isinf", "nonzero",  "prod", "ptp",     "real",   "round",    "searchsorted",
    "sign",         "sin",      "sort",  "std_mean", "topk", "trace",   "trunc",  "unique",
};

/* Keywords: {theirs, ours}, for every function that has ours. */
static const word keywords[] = {
    { "dim", "axis" },
    { "dims", "axis" },
    { "keepdim", "keepdims" },
    { "ddof", "correction" },
    { "unbiased", "correction" },
    { "min", "low" },
    { "max", "high" },
    { "a_min", "low" },
    { "a_max", "high" },
    { "ignore_index", "ignore" },
    { "p", "rate" },
    { "eps", "epsilon" },
    { "num_classes", "classes" },
    { "negative_slope", "slope" },
    { "input", "x" },
    { "other", "b" },
    { "target", "targets" },
    { "labels", "targets" },
    { "y_true", "targets" },
    { "from_logits", "logits" },
    { "strides", "stride" },
    { "kernel_size", "size" },
    { "pool_size", "size" },
    { "delta", "beta" },
};

static const char *find(const word *words, int n, const char *theirs)
{
    for (int i = 0; i < n; i++)
        if (strcmp(words[i].theirs, theirs) == 0)
            return words[i].ours;
    return NULL;
}

const char *pnb_familiar_keyword(const char *theirs) { return find(keywords, PN_COUNT(keywords), theirs); }

static bool is_listed(const char *const *names, int n, const char *name)
{
    for (int i = 0; i < n; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

/* Replaces Python's error message by ours, if there is one for that name. */
static void explain(const char *name)
{
    const size_t length = strlen(name);
    const char *ours = find(attributes, PN_COUNT(attributes), name);
    if (ours)
        PyErr_Format(PyExc_AttributeError, "a tensor has no '%s'; %s", name, ours);
    else if (is_listed(numpy_only, PN_COUNT(numpy_only), name))
        PyErr_Format(
            PyExc_AttributeError,
            "a tensor has no '%s', and there is no such op; x.numpy() gives an array for NumPy, outside the graph",
            name);
    else if (length > 1 && name[length - 1] == '_')
        PyErr_Format(PyExc_AttributeError,
                     "a tensor has no '%s'; write x.assign(values) to overwrite its values, or x += y, x *= y ... to "
                     "compute in place",
                     name);
    else
        for (int i = 0; i < PNB_OPS; i++)
            if (strcmp(pn_ops[i]->name, name) == 0)
                PyErr_Format(PyExc_AttributeError, "a tensor has no '%s'; write pn.ops.%s(x)", name, name);
}

PyObject *pnb_familiar_getattr(PyObject *self, PyObject *name)
{
    PyObject *new_value = PyObject_GenericGetAttr(self, name);
    if (new_value || !PyErr_ExceptionMatches(PyExc_AttributeError))
        return new_value;
    const char *text = PyUnicode_AsUTF8(name);
    if (text && text[0] != '_') /* protocols that probe for __attributes__ get Python's plain error */
        explain(text);
    return NULL;
}
