/* test_files.c -- the C readers and writer of IDX and model files: right, and unmoved by 100,000 damaged files. */
#include "../../examples/files.h"

#include <unistd.h>

#include "model/json.h"
#include "harness.h"

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

TEST(json_depth_is_limited)
{
    char deep[4096];
    memset(deep, '[', sizeof deep);
    pn_json j = { .at = deep, .end = deep + sizeof deep };
    CHECK_INT(pn_json_skip(&j), -1);
}

/* ---- IDX --------------------------------------------------------------------------------------------------------- */

static const uint8_t images[] = {
    0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12
};
static const uint8_t labels[] = { 0, 0, 8, 1, 0, 0, 0, 3, 7, 0, 9 };

TEST(idx_files_are_read)
{
    pn_error err = { .code = PN_OK };
    pn_engine *engine = make_engine();
    REQUIRE(engine);
    pn_tensor *t = files_parse_idx(engine, "images", images, sizeof images, 3, &err);
    REQUIRE(t);
    CHECK_TEXT(pn_view_text(&t->v).s, "(2, 2, 3)");
    CHECK(memcmp(t->v.data, images + 16, 12) == 0);
    pn_tensor_unref(t);
    t = files_parse_idx(engine, "labels", labels, sizeof labels, 1, &err);
    REQUIRE(t);
    CHECK(memcmp(t->v.data, labels + 8, 3) == 0);
    pn_tensor_unref(t);
    pn_engine_free(engine);
}

static void check_idx_refusal(pn_engine *engine, const uint8_t *data, size_t size, int ndim, const char *expected)
{
    pn_error err = { .code = PN_OK };
    CHECK(!files_parse_idx(engine, "file", data, size, ndim, &err));
    CHECK_INT(err.code, PN_EVALUE);
    CHECK_TEXT(err.text, expected);
}

TEST(bad_idx_files_are_refused_with_a_sentence)
{
    pn_engine *engine = make_engine();
    REQUIRE(engine);
    uint8_t large[16 + 5000] = { 0, 0, 8, 3, 0, 0, 0xEA, 0x60, 0, 0, 0, 28, 0, 0, 0, 28 };
    check_idx_refusal(engine, large, sizeof large, 3,
                      "file: header promises 47,040,000 bytes, found 5,000: incomplete download");
    check_idx_refusal(engine, labels, sizeof labels, 3, "file: has 1 axes (labels), expected 3 (images)");
    check_idx_refusal(engine, images, sizeof images, 1, "file: has 3 axes (images), expected 1 (labels)");
    check_idx_refusal(engine, images, 9, 3, "file: the header has 16 bytes, found 9: incomplete download");
    check_idx_refusal(engine, (const uint8_t *)"\x1f\x8b\x08", 4, 1, "file: is gzipped; unpack it first (gzip -d)");
    check_idx_refusal(engine, (const uint8_t *)"<html>", 6, 1, "file: is not an IDX file");
    check_idx_refusal(engine, labels, 0, 1, "file: is not an IDX file");
    memset(large + 4, 0xFF, 12); /* 2^96 bytes */
    pn_error err = { .code = PN_OK };
    CHECK(!files_parse_idx(engine, "file", large, sizeof large, 3, &err));
    CHECK_INT(err.code, PN_ESHAPE);
    pn_engine_free(engine);
}

/* ---- model files ------------------------------------------------------------------------------------------------- */

static const char card[] = "{\"format\": 1, \"name\": \"\xC3\xA9\\\\\", \"preprocessing\": {\"mean\": [33.25]}}";

/* Two tensors, written to a file of its own. */
static bool write_sample(pn_memory *memory, const char *path, pn_error *err)
{
    static float weight[6] = { 1, 2, 3, 4, 5, 6 }, bias[2] = { -1, 0.5f };
    const files_entry entries[] = {
        { "dense_1/bias", { .data = bias, .dtype = PN_FLOAT32, .ndim = 1, .size = 2, .shape = { 2 } } },
        { "dense_1/weight", { .data = weight, .dtype = PN_FLOAT32, .ndim = 2, .size = 6, .shape = { 3, 2 } } },
    };
    return files_write_model(memory, path, 2, entries, card, err) == 0;
}

