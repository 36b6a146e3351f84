/* plan.c -- the steps that run a network, planned once.
 *
 * The calls that pyneural/models/graph.py fuses are fused, so that gradients have the same bits, too. */
#include <string.h>

#include "model/network.h"

/* Whether the node before this one can be fused with it: a convolution that this pool alone reads. */
static bool fuses(const pn_network *net, const pn_model_node *node)
{
    const pn_model_node *source = node->in[0] > 0 ? &net->nodes[node->in[0] - 1] : NULL;
    for (int h = 0; h < net->n_heads; h++)
        if (net->heads[h].value == node->in[0])
            return false;
    return source && node->n_in == 1 && source->readers == 1 && !source->ends && source->instance == node->instance &&
           source->n_in == 1 && pn_layer_fuses(source->layer, node->layer);
}

typedef struct planner {
    pn_plan *plan;
    const pn_network *net;
    const pn_index *reads_value, *reads_logits; /* by node: the heads that take its output, its logits */
} planner;

static pn_model_step *add_step(const planner *p, pn_index node, pn_call_part part)
{
    pn_model_step *step = &p->plan->steps[p->plan->n_steps++];
    pn_model_node *of = &p->net->nodes[node];
    *step = (pn_model_step){ .node = of, .part = part, .n_in = of->n_in, .in = of->in, .makes = 1 + node };
    return step;
}

/* The calls that make a node's output and its logits, as far as they are needed; returns the value of the logits. */
static pn_index add_steps(const planner *p, pn_index i, pn_arena *arena, pn_error *err)
{
    const pn_network *net = p->net;
    const pn_model_node *node = &net->nodes[i];
    const bool logits = p->reads_logits[i] && pn_layer_has_logits(node->layer);
    const bool value = !logits || p->reads_value[i] || node->readers > 0;
    if (!logits) {
        pn_model_step *step = add_step(p, i, PN_CALL_WHOLE);
        if (fuses(net, node)) {
            step->pool = node->layer;
            step->node = &net->nodes[node->in[0] - 1];
            step->in = step->node->in;
        }
        return 1 + i;
    }
    pn_model_step *step = add_step(p, i, PN_CALL_LOGITS);
    if (!value)
        return 1 + i;
    pn_index *made = pn_arena_get(arena, sizeof *made, err);
    if (!made)
        return -1;
    *made = step->makes = 1 + net->n_nodes + i;
    step = add_step(p, i, PN_CALL_END);
    step->n_in = 1;
    step->in = made;
    return *made;
}

static void note_last(pn_plan *plan, int n_heads)
{
    for (pn_index s = 0; s < plan->n_steps; s++)
        for (int k = 0; k < plan->steps[s].n_in; k++)
            plan->last[plan->steps[s].in[k]] = s;
    for (int h = 0; h < n_heads; h++)
        plan->last[plan->heads[h]] = plan->n_steps;
}

int pn_plan_make(pn_plan *plan, const pn_network *net, pn_arena *arena, const bool *written, pn_error *err)
{
    const size_t nodes = (size_t)net->n_nodes;
    *plan = (pn_plan){ .n_steps = 0 };
    plan->steps = pn_arena_get(arena, 2 * nodes * sizeof *plan->steps, err);
    plan->last = plan->steps ? pn_arena_get(arena, (2 * nodes + 1) * sizeof *plan->last, err) : NULL;
    plan->heads = plan->last ? pn_arena_get(arena, (size_t)net->n_heads * sizeof *plan->heads, err) : NULL;
    pn_index *values = plan->heads ? pn_arena_get(arena, nodes * sizeof *values, err) : NULL;
    pn_index *logits = values ? pn_arena_get(arena, nodes * sizeof *logits, err) : NULL;
    pn_index *fused = logits ? pn_arena_get(arena, nodes * sizeof *fused, err) : NULL;
    if (!fused)
        return -1;
    for (int h = 0; h < net->n_heads; h++)
        (written[h] ? values : logits)[net->heads[h].value - 1]++;
    for (pn_index i = 0; i < net->n_nodes; i++)
        if (fuses(net, &net->nodes[i]))
            fused[net->nodes[i].in[0] - 1] = 1;
    const planner p = { plan, net, values, logits };
    for (pn_index i = 0; i < net->n_nodes; i++) {
        const pn_index made = fused[i] ? 0 : add_steps(&p, i, arena, err);
        if (made < 0)
            return -1;
        for (int h = 0; h < net->n_heads; h++)
            if (net->heads[h].value == 1 + i)
                plan->heads[h] = written[h] ? 1 + i : made;
    }
    note_last(plan, net->n_heads);
    return 0;
}

