// What clients can do wrong to a coordination node, on the wire: each is told what was wrong or waits, the node's memory stays
// bounded, and another client's session notices nothing. (The decoding of frames is fuzzed: tests/fuzz.)
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "drover/coord/blocking.h"
#include "drover/coord/v1/coord.grpc.pb.h"
#include "tests/e2e/e2e.h"

namespace drover::testing {
namespace {

namespace v1 = coord::v1;
using ::testing::HasSubstr;

constexpr std::size_t kMiB = 1U << 20;

// A client that does nothing wrong: it writes all the time, on one session.
class Bystander {
 public:
  explicit Bystander(const std::string& address)
      : client_(coord::BlockingClient::Connect(
                    {.session = {.endpoints = {address}, .timeout = kSessionTimeout}, .call_timeout = kDeadline})
                    .value()) {
    thread_ = std::thread([this] {
      EXPECT_TRUE(client_->Create("/bystander", "").ok());
      while (!stop_) {
        const auto set = client_->Set("/bystander", std::to_string(written_));
        if (!set.ok()) ADD_FAILURE() << "of another client: " << set.status();
        if (!set.ok()) return;
        ++written_;
      }
    });
  }
  ~Bystander() {
    const int before = written_;
    EXPECT_TRUE(Await([&] { return written_ > before + 10; })) << "another client is served no more";
    stop_ = true;
    thread_.join();
    EXPECT_FALSE(client_->expired());
  }
  Bystander(const Bystander&) = delete;
  Bystander& operator=(const Bystander&) = delete;

 private:
  static constexpr std::chrono::seconds kSessionTimeout{10};

  std::unique_ptr<coord::BlockingClient> client_;
  std::atomic<int> written_ = 0;
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

// A Session stream, frame by frame.
class RawStream {
 public:
  explicit RawStream(v1::Coordination::Stub* stub) {
    context_.set_deadline(std::chrono::system_clock::now() + kDeadline);
    stream_ = stub->Session(&context_);
  }
  ~RawStream() { context_.TryCancel(); }
  RawStream(const RawStream&) = delete;
  RawStream& operator=(const RawStream&) = delete;

  bool Send(const v1::ClientFrame& frame) { return stream_->Write(frame); }
  // False: the stream has ended.
  bool Next(v1::ServerFrame* frame) { return stream_->Read(frame); }
  v1::Grant Open() {
    v1::ClientFrame frame;
    frame.mutable_open()->set_timeout_ms(60'000);
    frame.mutable_open()->set_name("hostile");
    EXPECT_TRUE(Send(frame));
    v1::ServerFrame answer;
    while (Next(&answer)) {
      if (answer.has_grant()) return answer.grant();
    }
    ADD_FAILURE() << "no session was granted: " << End().error_message();
    return {};
  }
  v1::Answer Ask(const v1::Request& request) {
    v1::ClientFrame frame;
    *frame.add_requests() = request;
    v1::ServerFrame answer;
    for (bool more = Send(frame); more && Next(&answer);) {
      for (const v1::Item& item : answer.items()) {
        if (item.has_answer()) return item.answer();
      }
    }
    ADD_FAILURE() << "no answer to " << request.ShortDebugString() << ": " << End().error_message();
    return {};
  }
  grpc::Status End() {
    for (v1::ServerFrame frame; stream_->Read(&frame);) {
    }
    return stream_->Finish();
  }

 private:
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::ClientFrame, v1::ServerFrame>> stream_;
};

class CoordBadClientTest : public ::testing::Test {
 protected:
  CoordBadClientTest()
      : cluster_(CoreAlone(1)),
        stub_(v1::Coordination::NewStub(grpc::CreateChannel(cluster_.coord_address(), grpc::InsecureChannelCredentials()))),
        bystander_(cluster_.coord_address()) {}