static char *sample_path(char path[64])
{
    snprintf(path, 64, "test_files_%ld.safetensors", (long)getpid());
    return path;
}

TEST(model_files_come_back_as_they_were_written)
{
    char path[64];
    pn_error err = { .code = PN_OK };
    files_model model;
    pn_engine *engine = make_engine();
    REQUIRE(engine);
    REQUIRE(write_sample(engine->memory, sample_path(path), &err));
    const int failed = files_read_model(engine->memory, path, &model, &err);
    remove(path);
    REQUIRE(!failed);
    CHECK_TEXT(model.card, card);
    CHECK_INT(model.n, 2);
    pn_view shape;
    REQUIRE(pn_view_init(&shape, PN_FLOAT32, 2, (pn_index[]){ 3, 2 }, "test", &err) == 0);
    pn_tensor *t = pn_tensor_new(engine, &shape, &err);
    REQUIRE(t);
    CHECK_INT(files_copy_entry(&model, "dense_1/weight", t, &err), 0);
    CHECK_CLOSE(((float *)t->v.data)[5], 6, 0);
    CHECK_INT(files_copy_entry(&model, "dense_1/bias", t, &err), -1);
    CHECK_TEXT(err.text, "load: dense_1/bias is float32 (2,) in the file, float32 (3, 2) in the model");
    CHECK_INT(files_copy_entry(&model, "dense_2/bias", t, &err), -1);
    double mean = 0;
    CHECK_INT(files_card_number(model.card, "preprocessing mean", &mean, &err), 0);
    CHECK_CLOSE(mean, 33.25, 0);
    CHECK_INT(files_card_number(model.card, "preprocessing deviation", &mean, &err), -1);
    pn_tensor_unref(t);
    files_free_model(&model);
    pn_engine_free(engine);
}

