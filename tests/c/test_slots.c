/* test_slots.c -- the rule for slots (tensor.h): threads that freeze, compute, sweep, step and look at one moment. */
#include <pthread.h>

#include "graph/graph.h"
#include "harness.h"
#include "optim/optim.h"

enum { SEGMENTS = 6, LENGTH = 40, MOST = 8 };

static pn_engine *engine;
static pn_error error;
static pn_block *block;
static pn_tensor *leaves[SEGMENTS], *losses[MOST];
static pn_optimizer *optimizers[2]; /* of the block, of the leaves */
static atomic_int swept, stepped;

static size_t live(void) { return pn_memory_read_stats(engine->memory).live_blocks; }
static int rounds(void) { return harness_quick() ? 300 : 3000; }

static pn_tensor *apply(const pn_op *op, pn_tensor *x, pn_error *err)
{
    pn_tensor *y = NULL;
    return pn_apply(engine, op, 1, &x, NULL, true, &y, err) ? NULL : y;
}

/* sum(-x) over all of these, recorded: its backward reads no values. */
static pn_tensor *sum_of(pn_tensor *const *x, int n, pn_error *err)
{
    pn_tensor *parts[SEGMENTS] = { NULL }, *all = NULL, *loss = NULL;
    for (int i = 0; i < n; i++)
        parts[i] = apply(&pn_op_neg, x[i], err);
    if (pn_apply(engine, &pn_op_concat, n, parts, NULL, true, &all, err) == 0)
        loss = apply(&pn_op_sum, all, err);
    for (int i = 0; i < n; i++)
        pn_tensor_unref(parts[i]);
    pn_tensor_unref(all);
    return loss;
}

static void values_of_block(pn_tensor **x)
{
    for (int i = 0; i < SEGMENTS; i++)
        x[i] = block->segments[i].value;
}

static void open_all(void)
{
    engine = pn_engine_new(&(pn_engine_options){ .threads = 2 }, &error);
    pn_view shapes[SEGMENTS];
    pn_group groups[SEGMENTS] = { PN_GROUP_WEIGHT };
    for (int i = 0; i < SEGMENTS; i++) {
        pn_view_init(&shapes[i], PN_FLOAT32, 1, (pn_index[]){ LENGTH }, "test", &error);
        leaves[i] = pn_tensor_new(engine, &shapes[i], &error);
        memset(leaves[i]->v.data, 0, pn_view_bytes(&shapes[i]));
        pn_tensor_require_grad(leaves[i], &error);
    }
    block = pn_block_new(engine, PN_FLOAT32, SEGMENTS, shapes, groups, &error);
    const pn_optimizer_kind *sgd = pn_optimizer_find("sgd");
    optimizers[0] = pn_optimizer_new(engine, sgd, NULL, block, 0, NULL, &error);
    optimizers[1] = pn_optimizer_new(engine, sgd, NULL, NULL, SEGMENTS, leaves, &error);
    atomic_store(&swept, 0);
    atomic_store(&stepped, 0);
}

static void close_all(size_t before)
{
    CHECK_INT(live(), before);
    for (int i = 0; i < 2; i++)
        pn_optimizer_free(optimizers[i]);
    for (int i = 0; i < SEGMENTS; i++)
        pn_tensor_unref(leaves[i]);
    pn_block_unref(block);
    pn_engine_free(engine);
}

/* All at once, each on its own thread; NULL ends the list. */
static void together(void *(*const *work)(void *))
{
    pthread_t threads[MOST];
    int n = 0;
    for (; work[n]; n++)
        REQUIRE(pthread_create(&threads[n], NULL, work[n], (void *)&losses[n]) == 0);
    while (n > 0)
        pthread_join(threads[--n], NULL);
}

/* Whether it is the error of two threads that meet. */
static bool met(const pn_error *err)
{
    return CHECK(err->code == PN_ESTATE && strstr(err->text, "another thread") != NULL);
}

/* ---- freezing ---------------------------------------------------------------------------------------------------- */

static void *freeze_and_thaw(void *unused)
{
    (void)unused;
    for (int i = 0; i < 20 * rounds(); i++)
        pn_block_set_trainable(block, i % SEGMENTS, i % 4 < 2);
    return NULL;
}

static void *compute(void *unused)
{
    (void)unused;
    pn_error own;
    pn_tensor *x[SEGMENTS];
    values_of_block(x);
    for (int i = 0; i < rounds(); i++) {
        pn_tensor *loss = sum_of(x, SEGMENTS, &own);
        if (!CHECK(loss))
            return NULL;
        if (pn_tensor_wants_grad(loss) && pn_backward(loss, NULL, &own))
            met(&own);
        pn_tensor_unref(loss);
    }
    return NULL;
}

static void *look(void *unused)
{
    (void)unused;
    for (int i = 0; i < 20 * rounds(); i++) {
        pn_tensor *grad = NULL, *t = i % 2 ? leaves[i % SEGMENTS] : block->segments[i % SEGMENTS].value;
        if (pn_slot_look(t->slot, &grad) == 0)
            CHECK(t != block->segments[i % SEGMENTS].value || grad);
        pn_tensor_unref(grad);
    }
    return NULL;
}

