/* architecture.c -- the JSON description of a model as layers and nodes.
 *
 * A layer is {kind, config, name}, and `trainable` if it is frozen.  A Sequential also has `layers`; a Model has
 * `input` (a shape), `layers`, `nodes` ([layer, [nodes]] by number; node 0 is the input) and `outputs` (the number of a
 * node, or [name, number] for each head).  Further uses of a layer are {same: path}.
 * (pyneural/files/architecture.py.)
 *
 * A model inside a model is unrolled: its nodes are copied for each call, and its layers are shared. */
#include <stdio.h>
#include <string.h>

#include "base/rng.h"
#include "model/network.h"
#include "model/setting.h"

enum { MOST_PARTS = 10000, MOST_NODES = 100000, DEEPEST = 100 };

typedef struct part part;

/* A call in the graph of one model. */
typedef struct vertex {
    part *made_by;
    int n_in;
    pn_index *in;
    bool read;
} vertex;

/* A layer, or a model with parts of its own. */
struct part {
    part *next;       /* of all parts */
    const char *path; /* as in the file: "/block_1/dense_2", "" for the whole model */
    pn_layer layer;
    bool is_model, complete; /* complete: it and its parts have been read */
    int depth;               /* 1 + the most of its parts */
    bool has_input;          /* the file has the shape of its input */
    pn_view input;
    pn_index n_vertices;
    vertex *vertices;
    int n_heads;
    pn_network_head *heads; /* value: number in vertices, from 1 */
};

typedef struct reader {
    pn_pass *pass;
    pn_network *network;
    part *parts; /* the newest first */
    pn_index n_parts, instances, room;
} reader;

/* A path for messages: "block_1/dense_2". */
static const char *shown(const char *path) { return *path ? path + 1 : "the model"; }

static int damaged(const char *path, const char *what, pn_error *err)
{
    return pn_fail(err, PN_EVALUE, "%s: its description of the model is damaged (%s)", shown(path), what);
}

/* The number of elements of a list, whose first one the cursor goes to; -1 if it is none. */
static pn_index count(pn_json list)
{
    pn_index n = 0;
    bool first = true;
    if (!pn_json_open(&list, '['))
        return -1;
    for (int more; (more = pn_json_more(&list, ']', &first)) != 0; n++)
        if (more < 0 || pn_json_skip(&list))
            return -1;
    return n;
}

/* The member of that name as a list: the cursor stands behind its bracket. */
static pn_index open_member(const pn_json *object, const char *name, pn_json *list)
{
    if (!pn_json_get(object, name, list))
        return -1;
    const pn_index n = count(*list);
    (void)pn_json_open(list, '[');
    return n;
}

static void next(pn_json *list, bool first) { (void)pn_json_more(list, ']', &first); }

/* ---- parts ------------------------------------------------------------------------------------------------------- */

static part *find_part(const reader *r, const char *path)
{
    for (part *p = r->parts; p; p = p->next)
        if (strcmp(p->path, path) == 0)
            return p;
    return NULL;
}

static int read_model(reader *r, part *p, pn_json json, bool sequential, pn_error *err);

static int read_name(reader *r, const char *parent, pn_json json, part *p, pn_error *err)
{
    pn_json value;
    char *name;
    if (!pn_json_get(&json, "name", &value) || pn_json_text(&value, r->pass->arena, &name, err) || !*name ||
        strchr(name, '/'))
        return damaged(parent, "a layer has no name", err);
    const size_t room = strlen(parent) + strlen(name) + 2;
    char *path = pn_arena_get(r->pass->arena, room, err);
    if (!path)
        return -1;
    snprintf(path, room, "%s/%s", parent, name);
    p->path = path;
    p->layer.name = name;
    return find_part(r, path) ? damaged(parent, "two layers have one name", err) : 0;
}

static int read_kind(const part *p, pn_json json, char *kind, size_t size, pn_error *err)
{
    pn_json value;
    if (pn_json_get(&json, "kind", &value) && pn_json_string(&value, kind, size) == 0)
        return 0;
    return damaged(p->path, "a layer has no kind", err);
}

