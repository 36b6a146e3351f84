/* test_graph.c -- tensors, blocks, nodes and the sweep, without an interpreter. */
#include <pthread.h>

#include "graph/graph.h"
#include "harness.h"
#include "tensor/block.h"

/* ---- words ------------------------------------------------------------------------------------------------------- */

static pn_engine *engine;
static pn_error error;

static void open_engine(void) { engine = pn_engine_new(&(pn_engine_options){ .threads = 2 }, &error); }

/* Every test ends with nothing alive but what the engine itself holds. */
static size_t live(void) { return pn_memory_read_stats(engine->memory).live_blocks; }

static pn_tensor *vector(pn_index n, const double *values, bool grad)
{
    pn_view shape;
    pn_view_init(&shape, PN_FLOAT64, 1, &n, "test", &error);
    pn_tensor *t = pn_tensor_new(engine, &shape, &error);
    for (pn_index i = 0; i < n; i++)
        ((double *)t->v.data)[i] = values[i];
    if (grad)
        pn_tensor_require_grad(t, &error);
    return t;
}

static pn_tensor *scalar(double value, bool grad)
{
    pn_view shape;
    pn_view_init(&shape, PN_FLOAT64, 0, NULL, "test", &error);
    pn_tensor *t = pn_tensor_new(engine, &shape, &error);
    *(double *)t->v.data = value;
    if (grad)
        pn_tensor_require_grad(t, &error);
    return t;
}

static pn_tensor *apply2(const pn_op *op, pn_tensor *a, pn_tensor *b)
{
    pn_tensor *y = NULL;
    return pn_apply(engine, op, b ? 2 : 1, (pn_tensor *[]){ a, b }, NULL, true, &y, &error) ? NULL : y;
}

/* The same, letting go of a. */
static pn_tensor *then(const pn_op *op, pn_tensor *a, pn_tensor *b)
{
    pn_tensor *y = apply2(op, a, b);
    pn_tensor_unref(a);
    return y;
}

static double value(const pn_tensor *t, pn_index i) { return ((const double *)t->v.data)[i]; }
static double gradient(const pn_tensor *t, pn_index i)
{
    return t->slot && t->slot->grad ? value(t->slot->grad, i) : (double)NAN;
}

/* ---- gradients -------------------------------------------------------------------------------------------------- */

TEST(a_square_has_twice_its_root_as_gradient)
{
    open_engine();
    const size_t before = live();
    pn_tensor *x = vector(3, (double[]){ 1, -2, 3 }, true);
    pn_tensor *loss = then(&pn_op_sum, apply2(&pn_op_mul, x, x), NULL);
    REQUIRE(loss);
    CHECK_CLOSE(value(loss, 0), 14, 0);
    CHECK_INT(pn_backward(loss, NULL, &error), 0);
    for (pn_index i = 0; i < 3; i++)
        CHECK_CLOSE(gradient(x, i), 2 * value(x, i), 0);
    pn_tensor_unref(loss);
    pn_tensor_unref(x);
    CHECK_INT(live(), before);
    pn_engine_free(engine);
}

/* x + x hands one buffer on twice; s is then used once more, so what was handed on must not be added to in place. */
TEST(a_handed_on_buffer_is_copied_before_it_is_added_to)
{
    open_engine();
    pn_tensor *x = vector(2, (double[]){ 3, 5 }, true);
    pn_tensor *e = apply2(&pn_op_mul, x, x); /* e = x^2 */
    pn_tensor *s = apply2(&pn_op_add, e, e); /* s = 2 x^2 */
    pn_tensor *t = apply2(&pn_op_add, s, e); /* t = 3 x^2 */
    pn_tensor *u = apply2(&pn_op_mul, t, s); /* u = 6 x^4, du = 24 x^3 */
    pn_tensor *loss = apply2(&pn_op_sum, u, NULL);
    CHECK_INT(pn_keep_grad(s, &error), 0);
    CHECK_INT(pn_backward(loss, NULL, &error), 0);
    CHECK_CLOSE(gradient(x, 0), 24 * 27, 1e-9);
    CHECK_CLOSE(gradient(x, 1), 24 * 125, 1e-9);
    CHECK_CLOSE(gradient(s, 0), 27 + 18, 1e-9); /* du/ds = t + s (through t) */
    pn_tensor *all[] = { x, e, s, t, u, loss };
    for (int i = 0; i < 6; i++)
        pn_tensor_unref(all[i]);
    CHECK_INT(pn_memory_read_stats(engine->memory).live_bytes > 0, 1);
    pn_engine_free(engine);
}