static void check_model_refusal(pn_memory *memory, const void *data, size_t size, const char *expected)
{
    pn_error err = { .code = PN_OK };
    files_model model;
    CHECK_INT(files_parse_model(memory, "digits.h5", data, size, &model, &err), -1);
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

TEST(bad_model_files_are_refused_with_a_sentence)
{
    uint8_t file[512];
    pn_error err;
    pn_memory *memory = pn_memory_new(&err);
    REQUIRE(memory);
    check_model_refusal(memory, "\x89HDF\r\n\x1a\n", 8,
                        "digits.h5 is an HDF5 (Keras) file; give a .safetensors file written by pn.save");
    check_model_refusal(memory, "\x80\x04\x95", 3,
                        "digits.h5 is a pickle; give a .safetensors file written by pn.save");
    check_model_refusal(memory, "abc", 3, "digits.h5: has 3 bytes and is not a model file");
    static const char tensor[] = "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}";
    size_t size = with_header(file, tensor, 8);
    check_model_refusal(memory, file, size,
                        "digits.h5: holds tensors but no pyneural model; give a file written by pn.save");
    check_model_refusal(memory, file, size - 1,
                        "digits.h5: damaged: the header and the 7 bytes after it do not fit together");
    check_model_refusal(memory, file, 30, "digits.h5: header promises 54 bytes, found 22: incomplete file");
    size = with_header(file, "{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,8]}}", 8);
    check_model_refusal(memory, file, size,
                        "digits.h5: damaged: the header and the 8 bytes after it do not fit together");
    CHECK_INT(pn_memory_read_stats(memory).live_blocks, 0);
    pn_memory_free(memory);
}

/* ---- 100,000 damaged files --------------------------------------------------------------------------------------- */

/* Bytes that matter in either format. */
static uint8_t telling_byte(void)
{
    static const uint8_t bytes[] = { 0,   1,   3,   8,   0x7F, 0x80, 0xFF, '"', '\\', '{',
                                     '}', '[', ']', ',', ':',  '0',  '9',  '-', 'e',  'u' };
    return bytes[harness_below((int64_t)sizeof bytes)];
}

/* One edit of the n bytes: a bit, a byte, a cut, a doubled or removed stretch.  Returns the new length,
 * at most room. */
static size_t damage(uint8_t *data, size_t n, size_t room)
{
    if (n == 0)
        return 0;
    const size_t at = (size_t)harness_below((int64_t)n);
    const size_t most = (size_t)pn_min((pn_index)(n - at), (pn_index)(room - n));
    const size_t stretch = most ? (size_t)harness_below((int64_t)most) : 0;
    switch (harness_below(6)) {
    case 0: data[at] ^= (uint8_t)(1 << harness_below(8)); return n;
    case 1: data[at] = telling_byte(); return n;
    case 2: data[at] = (uint8_t)harness_below(256); return n;
    case 3: return at;
    case 4: memmove(data + at, data + at + stretch, n - at - stretch); return n - stretch;
    default: memmove(data + at + stretch, data + at, n - at); return n + stretch;
    }
}

/* `count` damaged copies of a file, each in a block of exactly its size, so that a read past the end is seen. */
static void try_damaged(const uint8_t *data, size_t n, int count, void (*try)(const uint8_t *, size_t, void *),
                        void *with)
{
    uint8_t copy[2048];
    REQUIRE(n <= sizeof copy / 2);
    for (int i = 0; i < count; i++) {
        memcpy(copy, data, n);
        size_t size = n;
        for (int64_t edits = 1 + harness_below(4); edits > 0; edits--)
            size = damage(copy, size, sizeof copy);
        uint8_t *exact = malloc(size ? size : 1);
        REQUIRE(exact);
        memcpy(exact, copy, size);
        try(exact, size, with);
        free(exact);
    }
}

typedef struct tally {
    pn_engine *engine;
    int read, refused;
} tally;

static void count_outcome(tally *t, bool read, const pn_error *err)
{
    if (read)
        t->read++;
    else
        t->refused++;
    CHECK(read || (err->code != PN_OK && strncmp(err->text, "file", 4) == 0));
}

static void try_idx(const uint8_t *data, size_t size, void *with)
{
    tally *t = with;
    pn_error err = { .code = PN_OK };
    pn_tensor *tensor = files_parse_idx(t->engine, "file", data, size, 3, &err);
    count_outcome(t, tensor != NULL, &err);
    pn_tensor_unref(tensor);
}

static void try_model(const uint8_t *data, size_t size, void *with)
{
    tally *t = with;
    pn_error err = { .code = PN_OK };
    files_model model;
    const bool read = files_parse_model(t->engine->memory, "file", data, size, &model, &err) == 0;
    count_outcome(t, read, &err);
    if (!read)
        return;
    unsigned sum = 0;
    for (pn_index i = 0; i < model.n; i++) /* every byte that an entry names can be read */
        for (size_t k = 0; k < pn_view_bytes(&model.entries[i].v); k++)
            sum += ((const uint8_t *)model.entries[i].v.data)[k];
    double mean = sum;
    (void)files_card_number(model.card, "preprocessing mean", &mean, &err);
    files_free_model(&model);
}

TEST(a_hundred_thousand_damaged_files_are_read_or_refused)
{
    char path[64];
    pn_error err = { .code = PN_OK };
    files_bytes sample;
    tally idx = { .engine = make_engine() };
    REQUIRE(idx.engine);
    tally models = { .engine = idx.engine };
    REQUIRE(write_sample(idx.engine->memory, sample_path(path), &err));
    const int failed = files_read(idx.engine->memory, path, &sample, &err);
    remove(path);
    REQUIRE(!failed);
    const size_t before = pn_memory_read_stats(idx.engine->memory).live_blocks;
    try_damaged(images, sizeof images, 50000, try_idx, &idx);
    try_damaged(sample.data, sample.size, 50000, try_model, &models);
    CHECK_INT(pn_memory_read_stats(idx.engine->memory).live_blocks, before);
    CHECK(idx.read > 1000 && idx.refused > 1000); /* the damage is neither nothing nor everything */
    CHECK(models.read > 1000 && models.refused > 1000);
    pn_mem_put(sample.data);
    pn_engine_free(idx.engine);
}

TESTS(json_strings_are_decoded, json_values_are_found_and_skipped, json_depth_is_limited, idx_files_are_read,
      bad_idx_files_are_refused_with_a_sentence, model_files_come_back_as_they_were_written,
      bad_model_files_are_refused_with_a_sentence, a_hundred_thousand_damaged_files_are_read_or_refused)
