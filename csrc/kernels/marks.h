/* marks.h -- what is drawn on a page: connected ink, and which of it is the digit. */
#ifndef PN_KERNELS_MARKS_H
#define PN_KERNELS_MARKS_H

#include "kernels/page.h"

enum { PN_MARKS_FAINT = 38 };                           /* a contrast below this, 15 %, may not be ink */
enum { PN_MARKS_NONE, PN_MARKS_DIGIT, PN_MARKS_OTHER }; /* what a pixel of pn_marks.part belongs to */

typedef struct pn_marks {
    uint8_t *part;                     /* (h, w) */
    void *scratch;                     /* pn_marks_scratch() bytes */
    pn_index top, left, bottom, right; /* the box of the digit on the page; bottom and right are outside */
    int low, least;                    /* contrasts up to low are paper; ink has `least` or more */
    int edge;                          /* of blurred ink, the contrast at its edge */
    int ink;                           /* the contrast of the ink */
    bool faint;                        /* the ink hardly stands out from the paper */
    bool touches;                      /* the digit touches the border, if faintly */
    bool cut;                          /* its strong ink does */
    bool several;                      /* there is another mark of a size that may be a digit */
} pn_marks;

size_t pn_marks_scratch(const pn_page *page);

/* Finds the digit: the largest mark, and those near it; lines across the page and specks are others.  false if there is
 * none. */
bool pn_marks_find(pn_marks *m, const pn_page *page);

#endif
