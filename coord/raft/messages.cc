#include "coord/raft/messages.h"

namespace drover::coord::raft {
namespace {

struct Namer {
  absl::string_view operator()(const PreVote&) const { return "PreVote"; }
  absl::string_view operator()(const PreVoteReply&) const { return "PreVoteReply"; }
  absl::string_view operator()(const Vote&) const { return "Vote"; }
  absl::string_view operator()(const VoteReply&) const { return "VoteReply"; }
  absl::string_view operator()(const Append&) const { return "Append"; }
  absl::string_view operator()(const AppendReply&) const { return "AppendReply"; }
  absl::string_view operator()(const TimeoutNow&) const { return "TimeoutNow"; }
  absl::string_view operator()(const ReadIndexAsk&) const { return "ReadIndexAsk"; }
  absl::string_view operator()(const ReadIndexReply&) const { return "ReadIndexReply"; }
};

}  // namespace

absl::string_view NameOf(const Body& body) {
  return std::visit(Namer{}, body);
}

}  // namespace drover::coord::raft
