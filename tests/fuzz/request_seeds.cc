// AddRequestSeeds: what clients ask and what becomes of it.
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "coord/base/check.h"
#include "coord/server/frame.h"
#include "coord/tree/answer.h"
#include "coord/tree/snapshot_walk.h"
#include "coord/tree/state_machine.h"
#include "coord/tree/views.h"
#include "tests/fuzz/seeds.h"

namespace drover::fuzz {
namespace {

using namespace coord::tree;  // NOLINT
namespace raft = coord::raft;

constexpr base::SessionId kSession{1};
constexpr absl::string_view kSecret = "ssssssssssssssss";

std::string AclBytes() {
  return Acl({{Permission::kAll, "digest", "ann:hash"}, {Permission::kRead, "world", "anyone"}, {Permission::kWrite, "ip", "::/1"}})
      .encoded();
}

// Numbered from 1, as the writes of one session.
std::vector<std::string> Writes() {
  const std::string acl = AclBytes();
  std::vector<std::string> out;
  const auto head = [&out] { return RequestHead{.number = out.size() + 1}; };
  out.push_back(EncodeCreate(head(), {.path = "/a", .data = "data"}));
  out.push_back(EncodeCreate(head(), {.path = "/a/s-", .sequential = true}));
  out.push_back(EncodeCreate(head(), {.path = "/a/e", .ephemeral = true}));
  out.push_back(EncodeCreate(head(), {.path = "/b/c/d", .parents = true, .container = true}));
  out.push_back(EncodeCreate(head(), {.path = "/t", .ttl_ms = Options().ttl_ms_max, .if_absent = true}));
  out.push_back(EncodeCreate(head(), {.path = "/acl", .has_acl = true, .acl = acl}));
  out.push_back(EncodeSet(head(), {"/a", "new", 1}));
  out.push_back(EncodeSetAcl(head(), {"/a", acl, 1}));
  out.push_back(EncodeSetQuota(head(), {"/b", 5, 100}));
  out.push_back(EncodeAuthenticate(head(), {"digest", "ann:secret"}));
  out.push_back(TransactionBuilder()
                    .Compare({"/a", CompareField::kVersion, CompareRelation::kEqual, 1})
                    .Then(CreateView{.path = "/x"})
                    .Then(SetView{"/a", "again", 0})
                    .ThenCheck({"/a", 0})
                    .ThenSetAcl({"/x", acl, 0})
                    .ThenDeleteSubtree({"/x", 0})
                    .Otherwise(DeleteView{"/t", 1})
                    .Encode(head()));
  out.push_back(EncodeDelete(head(), {"/t", 1}));
  out.push_back(EncodeDeleteSubtree(head(), {"/b", 0}));
  out.push_back(EncodeNothing(head().number));
  return out;
}

std::vector<std::string> ReadsAndWatches() {
  std::vector<std::string> out;
  const auto head = [&out] { return RequestHead{.id = out.size() + 1, .local = out.size() % 2 == 0}; };
  out.push_back(EncodeGet(head(), "/a"));
  out.push_back(EncodeExists(head(), "/none"));
  out.push_back(EncodeChildren(head(), {"/", "a", 1}));
  out.push_back(EncodeList(head(), {"/", "/a", 3, true}));
  out.push_back(EncodeSync(head()));
  out.push_back(MultiReadBuilder().Get("/a").Exists("/b").Children({"/", "", 2}).Encode(head()));
  out.push_back(EncodeCountDescendants(head(), "/"));
  out.push_back(EncodeEphemerals(head(), {kSession, "/", base::Zxid(1), "/a", 2}));
  out.push_back(EncodeGetAcl(head(), "/a"));
  out.push_back(EncodeQuotas(head(), {.path = "/", .limit = 5}));
  out.push_back(EncodeWhoAmI(head()));
  out.push_back(EncodeSessions(head(), {base::SessionId(1), 2}));
  out.push_back(EncodeAddWatch(head(), {.watch_id = 1, .path = "/", .kind = 1, .with_data = true}));
  out.push_back(EncodeAddWatch(head(), {.watch_id = 2, .path = "/a", .kind = 3, .has_after = true, .after = {base::Zxid(1), 0}}));
  out.push_back(EncodeRemoveWatch(head(), {1}));
  return out;
}

// Keeps what is answered and told.
class Keeper final : public Sink {
 public:
  void OnEvents(absl::Span<const Event> all) override { events.insert(events.end(), all.begin(), all.end()); }
  void OnAnswer(const Answered& answered) override { answers.push_back(answered.bytes.ToString()); }
  void OnSessionOpened(const Origin&, const Session&) override {}
  void OnSessionEnded(base::SessionId, SessionEnd, base::Zxid) override {}

