/* test_model.c -- csrc/model on files of any content: a model, or an error with a sentence; never a fault or a leak.
 *
 * tests/test_c_model.py compares its numbers with those of Python. */
#include "model/model.h"

#include "harness.h"

#include "damage.h"
#include "model/json.h"
#include "model/safetensors.h"

static pn_engine *make_engine(void)
{
    pn_error err;
    return pn_engine_new(&(pn_engine_options){ .threads = 1 }, &err);
}

/* ---- JSON -------------------------------------------------------------------------------------------------------- */

static pn_json over(const char *text) { return (pn_json){ .at = text, .end = text + strlen(text) }; }

TEST(json_strings_are_decoded)
{
    char out[64];
    pn_json j = over(" \"a\\n\\\"\\u00e9\\ud83d\\ude00\" ");
    CHECK_INT(pn_json_string(&j, out, sizeof out), 0);
    CHECK_TEXT(out, "a\n\"\xC3\xA9\xF0\x9F\x98\x80");
    j = over("\"\\udc80\\ud83dx\""); /* halves of pairs, as Python writes bytes that are not UTF-8 */
    CHECK_INT(pn_json_string(&j, out, sizeof out), 0);
    CHECK_TEXT(out, "\xEF\xBF\xBD\xEF\xBF\xBDx");
    static const char *const bad[] = { "\"a", "\"\\x\"", "\"\\u12\"", "\"\n\"", "\"\\", "a", "", "\"\\u0000\"" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        j = over(bad[i]);
        CHECK_INT(pn_json_string(&j, out, sizeof out), -1);
    }
    j = over("\"abcd\"");
    CHECK_INT(pn_json_string(&j, out, 4), -1);
    j = over("\"abcd\"");
    CHECK_INT(pn_json_string(&j, out, 5), 0);
}

TEST(json_values_are_found_and_skipped)
{
    double value = 0;
    pn_index size = 0;
    pn_json j = over("{\"a\": [1, {\"b\": null}, true], \"c\": {\"d\": -2.5e1}, \"e\": 7}");
    pn_json whole = j;
    CHECK_INT(pn_json_skip(&whole), 0);
    CHECK(whole.at == whole.end);
    REQUIRE(pn_json_find(&j, "c") == 1 && pn_json_find(&j, "d") == 1);
    CHECK_INT(pn_json_number(&j, &value), 0);
    CHECK_CLOSE(value, -25.0, 0);
    j = over("{\"a\": 1}");
    CHECK_INT(pn_json_find(&j, "b"), 0);
    static const char *const bad_sizes[] = { "-1", "1.5", "1e99", "nan", "", "1e16" };
    for (size_t i = 0; i < sizeof bad_sizes / sizeof *bad_sizes; i++) {
        j = over(bad_sizes[i]);
        CHECK_INT(pn_json_size(&j, &size), -1);
    }
}

TEST(json_numbers_are_those_of_the_grammar)
{
    static const struct {
        const char *text;
        int result;
    } rows[] = {
        { "[0,-0,10,0.5,-1.25e-3,1E+2,1e999]", 0 },
        { "[NaN,Infinity,-Infinity]", 0 },
        { "[01]", -1 },
        { "[+1]", -1 },
        { "[.5]", -1 },
        { "[1.]", -1 },
        { "[1e]", -1 },
        { "[1e+]", -1 },
        { "[-]", -1 },
        { "[0x1]", -1 },
        { "[1,5.]", -1 },
    };
    double value = 0;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        pn_json j = over(rows[i].text);
        if (!CHECK(pn_json_skip(&j) == rows[i].result))
            CHECK_TEXT(rows[i].text, "");
    }
    static const char *const unusable[] = { "NaN", "Infinity", "1e999", "-1e999", "\"1\"", "" };
    for (size_t i = 0; i < sizeof unusable / sizeof *unusable; i++) {
        pn_json j = over(unusable[i]);
        CHECK_INT(pn_json_number(&j, &value), -1);
    }
    pn_json j = over("-12.5e-1,");
    CHECK_INT(pn_json_number(&j, &value), 0);
    CHECK_CLOSE(value, -1.25, 0);
    CHECK(*j.at == ',');
}

