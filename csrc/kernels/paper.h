/* paper.h -- the level of uneven paper under every pixel of a page. */
#ifndef PN_KERNELS_PAPER_H
#define PN_KERNELS_PAPER_H

#include "kernels/page.h"

size_t pn_paper_scratch(const pn_page *page); /* the bytes that page->scratch has */

/* Writes page->contrast from page->grey, where ink is light. */
void pn_paper_divide(pn_page *page);

#endif