  std::vector<Event> events;
  std::vector<std::string> answers;
};

std::string ClientFrame(const std::vector<std::string>& requests, std::uint64_t seen) {
  std::string frame;
  base::WireWriter out(&frame);
  out.Varint(3, seen);
  for (const std::string& request : requests) out.BytesAlways(4, request);
  return frame;
}

std::string Attach(bool resume) {
  std::string frame;
  base::WireWriter out(&frame);
  const std::size_t mark = out.Open(resume ? 2 : 1);
  if (resume) {
    out.Varint(1, kSession.value);
    out.Bytes(2, kSecret);
    out.Varint(3, 1);
    out.Varint(4, 1);
  } else {
    out.Varint(1, 6000);
    out.Varint(2, 250);
    out.Bytes(3, "a name");
  }
  out.Close(mark);
  const std::size_t contact = out.Open(5);
  out.Varint(1, 9);
  out.Close(contact);
  return frame;
}

void AddStreams(Seeds* out, const std::vector<std::string>& writes, const std::vector<std::string>& reads) {
  const std::string resume = absl::StrCat("\x03", Piece(Attach(true)));
  const auto add = [&](const std::vector<std::string>& requests, std::uint64_t seen) {
    (*out)["client_frame"].push_back(ClientFrame(requests, seen));
    (*out)["session_stream"].push_back(absl::StrCat(resume, Piece(ClientFrame(requests, seen))));
  };
  for (const std::string& request : reads) add({request}, 0);
  for (const std::string& request : writes) (*out)["client_frame"].push_back(ClientFrame({request}, 1));
  std::string all = resume;
  for (std::size_t i = 0; i < writes.size(); ++i) {
    absl::StrAppend(&all, Piece(ClientFrame({reads[i % reads.size()], writes[i]}, i)));
  }
  (*out)["session_stream"].push_back(all);
  (*out)["session_stream"].push_back(absl::StrCat("\x03", Piece(Attach(false)), Piece(ClientFrame(writes, 0))));
  (*out)["client_frame"].push_back(Attach(true));
  (*out)["client_frame"].push_back(Attach(false));
}

void AddBatches(Seeds* out, const std::vector<std::string>& writes, Keeper* keeper, StateMachine* machine) {
  const Origin origin{base::NodeId(1), base::BootNonce(2), 3};
  BatchBuilder open(base::WallTime(1000));
  open.AddOpen(origin, {.secret = kSecret, .timeout_ms = 6000, .name = "a name", .address = "\x7f\x01\x01\x01"});
  const std::string opening = open.Finish().ToString();
  BatchBuilder all(base::WallTime(1001));
  std::string single = absl::StrCat("\x03", Piece(opening));
  for (const std::string& write : writes) {
    const std::vector<Identity> who = {{"digest", "ann:hash"}};
    all.AddRequest(origin, kSession, 1, write, "-", who);
    BatchBuilder one(base::WallTime(1002));
    one.AddRequest(origin, base::SessionId(), 0, write);
    absl::StrAppend(&single, Piece(one.Finish().view()));
  }
  const std::string batch = all.Finish().ToString();
  BatchBuilder ends(base::WallTime(2000));
  const ReapedNodeView reaped{"/t", base::Zxid(6)};
  ends.AddReap({&reaped, 1});
  ends.AddExpire(raft::Term(1), {&kSession, 1});
  const std::string end = ends.Finish().ToString();
  (*out)["batch"] = {absl::StrCat("\x03", Piece(opening), Piece(batch)), single,
                     absl::StrCat("\x03", Piece(opening), Piece(batch), Piece(end)),
                     absl::StrCat(std::string(1, '\0'), Piece(opening), Piece(batch))};
  machine->SetFeatureLevel(base::kNewestFeatureLevel);
  DROVER_CHECK(machine->Apply(raft::Term(1), opening, keeper).ok());
  DROVER_CHECK(machine->Apply(raft::Term(1), batch, keeper).ok());
}

std::string Snapshot(StateMachine* machine) {
  SnapshotWalk walk(machine, base::WallTime(1234));
  while (walk.Step(SIZE_MAX, SIZE_MAX)) {
  }
  return walk.TakePart();
}

void AddAnswers(Seeds* out, const std::vector<std::string>& reads, const Keeper& keeper, const StateMachine& machine) {
  std::string first;
  coord::server::AppendGrant({kSession, kSecret, 6000, 5, base::NodeId(1), base::ClusterId(7)}, &first);
  coord::server::AppendContactAck(9, base::WallTime(1000), &first);
  coord::server::AppendCredits(16, &first);
  coord::server::AppendBookmark(base::Zxid(9), &first);
  coord::server::AppendMove(&first);
  coord::server::AppendFeatureLevel(base::kNewestFeatureLevel, &first);
  (*out)["server_frame"].push_back(absl::StrCat(std::string(1, '\0'), first));
  std::vector<std::string> answers = keeper.answers;
  for (const std::string& read : reads) {
    RequestView view;
    if (RequestView::Parse(read, &view) && IsRead(view.kind)) answers.push_back(machine.Read(view, {kSession}).ToString());
  }
  std::string together;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    std::string frame;
    AppendAnswerItem(answers[i], &frame);
    together += frame;
    (*out)["server_frame"].push_back(absl::StrCat(std::string(1, static_cast<char>(1 + i % 16)), frame));
  }
  for (char which = 1; which <= 16; ++which) (*out)["server_frame"].push_back(std::string(1, which) + together);
  const std::vector<std::uint64_t> watches = {1, 300};
  std::string events = std::string(1, '\0');
  for (const Event& event : keeper.events) AppendEventItem(event, true, watches, &events);
  (*out)["server_frame"].push_back(events);

