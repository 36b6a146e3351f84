/* inputs.h -- the inputs of an op call: converts Python objects to tensors and promotes their dtypes. */
#ifndef PN_BINDING_INPUTS_H
#define PN_BINDING_INPUTS_H

#include <string.h>

#include "binding/binding.h"

typedef struct pnb_inputs {
    const pn_state *s;
    const pn_op *op;
    int n;
    const char *over;          /* the operator of a call in place, such as "-=", else NULL */
    bool recording;            /* read once: converting an array may run code that enters or leaves no_grad */
    uint64_t raw, owned, lent; /* bit masks of inputs: not converted yet; owned by us; borrowing an array's memory */
    int real;                  /* dtype of the first real input, or -1 */
    unsigned dtypes;           /* bit mask of the dtypes of the promoted inputs */
    bool fraction;             /* one of them is a float without a width: a Python float, or one in a list */
    int result;                /* dtype that the result is cast to, or -1 for none */
    PyObject *objects[PN_MAX_IN];
    pn_tensor *t[PN_MAX_IN];
} pnb_inputs;

static inline void pnb_inputs_open(pnb_inputs *in, const pn_state *s, const pn_op *op)
{
    in->s = s;
    in->op = op;
    in->over = NULL;
    in->fraction = false;
    in->owned = 0;
}

/* Inspects the objects, and takes those that are tensors. */
void pnb_inputs_look(pnb_inputs *in);

/* Converts the others to tensors, and casts the promoted inputs to one dtype. */
int pnb_inputs_settle(pnb_inputs *in);

/* Whether pnb_inputs_settle is not needed: all are tensors, and the promoted ones have the same real dtype. */
static inline bool pnb_inputs_are_settled(const pnb_inputs *in)
{
    return !in->raw && (in->dtypes & (in->dtypes - 1)) == 0 && in->dtypes < 1u << PN_UINT8;
}

void pnb_inputs_release(pnb_inputs *in);

/* The out-of-place form of the operator: "x = x - y" for in->over "-=". */
static inline const char *pnb_inputs_out_of_place(const pnb_inputs *in, char *buffer, size_t size)
{
    PyOS_snprintf(buffer, size, "x = x %.*s y", (int)strlen(in->over) - 1, in->over);
    return buffer;
}

#endif
