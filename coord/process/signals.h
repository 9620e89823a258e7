// SIGTERM and SIGINT, and others that a process asks for, as events on the loop.
//
// Handlers, not a signal mask: a mask would be inherited by every program this process starts. SIGPIPE is ignored from construction
// on, which *is* inherited: whoever runs programs puts it back to its default in the child.
// Threads: construct and destroy on the loop's thread; at most one at a time in a process.
#ifndef DROVER_COORD_PROCESS_SIGNALS_H_
#define DROVER_COORD_PROCESS_SIGNALS_H_

#include <memory>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "coord/base/loop.h"

namespace drover::process {

class Signals {
 public:
  // `on_signal(SIGTERM, SIGINT or one of `others`)` runs on the loop, each time one arrives (signals that arrive together may
  // be one).
  Signals(base::Loop* loop, absl::AnyInvocable<void(int signal)> on_signal, const std::vector<int>& others = {});
  // Puts the former handlers back; the callback does not run any more.
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

 private:
  class Impl;
  const std::shared_ptr<Impl> impl_;
};

}  // namespace drover::process

#endif  // DROVER_COORD_PROCESS_SIGNALS_H_
