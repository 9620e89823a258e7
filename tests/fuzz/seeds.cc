#include "tests/fuzz/seeds.h"

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "coord/base/check.h"
#include "coord/log/data_directory.h"
#include "coord/log/log.h"
#include "coord/log/snapshot_file.h"
#include "coord/log/snapshots.h"
#include "coord/raft/configuration.h"
#include "coord/server/formation.h"
#include "coord/server/peer_frame.h"
#include "tests/sim/sim_file_system.h"

namespace drover::fuzz {
namespace {

using base::NodeId;
namespace raft = coord::raft;
namespace log = coord::log;
namespace server = coord::server;

constexpr base::ClusterId kCluster{0x1122334455667788};

raft::Configuration Members(base::FeatureLevel level) {
  return {kCluster,
          {{NodeId(1), base::Incarnation(11), "a:1", true},
           {NodeId(2), base::Incarnation(12), "b:2", true},
           {NodeId(3), base::Incarnation(13), "c:3", false}},
          level};
}

raft::Entry MakeEntry(std::uint64_t term, std::uint64_t index, raft::EntryKind kind, absl::string_view payload) {
  return {raft::Term(term), raft::Index(index), kind, base::Bytes::Copy(payload)};
}

std::string FrameOf(const server::PeerHeader& header, const std::vector<server::PeerItem>& items) {
  server::PeerFrameBuilder builder;
  for (const server::PeerItem& item : items) builder.Add(item);
  return builder.Finish(header).ToString();
}

// Little-endian.
std::string Number(std::uint64_t value, int bytes) {
  std::string out;
  for (int i = 0; i < bytes; ++i) out.push_back(static_cast<char>(value >> (8 * i)));
  return out;
}

std::string LogFrame(log::FrameType type, std::uint64_t count, std::uint64_t first, absl::string_view payload) {
  return absl::StrCat(std::string(1, static_cast<char>(type)), std::string(1, '\0'), Number(count, 2), Number(first, 8), payload);
}

log::SnapshotHead Head(std::uint64_t index) {
  const base::Bytes members = raft::EncodeConfiguration(Members(base::kNewestFeatureLevel));
  return {kCluster, 77, {raft::Index(index), raft::Term(2), raft::Index(1), members}, members};
}

void WriteSnapshot(sim::SimFileSystem* files, const log::SnapshotHead& head, const std::vector<std::string>& parts) {
  auto writer = log::SnapshotWriter::Begin(files, "data", head, {});
  DROVER_CHECK(writer.ok());
  for (const std::string& part : parts) DROVER_CHECK((*writer)->Add(part).ok());
  DROVER_CHECK((*writer)->Finish().ok());
}

// The input of log_directory that is this directory.
std::string DirectoryInput(const sim::SimFileSystem& files, absl::string_view other = "segment-0000000009.log.tmp") {
  std::string out;
  std::size_t segments = 0;
  std::string snapshot;
  for (const std::string& path : files.Paths()) {
    const std::string name = path.substr(5);
    if (const auto number = log::ParseSegmentName(name)) {
      std::string file = files.Read(path);
      file.resize(std::min<std::size_t>(file.find_last_not_of('\0') + 9, file.size()));
      absl::StrAppend(&out, Number(*number, 1), std::string(1, '\xff'), Piece(file));
      ++segments;
    }
    if (log::ParseSnapshotName(name)) snapshot = files.Read(path);
  }
  return absl::StrCat(Number(segments, 1), out, Piece(other), std::string(1, '\xff'), snapshot);
}

}  // namespace

std::string Piece(absl::string_view bytes) {
  return absl::StrCat(Number(bytes.size(), 2), bytes);
}

void AddPeerSeeds(Seeds* out) {
  const server::PeerHeader header{.cluster = kCluster,
                                  .from = NodeId(2),
                                  .from_incarnation = base::Incarnation(12),
                                  .from_boot = base::BootNonce(5),
                                  .to = NodeId(1),
                                  .to_incarnation = base::Incarnation(11),
                                  .clock = base::WallTime(1'700'000'000'000),
                                  .address = "b:2",
                                  .feature_level_max = base::kNewestFeatureLevel,
                                  .feature_level_promised = base::kFirstFeatureLevel};
  const raft::Term term(3);
  raft::Append append{raft::Index(4), raft::Term(2), {}, raft::Index(4), 9, raft::Index(4)};
  append.entries = {MakeEntry(2, 5, raft::EntryKind::kNoop, ""), MakeEntry(3, 6, raft::EntryKind::kData, "batch")};
  const std::vector<server::PeerItem> items = {
      server::RaftItem{term, raft::PreVote{raft::Index(4), raft::Term(2), true}},
      server::RaftItem{term, raft::PreVoteReply{true, raft::Term(4)}},
      server::RaftItem{term, raft::Vote{raft::Index(4), raft::Term(2), false}},
      server::RaftItem{term, raft::VoteReply{true}},
      server::RaftItem{term, append},
      server::RaftItem{term, raft::AppendReply{true, raft::Index(4), raft::Index(6), raft::Index(1), raft::Term(1), 9}},
      server::RaftItem{term, raft::TimeoutNow{true}},
      server::RaftItem{term, raft::ReadIndexAsk{8}},
      server::RaftItem{term, raft::ReadIndexReply{8, raft::Index(6)}},
      server::Forward{term, 2, 7, base::Bytes::Copy("commands")},
      server::Touch{3, {base::SessionId(1), base::SessionId(300)}, {{base::SessionId(1), 2, 3}}, {{base::SessionId(4), 5, 6}}},
      server::TouchAck{3, {base::SessionId(300)}},
      server::SnapshotChunk{77, raft::Index(5), 1000, 100, 0x123456789, base::Bytes::Copy("piece")},
      server::SnapshotAck{77, 105},
      server::Hello{1, false, 0, "1=a:1,2=b:2,3=c:3", base::WallTime(1000)},
      server::Found{raft::EncodeConfiguration(Members(base::kFirstFeatureLevel))},
      server::Standing{raft::Index(9), raft::EncodeConfiguration(Members(base::kNewestFeatureLevel))},
  };
  for (const server::PeerItem& item : items) (*out)["peer_frame"].push_back(FrameOf(header, {item}));
  (*out)["peer_frame"].push_back(FrameOf(header, items));

  server::Hello hello{1, true, 0, "1=a:1,2=b:2,3=c:3", base::WallTime(2000)};
  server::PeerHeader third = header;
  third.from = NodeId(3);
  third.from_incarnation = base::Incarnation(13);
  const std::string both = Piece(FrameOf(header, {hello})) + Piece(FrameOf(third, {hello}));
  (*out)["formation"].push_back(absl::StrCat(std::string(1, '\0'), both));
  (*out)["formation"].push_back(absl::StrCat("\x04", both));
  hello.members = "2=b:2,3=c:3";
  (*out)["formation"].push_back(absl::StrCat("\x04", Piece(FrameOf(header, {hello}))));
  raft::Configuration founded = Members(base::kMoreOperations);
  founded.members[2].voter = true;
  (*out)["formation"].push_back(
      absl::StrCat(std::string(1, '\0'), Piece(FrameOf(third, {server::Found{raft::EncodeConfiguration(founded)}}))));

  for (const base::FeatureLevel level : {base::kFirstFeatureLevel, base::kNewestFeatureLevel}) {
    (*out)["configuration"].push_back(raft::EncodeConfiguration(Members(level)).ToString());
    const log::Identity identity{NodeId(1), base::Incarnation(11), kCluster, level};
    const std::string encoded = log::EncodeIdentity(identity);
    (*out)["configuration"].push_back(encoded);
    (*out)["configuration"].push_back(encoded.substr(0, encoded.size() - 8));
  }
}

void AddLogSeeds(Seeds* out) {
  std::string batch = log::StartFrame();
  log::AppendEntry(MakeEntry(2, 1, raft::EntryKind::kNoop, ""), &batch);
  log::AppendEntry(MakeEntry(9, 2, raft::EntryKind::kConfig, "members"), &batch);
  const std::string entries = batch.substr(log::kFrameHeaderBytes);
  std::string restart = log::StartFrame();
  log::AppendRestart({raft::Index(4), raft::Term(3), raft::Index(2), base::Bytes::Copy("members")}, &restart);
  log::SegmentHeader header{.cluster = kCluster, .number = 2, .previous = {1, 56, 99}, .base_index = raft::Index(3)};
  header.configurations[raft::Index(1)] = base::Bytes::Copy("members");
  log::FrameRef ref;
  const std::string segment = log::EncodeSegmentHeader(header, &ref);
  (*out)["log_frame"] = {LogFrame(log::FrameType::kBatch, 2, 1, entries), LogFrame(log::FrameType::kBatch, 2, UINT64_MAX, entries),
                         LogFrame(log::FrameType::kProof, 0, 1, ""),
                         LogFrame(log::FrameType::kRestart, 2, 5, restart.substr(log::kFrameHeaderBytes) + entries),
                         LogFrame(log::FrameType::kSegment, 0, 4, segment.substr(log::kFrameHeaderBytes))};

  sim::SimFileSystem files(1);
  log::Options options;
  options.cluster_if_new = kCluster;
  options.segment_bytes = 700;
  options.allocate_first_bytes = 256;
  options.allocate_step_bytes = 512;
  const auto directory = log::DataDirectory::Open(&files, "data");
  DROVER_CHECK(directory.ok() && (*directory)->CreateIdentity(NodeId(1), base::Incarnation(77)).ok());
  for (int run = 0; run < 3; ++run) {
    auto opened = log::Log::Open(directory->get(), options);
    DROVER_CHECK(opened.ok());
    log::Log* const log = opened->get();
    const std::uint64_t last = log->last_index().value;
    log::AppendRequest request;
    request.hard_state = {raft::Term(run + 1), NodeId(1)};
    request.entries = {MakeEntry(run + 1, last + 1, raft::EntryKind::kConfig, "members"),
                       MakeEntry(run + 1, last + 2, raft::EntryKind::kData, std::string(40, 'x'))};
    DROVER_CHECK(log->Append(request).ok());
    (*out)["log_directory"].push_back(DirectoryInput(files));
    request.entries = {MakeEntry(run + 1, last + 2, raft::EntryKind::kData, "another")};
    request.truncate_from = raft::Index(last + 2);
    DROVER_CHECK(log->Append(request).ok() && log->Prove().ok());
    (*out)["log_directory"].push_back(DirectoryInput(files));
  }
  (*out)["log_directory"].push_back(DirectoryInput(files, "segment-\xff.tmp"));
  WriteSnapshot(&files, Head(3), {"one part"});
  (*out)["log_directory"].push_back(DirectoryInput(files));
  {
    options.snapshot_index = raft::Index(20);
    auto opened = log::Log::Open(directory->get(), options);
    DROVER_CHECK(opened.ok());
    log::AppendRequest request;
    request.restart = {raft::Index(20), raft::Term(2), raft::Index(1), base::Bytes::Copy("members")};
    DROVER_CHECK((*opened)->Append(request).ok());
    (*out)["log_directory"].push_back(DirectoryInput(files));
  }

  (*out)["log_command"] = (*out)["log_directory"];

  for (const std::string& parts : (*out)["snapshot_parts"]) {
    sim::SimFileSystem disk(1);
    DROVER_CHECK(disk.MakeDirectory("data").ok());
    const std::size_t size = static_cast<unsigned char>(parts[0]) | static_cast<unsigned char>(parts[1]) << 8;
    WriteSnapshot(&disk, Head(5), {parts.substr(2, size)});
    const std::string file = disk.Read("data/" + log::SnapshotName(raft::Index(5)));
    (*out)["snapshot_file"].push_back("\xff" + file);
    // In two pieces.
    const std::size_t half = file.size() / 2;
    std::string pieces;
    for (const auto& [offset, bytes] : {std::pair(std::size_t{0}, file.substr(0, half)), std::pair(half, file.substr(half))}) {
      absl::StrAppend(&pieces, "\xc1", Number(file.size(), 4), Number(offset, 4), Piece(bytes));
    }
    (*out)["snapshot_receiver"].push_back(pieces);
  }
}

void AddTextSeeds(Seeds* out) {
  (*out)["address"] = {"127.0.0.1:7400", "[::1]:80",        "core-1:65535",        "10.0.0.0/8",
                       "2001:db8::/32",  "::ffff:10.0.0.1", "::ffff:10.0.0.0/104", "1=a:1,2=[::1]:2,3=c.d-e:3",
                       "ann:secret"};
  const std::vector<std::string> paths = {"/", "/a", "/a/b", "/a-b/\xc3\xa4", "/a/", "a", "/.", "/\xed\x9f\xbf"};
  for (const std::string& a : paths) {
    for (const std::string& b : {"/", "/a/b/c"}) (*out)["path"].push_back(Piece(a) + b);
  }
  (*out)["config"] = {"listen = \"127.0.0.1:7400\"  # words\nlabel = [\"zone=a\", 'disk=\\ssd']\nslots = 4\n",
                      "a = \"\\\" \\\\ \\n \\t\"\n\nb=[]\nc = [x,]",
                      "1h2m3.5s",
                      "250ms",
                      "a:1,b:2",
                      "key=value",
                      "127.0.0.1:80"};
  (*out)["acl_text"] = {"world:anyone:r,digest:ann:HASH:cdrwa,ip:10.0.0.0/8:rw,auth::cdrwa", "digest:ann:secret", "a:\xff:"};
  (*out)["frame_bytes"] = {Piece("abc") + Piece("") + Piece(std::string(3000, 'x')), Piece("ipv4:10.0.0.1:99"),
                           Piece("ipv6:%5B::1%25eth0%5D:99"), Piece("ipv6:[::1]:99")};
}

}  // namespace drover::fuzz
