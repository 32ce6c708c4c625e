/* nn: models: configuration, weights, forward and backward, optimiser, data reader, checkpoints, generation.
   An umbrella: one header a topic. Kernels are reached through kernels/kern.h alone. */
#ifndef LM_NN_H
#define LM_NN_H
#include "nn/cfg.h"
#include "nn/st.h"
#include "nn/model.h"
#include "nn/step.h"
#include "nn/kv.h"
#include "nn/tokrec.h"
#include "nn/bestfit.h"
#include "nn/objective.h"
#include "nn/shard.h"
#include "nn/perm.h"
#include "nn/epoch.h"
#include "nn/data.h"
#include "nn/foreign.h"
#include "nn/mix.h"
#include "nn/metric.h"
#include "nn/plot.h"
#include "nn/ckpt.h"
#include "nn/train.h"
#include "nn/sample.h"
#include "nn/batch.h"
#include "nn/genrec.h"
#include "nn/rolling.h"
#include "nn/infill.h"
#endif
