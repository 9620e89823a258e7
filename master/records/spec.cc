#include "master/records/spec.h"

#include <xxhash.h>

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "coord/base/status.h"
#include "master/records/array.h"
#include "master/records/backoff.h"
#include "master/records/dependency.h"
#include "master/records/encode.h"
#include "master/records/handler_label.h"
#include "master/records/record_limits.h"
#include "master/records/requirement.h"
#include "master/records/task_id.h"
#include "master/records/time_bounds.h"

namespace drover::records {
namespace {

std::string CombineDigests(const task::v1::Policy& policy, absl::string_view program_digest) {
  return Digest(absl::StrCat(Digest(EncodePolicy(policy)), program_digest));
}

// Linux's MAX_ARG_STRLEN without the NUL: a longer string never starts, on any worker.
constexpr std::size_t kStringBytesMax = (std::size_t{128} << 10) - 1;

absl::Status CheckLength(absl::string_view what, std::size_t bytes) {
  if (bytes <= kStringBytesMax) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      absl::StrCat(what, " has ", bytes, " bytes, at most ", kStringBytesMax, ": hand larger ones over by standard input"));
}

// A time of the policy, in milliseconds.
absl::Status CheckTime(absl::string_view what, std::int64_t ms, std::int64_t ms_max) {
  if (ms < 0) return absl::InvalidArgumentError(absl::StrCat(what, " is not negative"));
  if (ms <= ms_max) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(what, " of ", absl::FormatDuration(absl::Milliseconds(ms)), " is longer than ",
                                                 absl::FormatDuration(absl::Milliseconds(ms_max))));
}

absl::Status CheckInstant(absl::string_view what, std::int64_t ms) {
  if (ms >= 0 && ms <= kInstantMaxMs) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(what, " is a time from 1970 to 9999"));
}

absl::Status CheckTimes(const task::v1::Policy& policy) {
  DROVER_RETURN_IF_ERROR(CheckTime("a time limit", policy.time_limit_ms(), kLimitMaxMs));
  DROVER_RETURN_IF_ERROR(CheckTime("a delay", policy.delay_ms(), kDelayMaxMs));
  DROVER_RETURN_IF_ERROR(CheckTime("a time to start within", policy.start_within_ms(), kLimitMaxMs));
  DROVER_RETURN_IF_ERROR(CheckTime("a time between signs of life", policy.heartbeat_ms(), kLimitMaxMs));
  DROVER_RETURN_IF_ERROR(CheckTime("a total limit", policy.total_limit_ms(), kLimitMaxMs));
  DROVER_RETURN_IF_ERROR(CheckInstant("the time from which on it may run", policy.start_at_ms()));
  DROVER_RETURN_IF_ERROR(CheckInstant("a deadline", policy.deadline_ms()));
  if (policy.delay_ms() > 0 && policy.start_at_ms() > 0) {
    return absl::InvalidArgumentError("a task has either a delay or a time from which on it may run");
  }
  if (policy.deadline_ms() > 0 && policy.start_at_ms() >= policy.deadline_ms()) {
    return absl::InvalidArgumentError("its deadline is not after the time from which on it may run");
  }
  return absl::OkStatus();
}

absl::Status CheckRetries(const task::v1::Policy& policy) {
  if (policy.retries() > kRetriesMax) {
    return absl::InvalidArgumentError(absl::StrCat(policy.retries(), " retries, at most ", kRetriesMax));
  }
  if (policy.at_most_once() && policy.retries() > 0) {
    return absl::InvalidArgumentError("a task that runs at most once cannot have retries");
  }
  if (policy.retry_exit_codes_size() > static_cast<int>(kRetryExitCodesMax)) {
    return absl::InvalidArgumentError(
        absl::StrCat(policy.retry_exit_codes_size(), " exit codes to retry after, at most ", kRetryExitCodesMax));
  }
  for (const std::uint32_t code : policy.retry_exit_codes()) {
    if (code < 1 || code > 255)
      return absl::InvalidArgumentError(absl::StrCat("exit code ", code, " to retry after is not in 1..255"));
  }
  if (!policy.retry_exit_codes().empty() && policy.retries() == 0) {
    return absl::InvalidArgumentError("exit codes to retry after say nothing without retries");
  }
  if (policy.retry_backoff_ms() < 0 || policy.retry_backoff_ms() > kRetryBackoffMaxMs) {
    return absl::InvalidArgumentError(absl::StrCat("a back-off of ",
                                                   absl::FormatDuration(absl::Milliseconds(policy.retry_backoff_ms())),
                                                   " is not in 0..", absl::FormatDuration(absl::Milliseconds(kRetryBackoffMaxMs))));
  }
  return absl::OkStatus();
}