TEST(parameters_are_frozen_and_thawed_while_others_compute)
{
    open_all();
    const size_t before = live();
    together((void *(*[])(void *)){ freeze_and_thaw, compute, compute, look, NULL });
    for (int i = 0; i < SEGMENTS; i++)
        pn_block_set_trainable(block, i, true);
    pn_tensor *x[SEGMENTS];
    values_of_block(x);
    pn_tensor *loss = sum_of(x, SEGMENTS, &error);
    CHECK_INT(pn_backward(loss, NULL, &error), 0); /* nothing stayed claimed */
    pn_tensor_unref(loss);
    for (int i = 0; i < SEGMENTS; i++)
        for (int j = 0; j < LENGTH; j++)
            CHECK_CLOSE(((float *)block->grads->data)[block->segments[i].offset + j], -1, 0);
    close_all(before);
}

/* ---- steps ------------------------------------------------------------------------------------------------------- */

static void *sweep(void *argument)
{
    pn_error own;
    pn_tensor *const *loss = argument;
    for (int i = 0; i < rounds(); i++) {
        if (pn_backward(*loss, &(pn_backward_options){ .keep_graph = true }, &own) == 0)
            atomic_fetch_add(&swept, 1);
        else
            met(&own);
    }
    return NULL;
}

static void *step(void *argument)
{
    pn_error own;
    pn_optimizer *o = optimizers[((pn_tensor **)argument - losses) % 2];
    for (int i = 0; i < rounds(); i++) {
        if (pn_optimizer_step(o, &own) == 0)
            atomic_fetch_add(&stepped, 1);
        else
            met(&own);
        CHECK(pn_optimizer_steps(o) <= rounds());
    }
    return NULL;
}

/* The gradients of single leaves are held by lookers, so sweeps replace them: a step may not read one that is gone. */
TEST(optimizers_step_while_others_sweep)
{
    open_all();
    pn_tensor *x[SEGMENTS];
    values_of_block(x);
    const size_t before = live();
    for (int i = 0; i < MOST; i++)
        losses[i] = sum_of(i % 2 ? leaves : x, SEGMENTS, &error);
    for (int i = 0; i < 2; i++)
        CHECK_INT(pn_backward(losses[i], &(pn_backward_options){ .keep_graph = true }, &error), 0);
    together((void *(*[])(void *)){ step, step, sweep, sweep, sweep, sweep, look, look, NULL });
    CHECK(atomic_load(&swept) + atomic_load(&stepped) > 0); /* who has the claim goes through */
    for (int i = 0; i < 2; i++)
        CHECK_INT(pn_optimizer_step(optimizers[i], &error), 0);
    CHECK_INT(pn_optimizer_steps(optimizers[0]) + pn_optimizer_steps(optimizers[1]), atomic_load(&stepped) + 2);
    const double expected = 0.01 * (double)pn_optimizer_steps(optimizers[1]);
    CHECK_CLOSE(*(float *)leaves[0]->v.data, expected, 1e-3 * expected); /* every step read -1 */
    for (int i = 0; i < MOST; i++)
        pn_tensor_unref(losses[i]);
    CHECK_INT(live(), before + 2 * SEGMENTS); /* the leaves' gradients: tensors and storage */
    close_all(before + 2 * SEGMENTS);
}

/* ---- gradients kept on request ----------------------------------------------------------------------------------- */

static void *keep(void *argument)
{
    pn_error own;
    pn_tensor *const *loss = argument;
    if (pn_keep_grad(*loss, &own))
        met(&own);
    return NULL;
}

static void *sweep_once(void *argument)
{
    pn_error own;
    if (pn_backward(*(pn_tensor **)argument, &(pn_backward_options){ .keep_graph = true }, &own))
        met(&own);
    return NULL;
}

TEST(a_gradient_is_asked_for_while_another_thread_sweeps)
{
    open_all();
    pn_tensor *x[SEGMENTS];
    values_of_block(x);
    const size_t before = live();
    for (int round = 0; round < rounds() / 10; round++) {
        losses[0] = sum_of(x, SEGMENTS, &error);
        for (int i = 1; i < 4; i++)
            losses[i] = losses[0];
        together((void *(*[])(void *)){ keep, sweep_once, keep, keep, NULL });
        CHECK_INT(pn_keep_grad(losses[0], &error), 0);
        CHECK_INT(pn_backward(losses[0], NULL, &error), 0);
        CHECK_CLOSE(*(float *)losses[0]->slot->grad->v.data, 1, 0);
        pn_tensor_unref(losses[0]);
    }
    close_all(before);
}

TESTS(parameters_are_frozen_and_thawed_while_others_compute, optimizers_step_while_others_sweep,
      a_gradient_is_asked_for_while_another_thread_sweeps)