/* What p->path names: a model with its parts, or a layer with its arguments. */
static int read_part(reader *r, part *p, pn_json json, pn_error *err)
{
    char kind[64];
    pn_json value;
    if (read_kind(p, json, kind, sizeof kind, err))
        return -1;
    if (r->n_parts++ == MOST_PARTS)
        return pn_fail(err, PN_EVALUE, "the model has more than %d layers", MOST_PARTS);
    p->next = r->parts;
    r->parts = p;
    p->is_model = strcmp(kind, "Sequential") == 0 || strcmp(kind, "Model") == 0;
    if (p->is_model)
        return read_model(r, p, json, strcmp(kind, "Sequential") == 0, err);
    p->layer.kind = pn_layer_kind_find(kind);
    if (!p->layer.kind)
        return pn_fail(err, PN_EVALUE, "%s: it contains the custom layer %s, which only Python has", shown(p->path),
                       kind);
    if (!pn_json_get(&json, "config", &p->layer.config))
        return damaged(p->path, "a layer has no arguments", err);
    p->layer.path = shown(p->path);
    p->layer.trainable = !pn_json_get(&json, "trainable", &value) || !pn_json_word(&value, "false");
    r->network->n_layers++;
    return pn_layer_read(&p->layer, r->pass, err);
}

/* An element of `layers`: a new part, or one that was read before. */
static part *read_child(reader *r, const part *parent, pn_json json, pn_error *err)
{
    pn_json value;
    char *same;
    if (pn_json_get(&json, "same", &value)) {
        if (pn_json_text(&value, r->pass->arena, &same, err))
            return damaged(parent->path, "same is not a path", err), NULL;
        part *found = find_part(r, same);
        if (found && found->complete)
            return found;
        damaged(parent->path, "same is not the path of a layer before it", err);
        return NULL;
    }
    part *p = pn_arena_get(r->pass->arena, sizeof *p, err);
    if (!p || read_name(r, parent->path, json, p, err) || read_part(r, p, json, err))
        return NULL;
    p->complete = true;
    return p;
}

/* ---- the graph of one model -------------------------------------------------------------------------------------- */

/* Layers one after another. */
static int read_chain(reader *r, part *p, part *const *children, pn_index n, pn_error *err)
{
    pn_arena *arena = r->pass->arena;
    p->n_vertices = n;
    p->n_heads = 1;
    p->heads = pn_arena_get(arena, sizeof *p->heads, err);
    p->vertices = p->heads ? pn_arena_get(arena, (size_t)n * sizeof *p->vertices, err) : NULL;
    pn_index *numbers = p->vertices ? pn_arena_get(arena, (size_t)n * sizeof *numbers, err) : NULL;
    if (!numbers)
        return -1;
    p->heads[0] = (pn_network_head){ .name = "", .value = n };
    for (pn_index i = 0; i < n; i++) {
        numbers[i] = i;
        p->vertices[i] = (vertex){ .made_by = children[i], .n_in = 1, .in = &numbers[i] };
    }
    return 0;
}

/* A whole number from 0 to below `limit`. */
static int read_number(pn_json *j, pn_index limit, pn_index *out)
{
    return pn_json_size(j, out) || *out >= limit ? -1 : 0;
}

/* [layer, [nodes]], for vertex number i, which may read those before it. */
static int read_vertex(reader *r, part *p, pn_index i, part *const *children, pn_index n, pn_json json, pn_error *err)
{
    vertex *v = &p->vertices[i];
    pn_index child;
    bool first = true;
    if (count(json) != 2)
        return -1;
    (void)pn_json_open(&json, '[');
    next(&json, true);
    if (read_number(&json, n, &child))
        return -1;
    v->made_by = children[child];
    next(&json, false);
    const pn_index inputs = count(json);
    if (inputs < 1 || inputs > MOST_NODES)
        return -1;
    v->n_in = (int)inputs;
    v->in = pn_arena_get(r->pass->arena, (size_t)inputs * sizeof *v->in, err);
    if (!v->in || !pn_json_open(&json, '['))
        return -1;
    for (pn_index k = 0; pn_json_more(&json, ']', &first) == 1; k++) {
        if (read_number(&json, i + 1, &v->in[k]))
            return -1;
        if (v->in[k] > 0)
            p->vertices[v->in[k] - 1].read = true;
    }
    return 0;
}

