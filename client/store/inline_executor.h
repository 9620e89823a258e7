// An executor for programs that may block: the work, and then its completion, run inside Submit. With it an ObjectStore's calls
// have completed when they return.
#ifndef DROVER_CLIENT_STORE_INLINE_EXECUTOR_H_
#define DROVER_CLIENT_STORE_INLINE_EXECUTOR_H_

#include "coord/base/loop.h"

namespace drover::store {

class InlineExecutor final : public base::Executor {
 public:
  void Submit(base::Task work, base::Task done) override {
    work();
    done();
  }
};

}  // namespace drover::store

#endif  // DROVER_CLIENT_STORE_INLINE_EXECUTOR_H_