TEST(json_depth_is_limited)
{
    char deep[4096];
    memset(deep, '[', sizeof deep);
    pn_json j = { .at = deep, .end = deep + sizeof deep };
    CHECK_INT(pn_json_skip(&j), -1);
}

/* ---- a model with a bit of everything ---------------------------------------------------------------------------- */

/* clang-format off */
#define LAYER(kind, name, config) "{\"config\":{" config "},\"kind\":\"" kind "\",\"name\":\"" name "\"}"
#define REST \
    "\"epochs\":1,\"format\":1,\"loss\":{\"a\":\"mse\",\"b\":\"cross_entropy\"},\"prepare\":\"digit\"," \
    "\"preprocessing\":{\"deviation\":[2.0,3.5],\"dtype\":\"uint8\",\"kind\":\"dataset\",\"mean\":[0.5,0.25]},"

static const char card[] =
    "{\"architecture\":{\"config\":{\"dtype\":\"float32\"},\"input\":[4,4,2],\"kind\":\"Model\",\"layers\":["
    LAYER("Conv2D", "c", "\"activation\":\"relu\",\"bias\":true,\"filters\":2,\"init\":\"auto\","
                         "\"padding\":\"same\",\"size\":[3,3],\"stride\":1") ","
    LAYER("MaxPool2D", "m", "\"padding\":\"valid\",\"size\":2,\"stride\":2") ","
    "{\"config\":{\"dtype\":\"float32\"},\"kind\":\"Sequential\",\"layers\":["
    LAYER("BatchNorm", "n", "\"activation\":\"gelu_tanh\",\"epsilon\":1e-05,\"momentum\":0.9") ","
    LAYER("Dropout", "d", "\"rate\":0.5") ",{\"same\":\"/s/n\"}],\"name\":\"s\"},"
    LAYER("Add", "p", "") "," LAYER("Flatten", "f", "") "," LAYER("Reshape", "r", "\"shape\":[8]") ","
    LAYER("Dense", "x", "\"activation\":null,\"bias\":false,\"init\":\"auto\",\"units\":2") ","
    LAYER("Dense", "y", "\"activation\":\"softmax\",\"bias\":true,\"init\":0.5,\"units\":3")
    "],\"name\":null,\"nodes\":[[0,[0]],[1,[1]],[2,[2]],[3,[3,2]],[4,[4]],[5,[5]],[6,[6]],[7,[6]]],"
    "\"outputs\":[[\"a\",7],[\"b\",8]]}," REST "\"input_shape\":[4,4,2],\"task\":{\"heads\":["
    "[\"a\",{\"classes\":[],\"kind\":\"values\",\"outputs\":2,\"threshold\":0.5}],"
    "[\"b\",{\"classes\":[\"u\",\"v\",\"w\"],"
    "\"kind\":\"classes\",\"outputs\":3,\"temperature\":2.0,\"threshold\":0.5}]]},"
    "\"test_time\":null}";
/* clang-format on */

/* The bytes of that model's file. */
static pn_model_bytes sample(pn_engine *engine)
{
    pn_error err = { .code = PN_OK };
    pn_model_bytes bytes = { .data = NULL };
    pn_model *model = pn_model_new(engine, card, 0, &err);
    CHECK_TEXT(err.text, "");
    if (model)
        CHECK_INT(pn_model_write(model, &bytes, &err), 0);
    pn_model_free(model);
    return bytes;
}

