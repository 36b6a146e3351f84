/* apply.c -- runs one op: its rule, the allocations that the rule declares, forward, and the node for backward. */
#include <string.h>

#include "graph/audit.h"
#include "graph/node.h"

static int check_count(const pn_op *op, int n_in, pn_error *err)
{
    if (n_in >= 1 && n_in <= PN_MAX_IN)
        return 0;
    return pn_fail(err, PN_EVALUE, "%s: takes 1 to %d tensors, got %d", op->name, PN_MAX_IN, n_in);
}

/* op->inputs holds names: "x weight bias?", or "tensors*" for one or more. */
static int check_arity(const pn_op *op, int n_in, pn_tensor *const *inputs, pn_error *err)
{
    int i = 0;
    for (const char *s = op->inputs; *s; i++) {
        const size_t length = strcspn(s, " ");
        if (s[length - 1] == '*')
            return check_count(op, n_in, err);
        if (s[length - 1] != '?' && (i >= n_in || !inputs[i]))
            return pn_fail(err, PN_EVALUE, "%s: input '%.*s' is missing", op->name, (int)length, s);
        s += length + (s[length] == ' ');
    }
    pn_assert(i <= PN_NAMED_IN);
    return n_in > i ? pn_fail(err, PN_EVALUE, "%s: takes at most %d inputs, got %d", op->name, i, n_in) : 0;
}

static pn_dtype real_of(const pn_call *call)
{
    const pn_op *op = call->op;
    if (op->real)
        return op->real(call);
    if (op->promotion == PN_EXACT || op->promotion == PN_COMPARED)
        return call->x[__builtin_ctzll(op->promotes)]->dtype;
    for (int i = 0; i < call->n_in; i++)
        if (call->x[i] && pn_dtype_is_real(call->x[i]->dtype))
            return call->x[i]->dtype;
    return PN_FLOAT32;
}

static bool overlap(const pn_view *a, const pn_view *b)
{
    const uintptr_t x = (uintptr_t)a->data, y = (uintptr_t)b->data;
    return x < y + pn_view_bytes(b) && y < x + pn_view_bytes(a);
}

/* An input that forward changes in place must not overlap the others, which kernels read at the same time. */
static int check_apart(const pn_call *call, int i, const char *name, pn_error *err)
{
    char other[64];
    for (int j = 0; j < call->n_in; j++)
        if (j != i && call->x[j] && call->x[j]->data && call->x[i]->data && overlap(call->x[i], call->x[j]))
            return pn_fail(err, PN_ESTATE, "%s: %s is changed in place, but shares memory with %s; give a copy",
                           call->op->name, name, pn_call_input_name(call, j, other, sizeof other));
    return 0;
}

/* Inputs that forward changes must be writable, without a gradient, and must not share memory with others. */
static int check_writes(const pn_call *call, pn_tensor *const *inputs, pn_error *err)
{
    for (int i = 0; i < call->n_in; i++) {
        if (!(call->writes_x >> i & 1) || !inputs[i])
            continue;
        char name[64];
        pn_call_input_name(call, i, name, sizeof name);
        if (pn_tensor_wants_grad(inputs[i]))
            return pn_fail(err, PN_ESTATE, "%s: %s is changed in place and can have no gradient; give a plain tensor",
                           call->op->name, name);
        if (inputs[i]->storage && inputs[i]->storage->readonly)
            return pn_fail(err, PN_ESTATE, "%s: %s is changed in place, but its memory is read-only; give a copy",
                           call->op->name, name);
        if (check_apart(call, i, name, err))
            return -1;
    }
    return 0;
}

static int fill_call(pn_call *call, pn_engine *engine, pn_tensor *const *inputs, bool record, pn_error *err)
{
    call->n_out = call->op->n_out;
    for (int i = 0; i < call->n_in; i++) {
        if (!inputs[i])
            continue;
        call->x[i] = &inputs[i]->v;
        call->wants[i] = record && call->op->differentiable && pn_tensor_wants_grad(inputs[i]);
        call->recording |= call->wants[i];
    }
    call->k = engine->kernels[real_of(call)];
    return call->op->rule(call, err) || check_writes(call, inputs, err) ? -1 : 0;
}

static pn_tensor *make_output(pn_engine *engine, const pn_call *call, int i, bool shape_only, pn_tensor *const *inputs,
                              pn_error *err)
{
    if (shape_only)
        return pn_tensor_shape_only(engine, &call->y[i], err);
    if (!call->alias || i > 0)
        return pn_tensor_new(engine, &call->y[i], err);
    const pn_tensor *x = inputs[call->alias - 1];
    const size_t item = pn_dtype_size(x->v.dtype);
    return pn_tensor_on(x->storage,
                        (size_t)((char *)x->v.data - (char *)x->storage->data) + (size_t)call->alias_offset * item,
                        &call->y[i], err);
}

/* Runs forward with its scratch.  Once the memory is allocated, only an interruption ends it early.  Empty outputs are
 * not computed, so that no kernel loops over rows without columns. */
