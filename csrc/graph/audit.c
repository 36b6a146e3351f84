/* audit.c -- for tests: checks that an op's forward and backward do only what its rule declares.
 *
 * A suspect is memory whose contents must not matter.  The op is run with all suspects filled with one value, then with
 * another.  If the results differ, it is run once per suspect with only that one changed, to name the culprit. */
#include "graph/audit.h"

#include <string.h>

enum {
    GUARD = 64 << 10, /* bytes before and after scratch, at least; each holds GUARD_BYTE */
    GUARD_BYTE = 0xA5,
    REGIONS = PN_MAX_IN + 2 * PN_MAX_OUT,
    SUSPECTS = 2 * (PN_MAX_IN + PN_MAX_OUT) + 2,
    NONE = -1, /* instead of the index of a suspect */
    ALL = -2,
};

typedef enum { SCRATCH, TASK_SCRATCH, UNKEPT_X, UNKEPT_Y, FRESH_Y, FRESH_DX } suspect_kind;

typedef struct suspect {
    suspect_kind kind;
    int index; /* of the input or output */
    pn_dtype dtype;
    void *data; /* NULL: at offset `at` of the audit's memory, once that is allocated */
    size_t bytes, at;
} suspect;

/* Memory that the op writes.  A fresh region is also a suspect; the others are restored before each run. */
typedef struct region {
    void *data;
    bool fresh, compared;
    size_t bytes, before, result; /* before, result: offsets of copies */
} region;

typedef struct guarded {
    size_t bytes, at, behind;
} guarded;

typedef struct audit {
    pn_call *call;
    const char *direction; /* "forward" or "backward" */
    void (*compute)(const pn_call *);
    suspect suspects[SUSPECTS];
    region regions[REGIONS];
    int n_suspects, n_regions;
    guarded scratch, task, saved;
    char *memory;
    size_t total;
} audit;

/* ---- suspects and regions ---------------------------------------------------------------------------------------- */

static suspect *add_suspect(audit *a, suspect_kind kind, int index, const pn_view *v)
{
    suspect *s = &a->suspects[a->n_suspects++];
    *s = (suspect){ .kind = kind, .index = index };
    if (v) {
        s->dtype = v->dtype;
        s->bytes = pn_view_bytes(v);
    }
    return s;
}

/* Inputs and outputs whose data are not kept. */
static void add_unkept(audit *a)
{
    const pn_call *c = a->call;
    for (int i = 0; i < c->n_in; i++)
        if (c->x[i] && !c->x[i]->data)
            add_suspect(a, UNKEPT_X, i, c->x[i])->at = pn_part(&a->total, (pn_index)pn_view_bytes(c->x[i]), 1);
    for (int i = 0; i < c->n_out; i++)
        if (!c->y[i].data)
            add_suspect(a, UNKEPT_Y, i, &c->y[i])->at = pn_part(&a->total, (pn_index)pn_view_bytes(&c->y[i]), 1);
}

static void add_region(audit *a, void *data, size_t bytes, bool fresh, bool compared)
{
    region *r = &a->regions[a->n_regions++];
    *r = (region){ .data = data, .bytes = bytes, .fresh = fresh, .compared = compared };
    r->before = pn_part(&a->total, fresh ? 0 : (pn_index)bytes, 1);
    r->result = pn_part(&a->total, compared ? (pn_index)bytes : 0, 1);
}

/* Whether an output overlaps an input (a call in place), so that it is not fresh. */
static bool is_input(const pn_call *c, const pn_view *y)
{
    const uintptr_t begin = (uintptr_t)y->data, end = begin + pn_view_bytes(y);
    for (int i = 0; i < c->n_in; i++) {
        const uintptr_t x = c->x[i] ? (uintptr_t)c->x[i]->data : 0;
        if (x && x < end && begin < x + pn_view_bytes(c->x[i]))
            return true;
    }
    return false;
}

static void add_outputs(audit *a)
{
    const pn_call *c = a->call;
    for (int i = c->alias ? 1 : 0; i < c->n_out; i++) { /* forward does not write an alias */
        const bool fresh = !is_input(c, &c->y[i]);
        if (fresh)
            add_suspect(a, FRESH_Y, i, &c->y[i])->data = c->y[i].data;
        add_region(a, c->y[i].data, pn_view_bytes(&c->y[i]), fresh, true);
    }
    for (int i = 0; i < c->n_in; i++)
        if (c->x[i] && c->writes_x >> i & 1)
            add_region(a, c->x[i]->data, pn_view_bytes(c->x[i]), false, true);
}