TEST(gradients_are_replaced_or_accumulated_as_asked)
{
    open_engine();
    pn_tensor *x = scalar(3, true);
    for (int round = 0; round < 3; round++) {
        pn_tensor *loss = apply2(&pn_op_mul, x, x);
        CHECK_INT(pn_backward(loss, &(pn_backward_options){ .accumulate = round == 2 }, &error), 0);
        CHECK_CLOSE(gradient(x, 0), round == 2 ? 12 : 6, 0);
        pn_tensor_unref(loss);
    }
    pn_tensor_unref(x);
    pn_engine_free(engine);
}

TEST(a_second_backward_says_that_the_graph_was_freed)
{
    open_engine();
    pn_tensor *x = scalar(3, true), *loss = apply2(&pn_op_mul, x, x);
    CHECK_INT(pn_backward(loss, &(pn_backward_options){ .keep_graph = true }, &error), 0);
    CHECK_INT(pn_backward(loss, NULL, &error), 0);
    CHECK_INT(pn_backward(loss, NULL, &error), -1);
    CHECK(strstr(error.text, "freed by an earlier backward") != NULL);
    pn_tensor_unref(loss);
    pn_tensor_unref(x);
    pn_engine_free(engine);
}

TEST(a_change_in_place_between_forward_and_backward_is_caught)
{
    open_engine();
    pn_tensor *x = scalar(3, true), *loss = apply2(&pn_op_mul, x, x);
    pn_tensor_touch(x);
    CHECK_INT(pn_backward(loss, NULL, &error), -1);
    CHECK(strstr(error.text, "changed in place") != NULL && strstr(error.text, "mul") != NULL);
    pn_tensor_unref(loss);
    pn_tensor_unref(x);
    pn_engine_free(engine);
}

/* ---- in place ---------------------------------------------------------------------------------------------------- */

TEST(a_result_is_written_over_its_first_input)
{
    open_engine();
    pn_tensor *x = vector(3, (double[]){ 1, 2, 3 }, true), *y = vector(3, (double[]){ 10, 20, 30 }, false);
    pn_tensor *loss = apply2(&pn_op_mul, x, x); /* whose gradient reads x */
    const unsigned version = atomic_load(&x->storage->version);
    const uint64_t requests = pn_memory_read_stats(engine->memory).requests;
    CHECK_INT(pn_apply_over(engine, &pn_op_sub, 2, (pn_tensor *[]){ x, y }, NULL, &error), 0);
    CHECK_INT(pn_memory_read_stats(engine->memory).requests - requests, 1); /* the team's scratch */
    CHECK_CLOSE(value(x, 2), -27, 0);
    CHECK(atomic_load(&x->storage->version) != version && x->slot && !x->node);
    CHECK_INT(pn_backward(loss, &(pn_backward_options){ .seed = y }, &error), -1);
    CHECK(strstr(error.text, "changed in place") != NULL);
    pn_tensor_unref(loss);
    pn_tensor_unref(y);
    pn_tensor_unref(x);
    pn_engine_free(engine);
}