/* A node's number, or [name, number] for each head. */
static int read_heads(reader *r, part *p, pn_json json, pn_error *err)
{
    pn_json list;
    pn_index n = open_member(&json, "outputs", &list);
    const bool one = n < 0;
    if (one && !pn_json_get(&json, "outputs", &list))
        return -1;
    p->n_heads = one ? 1 : (int)pn_min(n, MOST_NODES);
    p->heads = pn_arena_get(r->pass->arena, (size_t)p->n_heads * sizeof *p->heads, err);
    if (!p->heads || p->n_heads == 0)
        return -1;
    for (int i = 0; i < p->n_heads; i++) {
        pn_json pair = list;
        char *name = NULL;
        if (!one) {
            next(&list, i == 0);
            pair = list;
            if (count(pair) != 2 || !pn_json_open(&pair, '['))
                return -1;
            next(&pair, true);
            if (pn_json_text(&pair, r->pass->arena, &name, err) || !*name)
                return -1;
            next(&pair, false);
            (void)pn_json_skip(&list);
        }
        p->heads[i].name = one ? "" : name;
        if (read_number(&pair, p->n_vertices + 1, &p->heads[i].value) || p->heads[i].value == 0)
            return -1;
        p->vertices[p->heads[i].value - 1].read = true;
    }
    return 0;
}

static int read_input(part *p, pn_dtype dtype, pn_json json)
{
    pn_json value;
    pn_list shape;
    if (!pn_json_get(&json, "input", &value) || pn_setting_list(value, &shape) || shape.n >= PN_MAX_DIMS)
        return -1;
    for (int i = 0; i < shape.n; i++)
        if (shape.v[i] < 1)
            return -1;
    p->has_input = true;
    return pn_view_init(&p->input, dtype, shape.n, shape.v, "input", NULL);
}

static int read_graph(reader *r, part *p, part *const *children, pn_index n, pn_json json, pn_error *err)
{
    pn_json list;
    const pn_index vertices = open_member(&json, "nodes", &list);
    if (vertices < 1 || vertices > MOST_NODES || read_input(p, r->network->dtype, json))
        return damaged(p->path, "it has no nodes or no input", err);
    p->n_vertices = vertices;
    p->vertices = pn_arena_get(r->pass->arena, (size_t)vertices * sizeof *p->vertices, err);
    if (!p->vertices)
        return -1;
    for (pn_index i = 0; i < vertices; i++) {
        next(&list, i == 0);
        if (read_vertex(r, p, i, children, n, list, err))
            return damaged(p->path, "a node is not [layer, [nodes before it]]", err);
        (void)pn_json_skip(&list);
    }
    if (read_heads(r, p, json, err))
        return damaged(p->path, "its outputs are not nodes", err);
    for (pn_index i = 0; i < vertices; i++)
        if (!p->vertices[i].read)
            return damaged(p->path, "a node is not used", err);
    return 0;
}

static int read_model(reader *r, part *p, pn_json json, bool sequential, pn_error *err)
{
    pn_json list;
    const pn_index n = open_member(&json, "layers", &list);
    if (n < 1 || n > MOST_NODES)
        return damaged(p->path, "it has no layers", err);
    part **children = pn_arena_get(r->pass->arena, (size_t)n * sizeof(part *), err);
    for (pn_index i = 0; i < n; i++) {
        next(&list, i == 0);
        if (!children || !(children[i] = read_child(r, p, list, err)))
            return -1;
        (void)pn_json_skip(&list);
        if (children[i]->depth >= p->depth)
            p->depth = children[i]->depth + 1;
    }
    if (p->depth > DEEPEST)
        return pn_fail(err, PN_EVALUE, "more than %d models are inside one another", DEEPEST);
    return sequential ? read_chain(r, p, children, n, err) : read_graph(r, p, children, n, json, err);
}

/* ---- unrolling --------------------------------------------------------------------------------------------------- */

/* Appends the nodes of one call of a model, for an input value; returns the values of its vertices, from 1. */
static pn_index *unroll(reader *r, part *p, pn_index input, pn_error *err);

/* Room for one more node. */
static int make_room(reader *r, pn_error *err)
{
    pn_network *net = r->network;
    if (net->n_nodes < r->room)
        return 0;
    if (net->n_nodes == MOST_NODES)
        return pn_fail(err, PN_EVALUE, "the model calls more than %d layers", MOST_NODES);
    r->room = pn_min(pn_max(64, 2 * r->room), MOST_NODES);
    pn_model_node *nodes = pn_arena_get(r->pass->arena, (size_t)r->room * sizeof *nodes, err);
    if (!nodes)
        return -1;
    if (net->n_nodes > 0)
        memcpy(nodes, net->nodes, (size_t)net->n_nodes * sizeof *nodes);
    net->nodes = nodes;
    return 0;
}

