/* bestfit: pieces of documents into rows of one length, so that little of a row is left over. */
#ifndef LM_BESTFIT_H
#define LM_BESTFIT_H
#include "base/base.h"

/* Best-fit decreasing (Ding et al. 2404.10830, "Fewer truncations"): the pieces, the longest first and of equals the
   earlier, each into the row that has the least room for it, of equals the one that has had it longest, else a new
   one. len[i] in [1, seq]; most: pieces a row at most. row[i]: the row of piece i, numbered by the first piece each
   holds. Returns the number of rows. O(n (1 + seq / 4096)) time, 4 bytes a piece and 16 a row more. */
size_t lm_bestfit(const uint32_t *len, size_t n, uint32_t seq, uint32_t most, uint32_t *row);

#endif