static int run_forward(pn_engine *engine, pn_call *call, pn_error *err)
{
    const pn_op *op = call->op;
    if (!op->forward || !pn_call_has_values(call))
        return 0;
    void *own = pn_mem_get(engine->memory, PN_SCRATCH_BYTES, err);
    if (!own)
        return -1;
    if (call->forward_scratch && !(call->scratch = pn_mem_get(engine->memory, call->forward_scratch, err))) {
        pn_mem_put(own);
        return -1;
    }
    pn_stop stop = pn_engine_stop(engine);
    const pn_team team = { .pool = engine->pool,
                           .stop = call->writes_x ? NULL : &stop, /* a change in place is never left half done */
                           .scratch = own,
                           .flush = call->k->real == PN_FLOAT32 };
    call->team = &team;
    const unsigned mode = pn_float_enter(team.flush);
    const int failed = engine->audit ? pn_audit_forward(engine, call, err) : (op->forward(call), 0);
    pn_float_leave(mode);
    call->team = NULL;
    pn_mem_put(call->scratch);
    pn_mem_put(own);
    return stop.now ? pn_fail(err, PN_ESTOP, "%s: interrupted", op->name) : failed;
}

static void touch_written(const pn_call *call, pn_tensor *const *inputs)
{
    for (int i = 0; call->writes_x >> i; i++)
        if (call->writes_x >> i & 1 && inputs[i])
            pn_tensor_touch(inputs[i]);
}

/* The node becomes the origin of every real output. */
static void attach(pn_node *node, const pn_call *call, pn_tensor *const *inputs, pn_tensor **outputs)
{
    pn_node_keep(node, call, inputs, outputs);
    for (int i = 0; i < call->n_out; i++) {
        if (!pn_dtype_is_real(outputs[i]->v.dtype))
            continue;
        outputs[i]->node = pn_node_ref(node);
        outputs[i]->output = i;
    }
    pn_node_unref(node);
}

/* Clears the call except for the op and its parameters, then lets the rule fill it. */
static int prepare(pn_call *call, void *plan, pn_engine *engine, int n_in, pn_tensor *const *inputs, bool record,
                   pn_error *err)
{
    const pn_op *op = call->op;
    const void *params = call->params ? call->params : op->defaults;
    if (check_arity(op, n_in, inputs, err))
        return -1;
    pn_call_clear(call, n_in);
    call->op = op;
    call->params = params;
    call->plan = plan;
    return fill_call(call, engine, inputs, record, err);
}

int pn_apply(pn_engine *engine, const pn_op *op, int n_in, pn_tensor *const *inputs, const void *params, bool record,
             pn_tensor **outputs, pn_error *err)
{
    pn_call call;
    _Alignas(8) char plan[PN_MAX_PLAN_BYTES];
    call.op = op;
    call.params = params;
    if (prepare(&call, plan, engine, n_in, inputs, record, err))
        return -1;

    const bool shape_only = pn_call_shape_only(&call);
    pn_node *node = NULL;
    int made = 0;
    for (; made < call.n_out; made++) {
        outputs[made] = make_output(engine, &call, made, shape_only, inputs, err);
        if (!outputs[made])
            goto fail;
        call.y[made].data = outputs[made]->v.data;
    }
    if (shape_only)
        return 0;
    if (call.recording) {
        node = pn_node_new(engine, &call, inputs, err);
        if (!node)
            goto fail;
        call.saved = node->saved;
    }
    if (run_forward(engine, &call, err))
        goto fail;
    touch_written(&call, inputs);
    if (node)
        attach(node, &call, inputs, outputs);
    return 0;
fail:
    if (node)
        pn_node_unref(node);
    while (made > 0)
        pn_tensor_unref(outputs[--made]);
    return -1;
}

/* ---- in place ---------------------------------------------------------------------------------------------------- */

/* Whether the op may overwrite its input 0: the op allows it, and every other input is either the same memory or does
 * not overlap. */
static bool may_write_over(const pn_call *call)
{
    const pn_view *x = call->x[0];
    for (int i = 1; i < call->n_in; i++)
        if (call->x[i] && overlap(x, call->x[i]) && (call->x[i]->data != x->data || call->x[i]->size != x->size))
            return false;
    return call->op->in_place;
}

int pn_apply_over(pn_engine *engine, const pn_op *op, int n_in, pn_tensor *const *inputs, const void *params,
                  pn_error *err)
{
    pn_call call;
    _Alignas(8) char plan[PN_MAX_PLAN_BYTES];
    const pn_view *x = &inputs[0]->v, *y = &call.y[0];
    call.op = op;
    call.params = params;
    if (prepare(&call, plan, engine, n_in, inputs, false, err))
        return -1;
    if (!pn_view_same_shape(y, x) || y->dtype != x->dtype)
        return pn_fail(err, PN_ESHAPE, "%s: the result is %s %s, which cannot overwrite %s %s in place", op->name,
                       pn_dtype_name(y->dtype), pn_view_text(y).s, pn_dtype_name(x->dtype), pn_view_text(x).s);
    if (pn_call_shape_only(&call))
        return !inputs[0]->storage
                   ? 0
                   : pn_fail(err, PN_ESTATE, "%s: an input is shape-only, so there are no values to write", op->name);
    const bool direct = may_write_over(&call);
    pn_storage *own = direct ? NULL : pn_storage_new(engine, pn_view_bytes(x), err);
    if (!direct && !own)
        return -1;
    call.writes_x |= direct ? PN_KEEP_X(0) : 0;
    call.y[0].data = direct ? x->data : own->data;
    const int failed = run_forward(engine, &call, err);
    if (!failed && own)
        memcpy(x->data, own->data, pn_view_bytes(x));
    if (!failed)
        pn_tensor_touch(inputs[0]);
    pn_storage_unref(own);
    return failed;
}
