/* text: what the tools know of source text: line statistics, personal data, near duplicates, vocabularies.
   An umbrella: one header a topic. */
#ifndef LM_TEXT_H
#define LM_TEXT_H
#include "text/bpe.h"
#include "text/dedup.h"
#include "base/json.h"
#include "base/stat.h"
#include "text/expr.h"
#include "text/import.h"
#include "text/linerule.h"
#include "text/lines.h"
#include "text/minhash.h"
#include "text/re.h"
#include "text/vocab.h"
#include "text/words.h"
#include "text/lines.h"
#include "text/linerule.h"
#include "text/minhash.h"
#include "text/import.h"
#include "text/dedup.h"
#include "text/runtime.h"
#include "text/task.h"
#include "text/judge.h"
#include "text/pii.h"
#include "text/stop.h"
#include "text/fimprompt.h"
#endif