static int append(reader *r, const vertex *v, const pn_index *values, pn_index instance, pn_index *made, pn_error *err)
{
    pn_network *net = r->network;
    if (make_room(r, err))
        return -1;
    pn_index *in = pn_arena_get(r->pass->arena, (size_t)v->n_in * sizeof *in, err);
    if (!in)
        return -1;
    for (int k = 0; k < v->n_in; k++) {
        in[k] = values[v->in[k]];
        if (in[k] > 0)
            net->nodes[in[k] - 1].readers++;
    }
    net->nodes[net->n_nodes++] =
        (pn_model_node){ .layer = &v->made_by->layer, .n_in = v->n_in, .in = in, .instance = instance };
    *made = net->n_nodes;
    return 0;
}

static int unroll_inner(reader *r, const vertex *v, const pn_index *values, pn_index *made, pn_error *err)
{
    part *inner = v->made_by;
    if (v->n_in != 1 || inner->n_heads != 1 || *inner->heads[0].name)
        return damaged(inner->path, "a model inside a model has one input and one output", err);
    const pn_index *inside = unroll(r, inner, values[v->in[0]], err);
    if (!inside)
        return -1;
    *made = inside[inner->heads[0].value];
    return 0;
}

static pn_index *unroll(reader *r, part *p, pn_index input, pn_error *err)
{
    const pn_index instance = r->instances++;
    pn_index *values = pn_arena_get(r->pass->arena, (size_t)(p->n_vertices + 1) * sizeof *values, err);
    if (!values)
        return NULL;
    values[0] = input;
    for (pn_index i = 0; i < p->n_vertices; i++) {
        const vertex *v = &p->vertices[i];
        if (v->made_by->is_model ? unroll_inner(r, v, values, &values[1 + i], err)
                                 : append(r, v, values, instance, &values[1 + i], err))
            return NULL;
    }
    for (int i = 0; i < p->n_heads; i++)
        r->network->nodes[values[p->heads[i].value] - 1].ends = true;
    return values;
}

/* Each call of a dropout layer in a batch has random numbers of its own. */
static int set_streams(pn_network *net, pn_error *err)
{
    for (pn_index i = 0; i < net->n_nodes; i++) {
        pn_layer *layer = net->nodes[i].layer;
        char name[4096];
        const pn_index calls = layer->calls++;
        const int used = calls ? snprintf(name, sizeof name, "%s#%td", layer->path, calls)
                               : snprintf(name, sizeof name, "%s", layer->path);
        if (used < 0 || used >= (int)sizeof name)
            return pn_fail(err, PN_EVALUE, "the path of a layer is longer than %d bytes", (int)sizeof name);
        net->nodes[i].stream = pn_rng_stream(name);
    }
    return 0;
}

static int read_dtype(pn_network *network, const pn_json *description, pn_error *err)
{
    pn_json config, value;
    char word[16] = "float32";
    if (pn_json_get(description, "config", &config) && pn_json_get(&config, "dtype", &value) &&
        pn_json_string(&value, word, sizeof word))
        return damaged("", "its dtype", err);
    network->dtype = strcmp(word, "float64") == 0 ? PN_FLOAT64 : PN_FLOAT32;
    return network->dtype == PN_FLOAT64 || strcmp(word, "float32") == 0 ? 0 : damaged("", "its dtype", err);
}

/* The layers in the order of the description; the parts are in the opposite one. */
static int list_layers(const reader *r, pn_error *err)
{
    pn_network *net = r->network;
    pn_index i = net->n_layers;
    net->layers = pn_arena_get(r->pass->arena, (size_t)i * sizeof *net->layers, err);
    if (!net->layers)
        return -1;
    for (part *p = r->parts; p; p = p->next)
        if (!p->is_model)
            net->layers[--i] = &p->layer;
    return 0;
}

int pn_network_read(pn_network *network, pn_pass *pass, pn_json description, pn_error *err)
{
    reader r = { .pass = pass, .network = network };
    part *whole = pn_arena_get(pass->arena, sizeof *whole, err);
    *network = (pn_network){ .n_layers = 0 };
    if (!whole || read_dtype(network, &description, err))
        return -1;
    pass->dtype = network->dtype;
    whole->path = "";
    if (read_part(&r, whole, description, err))
        return -1;
    const pn_index *values = whole->is_model ? unroll(&r, whole, 0, err) : NULL;
    if (!values)
        return whole->is_model ? -1 : damaged("", "it is a layer", err);
    network->n_heads = whole->n_heads;
    network->heads = whole->heads;
    for (int i = 0; i < whole->n_heads; i++)
        network->heads[i].value = values[whole->heads[i].value];
    network->has_input = whole->has_input;
    network->input = whole->input;
    return list_layers(&r, err) || set_streams(network, err) ? -1 : 0;
}