absl::Status CheckPlace(const task::v1::Policy& policy) {
  if (policy.labels_size() > static_cast<int>(kLabelsMax)) {
    return absl::ResourceExhaustedError(absl::StrCat(policy.labels_size(), " labels, at most ", kLabelsMax));
  }
  for (const auto& [key, value] : policy.labels()) {
    if (!IsLabelKey(key) || !IsLabelValue(value)) {
      return absl::InvalidArgumentError(
          "bad label: keys are [A-Za-z0-9][A-Za-z0-9._/-]{0,62}, values up to 63 printable characters");
    }
  }
  if (policy.rules_size() > static_cast<int>(kLabelRulesMax)) {
    return absl::ResourceExhaustedError(absl::StrCat(policy.rules_size(), " rules about labels, at most ", kLabelRulesMax));
  }
  for (const task::v1::LabelRule& rule : policy.rules()) DROVER_RETURN_IF_ERROR(CheckLabelRule(rule));
  return CheckResources(policy.resources());
}

absl::Status CheckKey(const task::v1::Policy& policy) {
  if (policy.key().empty()) {
    if (policy.key_max() == 0) return absl::OkStatus();
    return absl::InvalidArgumentError("how many of a key may run says nothing without a key");
  }
  if (!IsLabelValue(policy.key())) return absl::InvalidArgumentError("a key has up to 63 printable characters");
  if (policy.key_max() <= kTaskKeyRunningMax) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(policy.key_max(), " running tasks of a key, at most ", kTaskKeyRunningMax));
}

bool HasNul(absl::string_view s) {
  return s.find('\0') != absl::string_view::npos;
}

}  // namespace

std::string EncodeProgram(const task::v1::Program& program) {
  return EncodeDeterministically(program);
}
std::string EncodePolicy(const task::v1::Policy& policy) {
  return EncodeDeterministically(policy);
}

std::string Digest(absl::string_view bytes) {
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, XXH3_128bits(bytes.data(), bytes.size()));
  return std::string(reinterpret_cast<const char*>(canonical.digest), sizeof(canonical.digest));
}

void Normalise(task::v1::Policy* policy) {
  if (policy->queue().empty()) policy->set_queue("default");
  if (policy->retry_backoff_ms() == kRetryBackoffDefaultMs) policy->clear_retry_backoff_ms();
  auto* codes = policy->mutable_retry_exit_codes();
  std::sort(codes->begin(), codes->end());
  codes->Truncate(static_cast<int>(std::unique(codes->begin(), codes->end()) - codes->begin()));
  if (policy->key_max() == 1 && !policy->key().empty()) policy->clear_key_max();
  std::sort(policy->mutable_dependencies()->begin(), policy->mutable_dependencies()->end(),
            [](const auto& a, const auto& b) { return std::pair(a.task(), a.condition()) < std::pair(b.task(), b.condition()); });
  if (policy->has_array()) Normalise(policy->mutable_array());
  // The order of rules, and of a rule's values, says nothing.
  std::set<std::string> rules;
  for (task::v1::LabelRule& rule : *policy->mutable_rules()) {
    std::sort(rule.mutable_values()->begin(), rule.mutable_values()->end());
    rules.insert(EncodeDeterministically(rule));
  }
  policy->clear_rules();
  for (const std::string& rule : rules) (void)policy->add_rules()->ParseFromString(rule);
}

void RequireHandler(const std::string& handler, task::v1::Policy* policy) {
  task::v1::LabelRule* rule = policy->add_rules();
  rule->set_label(absl::StrCat(kHandlerLabel, handler));
  rule->set_op(task::v1::LabelRule::EXISTS);
}

