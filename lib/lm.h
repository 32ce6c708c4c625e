/* lm.h: the one header a tool includes. */
#ifndef LM_H
#define LM_H
#include "base/base.h"
#include "base/json.h"
#include "base/xsort.h"
#include "stream/stream.h"
#include "cli/cli.h"
#include "par/par.h"
#include "par/deal.h"
#include "par/spawn.h"
#include "text/text.h"
#include "nn/nn.h"
#endif