static void add_gradients(audit *a)
{
    const pn_call *c = a->call;
    for (int i = 0; i < c->n_in; i++) {
        if (!c->dx[i])
            continue;
        const bool fresh = !c->add[i] && c->dx[i] != c->dy[0];
        if (fresh)
            add_suspect(a, FRESH_DX, i, c->x[i])->data = c->dx[i];
        add_region(a, c->dx[i], pn_view_bytes(c->x[i]), fresh, true);
    }
    if (c->owns_dy && c->dx[0] != c->dy[0])
        add_region(a, (void *)(uintptr_t)c->dy[0], pn_view_bytes(&c->y[0]), false, false);
}

static guarded add_guarded(audit *a, size_t bytes)
{
    guarded g = { .bytes = bytes, .behind = GUARD };
    for (int i = 0; i < a->n_regions; i++) /* undeclared scratch is usually as large as the results */
        g.behind += a->regions[i].bytes;
    pn_part(&a->total, GUARD, 1);
    g.at = pn_part(&a->total, (pn_index)bytes, 1);
    pn_part(&a->total, (pn_index)g.behind, 1);
    return g;
}

static void add_scratch(audit *a, size_t bytes)
{
    a->scratch = add_guarded(a, bytes);
    a->task = add_guarded(a, PN_SCRATCH_BYTES);
    suspect *scratch = add_suspect(a, SCRATCH, 0, NULL), *task = add_suspect(a, TASK_SCRATCH, 0, NULL);
    scratch->bytes = a->scratch.bytes;
    scratch->at = a->scratch.at;
    task->bytes = a->task.bytes;
    task->at = a->task.at;
}

/* ---- one run ----------------------------------------------------------------------------------------------------- */

/* Fills with zeros, or with another value that is also valid as an index. */
static void fill(const suspect *s, bool other)
{
    if (other && s->dtype == PN_INT64)
        for (size_t i = 0; i < s->bytes / sizeof(int64_t); i++)
            ((int64_t *)s->data)[i] = 1;
    else
        memset(s->data, other ? 0x3F : 0, s->bytes);
}

static void set_guard(const audit *a, const guarded *g)
{
    memset(a->memory + g->at - GUARD, GUARD_BYTE, GUARD);
    memset(a->memory + g->at + g->bytes, GUARD_BYTE, g->behind);
}

static int check_guard(const audit *a, const guarded *g, const char *what, pn_error *err)
{
    const unsigned char *begin = (unsigned char *)a->memory + g->at, *end = begin + g->bytes;
    bool whole = true;
    for (size_t i = 1; i <= GUARD; i++)
        whole &= begin[-(ptrdiff_t)i] == GUARD_BYTE;
    for (size_t i = 0; i < g->behind; i++)
        whole &= end[i] == GUARD_BYTE;
    return whole ? 0
                 : pn_fail(err, PN_ESTATE, "%s: %s writes outside the %zu bytes %s", a->call->op->name, a->direction,
                           g->bytes, what);
}

/* Runs the op with the other value in one suspect, in ALL, or in NONE. */
static int attempt(audit *a, int changed, pn_error *err)
{
    for (int i = 0; i < a->n_regions; i++)
        if (!a->regions[i].fresh)
            memcpy(a->regions[i].data, a->memory + a->regions[i].before, a->regions[i].bytes);
    for (int i = 0; i < a->n_suspects; i++)
        fill(&a->suspects[i], changed == ALL || changed == i);
    set_guard(a, &a->scratch);
    set_guard(a, &a->task);
    set_guard(a, &a->saved);
    a->compute(a->call);
    return check_guard(a, &a->scratch, "of scratch that its rule declares", err) ||
                   check_guard(a, &a->task, "of a task's scratch", err) ||
                   check_guard(a, &a->saved, "of saved memory that its rule declares", err)
               ? -1
               : 0;
}

static bool is_stopped(const audit *a) { return a->call->team->stop && a->call->team->stop->now; }

static bool same(const audit *a)
{
    for (int i = 0; i < a->n_regions; i++)
        if (a->regions[i].compared &&
            memcmp(a->regions[i].data, a->memory + a->regions[i].result, a->regions[i].bytes) != 0)
            return false;
    return true;
}