absl::Status CheckPolicy(const task::v1::Policy& policy) {
  if (policy.name().size() > kTaskNameBytesMax) {
    return absl::ResourceExhaustedError(
        absl::StrCat("the task's name has ", policy.name().size(), " bytes, at most ", kTaskNameBytesMax));
  }
  if (!IsName(policy.queue())) return absl::InvalidArgumentError(absl::StrCat("bad queue: ", kNameRule));
  if (policy.priority() > kPriorityMax) {
    return absl::InvalidArgumentError(absl::StrCat("priority ", policy.priority(), " is not in 0..", kPriorityMax));
  }
  DROVER_RETURN_IF_ERROR(CheckPlace(policy));
  DROVER_RETURN_IF_ERROR(CheckKey(policy));
  DROVER_RETURN_IF_ERROR(CheckTimes(policy));
  DROVER_RETURN_IF_ERROR(CheckRetries(policy));
  DROVER_RETURN_IF_ERROR(CheckDependencies(policy));
  if (policy.has_array()) DROVER_RETURN_IF_ERROR(CheckArray(policy.array()));
  if (!task::v1::DisconnectPolicy_IsValid(policy.on_disconnect())) {
    return absl::InvalidArgumentError("on_disconnect is KEEP or STOP");
  }
  const std::size_t size = policy.ByteSizeLong();
  if (size > kPolicyBytesMax) {
    return absl::ResourceExhaustedError(absl::StrCat("name, queue, labels, rules, resources, array and dependencies take ", size,
                                                     " bytes together, at most ", kPolicyBytesMax));
  }
  return absl::OkStatus();
}

absl::Status CheckProgram(const task::v1::Program& program) {
  if (!program.handler().empty()) {
    if (program.handler().size() > kHandlerNameBytesMax || !IsName(program.handler())) {
      return absl::InvalidArgumentError("a handler's name is [A-Za-z0-9][A-Za-z0-9._-]{0,54}");
    }
    if (program.argv_size() > 0 || !program.cwd().empty()) {
      return absl::InvalidArgumentError("a task has either a handler or a command, and a handler no working directory");
    }
  } else if (program.argv_size() == 0 || program.argv(0).empty()) {
    return absl::InvalidArgumentError("a program needs a command (argv[0])");
  }
  for (int i = 0; i < program.argv_size(); ++i) {
    if (HasNul(program.argv(i))) return absl::InvalidArgumentError("an argument cannot hold a NUL byte");
    DROVER_RETURN_IF_ERROR(CheckLength(absl::StrCat("argument ", i), program.argv(i).size()));
  }
  for (const auto& [key, value] : program.env()) {
    if (key.empty() || HasNul(key) || HasNul(value) || key.find('=') != std::string::npos) {
      return absl::InvalidArgumentError("an environment variable has a name without '=' and no NUL byte");
    }
    DROVER_RETURN_IF_ERROR(CheckLength("an environment variable", key.size() + 1 + value.size()));
  }
  if (!program.cwd().empty() && (program.cwd().front() != '/' || HasNul(program.cwd()))) {
    return absl::InvalidArgumentError("cwd is an absolute path");
  }
  if (!program.stdin().empty() && program.has_stdin_object()) {
    return absl::InvalidArgumentError("stdin is given either in place or as an object, not both");
  }
  return program.has_stdin_object() ? CheckObjectRef(program.stdin_object()) : absl::OkStatus();
}

absl::Status CheckObjectRef(const task::v1::ObjectRef& object) {
  if (object.key().empty() || object.key().size() > kObjectKeyBytesMax) {
    return absl::InvalidArgumentError(absl::StrCat("an object's key has 1 to ", kObjectKeyBytesMax, " bytes"));
  }
  if (object.digest().size() != 16) return absl::InvalidArgumentError("an object's digest is XXH3-128, 16 bytes");
  if (object.size() > kObjectBytesMax) {
    return absl::ResourceExhaustedError(absl::StrCat("an object of ", object.size(), " bytes, at most ", kObjectBytesMax));
  }
  return absl::OkStatus();
}

