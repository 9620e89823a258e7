// The grammar of names, and ids that carry a ticket.
//
// A generated id is `t<ticket, 16 lower-case hex digits>-<random, 16 lower-case hex digits>`. The ticket is a zxid that a master
// handed out before the id was used, so an id below the pool's horizon that is not in the tree is known to be old and can be
// refused for ever. Nobody may choose an id of that form by hand.
#ifndef DROVER_MASTER_RECORDS_TASK_ID_H_
#define DROVER_MASTER_RECORDS_TASK_ID_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace drover::records {

inline constexpr std::size_t kTaskIdBytesMax = 128;
inline constexpr std::size_t kNameBytesMax = 63;

// [A-Za-z0-9][A-Za-z0-9._-]{0,127}: what a submission may choose.
[[nodiscard]] bool IsTaskId(absl::string_view id);
// The same with at most 63 bytes: pools, queues, workers, process ids.
[[nodiscard]] bool IsName(absl::string_view name);
// Label keys: like names, and '/' inside. Label values: printable bytes without control characters, at most 63; may be empty.
[[nodiscard]] bool IsLabelKey(absl::string_view key);
[[nodiscard]] bool IsLabelValue(absl::string_view value);

// An element of an array: `<array>:<index>`, the index in decimal without leading zeros.
struct Element {
  absl::string_view array;
  std::uint32_t index = 0;
};
[[nodiscard]] std::string ElementId(absl::string_view array, std::uint32_t index);
// Nothing: it is the id of no element.
[[nodiscard]] std::optional<Element> ParseElement(absl::string_view id);
// Of a task, or of an array's element: what a call may be about.
[[nodiscard]] bool IsAnyTaskId(absl::string_view id);

// The sentences with which a refusal explains the rule.
inline constexpr char kTaskIdRule[] = "a task id is [A-Za-z0-9][A-Za-z0-9._-]{0,127}";
inline constexpr char kAnyTaskIdRule[] =
    "a task id is [A-Za-z0-9][A-Za-z0-9._-]{0,127}, that of an array's element ends with :<index> besides";
inline constexpr char kNameRule[] = "a name is [A-Za-z0-9][A-Za-z0-9._-]{0,62}";

// NOT_FOUND, in the words that every call has for it.
[[nodiscard]] absl::Status NoTaskError(absl::string_view id);

// Ids made with one ticket and consecutive `random` values sort in that order.
[[nodiscard]] std::string GeneratedId(std::uint64_t ticket, std::uint64_t random);
// The ticket of a generated id; nothing for an id chosen by its user.
[[nodiscard]] std::optional<std::uint64_t> TicketOf(absl::string_view id);

}  // namespace drover::records

#endif  // DROVER_MASTER_RECORDS_TASK_ID_H_
