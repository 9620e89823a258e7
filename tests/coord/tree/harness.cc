#include "tests/coord/tree/harness.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "coord/base/wire.h"
#include "coord/tree/invariants.h"

namespace drover::coord::tree {
namespace {

using base::WireReader;
using base::WireType;

std::string String(absl::string_view s) {
  return std::string(s.data(), s.size());
}

DecodedResult DecodeResult(absl::string_view bytes) {
  DecodedResult result;
  WireReader in(bytes);
  while (in.Next()) {
    if (in.field() == 1) result.code = static_cast<Code>(in.number());
    if (in.field() == 2) result.path = String(in.bytes());
    if (in.field() == 3) result.stat = DecodeStat(in.bytes());
    if (in.field() == 4) result.count = in.number();
    if (in.field() == 5) result.existed = in.number() != 0;
  }
  EXPECT_TRUE(in.ok());
  return result;
}

DecodedNode DecodeNode(absl::string_view bytes) {
  DecodedNode node;
  WireReader in(bytes);
  while (in.Next()) {
    if (in.field() == 1) node.path = String(in.bytes());
    if (in.field() == 2) node.stat = DecodeStat(in.bytes());
    if (in.field() == 3) node.data = String(in.bytes());
    if (in.field() == 4) node.hidden = in.number() != 0;
  }
  EXPECT_TRUE(in.ok());
  return node;
}

}  // namespace

Stat DecodeStat(absl::string_view bytes) {
  Stat stat;
  WireReader in(bytes);
  while (in.Next()) {
    const std::uint64_t value = in.number();
    const auto narrow = static_cast<std::uint32_t>(value);
    switch (in.field()) {
      case 1:
        stat.czxid = base::Zxid(value);
        break;
      case 2:
        stat.mzxid = base::Zxid(value);
        break;
      case 3:
        stat.pzxid = base::Zxid(value);
        break;
      case 4:
        stat.ctime = base::WallTime(static_cast<std::int64_t>(value));
        break;
      case 5:
        stat.mtime = base::WallTime(static_cast<std::int64_t>(value));
        break;
      case 6:
        stat.version = narrow;
        break;
      case 7:
        stat.cversion = narrow;
        break;
      case 8:
        stat.aversion = narrow;
        break;
      case 9:
        stat.ephemeral_owner = base::SessionId(value);
        break;
      case 10:
        stat.data_length = narrow;
        break;
      case 11:
        stat.num_children = narrow;
        break;
      case 12:
        stat.container = value != 0;
        break;
      case 13:
        stat.ttl_ms = value;
        break;
      default:
        ADD_FAILURE() << "field " << in.field() << " of a Stat";
    }
  }
  EXPECT_TRUE(in.ok());
  return stat;
}

DecodedAnswer DecodeAnswer(absl::string_view bytes) {
  DecodedAnswer answer;
  WireReader in(bytes);
  while (in.Next()) {
    switch (in.field()) {
      case 1:
        answer.number = in.number();
        break;
      case 2:
        answer.id = in.number();
        break;
      case 3:
        answer.code = static_cast<Code>(in.number());
        break;
      case 4:
        answer.zxid = in.number();
        break;
      case 5:
        answer.message = String(in.bytes());
        break;
      case 10:
        answer.path = String(in.bytes());
        break;
      case 11:
        answer.stat = DecodeStat(in.bytes());
        break;
      case 12:
        answer.data = String(in.bytes());
        break;
      case 13:
        answer.names.push_back(String(in.bytes()));
        break;
      case 14:
        answer.nodes.push_back(DecodeNode(in.bytes()));
        break;
      case 15:
        answer.more = in.number() != 0;
        break;
      case 16: {
        answer.has_transaction = true;
        WireReader transaction(in.bytes());
        while (transaction.Next()) {
          if (transaction.field() == 1) answer.succeeded = transaction.number() != 0;
          if (transaction.field() == 2) answer.results.push_back(DecodeResult(transaction.bytes()));
        }
        EXPECT_TRUE(transaction.ok());
        break;
      }
      case 18:
        answer.count = in.number();
        break;
      case 19:
        answer.existed = in.number() != 0;
        break;
      case 20:
        answer.reads.push_back(DecodeAnswer(in.bytes()));
        break;
      case 21: {
        std::vector<AclEntry> entries;
        EXPECT_TRUE(ParseAclEntries(in.bytes(), &entries));
        for (const AclEntry& entry : entries) {
          answer.acl.push_back(absl::StrCat(entry.permissions, " ", entry.scheme, " ", entry.id));
        }
        break;
      }
      case 22: {
        Identity identity;
        EXPECT_TRUE(ParseIdentity(in.bytes(), &identity));
        answer.identities.push_back(absl::StrCat(identity.scheme, " ", identity.id));
        break;
      }
      case 23: {
        DecodedQuota& quota = answer.quotas.emplace_back();
        WireReader usage(in.bytes());
        while (usage.Next()) {
          if (usage.field() == 1) quota.path = String(usage.bytes());
          if (usage.field() == 2) quota.quota.nodes_max = usage.number();
          if (usage.field() == 3) quota.quota.bytes_max = usage.number();
          if (usage.field() == 4) quota.nodes = usage.number();
          if (usage.field() == 5) quota.bytes = usage.number();
          if (usage.field() == 6) quota.czxid = usage.number();
        }
        EXPECT_TRUE(usage.ok());
        break;
      }
      default:
        ADD_FAILURE() << "field " << in.field() << " of an Answer";
    }
  }
  EXPECT_TRUE(in.ok());
  return answer;
}

DecodedEvent DecodeEvent(absl::string_view bytes) {
  DecodedEvent event;
  WireReader in(bytes);
  while (in.Next()) {
    if (in.field() == 1) event.zxid = in.number();
    if (in.field() == 2) event.ordinal = static_cast<std::uint32_t>(in.number());
    if (in.field() == 3) event.type = static_cast<EventType>(in.number());
    if (in.field() == 4) event.path = String(in.bytes());
    if (in.field() == 5) event.stat = DecodeStat(in.bytes());
    if (in.field() == 6) event.data = String(in.bytes());
    if (in.field() == 7) {
      base::PackedVarints ids(in.bytes());
      for (std::uint64_t id = 0; ids.Next(&id);) event.watch_ids.push_back(id);
      EXPECT_TRUE(ids.ok());
    }
  }
  EXPECT_TRUE(in.ok());
  return event;
}

std::ostream& operator<<(std::ostream& os, Code code) {
  return os << "code " << static_cast<std::uint32_t>(code) << " (" << MessageOf(code) << ")";
}

std::ostream& operator<<(std::ostream& os, const Stat& s) {
  return os << "{czxid " << s.czxid << " mzxid " << s.mzxid << " pzxid " << s.pzxid << " ctime " << s.ctime << " mtime " << s.mtime
            << " version " << s.version << " cversion " << s.cversion << " aversion " << s.aversion << " owner "
            << s.ephemeral_owner << " length " << s.data_length << " children " << s.num_children << "}";
}

std::string TextOf(const DecodedEvent& event) {
  static constexpr const char* kNames[] = {"?", "created", "changed", "deleted"};
  return absl::StrCat(event.zxid, ".", event.ordinal, " ", kNames[static_cast<std::size_t>(event.type) % 4], " ", event.path, " '",
                      event.data, "'");
}

std::string TextOf(const Event& event) {
  return TextOf(DecodeEvent(event.encoded(true)));
}

void Machine::Apply(const base::Bytes& batch, raft::Term term) {
  log.emplace_back(term, batch);
  EXPECT_TRUE(machine_.Apply(term, batch.view(), this).ok());
  const absl::Status invariants = CheckInvariants(machine_);
  EXPECT_TRUE(invariants.ok()) << invariants;
}

DecodedAnswer Machine::Write(base::SessionId session, std::uint64_t seen, const std::string& request, absl::string_view address,
                             const std::vector<Identity>& identities) {
  BatchBuilder batch{base::WallTime(now_ms)};
  const Origin origin{base::NodeId(1), base::BootNonce(2), ++tag_};
  batch.AddRequest(origin, session, seen, request, address, identities);
  const std::size_t before = answers.size();
  Apply(batch.Finish());
  EXPECT_EQ(answers.size(), before + 1) << "not exactly one answer";
  if (answers.size() == before) return {};
  EXPECT_EQ(answers.back().origin, origin);
  EXPECT_EQ(answers.back().session, session);
  const DecodedAnswer answer = DecodeAnswer(answers.back().bytes.view());
  EXPECT_EQ(answer.code, answers.back().code);
  EXPECT_EQ(answer.number, answers.back().number);
  EXPECT_EQ(answer.message.empty(), answer.code == Code::kOk) << answer.message;
  return answer;
}

base::SessionId Machine::Open(std::uint32_t timeout_ms, std::uint32_t grace_ms, absl::string_view name, absl::string_view address) {
  BatchBuilder batch{base::WallTime(now_ms)};
  batch.AddOpen({base::NodeId(1), base::BootNonce(2), ++tag_}, {"0123456789abcdef", timeout_ms, grace_ms, name, address});
  const std::size_t before = opened.size();
  Apply(batch.Finish());
  return opened.size() > before ? opened.back() : base::SessionId();
}

void Machine::Expire(const std::vector<base::SessionId>& sessions, raft::Term carried) {
  BatchBuilder batch{base::WallTime(now_ms)};
  batch.AddExpire(carried, sessions);
  Apply(batch.Finish());
}

void Machine::Reap(const std::vector<ReapedNodeView>& nodes) {
  BatchBuilder batch{base::WallTime(now_ms)};
  batch.AddReap(nodes);
  Apply(batch.Finish());
}

DecodedAnswer Machine::ReadAs(const Asker& asker, const std::string& request) const {
  RequestView view;
  EXPECT_TRUE(RequestView::Parse(request, &view));
  return DecodeAnswer(machine_.Read(view, asker).view());
}

Stat Machine::StatOf(absl::string_view path) const {
  const Node* node = machine_.tree().Find(path);
  return node == nullptr ? Stat() : node->stat();
}

std::vector<std::string> Machine::TakeEvents() {
  std::vector<std::string> texts;
  for (; taken_ < events.size(); ++taken_) texts.push_back(TextOf(events[taken_]));
  return texts;
}

void Machine::OnEvents(absl::Span<const Event> batch) {
  EXPECT_FALSE(batch.empty());
  events.insert(events.end(), batch.begin(), batch.end());
  order.push_back("events");
}

void Machine::OnAnswer(const Answered& answered) {
  answers.push_back(answered);
  order.push_back("answer");
}

void Machine::OnSessionOpened(const Origin&, const Session& session) {
  opened.push_back(session.id());
  order.push_back("opened");
}

void Machine::OnSessionEnded(base::SessionId session, SessionEnd end, base::Zxid zxid) {
  EXPECT_EQ(zxid, machine_.last_zxid());
  EXPECT_EQ(machine_.sessions().Find(session), nullptr);
  ended.emplace_back(session, end);
  order.push_back("ended");
}

}  // namespace drover::coord::tree
