// For those who apply what nobody waits for: a log that is read when its node is not there.
#ifndef DROVER_COORD_TREE_SILENT_SINK_H_
#define DROVER_COORD_TREE_SILENT_SINK_H_

#include "coord/tree/state_machine.h"

namespace drover::coord::tree {

class SilentSink final : public Sink {
 public:
  void OnEvents(absl::Span<const Event> /*events*/) override {}
  void OnAnswer(const Answered& /*answered*/) override {}
  void OnSessionOpened(const Origin& /*origin*/, const Session& /*session*/) override {}
  void OnSessionEnded(base::SessionId /*session*/, SessionEnd /*end*/, base::Zxid /*zxid*/) override {}
};

}  // namespace drover::coord::tree

#endif  // DROVER_COORD_TREE_SILENT_SINK_H_