/* ---- running ----------------------------------------------------------------------------------------------------- */

static pn_tensor *run_step(const pn_model_step *step, const pn_pass *pass, pn_tensor *const *values, pn_error *err)
{
    enum { FEW = 8 };
    pn_tensor *few[FEW] = { NULL }, **x = few, *y;
    pn_pass own = *pass;
    own.stream = step->node->stream;
    if (step->n_in > FEW && !(x = pn_mem_get(pass->engine->memory, (size_t)step->n_in * sizeof(pn_tensor *), err)))
        return NULL;
    for (int k = 0; k < step->n_in; k++)
        x[k] = values[step->in[k]];
    if (step->pool)
        y = pn_layer_call_fused(step->node->layer, step->pool, &own, x[0], err);
    else
        y = pn_layer_call(step->node->layer, &own, step->part, step->n_in, x, err);
    if (x != few)
        pn_mem_put(x);
    return y;
}

int pn_plan_run(const pn_plan *plan, const pn_network *net, const pn_pass *pass, pn_tensor *x, pn_tensor **outputs,
                pn_error *err)
{
    const pn_index n = 2 * net->n_nodes + 1;
    int failed = 0;
    pn_tensor **values = pn_mem_get_zeroed(pass->engine->memory, (size_t)n * sizeof(pn_tensor *), err);
    if (!values)
        return -1;
    values[0] = pn_tensor_ref(x);
    for (pn_index s = 0; s < plan->n_steps && !failed; s++) {
        const pn_model_step *step = &plan->steps[s];
        failed = !(values[step->makes] = run_step(step, pass, values, err));
        for (int k = 0; k < step->n_in; k++) {
            pn_tensor **spent = &values[step->in[k]];
            if (plan->last[step->in[k]] == s) {
                pn_tensor_unref(*spent);
                *spent = NULL;
            }
        }
    }
    for (int h = 0; h < net->n_heads && !failed; h++)
        outputs[h] = pn_tensor_ref(values[plan->heads[h]]);
    for (pn_index i = 0; i < n; i++)
        pn_tensor_unref(values[i]);
    pn_mem_put(values);
    return failed ? -1 : 0;
}

int pn_network_build(pn_network *net, const pn_pass *pass, pn_error *err)
{
    pn_view v = { .data = NULL };
    pn_index shape[PN_MAX_DIMS] = { 1 };
    int failed = 0;
    memcpy(shape + 1, net->input.shape, (size_t)net->input.ndim * sizeof *shape);
    if (pn_view_init(&v, net->dtype, 1 + net->input.ndim, shape, "input_shape", err))
        return -1;
    pn_tensor **values = pn_mem_get_zeroed(pass->engine->memory, (size_t)(net->n_nodes + 1) * sizeof(pn_tensor *), err);
    if (!values)
        return -1;
    failed = !(values[0] = pn_tensor_shape_only(pass->engine, &v, err));
    for (pn_index i = 0; i < net->n_nodes && !failed; i++) {
        pn_model_node *node = &net->nodes[i];
        const pn_model_step step = { .node = node, .n_in = node->n_in, .in = node->in };
        failed = !(values[1 + i] = run_step(&step, pass, values, err));
        if (!failed)
            node->output = values[1 + i]->v;
    }
    for (pn_index i = 0; i <= net->n_nodes; i++)
        pn_tensor_unref(values[i]);
    pn_mem_put(values);
    return failed ? -1 : 0;
}
