/* error.c -- how functions report errors. */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Ends a truncated text in "..."; never cuts a UTF-8 character in half. */
static void mark_cut(char *text, size_t capacity)
{
    size_t end = capacity - sizeof "...";
    while (end > 0 && ((unsigned char)text[end] & 0xC0) == 0x80)
        end--;
    memcpy(text + end, "...", sizeof "...");
}

int pn_fail(pn_error *err, pn_code code, const char *format, ...)
{
    if (!err)
        return -1;
    char text[sizeof err->text]; /* an argument may be err->text itself */
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (length < 0)
        text[0] = '\0';
    else if ((size_t)length >= sizeof text)
        mark_cut(text, sizeof text);
    err->code = code;
    memcpy(err->text, text, sizeof text);
    return -1;
}