  // A client's first writes and reads are answered by whatever fits their number, its watches armed, and events told.
  std::string stream = std::string(1, '\1') + Piece(first);
  std::string armed;
  for (std::uint64_t i = 1; i <= 24; ++i) {
    for (const std::uint32_t field : {1u, 2u}) {
      std::string answer = answers[i % answers.size()];
      base::WireWriter number(&answer);
      number.VarintAlways(3 - field, 0);
      number.VarintAlways(field, i);
      std::string frame;
      AppendAnswerItem(answer, &frame);
      stream += Piece(frame);
    }
    AppendAnswerItem(EncodeAnswer({.id = i | std::uint64_t{1} << 63, .zxid = base::Zxid(2)}).view(), &armed);
  }
  (*out)["session_machine"] = {stream, stream + Piece(armed) + Piece(events.substr(1)),
                               std::string(1, '\0') + Piece(first) + Piece(armed) + Piece(events.substr(1))};
}

}  // namespace

void AddRequestSeeds(Seeds* out) {
  const std::vector<std::string> writes = Writes();
  const std::vector<std::string> reads = ReadsAndWatches();
  (*out)["wire"] = {writes[0], writes[10], reads[5],
                    std::string("\x0b\x12\x01x\x0c\x1d\x01\x02\x03\x04\x21\1\2\3\4\5\6\7\x08", 20)};
  (*out)["acl"] = {AclBytes(), Acl::Open().encoded()};
  AddStreams(out, writes, reads);
  StateMachine machine;
  Keeper keeper;
  (*out)["snapshot_parts"].push_back(Piece(Snapshot(&machine)));
  AddBatches(out, writes, &keeper, &machine);
  (*out)["snapshot_parts"].push_back(Piece(Snapshot(&machine)));
  AddAnswers(out, reads, keeper, machine);
}

}  // namespace drover::fuzz