TEST(an_input_that_overlaps_is_read_whole_before_it_is_written_over)
{
    open_engine();
    pn_tensor *all = vector(5, (double[]){ 1, 2, 3, 4, 5 }, false);
    pn_view four;
    pn_view_init(&four, PN_FLOAT64, 1, &(pn_index){ 4 }, "test", &error);
    pn_tensor *head = pn_tensor_on(all->storage, 0, &four, &error);
    pn_tensor *tail = pn_tensor_on(all->storage, sizeof(double), &four, &error);
    CHECK_INT(pn_apply_over(engine, &pn_op_add, 2, (pn_tensor *[]){ tail, head }, NULL, &error), 0);
    for (int i = 1; i < 5; i++)
        CHECK_CLOSE(value(all, i), 2 * i + 1, 0);
    CHECK_INT(pn_apply_over(engine, &pn_op_mul, 2, (pn_tensor *[]){ head, head }, NULL, &error), 0);
    CHECK_CLOSE(value(all, 3), 49, 0);
    CHECK_INT(pn_apply_over(engine, &pn_op_mul, 2, (pn_tensor *[]){ head, all }, NULL, &error), -1);
    pn_tensor_unref(tail);
    pn_tensor_unref(head);
    pn_tensor_unref(all);
    pn_engine_free(engine);
}

TEST(a_result_that_does_not_fit_is_written_nowhere)
{
    open_engine();
    pn_tensor *x = scalar(3, false), *y = vector(2, (double[]){ 1, 2 }, false);
    CHECK_INT(pn_apply_over(engine, &pn_op_mul, 2, (pn_tensor *[]){ x, y }, NULL, &error), -1);
    CHECK(strstr(error.text, "mul: the result is float64 (2,), which cannot overwrite float64 () in place") != NULL);
    CHECK_CLOSE(value(x, 0), 3, 0);
    pn_tensor_unref(y);
    pn_tensor_unref(x);
    pn_engine_free(engine);
}

/* ---- blocks ------------------------------------------------------------------------------------------------------ */

TEST(unreached_parameters_of_a_block_get_zero_gradients)
{
    open_engine();
    const size_t before = live();
    pn_view shapes[3];
    const pn_group groups[3] = { PN_GROUP_WEIGHT, PN_GROUP_BIAS, PN_GROUP_WEIGHT };
    for (pn_index i = 0; i < 3; i++)
        pn_view_init(&shapes[i], PN_FLOAT64, 1, (pn_index[]){ 5 + i }, "test", &error);
    pn_block *block = pn_block_new(engine, PN_FLOAT64, 3, shapes, groups, &error);
    REQUIRE(block);
    for (pn_index i = 0; i < block->length; i++)
        ((double *)block->grads->data)[i] = 7;
    pn_tensor *loss = apply2(&pn_op_sum, block->segments[1].value, NULL);
    CHECK_INT(pn_backward(loss, NULL, &error), 0);
    for (pn_index i = 0; i < 3; i++)
        for (pn_index j = 0; j < 5; j++)
            CHECK_CLOSE(gradient(block->segments[i].value, j), i == 1, 0);
    pn_block_set_trainable(block, 1, false);
    CHECK(!pn_tensor_wants_grad(block->segments[1].value));
    pn_block_set_trainable(block, 1, true);
    CHECK(pn_tensor_wants_grad(block->segments[1].value));
    pn_tensor_unref(loss);
    pn_block_unref(block);
    CHECK_INT(live(), before);
    pn_engine_free(engine);
}

/* ---- depth, memory, threads -------------------------------------------------------------------------------------- */

static pn_tensor *chain(pn_tensor *x, int length)
{
    pn_tensor *y = pn_tensor_ref(x);
    for (int i = 0; i < length && y; i++)
        y = then(&pn_op_neg, y, NULL);
    return y;
}

static void *walk_a_long_chain(void *argument)
{
    const int length = harness_quick() ? 100000 : 1000000;
    pn_tensor *x = argument, *loss = chain(x, length);
    CHECK_INT(pn_backward(loss, NULL, &error), 0);
    CHECK_CLOSE(gradient(x, 0), length % 2 ? -1 : 1, 0);
    pn_tensor_unref(loss);
    pn_tensor_unref(chain(x, length)); /* freed without a backward, too */
    return NULL;
}

TEST(a_chain_of_a_million_nodes_lives_and_dies_on_a_small_stack)
{
    open_engine();
    pn_tensor *x = scalar(1, true);
    const size_t before = live();
    pthread_attr_t small;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, harness_sanitized() ? 1 << 20 : 1 << 16);
    pthread_t thread;
    REQUIRE(pthread_create(&thread, &small, walk_a_long_chain, x) == 0);
    pthread_join(thread, NULL);
    pthread_attr_destroy(&small);
    CHECK_INT(live(), before + 2); /* x's gradient: tensor and storage */
    pn_tensor_unref(x);
    pn_engine_free(engine);
}