/* ---- the verdict ------------------------------------------------------------------------------------------------- */

static int blame(const audit *a, const suspect *s, pn_error *err)
{
    static const char *const sentences[] = {
        [SCRATCH] = "%s: %s reads scratch that it has not written",
        [TASK_SCRATCH] = "%s: %s runs a task that reads its scratch before writing it",
        [UNKEPT_X] = "%s: %s reads its input %s, which its rule does not keep (keep_x)",
        [UNKEPT_Y] = "%s: %s reads its output %s, which its rule does not keep (keep_y)",
        [FRESH_Y] = "%s: %s leaves some of its output %s unwritten",
        [FRESH_DX] = "%s: %s adds to the gradient of %s where it should write it, or leaves some of it unwritten",
    };
    char name[64] = { (char)('0' + s->index) };
    if (s->kind == UNKEPT_X || s->kind == FRESH_DX)
        pn_call_input_name(a->call, s->index, name, sizeof name);
    return pn_fail(err, PN_ESTATE, sentences[s->kind], a->call->op->name, a->direction, name);
}

static int judge(audit *a, pn_error *err)
{
    if (attempt(a, NONE, err))
        return -1;
    for (int i = 0; i < a->n_regions; i++)
        if (a->regions[i].compared)
            memcpy(a->memory + a->regions[i].result, a->regions[i].data, a->regions[i].bytes);
    if (attempt(a, ALL, err))
        return -1;
    if (same(a) || is_stopped(a))
        return 0;
    if (attempt(a, NONE, err))
        return -1;
    for (int i = 0; i < a->n_suspects && same(a); i++) {
        if (attempt(a, i, err))
            return -1;
        if (!same(a))
            return blame(a, &a->suspects[i], err);
    }
    return pn_fail(err, PN_ESTATE,
                   "%s: %s gives different results when it is run again: it changes memory that it should only read",
                   a->call->op->name, a->direction);
}

/* Points the call at the audit's memory, and saves the regions that each run restores. */
static void place(audit *a, pn_view *views, pn_team *team)
{
    pn_call *c = a->call;
    for (int i = 0; i < a->n_suspects; i++) {
        suspect *s = &a->suspects[i];
        if (!s->data)
            s->data = a->memory + s->at;
        if (s->kind == UNKEPT_X) {
            views[s->index] = *c->x[s->index];
            views[s->index].data = s->data;
            c->x[s->index] = &views[s->index];
        } else if (s->kind == UNKEPT_Y) {
            c->y[s->index].data = s->data;
        }
    }
    for (int i = 0; i < a->n_regions; i++)
        if (!a->regions[i].fresh)
            memcpy(a->memory + a->regions[i].before, a->regions[i].data, a->regions[i].bytes);
    *team = *c->team;
    team->scratch = a->memory + a->task.at;
    c->team = team;
    c->scratch = a->memory + a->scratch.at;
}

static int run(audit *a, pn_engine *engine, pn_error *err)
{
    const pn_call plain = *a->call;
    pn_view views[PN_MAX_IN];
    pn_team team;
    a->memory = pn_mem_get(engine->memory, a->total, err);
    if (!a->memory)
        return -1;
    place(a, views, &team);
    const bool forward = a->compute == plain.op->forward;
    if (forward && plain.recording)
        a->call->saved = a->memory + a->saved.at;
    const int failed = judge(a, err);
    if (forward && plain.saved)
        memcpy(plain.saved, a->call->saved, plain.saved_bytes);
    *a->call = plain;
    pn_mem_put(a->memory);
    return failed;
}

int pn_audit_forward(pn_engine *engine, pn_call *call, pn_error *err)
{
    audit a = { .call = call, .direction = "forward", .compute = call->op->forward };
    add_outputs(&a);
    add_scratch(&a, call->forward_scratch);
    a.saved = add_guarded(&a, call->saved_bytes);
    return run(&a, engine, err);
}

int pn_audit_backward(pn_engine *engine, pn_call *call, pn_error *err)
{
    audit a = { .call = call, .direction = "backward", .compute = call->op->backward };
    add_gradients(&a);
    add_unkept(&a);
    add_scratch(&a, call->backward_scratch);
    a.saved = add_guarded(&a, 0);
    return run(&a, engine, err);
}