/* Predicts two inputs if it is a small model of pixels; whatever it says, it must not fault. */
static void use(pn_model *model)
{
    static const uint8_t pixels[2 * 4096] = { 1, 2, 3 };
    static double out[8192];
    pn_error err = { .code = PN_OK };
    const pn_model_facts *facts = pn_model_read_facts(model);
    pn_index numbers = 0;
    for (int h = 0; h < facts->n_heads; h++)
        numbers += facts->heads[h].outputs;
    for (int i = 0; i < pn_model_n_layers(model); i++)
        CHECK(strlen(pn_model_read_layer(model, i).path) > 0);
    if (facts->input.size > 4096 || numbers > 4096)
        return;
    const int failed = pn_model_predict(model, facts->takes_pixels ? PN_UINT8 : PN_FLOAT32,
                                        facts->takes_pixels ? (const void *)pixels : out, 2, out, &err);
    CHECK(!failed || err.code != PN_OK);
    memset(out, 0, sizeof out);
}

TEST(a_model_comes_back_as_it_was_written)
{
    pn_error err = { .code = PN_OK };
    pn_model_bytes again = { .data = NULL };
    pn_engine *engine = make_engine();
    REQUIRE(engine);
    const pn_model_bytes bytes = sample(engine);
    REQUIRE(bytes.data);
    pn_model *model = pn_model_parse(engine, "file", bytes.data, bytes.size, &err);
    CHECK_TEXT(err.text, "");
    REQUIRE(model);
    use(model);
    CHECK_INT(pn_model_n_layers(model), 9);
    CHECK(pn_model_tensor(model, "s/n/running_var") && !pn_model_tensor(model, "s/n"));
    REQUIRE(pn_model_write(model, &again, &err) == 0);
    CHECK(again.size == bytes.size && memcmp(again.data, bytes.data, bytes.size) == 0);
    pn_model_free(model);
    pn_mem_put(again.data);
    pn_mem_put(bytes.data);
    pn_engine_free(engine);
}

/* ---- files that are refused -------------------------------------------------------------------------------------- */

static void check_refusal(pn_engine *engine, const void *data, size_t size, const char *expected)
{
    pn_error err = { .code = PN_OK };
    CHECK(!pn_model_parse(engine, "digits.h5", data, size, &err));
    CHECK_TEXT(err.text, expected);
}

/* A header of its own text before `room` zero bytes. */
static size_t with_header(uint8_t *out, const char *header, size_t room)
{
    const size_t n = strlen(header);
    memset(out, 0, 8 + n + room);
    out[0] = (uint8_t)n;
    memcpy(out + 8, header, n);
    return 8 + n + room;
}

TEST(other_files_are_refused_with_a_sentence)
{
    uint8_t file[512];
    pn_engine *engine = make_engine();
    REQUIRE(engine);
    const size_t before = pn_memory_read_stats(engine->memory).live_blocks;
    check_refusal(engine, "\x89HDF\r\n\x1a\n", 8,
                  "digits.h5 is an HDF5 (Keras) file; give a .safetensors file written by pn.save");
    check_refusal(engine, "\x80\x04\x95", 3, "digits.h5 is a pickle; give a .safetensors file written by pn.save");
    check_refusal(engine, "abc", 3, "digits.h5: has 3 bytes and is not a model file");
    check_refusal(engine, "", 0, "digits.h5: has 0 bytes and is not a model file");
    static const char tensor[] = "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}";
    size_t size = with_header(file, tensor, 8);
    check_refusal(engine, file, size, "digits.h5: holds tensors but no pyneural model; give a file written by pn.save");
    check_refusal(engine, file, size - 1,
                  "digits.h5: damaged: the header and the 7 bytes after it do not fit together");
    check_refusal(engine, file, 30, "digits.h5: header promises 54 bytes, found 22: incomplete file");
    size = with_header(file, "{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,8]}}", 8);
    check_refusal(engine, file, size, "digits.h5: damaged: the header and the 8 bytes after it do not fit together");
    memset(file, 0xFF, 7); /* a header of 2^56 bytes */
    check_refusal(engine, file, size, "digits.h5: is not a safetensors file");
    CHECK_INT(pn_memory_read_stats(engine->memory).live_blocks, before);
    pn_engine_free(engine);
}

