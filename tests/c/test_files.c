/* test_files.c -- the C readers and writer of whole files and IDX: right, and unmoved by 50,000 damaged files. */
#include "../../examples/files.h"

#include <unistd.h>

#include "harness.h"

#include "damage.h"

static pn_engine *make_engine(void)
{
    pn_error err;
    return pn_engine_new(&(pn_engine_options){ .threads = 1 }, &err);
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

/* ---- whole files ------------------------------------------------------------------------------------------------- */

TEST(files_come_back_as_they_were_written)
{
    char path[64];
    pn_error err = { .code = PN_OK };
    files_bytes found;
    pn_engine *engine = make_engine();
    REQUIRE(engine);
    snprintf(path, sizeof path, "test_files_%ld.bin", (long)getpid());
    REQUIRE(files_write(path, images, sizeof images, &err) == 0);
    const int failed = files_read(engine->memory, path, &found, &err);
    remove(path);
    REQUIRE(!failed && found.size == sizeof images);
    CHECK(memcmp(found.data, images, sizeof images) == 0);
    pn_mem_put(found.data);
    CHECK_INT(files_write("no_folder_of_this_name/file", images, sizeof images, &err), -1);
    CHECK(strstr(err.text, "no_folder_of_this_name/file: cannot be created"));
    CHECK_INT(files_read(engine->memory, path, &found, &err), -1);
    pn_engine_free(engine);
}

/* ---- 50,000 damaged files ---------------------------------------------------------------------------------------- */

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

TEST(fifty_thousand_damaged_files_are_read_or_refused)
{
    tally idx = { .engine = make_engine() };
    REQUIRE(idx.engine);
    const size_t before = pn_memory_read_stats(idx.engine->memory).live_blocks;
    try_damaged(images, sizeof images, 50000, try_idx, &idx);
    CHECK_INT(pn_memory_read_stats(idx.engine->memory).live_blocks, before);
    CHECK(idx.read > 1000 && idx.refused > 1000); /* the damage is neither nothing nor everything */
    pn_engine_free(idx.engine);
}

TESTS(idx_files_are_read, bad_idx_files_are_refused_with_a_sentence, files_come_back_as_they_were_written,
      fifty_thousand_damaged_files_are_read_or_refused)
