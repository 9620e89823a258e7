#include "tests/sim/check/event_log.h"

#include <cstdint>
#include <set>

#include "absl/strings/str_cat.h"

namespace drover::sim::check {

std::string TextOf(const LoggedEvent& event) {
  static constexpr const char* kTypes[] = {"?", "created", "changed", "deleted"};
  const auto type = static_cast<std::uint32_t>(event.type);
  return absl::StrCat("(", event.position.zxid.value, ", ", event.position.ordinal, ") ", kTypes[type < 4 ? type : 0], " ",
                      event.path, event.data.empty() ? "" : absl::StrCat(" \"", event.data, "\""));
}

absl::Status CheckEventLog(const EventLog& log) {
  std::set<std::string> there;
  Position last{base::Zxid(0), 0};
  for (const LoggedEvent& event : log) {
    const std::uint32_t expected = event.position.zxid == last.zxid ? last.ordinal + 1 : 0;
    if (event.position.zxid < last.zxid || event.position.ordinal != expected)
      return absl::InternalError(absl::StrCat("log: ", TextOf(event), " behind (", last.zxid.value, ", ", last.ordinal, ")"));
    last = event.position;
    const bool was_there = event.type == EventType::kCreated ? !there.insert(event.path).second : there.count(event.path) != 0;
    if (was_there != (event.type != EventType::kCreated))
      return absl::InternalError(absl::StrCat("log: ", TextOf(event), ", but the node was ", was_there ? "there" : "not there"));
    if (event.type == EventType::kDeleted) there.erase(event.path);
  }
  return absl::OkStatus();
}

}  // namespace drover::sim::check
