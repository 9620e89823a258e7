#include "tests/oracle/drover_values.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "drover/coord/status.h"

namespace drover::oracle {
namespace {

Code CodeOf(const absl::Status& status) {
  const std::optional<coord::Code> refusal = coord::RefusalOf(status);
  if (!refusal.has_value()) return Code::kOther;
  switch (*refusal) {
    case coord::Code::kNoNode:
      return Code::kNoNode;
    case coord::Code::kNodeExists:
      return Code::kNodeExists;
    case coord::Code::kBadVersion:
      return Code::kBadVersion;
    case coord::Code::kNotEmpty:
      return Code::kNotEmpty;
    case coord::Code::kNoChildrenForEphemerals:
      return Code::kNoChildrenForEphemerals;
    case coord::Code::kInvalidArgument:
      return Code::kBadArguments;
    case coord::Code::kTooLarge:
      return Code::kTooLarge;
    case coord::Code::kSessionExpired:
      return Code::kSessionExpired;
    case coord::Code::kNoAuth:
      return Code::kNoAuth;
    case coord::Code::kInvalidAcl:
      return Code::kInvalidAcl;
    default:
      return Code::kOther;
  }
}

}  // namespace

Stat StatOf(const coord::Stat& s) {
  Stat stat;
  stat.czxid = s.czxid.value;
  stat.mzxid = s.mzxid.value;
  stat.pzxid = s.pzxid.value;
  stat.ctime = s.ctime.value;
  stat.mtime = s.mtime.value;
  stat.version = static_cast<std::int32_t>(s.version);
  stat.cversion = static_cast<std::int32_t>(s.cversion);
  stat.aversion = static_cast<std::int32_t>(s.aversion);
  stat.ephemeral_owner = s.ephemeral_owner.value;
  stat.data_length = static_cast<std::int32_t>(s.data_length);
  stat.num_children = static_cast<std::int32_t>(s.num_children);
  stat.container = s.container;
  stat.ttl_ms = base::ToMillis(s.ttl);
  return stat;
}

Event EventOf(const coord::Event& e) {
  Event event;
  event.type = e.type == coord::Event::Type::kCreated   ? Event::Type::kCreated
               : e.type == coord::Event::Type::kDeleted ? Event::Type::kDeleted
                                                        : Event::Type::kChanged;
  event.path = e.path;
  event.zxid = e.zxid.value;
  event.ordinal = e.ordinal;
  event.stat = StatOf(e.stat);
  event.data_bytes = e.data.size();
  return event;
}

Answer RefusalAnswer(const absl::Status& status) {
  return Answer{.code = CodeOf(status), .said = std::string(status.message()), .zxid = coord::RefusalZxid(status).value};
}

coord::Acl AclOf(const Acl& acl) {
  coord::Acl ours;
  for (const AclEntry& entry : acl) ours.push_back({static_cast<std::uint32_t>(entry.permissions), entry.scheme, entry.id});
  return ours;
}

coord::CreateOptions CreateOptionsOf(const Operation& create) {
  return {.ephemeral = create.ephemeral,
          .sequential = create.sequential,
          .container = create.container,
          .ttl = std::chrono::milliseconds(create.ttl_ms.value_or(0)),
          .acl = AclOf(create.acl)};
}

coord::Transaction TransactionOf(const Operation& multi) {
  coord::Transaction transaction;
  for (const Operation& part : multi.parts) {
    const std::optional<std::uint32_t> version =
        part.version == kAnyVersion ? std::nullopt : std::optional(static_cast<std::uint32_t>(part.version));
    switch (part.kind) {
      case Kind::kCheck:
        transaction.then.push_back(coord::Operation::Check(part.path, version));
        break;
      case Kind::kCreate:
        transaction.then.push_back(coord::Operation::Create(part.path, part.data.value_or(""), CreateOptionsOf(part)));
        break;
      case Kind::kDelete:
        transaction.then.push_back(coord::Operation::Delete(part.path, version));
        break;
      default:
        transaction.then.push_back(coord::Operation::Set(part.path, part.data.value_or(""), version));
        break;
    }
  }
  return transaction;
}

Answer MultiAnswer(const std::vector<coord::Operation>& writes, const absl::StatusOr<coord::TransactionResult>& result) {
  if (!result.ok()) {
    Answer answer = RefusalAnswer(result.status());
    if (const std::optional<std::size_t> refused = coord::RefusedOperation(result.status()); refused.has_value()) {
      for (std::size_t i = 0; i < writes.size(); ++i) {
        answer.parts.push_back({.code = i < *refused ? Code::kUndone : i == *refused ? answer.code : Code::kNotTried});
      }
    }
    return answer;
  }
  Answer answer;
  answer.zxid = result->zxid.value;
  for (std::size_t i = 0; i < result->results.size(); ++i) {
    Answer part;
    part.path = result->results[i].path;
    const bool has_stat =
        i < writes.size() && writes[i].kind != coord::Operation::Kind::kDelete && writes[i].kind != coord::Operation::Kind::kCheck;
    if (has_stat) part.stat = StatOf(result->results[i].stat);
    answer.parts.push_back(std::move(part));
  }
  return answer;
}

}  // namespace drover::oracle