TEST(an_allocation_that_fails_leaks_nothing)
{
    open_engine();
    const size_t before = live();
    int64_t n = 1;
    for (bool whole = false; !whole; n++) {
        pn_memory_fail_after(engine->memory, n);
        pn_view shape;
        pn_view_init(&shape, PN_FLOAT64, 1, (pn_index[]){ 4 }, "test", &error);
        pn_tensor *x = pn_tensor_new(engine, &shape, &error), *y = NULL, *loss = NULL;
        if (x)
            memset(x->v.data, 0, pn_view_bytes(&x->v));
        if (x && pn_tensor_require_grad(x, &error) == 0 && (y = apply2(&pn_op_mul, x, x)) &&
            (loss = apply2(&pn_op_sum, y, NULL))) {
            whole = pn_backward(loss, NULL, &error) == 0;
        }
        pn_memory_fail_after(engine->memory, 0);
        CHECK(whole || error.code == PN_EMEMORY);
        pn_tensor_unref(loss);
        pn_tensor_unref(y);
        pn_tensor_unref(x);
        CHECK_INT(live(), before);
    }
    CHECK(n > 10);
    pn_engine_free(engine);
}

static void *train_alone(void *argument)
{
    (void)argument;
    for (int i = 0; i < 200; i++) {
        pn_error own;
        pn_tensor *x = scalar(2, true), *y = NULL;
        CHECK_INT(pn_apply(engine, &pn_op_mul, 2, (pn_tensor *[]){ x, x }, NULL, true, &y, &own), 0);
        CHECK_INT(pn_backward(y, NULL, &own), 0);
        CHECK_CLOSE(gradient(x, 0), 4, 0);
        pn_tensor_unref(y);
        pn_tensor_unref(x);
    }
    return NULL;
}

TEST(threads_with_graphs_of_their_own_do_not_meet)
{
    open_engine();
    const size_t before = live();
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        REQUIRE(pthread_create(&threads[i], NULL, train_alone, NULL) == 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    CHECK_INT(live(), before);
    pn_engine_free(engine);
}

static pn_tensor *shared_loss;
static atomic_int swept;

static void *sweep_the_shared_graph(void *argument)
{
    (void)argument;
    pn_error own;
    for (int i = 0; i < 50; i++) {
        if (pn_backward(shared_loss, &(pn_backward_options){ .keep_graph = true }, &own) == 0)
            atomic_fetch_add(&swept, 1);
        else
            CHECK(strstr(own.text, "another thread") != NULL);
    }
    return NULL;
}

TEST(two_threads_on_one_graph_get_a_gradient_or_a_sentence)
{
    open_engine();
    pn_tensor *x = scalar(1, true);
    shared_loss = chain(x, 2000);
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        REQUIRE(pthread_create(&threads[i], NULL, sweep_the_shared_graph, NULL) == 0);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    CHECK(atomic_load(&swept) > 0);
    CHECK_CLOSE(gradient(x, 0), 1, 0);
    pn_tensor_unref(shared_loss);
    pn_tensor_unref(x);
    pn_engine_free(engine);
}

TESTS(a_square_has_twice_its_root_as_gradient, a_handed_on_buffer_is_copied_before_it_is_added_to,
      gradients_are_replaced_or_accumulated_as_asked, a_second_backward_says_that_the_graph_was_freed,
      a_change_in_place_between_forward_and_backward_is_caught, a_result_is_written_over_its_first_input,
      an_input_that_overlaps_is_read_whole_before_it_is_written_over, a_result_that_does_not_fit_is_written_nowhere,
      unreached_parameters_of_a_block_get_zero_gradients, a_chain_of_a_million_nodes_lives_and_dies_on_a_small_stack,
      an_allocation_that_fails_leaks_nothing, threads_with_graphs_of_their_own_do_not_meet,
      two_threads_on_one_graph_get_a_gradient_or_a_sentence)
