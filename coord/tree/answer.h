// Encodings of drover.coord.v1.Answer: made once, sent and kept as they are.
#ifndef DROVER_COORD_TREE_ANSWER_H_
#define DROVER_COORD_TREE_ANSWER_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "coord/base/bytes.h"
#include "coord/base/ids.h"
#include "coord/base/wire.h"
#include "coord/tree/code.h"
#include "coord/tree/stat.h"
#include "coord/tree/views.h"

namespace drover::coord::tree {

// The fields that every answer has. `message` empty: MessageOf(code).
struct AnswerHead {
  std::uint64_t number = 0;
  std::uint64_t id = 0;
  Code code = Code::kOk;
  base::Zxid zxid;
  absl::string_view message;

  void AppendFields(base::WireWriter* out) const;
};

// An answer that is nothing but its head: deletes, refusals, Sync, RemoveWatch, AddWatch.
[[nodiscard]] base::Bytes EncodeAnswer(const AnswerHead& head);
// AddWatch that cannot be resumed.
[[nodiscard]] base::Bytes EncodeCompacted(std::uint64_t id, base::Zxid zxid, Position oldest);

// Appends a ServerFrame.items field holding an encoded Answer.
void AppendAnswerItem(absl::string_view answer, std::string* frame);

// Field numbers of Answer beyond the head, for those who write more of it.
struct AnswerField {
  static constexpr std::uint32_t kPath = 10, kStat = 11, kData = 12, kNames = 13, kNodes = 14, kMore = 15, kTransaction = 16,
                                 kOldest = 17, kCount = 18, kExisted = 19, kReads = 20, kAcl = 21, kIdentities = 22, kQuotas = 23,
                                 kSessions = 24;
};

}  // namespace drover::coord::tree

#endif  // DROVER_COORD_TREE_ANSWER_H_