/* A card with one part of its text replaced, refused with a text that contains this. */
static void check_card(pn_engine *engine, const char *from, const char *to, const char *expected)
{
    char text[2 * sizeof card];
    pn_error err = { .code = PN_OK, .text = "it was taken" };
    const char *at = strstr(card, from);
    REQUIRE(at);
    snprintf(text, sizeof text, "%.*s%s%s", (int)(at - card), card, to, at + strlen(from));
    pn_model *model = pn_model_new(engine, text, 0, &err);
    CHECK(!model);
    if (!CHECK(strstr(err.text, expected)))
        CHECK_TEXT(err.text, expected);
    pn_model_free(model);
}

TEST(wrong_cards_are_refused_by_name)
{
    pn_engine *engine = make_engine();
    REQUIRE(engine);
    const size_t before = pn_memory_read_stats(engine->memory).live_blocks;
    static const char *const rows[][3] = {
        { "\"kind\":\"Flatten\"", "\"kind\":\"Mine\"", "f: it contains the custom layer Mine" },
        { "\"kind\":\"Model\"", "\"kind\":\"Mine\"", "the model: it contains the custom layer Mine" },
        { "\"kind\":\"Model\"", "\"kind\":\"Dense\"", "the model: Dense has the unknown argument" },
        { "\"activation\":\"relu\"", "\"activation\":{\"function\":\"swish\"}",
          "c: its activation is the custom function swish" },
        { "\"activation\":\"relu\"", "\"activation\":\"rellu\"", "c: its activation rellu is unknown" },
        { "\"activation\":\"relu\"", "\"activation\":\"elu gelu\"", "is unknown" },
        { "\"size\":[3,3]", "\"size\":[3,0]", "c: its size is not one or two whole numbers" },
        { "\"size\":[3,3]", "\"dilation\":2,\"size\":[3,3]", "unknown argument dilation" },
        { "\"size\":[3,3]", "\"stride padding\":2,\"size\":[3,3]", "unknown argument stride padding" },
        { "\"rate\":0.5", "\"rate\":1.5", "s/d: its rate is 1.5" },
        { "\"shape\":[8]", "\"shape\":[9]", "r: x is (1, 8), 8 values per example, which do not fit shape (9,)" },
        { "\"shape\":[8]", "\"shape\":[-1,-1]", "r: its shape is not a list of lengths" },
        { "\"same\":\"/s/n\"", "\"same\":\"/s\"", "same is not the path of a layer before it" },
        { "\"same\":\"/s/n\"", "\"same\":\"\"", "same is not the path of a layer before it" },
        { "[2,[2]]", "[2,[5]]", "a node is not [layer, [nodes before it]]" },
        { "[2,[2]]", "[9,[2]]", "a node is not [layer, [nodes before it]]" },
        { "[2,[2]]", "[2,[]]", "a node is not [layer, [nodes before it]]" },
        { "[3,[3,2]]", "[3,[2,2]]", "a node is not used" },
        { "[\"b\",8]", "[\"b\",0]", "its outputs are not nodes" },
        { "\"name\":\"m\"", "\"name\":\"c\"", "two layers have one name" },
        { "\"name\":\"m\"", "\"name\":\"a/b\"", "a layer has no name" },
        { "\"input_shape\":[4,4,2]", "\"input_shape\":[4,4,3]", "its input_shape" },
        { "\"format\":1", "\"format\":3", "written by a newer pyneural (format 3" },
        { "\"format\":1", "\"ensemble\":[],\"format\":1", "it is an ensemble of several models" },
        { "\"mean\":[0.5,0.25]", "\"mean\":[0.5]", "the numbers of its preprocessing" },
        { "\"deviation\":[2.0,3.5]", "\"deviation\":[2.0,0]", "a deviation of its preprocessing" },
        { "\"kind\":\"values\"", "\"kind\":\"ranks\"", "its task is 'ranks'" },
        { "\"outputs\":3", "\"outputs\":4", "another number of outputs than its last layer" },
        { "[\"u\",\"v\",\"w\"]", "[\"u\",\"v\"]", "the number of its classes" },
        { "\"temperature\":2.0", "\"temperature\":0", "its threshold or its temperature" },
        { "\"init\":0.5", "\"init\":{\"function\":\"mine\"}", "y/weight has a custom initializer" },
        { "\"test_time\":null", "\"test_time\":\"flop\"", "its test_time" },
        { "\"test_time\":null}", "\"test_time\":null", "it is not JSON" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        check_card(engine, rows[i][0], rows[i][1], rows[i][2]);
    CHECK_INT(pn_memory_read_stats(engine->memory).live_blocks, before);
    pn_engine_free(engine);
}

/* ---- models inside models ---------------------------------------------------------------------------------------- */

/* `depth` models, each of which calls the one before it twice, or once. */
static char *nested_card(int depth, bool twice)
{
    static const char begin[] = "{\"architecture\":{\"config\":{},\"kind\":\"Sequential\",\"layers\":["
                                "{\"config\":{},\"kind\":\"Sequential\",\"name\":\"m0\",\"layers\":[";
    char *text = malloc((size_t)depth * 160 + 1024), *at = text;
    at += sprintf(at, "%s%s]}", begin, LAYER("Flatten", "f", ""));
    for (int i = 1; i < depth; i++) {
        at += sprintf(at, ",{\"config\":{},\"kind\":\"Sequential\",\"name\":\"m%d\",\"layers\":[", i);
        at += sprintf(at, "{\"same\":\"/m%d\"}", i - 1);
        if (twice)
            at += sprintf(at, ",{\"same\":\"/m%d\"}", i - 1);
        at += sprintf(at, "]}");
    }
    sprintf(at, "],\"name\":null}," REST "\"input_shape\":[4,4,2],\"task\":null}");
    return text;
}

TEST(models_inside_models_have_limits)
{
    static const struct {
        int depth;
        bool twice;
        const char *expected;
    } rows[] = {
        { 20, true, "the model calls more than 100000 layers" },
        { 200, false, "more than 100 models are inside one another" },
        { 12000, false, "more than 100 models are inside one another" },
    };
    pn_engine *engine = make_engine();
    REQUIRE(engine);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        pn_error err = { .code = PN_OK };
        char *text = nested_card(rows[i].depth, rows[i].twice);
        CHECK(!pn_model_new(engine, text, 0, &err));
        if (!CHECK(strstr(err.text, rows[i].expected)))
            CHECK_TEXT(err.text, rows[i].expected);
        free(text);
    }
    pn_engine_free(engine);
}

/* ---- damaged files, and memory that fails ------------------------------------------------------------------------ */

typedef struct tally {
    pn_engine *engine;
    int read, refused;
} tally;

static void try_model(const uint8_t *data, size_t size, void *with)
{
    tally *t = with;
    pn_error err = { .code = PN_OK };
    pn_model *model = pn_model_parse(t->engine, "file", data, size, &err);
    CHECK(model || (err.code != PN_OK && strncmp(err.text, "file", 4) == 0));
    if (model)
        use(model);
    model ? t->read++ : t->refused++;
    pn_model_free(model);
}

TEST(damaged_files_are_read_or_refused)
{
    tally t = { .engine = make_engine() };
    REQUIRE(t.engine);
    const pn_model_bytes bytes = sample(t.engine);
    REQUIRE(bytes.data);
    const size_t before = pn_memory_read_stats(t.engine->memory).live_blocks;
    pn_memory_set_limit(t.engine->memory, (size_t)64 << 20); /* a damaged size may ask for much */
    try_damaged(bytes.data, bytes.size, harness_quick() ? 3000 : 20000, try_model, &t);
    CHECK_INT(pn_memory_read_stats(t.engine->memory).live_blocks, before);
    CHECK(t.read > 20 && t.refused > 100);
    pn_mem_put(bytes.data);
    pn_engine_free(t.engine);
}

TEST(every_cut_is_refused)
{
    pn_engine *engine = make_engine();
    REQUIRE(engine);
    const pn_model_bytes bytes = sample(engine);
    REQUIRE(bytes.data);
    for (size_t size = 0; size < bytes.size; size++) {
        pn_error err = { .code = PN_OK };
        uint8_t *exact = malloc(size ? size : 1);
        REQUIRE(exact);
        memcpy(exact, bytes.data, size);
        CHECK(!pn_model_parse(engine, "file", exact, size, &err));
        free(exact);
    }
    pn_mem_put(bytes.data);
    pn_engine_free(engine);
}

/* A training of one step on a few images, from a new network on. */
static int train_once(pn_engine *engine, pn_error *err)
{
    static const uint8_t pixels[4 * 784] = { 0, 255 };
    static const int64_t labels[4] = { 3, 1, 4, 1 };
    const pn_examples data = { .dtype = PN_UINT8, .x = pixels, .y = labels, .n = 4 };
    pn_model_bytes bytes = { .data = NULL };
    pn_step step;
    pn_training *t = NULL;
    float out[40];
    pn_model *m = pn_model_new(engine, pn_model_mlp, 0, err);
    const int failed = !m || pn_model_learn_pixels(m, &data, err) || !(t = pn_training_new(m, &data, NULL, err)) ||
                       pn_training_next(t, &step, err) != 1 || pn_model_write(m, &bytes, err) ||
                       pn_model_predict(m, PN_UINT8, pixels, 4, out, err);
    pn_training_free(t);
    pn_model_free(m);
    pn_mem_put(bytes.data);
    return failed;
}

static int parse_and_use(pn_engine *engine, const pn_model_bytes *bytes, pn_error *err)
{
    static const uint8_t pixels[64] = { 1, 2, 3 };
    float out[10];
    pn_model *m = pn_model_parse(engine, "file", bytes->data, bytes->size, err);
    pn_tensor *look = NULL;
    const int failed = !m || pn_model_predict(m, PN_UINT8, pixels, 2, out, err) ||
                       !(look = pn_model_look(m, "c", PN_UINT8, pixels, 2, err));
    pn_tensor_unref(look);
    pn_model_free(m);
    return failed;
}

TEST(memory_that_fails_is_an_error_and_leaves_nothing)
{
    pn_engine *engine = make_engine();
    REQUIRE(engine);
    const pn_model_bytes bytes = sample(engine);
    REQUIRE(bytes.data);
    const size_t before = pn_memory_read_stats(engine->memory).live_blocks;
    for (int what = 0; what < 2; what++) {
        int failed = 1;
        for (int64_t nth = 1; failed && nth < 2000; nth++) {
            pn_error err = { .code = PN_OK };
            pn_memory_fail_after(engine->memory, nth);
            failed = what ? parse_and_use(engine, &bytes, &err) : train_once(engine, &err);
            CHECK(!failed || err.code == PN_EMEMORY);
            CHECK_INT(pn_memory_read_stats(engine->memory).live_blocks, before);
        }
        CHECK_INT(failed, 0);
        pn_memory_fail_after(engine->memory, 0);
    }
    pn_mem_put(bytes.data);
    pn_engine_free(engine);
}

TESTS(json_strings_are_decoded, json_values_are_found_and_skipped, json_numbers_are_those_of_the_grammar,
      json_depth_is_limited, a_model_comes_back_as_it_was_written, other_files_are_refused_with_a_sentence,
      wrong_cards_are_refused_by_name, models_inside_models_have_limits, damaged_files_are_read_or_refused,
      every_cut_is_refused, memory_that_fails_is_an_error_and_leaves_nothing)
