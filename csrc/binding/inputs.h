/* inputs.h -- what an op is called with, on its way to being tensors of dtypes that go together. */
#ifndef PN_BINDING_INPUTS_H
#define PN_BINDING_INPUTS_H

#include <string.h>

#include "binding/binding.h"

typedef struct pnb_inputs {
    const pn_state *s;
    const pn_op *op;
    int n;
    const char *over;          /* the sign of an operator that writes over input 0, as in "-=", else NULL */
    bool recording;            /* read once: an array's own code may enter or leave no_grad while it is converted */
    uint64_t raw, owned, lent; /* a bit each: still to convert; ours to let go; array memory */
    int real;                  /* dtype of the first real input, or -1 */
    unsigned dtypes;           /* those of the inputs that are promoted, a bit each */
    bool fraction;             /* a float without a width is among them: of Python, or in a list */
    int result;                /* what y[0] is cast to in the end, or -1: nothing */
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

/* Looks at the objects, and takes those that are tensors. */
void pnb_inputs_look(pnb_inputs *in);

/* Converts the others, and casts what is to be of one dtype with them. */
int pnb_inputs_settle(pnb_inputs *in);

/* Whether nothing is left for the above: all are tensors, those that are promoted of one real. */
static inline bool pnb_inputs_are_settled(const pnb_inputs *in)
{
    return !in->raw && (in->dtypes & (in->dtypes - 1)) == 0 && in->dtypes < 1u << PN_UINT8;
}

void pnb_inputs_let_go(pnb_inputs *in);

/* "x = x - y", for in->over "-=": the other way to write it. */
static inline const char *pnb_inputs_anew(const pnb_inputs *in, char *buffer, size_t size)
{
    PyOS_snprintf(buffer, size, "x = x %.*s y", (int)strlen(in->over) - 1, in->over);
    return buffer;
}

#endif