std::size_t InlineProgramBytesMax(const task::v1::Policy& policy) {
  const std::size_t used = std::min(policy.ByteSizeLong(), kSpecBytesMax);
  return std::min(kProgramBytesMax, kSpecBytesMax - used);
}

std::string SpecDigest(const task::v1::Policy& policy, absl::string_view encoded_program) {
  return CombineDigests(policy, Digest(encoded_program));
}

std::string SpecDigest(const task::v1::Policy& policy, const task::v1::ObjectRef& program_object) {
  return CombineDigests(policy, program_object.digest());
}

std::string DifferenceOf(const worker::v1::TaskRecord& known, const worker::v1::TaskRecord& submitted) {
  if (known.spec_digest() == submitted.spec_digest()) return "";
  std::vector<std::string> parts;
  // The submitted program itself may not be there: a retry of what is known stores nothing. But the digest of both says it.
  const bool known_in_place = !known.has_program_object();
  const std::string program = known_in_place ? Digest(known.program()) : known.program_object().digest();
  if (CombineDigests(submitted.policy(), program) != submitted.spec_digest()) parts.push_back("program");
  const task::v1::Policy& a = known.policy();
  const task::v1::Policy& b = submitted.policy();
  const auto of_policy = [&parts](const char* name, bool same) {
    if (!same) parts.push_back(name);
  };
  of_policy("name", a.name() == b.name());
  of_policy("queue", a.queue() == b.queue());
  of_policy("priority", a.priority() == b.priority());
  of_policy("labels", std::map<std::string, std::string>(a.labels().begin(), a.labels().end()) ==
                          std::map<std::string, std::string>(b.labels().begin(), b.labels().end()));
  of_policy("rules about labels",
            std::equal(a.rules().begin(), a.rules().end(), b.rules().begin(), b.rules().end(),
                       [](const auto& x, const auto& y) { return EncodeDeterministically(x) == EncodeDeterministically(y); }));
  of_policy("resources", std::map<std::string, std::int64_t>(a.resources().begin(), a.resources().end()) ==
                             std::map<std::string, std::int64_t>(b.resources().begin(), b.resources().end()));
  of_policy("key", a.key() == b.key());
  of_policy("number of its key that may run", a.key_max() == b.key_max());
  of_policy("time limit", a.time_limit_ms() == b.time_limit_ms());
  of_policy("retries", a.retries() == b.retries());
  of_policy("at-most-once", a.at_most_once() == b.at_most_once());
  of_policy("on-disconnect", a.on_disconnect() == b.on_disconnect());
  of_policy("retry back-off", a.has_retry_backoff_ms() == b.has_retry_backoff_ms() && a.retry_backoff_ms() == b.retry_backoff_ms());
  of_policy("exit codes to retry after", std::equal(a.retry_exit_codes().begin(), a.retry_exit_codes().end(),
                                                    b.retry_exit_codes().begin(), b.retry_exit_codes().end()));
  of_policy("dependencies",
            std::equal(a.dependencies().begin(), a.dependencies().end(), b.dependencies().begin(), b.dependencies().end(),
                       [](const auto& x, const auto& y) { return x.task() == y.task() && x.condition() == y.condition(); }));
  of_policy("array", a.has_array() == b.has_array() && ArrayText(a.array()) == ArrayText(b.array()));
  of_policy("delay", a.delay_ms() == b.delay_ms());
  of_policy("start", a.start_at_ms() == b.start_at_ms());
  of_policy("time to start within", a.start_within_ms() == b.start_within_ms());
  of_policy("deadline", a.deadline_ms() == b.deadline_ms());
  of_policy("heartbeat", a.heartbeat_ms() == b.heartbeat_ms());
  of_policy("total limit", a.total_limit_ms() == b.total_limit_ms());
  if (parts.empty()) return "its policy differs";  // by a field of another version
  const std::string last = parts.back();
  parts.pop_back();
  if (parts.empty())
    return absl::StrCat("its ", last,
                        last == "labels" || last == "retries" || last == "rules about labels" || last == "resources" ||
                                last == "exit codes to retry after" || last == "dependencies"
                            ? " differ"
                            : " differs");
  return absl::StrCat("its ", absl::StrJoin(parts, ", "), " and ", last, " differ");
}

}  // namespace drover::records
