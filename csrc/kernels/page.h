/* page.h -- a picture at working size: what is paper, and how much darker than the paper each pixel is.
 *
 * In everything below ink is light and paper dark: pictures that are dark on light count from white. */
#ifndef PN_KERNELS_PAGE_H
#define PN_KERNELS_PAGE_H

#include "kernels/picture.h"

enum {
    PN_PAGE_SIDE = 1024, /* the longest working side */
    PN_PAGE_FULL = 255,  /* the contrast of black ink on any paper */
    PN_PAGE_FAINT = 8,   /* ink with a contrast of no more than this does not count */
};

typedef struct pn_page {
    pn_index h, w, step; /* one pixel is the mean of step x step of the picture */
    bool inverted;       /* it was dark on light */
    bool even;           /* the paper has one shade, `paper`; else it is estimated at every pixel */
    unsigned paper;
    int noise;         /* about one standard deviation of the paper's contrast */
    uint8_t *grey;     /* (h, w): levels, ink light */
    int16_t *contrast; /* (h, w): 0 on paper, PN_PAGE_FULL at most, below 0 where it is paler than the paper */
    void *scratch;     /* pn_paper_scratch() bytes */
} pn_page;

/* Sets h, w and step; the caller then gives the arrays. */
void pn_page_size(pn_page *page, pn_index H, pn_index W);

/* Fills the page: reduces the picture, decides whether it is dark on light (and sets p->inverted), and divides it by
 * its paper.  Returns false if nothing stands out from paper of one shade. */
bool pn_page_read(pn_page *page, pn_picture *p);

/* The same for paper that counts as uneven, dark on light (`inverted`) or not. */
void pn_page_read_uneven(pn_page *page, pn_picture *p, bool inverted);

/* The contrast of a level on paper of a level: how much of the paper's light the ink takes away. */
static inline int pn_page_contrast(int level, int paper)
{
    return paper >= 255 ? 0 : (PN_PAGE_FULL * (level - paper)) / (255 - paper);
}

#endif
