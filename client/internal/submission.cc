#include "client/internal/submission.h"

#include <algorithm>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "client/internal/convert.h"
#include "coord/base/wire.h"
#include "master/records/array.h"
#include "master/records/record_limits.h"
#include "master/records/requirement.h"
#include "master/records/spec.h"
#include "master/records/task_id.h"

namespace drover::client {
namespace {

// Below the service's 4 MiB by what ids, policies and framing add.
constexpr std::size_t kBatchBytes = 3 << 20;
constexpr std::size_t kBytesPerTask = 256;

std::size_t BytesOf(const TaskSpec& spec) {
  std::size_t bytes = kBytesPerTask + spec.stdin_data.size() + spec.cwd.size() + spec.name.size();
  for (const std::string& argument : spec.argv) bytes += argument.size();
  for (const auto& [key, value] : spec.env) bytes += key.size() + value.size();
  for (const auto& [key, value] : spec.labels) bytes += key.size() + value.size();
  for (const std::string& rule : spec.rules) bytes += rule.size();
  for (const auto& [key, value] : spec.resources) bytes += key.size() + sizeof value;
  for (const Dependency& dependency : spec.dependencies) bytes += dependency.task.size() + 8;
  // A large program is in the store and its reference in the request.
  return std::min(bytes, kBytesPerTask + records::kSpecBytesMax);
}

// A program travels as text: bytes that are none would be refused on the way without a word of which.
absl::Status CheckText(absl::string_view what, absl::string_view text, absl::string_view otherwise = "") {
  if (base::IsUtf8(text)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(what, " is not UTF-8: \"", absl::CHexEscape(text.substr(0, 100)), "\"", otherwise));
}

// What a program is given may come another way.
constexpr char kOtherBytes[] = "; hand other bytes over by --stdin or a file";

absl::Status CheckTexts(const TaskSpec& spec) {
  for (std::size_t i = 0; i < spec.argv.size(); ++i) {
    if (absl::Status s = CheckText(absl::StrCat("argument ", i), spec.argv[i], kOtherBytes); !s.ok()) return s;
  }
  for (const auto& [key, value] : spec.env) {
    if (absl::Status s = CheckText("a name in the environment", key); !s.ok()) return s;
    if (absl::Status s = CheckText(absl::StrCat("the environment's ", key), value, kOtherBytes); !s.ok()) return s;
  }
  if (absl::Status s = CheckText("the working directory", spec.cwd); !s.ok()) return s;
  if (absl::Status s = CheckText("the key", spec.key); !s.ok()) return s;
  return CheckText("the name", spec.name);
}

}  // namespace

absl::Status CheckSpec(const TaskSpec& spec) {
  if (!spec.id.empty() && !records::IsTaskId(spec.id)) {
    return absl::InvalidArgumentError(absl::StrCat("\"", spec.id.substr(0, 200), "\" is no task id: ", records::kTaskIdRule));
  }
  if (spec.priority < 0)
    return absl::InvalidArgumentError(absl::StrCat("priority is 0 to ", records::kPriorityMax, ", not ", spec.priority));
  if (spec.retries < 0)
    return absl::InvalidArgumentError(absl::StrCat("retries is 0 to ", records::kRetriesMax, ", not ", spec.retries));
  for (const int code : spec.retry_exit_codes) {
    if (code < 1 || code > 255)
      return absl::InvalidArgumentError(absl::StrCat("exit code ", code, " to retry after is not in 1..255"));
  }
  if (spec.retry_backoff.count() < 0) return absl::InvalidArgumentError("a back-off is not negative");
  if (spec.time_limit.count() < 0) return absl::InvalidArgumentError("a time limit is not negative");
  if (spec.key_max < 1) return absl::InvalidArgumentError(absl::StrCat("of a key at least one task may run, not ", spec.key_max));
  for (const std::string& text : spec.rules) {
    if (const auto rule = records::ParseLabelRule(text); !rule.ok()) return rule.status();
  }
  if (!spec.array.empty()) {
    if (const auto array = records::ParseArray(spec.array); !array.ok()) return array.status();
    if (spec.id.size() > records::kArrayIdBytesMax) {
      return absl::ResourceExhaustedError(
          absl::StrCat("an array's id has ", spec.id.size(), " bytes, at most ", records::kArrayIdBytesMax));
    }
  }
  if (absl::Status s = CheckTexts(spec); !s.ok()) return s;
  if (absl::Status s = records::CheckProgram(ToProgram(spec)); !spec.handler.empty() && !s.ok()) return s;  // before its label
  task::v1::Policy policy = ToPolicy(spec);
  records::Normalise(&policy);
  if (absl::Status s = records::CheckPolicy(policy); !s.ok()) return s;
  return records::CheckProgram(ToProgram(spec));
}

std::size_t BatchSize(const std::vector<TaskSpec>& specs, std::size_t begin) {
  std::size_t bytes = 0, end = begin;
  while (end < specs.size() && end - begin < records::kBatchTasksMax) {
    bytes += BytesOf(specs[end]);
    if (bytes > kBatchBytes && end > begin) break;
    ++end;
  }
  return end - begin;
}

task::v1::TaskSpec ToTaskSpec(const TaskSpec& spec) {
  task::v1::TaskSpec message;
  message.set_id(spec.id);
  message.set_if_exists(static_cast<task::v1::IfExists>(spec.if_exists));
  *message.mutable_policy() = ToPolicy(spec);
  return message;
}

}  // namespace drover::client