  // Of an answered call.
  v1::Answer Execute(const v1::Request& request) {
    v1::Answer answer;
    const grpc::Status status = TryExecute(request, &answer);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return answer;
  }
  grpc::Status TryExecute(const v1::Request& request, v1::Answer* answer) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kDeadline);
    return stub_->Execute(&context, request, answer);
  }
  // Resident memory of the node.
  std::size_t ResidentBytes() {
    for (const std::string& line : Lines(ReadFile("/proc/" + std::to_string(cluster_.coord().pid()) + "/status"))) {
      if (line.rfind("VmRSS:", 0) == 0) return std::stoull(line.substr(6)) * 1024;
    }
    ADD_FAILURE() << "the node's memory is not known";
    return 0;
  }
  static v1::Request Create(const std::string& path, std::string data = "", bool parents = false) {
    v1::Request request;
    request.mutable_create()->set_path(path);
    request.mutable_create()->set_data(std::move(data));
    request.mutable_create()->set_parents(parents);
    return request;
  }

  Cluster cluster_;
  std::unique_ptr<v1::Coordination::Stub> stub_;
  Bystander bystander_;
};

TEST_F(CoordBadClientTest, APathOfAnyIllegalFormIsRefusedByEveryOperation) {
  using Make = std::function<void(const std::string&, v1::Request*)>;
  const std::vector<std::pair<std::string, Make>> operations = {
      {"create", [](const std::string& path, v1::Request* r) { r->mutable_create()->set_path(path); }},
      {"set", [](const std::string& path, v1::Request* r) { r->mutable_set()->set_path(path); }},
      {"delete", [](const std::string& path, v1::Request* r) { r->mutable_delete_()->set_path(path); }},
      {"delete-subtree", [](const std::string& path, v1::Request* r) { r->mutable_delete_subtree()->set_path(path); }},
      {"transaction",
       [](const std::string& path, v1::Request* r) { r->mutable_transaction()->add_then()->mutable_check()->set_path(path); }},
      {"set-acl",
       [](const std::string& path, v1::Request* r) {
         r->mutable_set_acl()->set_path(path);
         v1::AclEntry* const entry = r->mutable_set_acl()->mutable_acl()->add_entries();
         entry->set_permissions(31);
         entry->set_scheme("world");
         entry->set_id("anyone");
       }},
      {"set-quota", [](const std::string& path, v1::Request* r) { r->mutable_set_quota()->set_path(path); }},
      {"get", [](const std::string& path, v1::Request* r) { r->mutable_get()->set_path(path); }},
      {"exists", [](const std::string& path, v1::Request* r) { r->mutable_exists()->set_path(path); }},
      {"children", [](const std::string& path, v1::Request* r) { r->mutable_children()->set_path(path); }},
      {"list", [](const std::string& path, v1::Request* r) { r->mutable_list()->set_path(path); }},
      {"count", [](const std::string& path, v1::Request* r) { r->mutable_count_descendants()->set_path(path); }},
      {"get-acl", [](const std::string& path, v1::Request* r) { r->mutable_get_acl()->set_path(path); }},
      {"quotas", [](const std::string& path, v1::Request* r) { r->mutable_quotas()->set_path(path); }},
  };
  const std::vector<std::string> illegal = {"",
                                            "a",
                                            "a/b",
                                            "/a/",
                                            "//",
                                            "//a",
                                            "/a//b",
                                            "/.",
                                            "/..",
                                            "/a/../b",
                                            "/a/./b",
                                            "/a/..",
                                            "/\x01",
                                            "/a\x1f",
                                            "/a\x7f",
                                            "/\xc2\x85",
                                            "/\xee\x80\x80",
                                            std::string("/a\0b", 4)};
  for (const auto& [name, make] : operations) {
    for (const std::string& path : illegal) {
      v1::Request request;
      make(path, &request);
      const v1::Answer answer = Execute(request);
      EXPECT_EQ(answer.code(), v1::INVALID_ARGUMENT) << name << " of '" << path << "'";
      EXPECT_NE(answer.message(), "") << name << " of '" << path << "'";
    }
    v1::Request longest;
    make("/" + std::string(4'096, 'l'), &longest);
    EXPECT_EQ(Execute(longest).code(), v1::TOO_LARGE) << name;
  }
  RawStream stream(stub_.get());
  stream.Open();
  for (const std::string& path : illegal) {
    v1::Request watch;
    watch.set_id(1);
    watch.mutable_add_watch()->set_watch_id(1);
    watch.mutable_add_watch()->set_path(path);
    watch.mutable_add_watch()->set_kind(v1::PERSISTENT);
    EXPECT_EQ(stream.Ask(watch).code(), v1::INVALID_ARGUMENT) << "watch of '" << path << "'";
  }
}

TEST_F(CoordBadClientTest, WhatIsTooLargeIsRefusedAsSuchAndNothingOfItIsDone) {
  EXPECT_EQ(Execute(Create("/limit", std::string(kMiB, 'x'))).code(), v1::OK);
  const v1::Answer over = Execute(Create("/over", std::string(kMiB + 1, 'x')));
  EXPECT_EQ(over.code(), v1::TOO_LARGE);
  EXPECT_THAT(over.message(), HasSubstr("limit"));

  v1::Request many;
  for (int i = 0; i < 1'025; ++i) many.mutable_transaction()->add_then()->mutable_create()->set_path("/many" + std::to_string(i));
  EXPECT_EQ(Execute(many).code(), v1::TOO_LARGE);
  v1::Request heavy;
  for (int i = 0; i < 5; ++i) {
    v1::Create* const create = heavy.mutable_transaction()->add_then()->mutable_create();
    create->set_path("/heavy" + std::to_string(i));
    create->set_data(std::string(kMiB - 100, 'x'));
  }
  EXPECT_EQ(Execute(heavy).code(), v1::TOO_LARGE);
  v1::Request reads;
  for (int i = 0; i < 1'025; ++i) reads.mutable_multi_read()->add_reads()->mutable_get()->set_path("/limit");
  EXPECT_EQ(Execute(reads).code(), v1::TOO_LARGE);

  // Over what a frame may be: the stream, or the call, is ended with a reason.
  const v1::Request huge = Create("/huge", std::string(9 * kMiB, 'x'));
  v1::Answer answer;
  const grpc::Status refused = TryExecute(huge, &answer);
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(refused.error_message(), HasSubstr("at most"));
  RawStream stream(stub_.get());
  stream.Open();
  v1::ClientFrame frame;
  *frame.add_requests() = huge;
  frame.mutable_requests(0)->set_number(1);
  stream.Send(frame);
  const grpc::Status ended = stream.End();
  EXPECT_EQ(ended.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(ended.error_message(), HasSubstr("at most"));

  v1::Request root;
  root.mutable_children()->set_path("/");
  EXPECT_THAT(Execute(root).names(), ::testing::ElementsAre("bystander", "limit"));
}

TEST_F(CoordBadClientTest, AnOperationThatNobodyKnowsIsRefusedAndTheSessionGoesOn) {
  const auto unknown = [](v1::Request* request) {
    request->GetReflection()->MutableUnknownFields(request)->AddLengthDelimited(199, "what");
  };
  v1::Request request;
  for (const bool named : {false, true}) {
    if (named) unknown(&request);
    const v1::Answer answer = Execute(request);
    EXPECT_EQ(answer.code(), v1::UNIMPLEMENTED) << named;
    EXPECT_NE(answer.message(), "");
  }
  RawStream stream(stub_.get());
  const v1::Grant grant = stream.Open();
  EXPECT_EQ(stream.Ask(request).code(), v1::UNIMPLEMENTED);
  RawStream again(stub_.get());
  v1::ClientFrame resume;
  resume.mutable_resume()->set_session_id(grant.session_id());
  resume.mutable_resume()->set_secret(grant.secret());
  v1::ServerFrame told;
  ASSERT_TRUE(again.Send(resume));
  ASSERT_TRUE(again.Next(&told));
  EXPECT_EQ(told.grant().session_id(), grant.session_id());
}

TEST_F(CoordBadClientTest, AWrongSecretOpensNoSessionHoweverOftenItIsTried) {
  RawStream stream(stub_.get());
  const v1::Grant grant = stream.Open();
  for (int i = 0; i < 200; ++i) {
    RawStream thief(stub_.get());
    v1::ClientFrame resume;
    resume.mutable_resume()->set_session_id(grant.session_id());
    std::string secret = grant.secret();
    if (i % 4 == 0) secret.clear();
    if (i % 4 == 1) secret.pop_back();
    if (i % 4 == 2) secret += "x";
    if (i % 4 == 3) secret[static_cast<std::size_t>(i) % secret.size()] ^= 1;
    resume.mutable_resume()->set_secret(secret);
    thief.Send(resume);
    const grpc::Status status = thief.End();
    EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAUTHENTICATED) << i << ": " << status.error_message();
  }
  v1::Request prove;
  prove.set_number(1);
  prove.mutable_authenticate()->set_scheme("nonsense");
  prove.mutable_authenticate()->set_credential("x");
  EXPECT_EQ(stream.Ask(prove).code(), v1::AUTH_FAILED) << "the session itself works on";
}

TEST_F(CoordBadClientTest, ATreeAsDeepAsAPathCanSayIsServedAndADeeperOneRefused) {
  std::string deepest;
  while (deepest.size() + 2 <= 4'096) deepest += "/d";
  EXPECT_EQ(Execute(Create(deepest, "bottom", /*parents=*/true)).code(), v1::OK);
  EXPECT_EQ(Execute(Create(deepest + "/d", "")).code(), v1::TOO_LARGE);
  std::string beyond;
  for (int level = 0; level < 10'000; ++level) beyond += "/e";
  EXPECT_EQ(Execute(Create(beyond, "", /*parents=*/true)).code(), v1::TOO_LARGE);

  const CommandResult view = cluster_.Drover({"tree", "view", "/d"});
  EXPECT_EQ(view.exit_code, 0) << view.err;
  const CommandResult list = cluster_.Drover({"tree", "ls", "-R", "/d"});
  EXPECT_EQ(list.exit_code, 0) << list.err;
  EXPECT_EQ(Lines(list.out).size(), 2'047u);
  const CommandResult exported = cluster_.Drover({"tree", "export", "/d"});
  EXPECT_EQ(exported.exit_code, 0) << exported.err;
  EXPECT_EQ(cluster_.Drover({"tree", "get", deepest}).out, "bottom");
  v1::Request remove;
  remove.mutable_delete_subtree()->set_path("/d");
  const v1::Answer removed = Execute(remove);
  EXPECT_EQ(removed.code(), v1::OK) << removed.message();
  EXPECT_EQ(removed.count(), 2'048u);
}

TEST_F(CoordBadClientTest, ANodeWithVeryManyChildrenIsReadByPagesAndDeletedInParts) {
  constexpr std::size_t kChildren = 1'000'000;
  const auto make = [this](const std::string& parent, std::size_t children) {
    ASSERT_EQ(Execute(Create(parent)).code(), v1::OK);
    for (std::size_t made = 0; made < children;) {
      v1::Request request;
      for (int i = 0; i < 1'000 && made < children; ++i, ++made) {
        v1::Create* const create = request.mutable_transaction()->add_then()->mutable_create();
        create->set_path(parent + "/child-");
        create->set_sequential(true);
      }
      ASSERT_EQ(Execute(request).code(), v1::OK);
    }
  };
  make("/many", kChildren - 1);
  make("/many/more", 12'000);
  v1::Request names;
  names.mutable_children()->set_path("/many");
  std::size_t read = 0;
  for (bool more = true; more;) {
    const v1::Answer page = Execute(names);
    ASSERT_EQ(page.code(), v1::OK);
    ASSERT_GT(page.names_size(), 0);
    EXPECT_LE(page.names_size(), 10'000);
    EXPECT_LE(page.ByteSizeLong(), kMiB + kMiB / 4);
    read += static_cast<std::size_t>(page.names_size());
    names.mutable_children()->set_after(page.names(page.names_size() - 1));
    more = page.more();
  }
  EXPECT_EQ(read, kChildren);
  EXPECT_EQ(Lines(cluster_.Drover({"tree", "ls", "/many"}).out).size(), kChildren);

  v1::Request all;
  all.mutable_delete_subtree()->set_path("/many");
  EXPECT_EQ(Execute(all).code(), v1::TOO_LARGE);
  v1::Request one;
  one.mutable_delete_()->set_path("/many");
  EXPECT_EQ(Execute(one).code(), v1::NOT_EMPTY);
  EXPECT_EQ(cluster_.Json({"tree", "delete", "-r", "/many"}).at("count"), kChildren + 12'001);
  EXPECT_EQ(Execute(one).code(), v1::NO_NODE);
}

TEST_F(CoordBadClientTest, ClientsThatStopReadingAreHeldBackOrLetGo) {
  constexpr int kClients = 8;
  constexpr std::size_t kPerClient = 24 * kMiB;  // what lies unsent (16 MiB), and what gRPC and the kernel hold of it
  constexpr std::size_t kOnce = 96 * kMiB;       // history for watches, and what writes pass through
  ASSERT_EQ(Execute(Create("/large", std::string(kMiB - 100, 'x'))).code(), v1::OK);
  const std::size_t before = ResidentBytes();
  // Some ask for more than they take; their requests wait.
  std::vector<std::unique_ptr<RawStream>> streams;
  for (int i = 0; i < kClients; ++i) {
    streams.push_back(std::make_unique<RawStream>(stub_.get()));
    streams.back()->Open();
    v1::ClientFrame frame;
    for (std::uint64_t id = 1; id <= 16; ++id) {
      v1::Request* const get = frame.add_requests();
      get->set_id(id);
      get->mutable_get()->set_path("/large");
    }
    ASSERT_TRUE(streams.back()->Send(frame));
  }
  // Others watch everything, and do not listen.
  std::vector<std::unique_ptr<RawStream>> watchers;
  for (int i = 0; i < kClients; ++i) {
    watchers.push_back(std::make_unique<RawStream>(stub_.get()));
    watchers.back()->Open();
    v1::Request watch;
    watch.set_id(1);
    watch.mutable_add_watch()->set_watch_id(1);
    watch.mutable_add_watch()->set_path("/");
    watch.mutable_add_watch()->set_kind(v1::PERSISTENT_RECURSIVE);
    watch.mutable_add_watch()->set_with_data(true);
    EXPECT_EQ(watchers.back()->Ask(watch).code(), v1::OK);
  }
  std::size_t most = 0;
  for (int i = 0; i < 100; ++i) {
    v1::Request set;
    set.mutable_set()->set_path("/large");
    set.mutable_set()->set_data(std::string(kMiB - 100, static_cast<char>('a' + i % 26)));
    ASSERT_EQ(Execute(set).code(), v1::OK);
    most = std::max(most, ResidentBytes());
  }
  if (!kSanitized) {
    EXPECT_LT(most, before + 2 * kClients * kPerClient + kOnce);
  }
  for (const auto& watcher : watchers) {
    const grpc::Status ended = watcher->End();
    EXPECT_EQ(ended.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED) << ended.error_message();
  }
  // Who asked for much gets all of it as soon as it takes it.
  for (const auto& stream : streams) {
    int answers = 0;
    for (v1::ServerFrame frame; answers < 16 && stream->Next(&frame);) answers += frame.items_size();
    EXPECT_EQ(answers, 16);
  }
}

}  // namespace
}  // namespace drover::testing
